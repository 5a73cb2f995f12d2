"""Finds the certain parts of a growing text. Its end may mean something else with the next character, and its beginning
cannot change any more."""

from __future__ import annotations

import re

from chatdesk.core.rendering.markdown import ParsedText
from chatdesk.core.rendering.picture_data import without_unfinished_picture

# A last line that may yet become something else is held back: a bare marker, a rule or setext line in the making, the
# opening of a fence, a table's delimiter row, a link definition, the label of a footnote.
_HELD_LINE = re.compile(
    r"[ \t>]*(?:[-+*_=|:#~ \t]+|\d{1,9}[.)]?[ \t]*|(?:[-+*]|\d{1,9}[.)])[ \t]+\[?[ xX]?\]?"
    r"|`{1,2}|`{3,}[^`\n]*|~{3,}[^\n]*|\\\[?|\\[a-z]{1,5}\{?[a-z*]{0,12}\}?|\$\$?"
    r"|</?(?:details|summary)[^\n]*|\[\^?[^\]\s^]{0,60}\]?|\[[^\]\s^][^\]\s]{0,60}\]:.*)"
)
# What may be half of a delimiter or of a tag at the very end, and an image in the making.
_HELD_END = re.compile(r"(?:[*_~`$\\]+|!|!\[[^\]\n]*(?:\](?:\([^)\n]*)?)?|\[|\^|</?[A-Za-z]{0,10})$")
_MAX_HELD_ENDS = 4
_UNCERTAIN_NUMBER = re.compile(r"[ \t]*\d{1,9}[.)]?[ \t]*")
_MATH_OPENING = re.compile(r" {0,3}(?:\$\$|\\\[|\\begin\{)")
_MAX_HELD_CHARS = 200


def without_uncertain_end(text: str) -> str:
    """Return ``text`` without an end that may mean something else with the next character."""
    text = without_unfinished_picture(text)
    for _ in range(_MAX_HELD_ENDS):
        start = text.rfind("\n") + 1
        last = text[start:]
        if last and len(last) <= _MAX_HELD_CHARS and _HELD_LINE.fullmatch(last):
            return text[:start]
        match = _HELD_END.search(last[-_MAX_HELD_CHARS:])
        if match is None:
            return text
        text = text[: len(text) - len(match[0])]
    return text


def last_boundary(parsed: ParsedText, source: str) -> tuple[int, bool]:
    """Return (line, is in a list) of the last line before which nothing can change any more; line 0 for none."""
    lines = source.split("\n")
    complete = len(lines) - 1  # the last one has no newline yet
    best, is_best_in_list = 0, False
    math_lines: set[int] = set()
    closed_fence_end = -1
    list_start = -1
    for token in parsed.tokens:
        if token.map is None:
            continue
        first, end = token.map
        if token.type == "chat_math" and not token.meta.get("is_open"):
            math_lines.update(range(first, end))
        if token.type in ("fence", "code_block"):
            math_lines.update(range(first, end))
        is_item = token.type == "list_item_open" and token.level == 1
        if token.level and not is_item:
            continue
        if token.type in ("ordered_list_open", "bullet_list_open"):
            list_start = first
        if first > best and first < len(lines):
            is_certain = first < complete or _UNCERTAIN_NUMBER.fullmatch(lines[first]) is None
            if is_item and first > list_start >= 0:
                if is_certain and not _has_loose_math(lines, best, first, math_lines):
                    best, is_best_in_list = first, True
            elif not is_item and (
                (is_certain and not lines[first - 1].strip())
                or (token.type in ("fence", "heading_open") and first < complete and lines[first][:1] in "`~#")
                or closed_fence_end == first
            ):
                best, is_best_in_list = first, False
        if token.type == "fence" and not token.meta["is_open"]:
            closed_fence_end = end
    return best, is_best_in_list


def _has_loose_math(lines: list[str], first: int, end: int, math_lines: set[int]) -> bool:
    """Return whether a formula is open before line ``end``: it may close behind the next item. A blank line ends
    every one."""
    for number in range(end - 1, first - 1, -1):
        if not lines[number].strip():
            return False
        if number not in math_lines and _MATH_OPENING.match(lines[number]):
            return True
    return False
