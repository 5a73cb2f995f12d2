"""Writes lists, capital letters and sizes of files in the person's language."""

from __future__ import annotations

from collections.abc import Iterable

from chatdesk.core.texts import plural, shown, tr
from chatdesk.ui.local_forms import decimal_text


def listed(items: Iterable[str]) -> str:
    """Return "Ana", "Ana and Ben" or "Ana, Ben and Cleo"."""
    words = [shown(each) for each in items]
    if len(words) < 2:
        return "".join(words)
    return tr("{others} and {last}", others=tr(", ").join(words[:-1]), last=words[-1])


def with_commas(items: Iterable[str]) -> str:
    """Return the items that are not empty with commas between them."""
    return tr(", ").join(shown(each) for each in items if each)


def with_capital(words: str) -> str:
    """Return the words with a capital letter first, as a line or a sentence begins."""
    return words[:1].upper() + words[1:]


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
