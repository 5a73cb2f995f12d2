"""Keeps track of whether a Markdown text that comes in pieces is in code: in a fence, an indented block, or a run of
backticks."""

from __future__ import annotations

import re

_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})([^`]*)\Z")
_LONGEST_LINE = 4_000


class CodeTracker:
    """Tracks whether the end of a growing text is inside code."""

    def __init__(self) -> None:
        self.line = ""  # the beginning of the current line
        self._fence = ""  # the fence of the current code block; empty outside code

    @property
    def is_in_fence(self) -> bool:
        return bool(self._fence)

    @property
    def is_in_code(self) -> bool:
        """Return whether the text is in a block or a run of code."""
        is_indented = self.line.startswith(("    ", "\t")) and not self.line.strip()
        return bool(self._fence) or is_indented or self.line.count("`") % 2 == 1

    def follow(self, text: str) -> None:
        """Go on by a piece of the text."""
        *ended, last = text.split("\n")
        for each in ended:
            self._end_line(self.line + each)
            self.line = ""
        self.line = (self.line + last)[:_LONGEST_LINE]

    def _end_line(self, line: str) -> None:
        found = _FENCE.match(line)
        if found is None:
            return
        if not self._fence:
            self._fence = found[1]
        elif found[1].startswith(self._fence) and not found[2].strip():
            self._fence = ""
