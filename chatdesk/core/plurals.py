"""Words a number with what it counts, for every sentence that people read."""

from __future__ import annotations


def counted(number: int, one: str, many: str = "") -> str:
    """Return "1 thread" or "2,000 threads"; ``many`` is the plural where it is not ``one`` with an *s*, verb included:
    ``counted(2, "change waits", "changes wait")``."""
    return f"{number:,} {one if number == 1 else many or f'{one}s'}"
