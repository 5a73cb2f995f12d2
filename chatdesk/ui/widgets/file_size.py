"""The size of a file in words."""

from __future__ import annotations

from chatdesk.core.plurals import counted

_KB, _MB = 1024, 1024 * 1024


def size_text(size_bytes: int) -> str:
    """Return a size as a person reads it."""
    if size_bytes < _KB:
        return counted(size_bytes, "byte")
    return f"{size_bytes / _KB:.0f} KB" if size_bytes < _MB else f"{size_bytes / _MB:.1f} MB"


def exact_size_text(size_bytes: int) -> str:
    """Return a size with a digit more, for comparing it with a limit."""
    return f"{size_bytes / _KB:.1f} KB" if size_bytes < _MB else f"{size_bytes / _MB:.2f} MB"
