"""Repairs fences that contain fences, such as a Markdown file in a model's answer: the first inner fence would end the
outer one.

An inner fence that names its language has an end of its own, so openings and ends can be matched. The outer fence is
made longer than any inner one, as Markdown requires; its content and line numbers stay the same.
"""

from __future__ import annotations

import re

_FENCE = re.compile(r"([ \t]*)(`{3,}|~{3,})([^`\n]*)\Z")
_ITEM = re.compile(r"[ \t]*(?:[-*+]|\d{1,9}[.)])(?:\s|\Z)")
_MAY_BE_EITHER = re.compile(r"[ \t]*(?:[`~].*|[-*+]|\d{1,9}[.)]?)?\Z")
_MOST_INDENT = 3  # more of it makes code without a fence, but not in a list
_LANGUAGES = frozenset({"markdown", "md", "mdx", "text", "txt"})
_LONG = 24


def with_longer_fences(text: str) -> str:
    """Return ``text`` with fences of Markdown longer than those within."""
    fences = NestedFences()
    changed = fences.feed(text) + fences.finish()
    return text if fences.is_unbalanced else changed


class NestedFences:
    """Changes a text that comes in pieces. ``is_unbalanced``: an inner fence has no end, so that the end of the outer
    one is unknown; then the text is left unchanged."""

    def __init__(self) -> None:
        self._line = ""  # held back, because it may become a fence or an item of a list
        self._is_inside_line = False  # the present line is none, and its beginning was given
        self._outer = ""  # the marker of the fence of Markdown in which the text is
        self._other = ""  # the marker of the enclosing fence
        self._margin = 0  # the width of the indent before that marker
        self._depth = 0
        self._has_inner = False
        self._is_in_list = False

    @property
    def is_unbalanced(self) -> bool:
        return bool(self._outer) and self._has_inner

    def feed(self, text: str) -> str:
        """Return the newly changed text; the beginning of a possible fence is held back."""
        given = []
        *ended, last = text.split("\n")
        for each in ended:
            given.append(self._ended(each) + "\n")
        self._line += last
        if self._is_inside_line or _MAY_BE_EITHER.match(self._line) is None:
            if not self._is_inside_line:
                self._note_list(self._line)
            given.append(self._line)
            self._is_inside_line = self._is_inside_line or bool(self._line)
            self._line = ""
        return "".join(given)

    def finish(self) -> str:
        """Return the last line."""
        return self._ended("")

    def _ended(self, rest: str) -> str:
        line, self._line = self._line + rest, ""
        if self._is_inside_line:
            self._is_inside_line = False
            return line
        found = _FENCE.match(line.rstrip("\r"))
        if found is not None and self._is_fence(len(found[1].expandtabs(4))):
            return self._changed(line, found)
        self._note_list(line)
        return line

    def _is_fence(self, indent: int) -> bool:
        if self._outer or self._other:
            return indent <= self._margin + _MOST_INDENT
        self._margin = indent
        return self._is_in_list or indent <= _MOST_INDENT

    def _note_list(self, line: str) -> None:
        """Note whether the line, or its beginning, is within a list."""
        if not self._outer and not self._other and line.strip():
            self._is_in_list = bool(_ITEM.match(line)) or (self._is_in_list and line[0].isspace())

    def _changed(self, line: str, fence: re.Match[str]) -> str:
        indent, marker, info = fence[1], fence[2], fence[3].strip()
        if self._other:
            if marker.startswith(self._other) and not info:
                self._other = ""
            return line
        if not self._outer:
            if info.split(" ")[0].lower() not in _LANGUAGES:
                self._other = marker
                return line
            self._outer, self._depth, self._has_inner = marker, 0, False
        elif not marker.startswith(self._outer):
            return line
        elif info:
            self._depth += 1
            self._has_inner = True
            return line
        elif self._depth:
            self._depth -= 1
            return line
        else:
            self._outer = ""
        return f"{indent}{marker[0] * max(_LONG, len(marker) + 1)}{fence[3]}"
