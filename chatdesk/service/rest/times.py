"""Writes times as the exports do: ISO 8601 in UTC, with milliseconds."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import overload


@overload
def iso(milliseconds: int) -> str: ...
@overload
def iso(milliseconds: int | None) -> str | None: ...


def iso(milliseconds: int | None) -> str | None:
    """Return a time that is given in milliseconds UTC."""
    if milliseconds is None:
        return None
    return datetime.fromtimestamp(milliseconds / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
