"""Writes the difference between two states of a file as a unified diff, which ``patch`` accepts. Pure."""

from __future__ import annotations

from typing import Final

from chatdesk.core.domain.artifacts.differences import Difference, line_difference

_NO_END: Final = "\\ No newline at end of file"


def file_difference(path: str, before: str | None, after: str | None) -> Difference:
    """Return the difference between the texts of a file, with a head; None stands for a file that is not there."""
    found = line_difference(_lines(before), _lines(after))
    head = (
        f"--- {'/dev/null' if before is None else f'a/{path}'}\n+++ {'/dev/null' if after is None else f'b/{path}'}\n"
    )
    return Difference(head + found.text, found.added, found.removed, found.is_rough)


def _lines(text: str | None) -> list[str]:
    """Return the lines of a text with their ends; a last line without one is followed by a remark on that."""
    if not text:
        return []
    lines = [f"{line}\n" for line in text.split("\n")]
    if lines[-1] == "\n":
        return lines[:-1]
    return [*lines[:-1], f"{lines[-1]}{_NO_END}\n"]
