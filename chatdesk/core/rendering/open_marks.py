"""Closes the marks of Markdown that are open while a text is being written: text behind ``**`` is bold at once, and the
words of a link are without their brackets. A formula in running text waits until it is whole.

What is shown this way is parsed again with every addition; nothing here may reach the settled part of a stream.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # loaded only by the process that does this work
    from markdown_it.token import Token

_MAX_SCANNED_CHARS = 8_000
_MAX_HELD_FORMULA = 120
_MAX_LINK_WORDS = 200
_SIGN = re.compile(r"[\\`$\[*_~]")
_LINK = re.compile(r"\[[^\[\]\n]*\]\([^()\s]*(?:\([^()\s]*\)[^()\s]*)*(?:\s+\"[^\"]*\")?\)")
_LINK_WITHOUT_END = re.compile(r"\[([^\[\]\n]+)\](?:\([^)\n]*)?$")
# Taken for an address that is a path, which leaves the words of a link as words.
_SOME_ADDRESS = "](x)"
_SHELL_NAME = re.compile(r"[A-Z_]{2,}(?:[\W\d]|$)|[A-Za-z_]{4,}[\s./:,;]|[({\d*@#?!]")
_FORMULA_BY_NUMBER = re.compile(r"\d+(?:[\\^_{=+*]|[a-z][\s^_=+*-])")
_PROSE = re.compile(r"(?<![\\A-Za-z{])[A-Za-z]{3,}[ ,]+[A-Za-z]{3,}")


@dataclass(slots=True)
class _Mark:
    letter: str
    count: int


def close_marks(source: str, tokens: Sequence[Token]) -> str:
    """Return ``source`` with the marks closed that are open in the last text of its ``tokens``."""
    content = _last_text(source, tokens)
    if not content or len(content) > _MAX_SCANNED_CHARS:
        return source
    kept, closing = _scan(content)
    if kept == len(content) and not closing:
        return source
    body = source.rstrip()
    gone = content[kept:]
    if not body.endswith(content[-1]) or not body.endswith(gone):
        return source  # in a paragraph of a quote, marks before each line are between
    body = body[: len(body) - len(gone)]
    return _with_closing(body, closing)


def close_text(text: str) -> str:
    """Return the text of a growing cell with its open marks closed."""
    kept, closing = _scan(text)
    return _with_closing(text[:kept], closing)


def _with_closing(text: str, closing: str) -> str:
    if closing.startswith("`"):
        return text + " " * text.endswith("`") + closing
    return text.rstrip(" \t") + closing


def _last_text(source: str, tokens: Sequence[Token]) -> str:
    """Return the text that grows at the end of ``source``; empty if something else grows, or nothing any more."""
    if source.endswith("\n\n") or not tokens:
        return ""
    for token in reversed(tokens):
        if token.type == "chat_table":
            if source.rstrip().endswith("|"):
                return ""
            cells: list[str] = (token.meta["rows"] or [token.meta["header"]])[-1]
            return cells[-1] if cells else ""
        if token.type == "inline":
            return token.content
        if token.nesting >= 0:
            return ""
    return ""


def _scan(content: str) -> tuple[int, str]:
    """Return how many characters of ``content`` are shown, and the marks that close it."""
    open_marks: list[_Mark] = []
    at = 0
    while (found := _SIGN.search(content, at)) is not None:
        at = found.start()
        sign = content[at]
        if sign in "*_~":
            at = _apply_run(content, at, open_marks)
        elif sign == "`":
            end = _end_of_code(content, at)
            if end < 0:
                ticks = content[at : _end_of_run(content, at)]
                has_code = bool(content[at + len(ticks) :].strip())
                return (len(content), ticks + _closing(open_marks)) if has_code else (at, _closing(open_marks))
            at = end
        elif sign == "[":
            link = _LINK.match(content, at)
            cut = _LINK_WITHOUT_END.match(content, at)
            if link is not None:
                at = link.end()
            elif cut is not None and not _is_after_word(content, at) and cut[1][0] not in "^!":
                kept, closing = _scan(cut[1])
                return at + 1 + kept, closing + _SOME_ADDRESS + _closing(open_marks)
            else:
                if _is_open_link(content, at):
                    open_marks.append(_Mark("[", 1))
                at += 1
        else:
            end = _end_of_formula(content, at)
            if end < 0:
                return at, _closing(open_marks)
            at = end
    return len(content), _closing(open_marks)


def _closing(open_marks: list[_Mark]) -> str:
    return "".join(_SOME_ADDRESS if mark.letter == "[" else mark.letter * mark.count for mark in reversed(open_marks))


def _end_of_run(content: str, at: int) -> int:
    end = at
    while end < len(content) and content[end] == content[at]:
        end += 1
    return end


def _apply_run(content: str, at: int, open_marks: list[_Mark]) -> int:
    """Open or close marks with the run of ``*``, ``_`` or ``~`` at ``at``, by CommonMark's rules in short; return
    its end."""
    end = _end_of_run(content, at)
    letter, count = content[at], end - at
    before, after = content[at - 1] if at else " ", content[end] if end < len(content) else " "
    is_left = not after.isspace() and (after.isalnum() or not before.isalnum())
    is_right = not before.isspace() and (before.isalnum() or not after.isalnum())
    is_inside = before.isalnum() and after.isalnum()
    if letter == "~" and count != 2:
        return end
    can_close = is_right and not (letter == "_" and is_inside)
    # One star between letters is more often a product than the beginning of something slanted.
    can_open = is_left and not (is_inside and (letter == "_" or (letter == "*" and count == 1)))
    if can_close:
        count = _close_with(letter, count, open_marks)
    if count and can_open:
        open_marks.append(_Mark(letter, count))
    return end


def _close_with(letter: str, count: int, open_marks: list[_Mark]) -> int:
    """Close open marks with ``count`` signs; return how many of them are left."""
    while count:
        place = next((place for place in range(len(open_marks) - 1, -1, -1) if open_marks[place].letter == letter), -1)
        if place < 0:
            break
        del open_marks[place + 1 :]
        used = 2 if min(count, open_marks[place].count) >= 2 else 1
        count -= used
        open_marks[place].count -= used
        if not open_marks[place].count:
            del open_marks[place]
    return count


def _end_of_code(content: str, at: int) -> int:
    """Return the position behind the code that begins at ``at``; -1 while it is open."""
    end = _end_of_run(content, at)
    ticks = end - at
    while (end := content.find("`", end)) >= 0:
        stop = _end_of_run(content, end)
        if stop - end == ticks:
            return stop
        end = stop
    return -1


def _is_after_word(content: str, at: int) -> bool:
    return at > 0 and (content[at - 1].isalnum() or content[at - 1] in "!])_")


def _is_open_link(content: str, at: int) -> bool:
    """Return whether the words of a link may begin with the bracket at ``at``."""
    words = content[at + 1 :]
    is_number = words.replace(" ", "").isdigit()
    is_short = 0 < len(words) <= _MAX_LINK_WORDS
    return is_short and not is_number and words[0] not in "^ [" and "]" not in words and not _is_after_word(content, at)


def _end_of_formula(content: str, at: int) -> int:
    """Return the position behind the formula, the escape or the dollar at ``at``; -1 for a formula whose end has not
    come."""
    if content[at] == "\\":
        if content[at + 1 : at + 2] not in ("(", "["):
            return at + 2
        end = content.find("\\)" if content[at + 1] == "(" else "\\]", at + 2)
        if end < 0 and len(content) - at <= 2 * _MAX_HELD_FORMULA:
            return -1
        return end + 2 if end >= 0 else at + 2
    if content.startswith("$$", at):
        end = content.find("$$", at + 2)
        if end < 0 and len(content) - at <= 2 * _MAX_HELD_FORMULA:
            return -1
        return end + 2 if end >= 0 else at + 2
    end = content.find("$", at + 1)
    while end >= 0 and content[end - 1] == "\\":
        end = content.find("$", end + 1)
    if end >= 0:
        return end + 1 if not content[end - 1].isspace() else end
    return -1 if _may_be_formula(content, at) else at + 1


def _may_be_formula(content: str, at: int) -> bool:
    """Return whether the dollar at ``at`` opens a formula that is still being written, and no sum of money or
    variable."""
    body = content[at + 1 :]
    if not body or body[0].isspace() or len(body) > _MAX_HELD_FORMULA or (at and content[at - 1].isalnum()):
        return False
    if "`" in body or _PROSE.search(body) is not None:
        return False
    if body[0].isdigit():
        return _FORMULA_BY_NUMBER.match(body) is not None
    return _SHELL_NAME.match(body) is None
