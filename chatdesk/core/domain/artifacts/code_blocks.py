"""Finds the fenced code blocks of an answer, and their names. Pure, and linear in the length of the text."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from chatdesk.core.domain.artifacts.artifact import LEAST_LINES
from chatdesk.core.domain.artifacts.nested_fences import with_longer_fences
from chatdesk.core.domain.attachment import clean_name

_MARKS: Final = " \t>"
_FENCE: Final = re.compile(r"(`{3,}|~{3,})[ \t]*([^\n]{0,200})")
_NAME: Final = r"([\w.+-]{1,80}\.\w{1,10})"
_IN_INFO: Final = re.compile(rf"""(?:title|filename|file|name)=["']?(?:[\w.+-]{{1,80}}/)*{_NAME}["']?""")
_IN_COMMENT: Final = re.compile(
    rf"\s*(?:#|//|--|;|%|/\*|<!--)\s*(?:(?:file|filename):\s*)?(?:[\w.+-]{{1,80}}/){{0,20}}{_NAME}\s*(?:\*/|-->)?\s*"
)
_IN_LINE: Final = re.compile(rf"[`*]{{1,3}}(?:[\w.+-]{{1,80}}/){{0,20}}{_NAME}[`*]{{1,3}}")
_CLASS: Final = re.compile(r"\{(?:=|[^}]*?\.)?([\w+#-]+)(?=[\s,}])")
_LANGUAGE: Final = re.compile(r"([^\s,:{]+)")
_LONGEST_LANGUAGE: Final = 40
_LONGEST_LINE: Final = 300


@dataclass(frozen=True, slots=True)
class FencedCode:
    """A finished code block. ``text`` ends with a line end where it has a line; ``line_above`` and ``info`` are
    around it."""

    language: str
    text: str
    info: str = ""
    line_above: str = ""

    @property
    def line_count(self) -> int:
        return self.text.count("\n")

    @property
    def file_name(self) -> str:
        """The name that the answer gives the file: in the fence, the line above it or a comment in its first line; an
        empty string where it gives none."""
        first_line = self.text[:_LONGEST_LINE].partition("\n")[0]
        found = (
            _IN_INFO.search(self.info) or _IN_COMMENT.fullmatch(first_line) or _IN_LINE.search(self.line_above[-200:])
        )
        return clean_name(found[1]) if found else ""


def fenced_code(text: str) -> list[FencedCode]:
    """Return the finished code blocks of a Markdown text in their order; one without its closing fence is left out."""
    found: list[FencedCode] = []
    fence, info, margin = "", "", 0
    lines: list[str] = []
    above = before = ""
    for line in with_longer_fences(text.replace("\r\n", "\n")).split("\n"):
        bare = line.lstrip(_MARKS)
        if not fence:
            opening = _FENCE.match(bare)
            if opening and not (opening[1][0] == "`" and "`" in opening[2]):
                fence, info, margin = opening[1], opening[2].strip(), len(line) - len(bare)
                lines, above = [], before
            elif bare:
                before = bare[:_LONGEST_LINE]
            continue
        closing = bare.rstrip()
        if len(closing) >= len(fence) and not closing.strip(fence[0]):
            code = "".join(f"{each}\n" for each in lines)
            found.append(FencedCode(language_of_fence(info), code, info, above))
            fence, before = "", ""
        else:
            lines.append(_without_margin(line, margin))
    return found


def changed_code(answer: str, *, before: str, language: str) -> FencedCode | None:
    """Return the code block of an answer that is the changed form of ``before``: the longest in its language, or else
    without one. None if no block is long enough to be all of it."""
    blocks = fenced_code(answer)
    wanted = language.lower()
    alike = [each for each in blocks if each.language.lower() == wanted]
    candidates: Sequence[FencedCode] = alike or [each for each in blocks if not each.language or not wanted]
    longest = max(candidates, key=lambda each: len(each.text), default=None)
    # An excerpt is not a version. A person may ask for a shorter text, though.
    least = min(LEAST_LINES, (before.count("\n") + 1) / 4)
    return longest if longest is not None and longest.line_count >= max(1, least) else None


def fence_for(text: str, sign: str = "`") -> str:
    """Return a fence that nothing in ``text`` closes."""
    return sign * (1 + max(map(len, re.findall(f"{sign}{{3,}}", text)), default=2))


def fenced(text: str, language: str = "") -> str:
    """Return ``text`` as a code block of Markdown, whatever is in it."""
    fence = fence_for(text)
    return f"{fence}{language}\n{text}{'' if text.endswith(chr(10)) or not text else chr(10)}{fence}\n"


def language_of_fence(info: str) -> str:
    """Return the language that the words behind a fence name, as in ``python title=x``, ``{.python .numberLines}``,
    ``js:src/x.js`` and ``rust,ignore``; an empty string for none."""
    match = _CLASS.match(info) if info.startswith("{") else _LANGUAGE.match(info)
    return match[1][:_LONGEST_LANGUAGE] if match is not None else ""


def _without_margin(line: str, margin: int) -> str:
    """Return the line without the prefix of its fence: indentation, or the marks of a quote."""
    place = 0
    while place < margin and place < len(line) and line[place] in _MARKS:
        place += 1
    return line[place:]
