"""Joins words into a list as the language of the program writes it, and begins a line with them."""

from __future__ import annotations

from collections.abc import Iterable

from chatdesk.core.texts import shown, tr


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
