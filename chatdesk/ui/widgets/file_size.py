"""The size of a file in words."""

from __future__ import annotations

from chatdesk.core.texts import plural, shown, tr
from chatdesk.ui.local_forms import decimal_text

_KB, _MB = 1024, 1024 * 1024


def size_text(size_bytes: int) -> str:
    """Return a size as a person reads it."""
    if size_bytes < _KB:
        return shown(plural("{count} bytes", "{count} byte", size_bytes))
    if size_bytes < _MB:
        return tr("{size} KB", size=decimal_text(size_bytes / _KB, 0))
    return tr("{size} MB", size=decimal_text(size_bytes / _MB, 1))


def exact_size_text(size_bytes: int) -> str:
    """Return a size with a digit more, for comparing it with a limit."""
    if size_bytes < _MB:
        return tr("{size} KB", size=decimal_text(size_bytes / _KB, 1))
    return tr("{size} MB", size=decimal_text(size_bytes / _MB, 2))
