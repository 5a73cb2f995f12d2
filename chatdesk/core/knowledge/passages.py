"""Divides the text of a file into passages of about 400 tokens, by its structure: pages, headings, units of code,
paragraphs, lines, sentences. Pure; takes time in proportion to the text, also for a hostile one."""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Final, NamedTuple

from chatdesk.core.attachments.file_kinds import EML, HTML, PACKED
from chatdesk.core.domain.knowledge import Passage
from chatdesk.core.texts import shortened

# In characters: the longest passage, and the lengths below which a section or page goes together with the next one.
LONGEST: Final = 1_600
_SHORT_SECTION: Final = 400
_SHORT_PAGE: Final = 200
_LONGEST_TITLE: Final = 80
_LONGEST_PATH: Final = 200
_MOST_MARKS_MOVED: Final = 30

MARKDOWN_KINDS: Final = PACKED | {EML, HTML, "text/markdown"}
_TABLES: Final = frozenset({"text/csv", "text/tab-separated-values"})
_C: Final = "c|cc|cpp|cu|cxx|h|hh|hpp|hxx|m|mm"
_CODE: Final = (
    "bash|cs|dart|ex|exs|go|groovy|java|jl|js|jsx|kt|kts|lua|mjs|php|pl|pm|proto|ps1|py|pyi|pyx|r|rb|rs|scala|sh|sql"
    f"|svelte|swift|ts|tsx|vb|vue|zig|zsh|{_C}"
)
_FENCE: Final = re.compile(r" {0,3}(`{3,}|~{3,})")
_TITLE: Final = re.compile(r" {0,3}(#{1,6})[ \t]+(.*)")
_UNDERLINE: Final = re.compile(r"([=\-~^\"'`#*+.:_])\1{2,}[ \t]*\Z")
_CAPITALS: Final = re.compile(r"[A-Z][A-Z0-9 ,/&()'-]{2,60}\Z")
_UNIT: Final = re.compile(
    r"\s*(?:(?:export|default|declare|public|private|protected|internal|static|final|abstract|async|pub(?:\(\w+\))?"
    r"|unsafe|override|open|data|sealed|virtual|inline|local|partial)\s+)*"
    r"(?:(?:def|class|function\*?|func|fn|struct|enum|trait|impl|interface|module|namespace|object|protocol|extension"
    r"|type|message|service|sub)\s+[\w<(*:$]|create\s+(?:or\s+replace\s+)?\w+\s+\w)",
    re.IGNORECASE,
)
_C_UNIT: Final = re.compile(r"[A-Za-z_][\w:<>*&,~ \t]{0,200}\([^;]*\Z")
# Lines that belong to the unit below them: decorators and comments.
_BEFORE_UNIT: Final = ("@", "#", "//", "/*", "*", "--")
_LINK: Final = re.compile(r"!?\[([^\]]*)\]\([^)]*\)")
_MARKS: Final = re.compile(r"[*`]")
_SENTENCE: Final = re.compile(r"[.!?…][\"”’')\]]*\s+|[。！？]")
_LINE_END: Final = re.compile(r"\n")
_BLANK: Final = re.compile(r"\s")


class _Mark(NamedTuple):
    """A heading: where its section begins, where the text below the heading begins, and the way to it."""

    start: int
    body: int
    path: str


class _Structure:
    """The headings of a text, and where its paragraphs begin, found line by line."""

    def __init__(self) -> None:
        self.marks: list[_Mark] = []
        self.paragraphs: list[int] = []
        self._open: list[tuple[int, str]] = []

    def add(self, level: int, title: str, start: int, body: int) -> None:
        """Record a heading; it ends those of its level and below."""
        while self._open and self._open[-1][0] >= level:
            self._open.pop()
        self._open.append((level, shortened(" ".join(title.split()), _LONGEST_TITLE)))
        titles = [title for _, title in self._open if title]
        while len(titles) > 1 and sum(map(len, titles)) > _LONGEST_PATH:
            titles.pop(0)
        self.marks.append(_Mark(start, body, " › ".join(titles)))


def passages_of(text: str, page_starts: Sequence[int] = (), mime: str = "text/plain", name: str = "") -> list[Passage]:
    """Return the passages of a text in their order. They do not overlap, and all that is not blank is in one.

    ``page_starts`` are ascending offsets into ``text``, ``mime`` and ``name`` are those of the file. The page of a
    passage is the one that most of it stands on. A passage has at most ``LONGEST`` characters; a row of a table is
    divided only if it is longer.
    """
    structure = _structure_of(text, mime, name.rpartition(".")[2].lower())
    starts = [mark.start for mark in structure.marks]
    found: list[Passage] = []
    for start, end in _sections(text, starts, page_starts):
        edges = [start, *_cuts(text, start, end, structure.paragraphs, mime in _TABLES), end]
        for first, last in pairwise(edges):
            piece = text[first:last]
            if words := piece.strip():
                # The blanks before the first word are kept in its line: they indent code.
                begin = first + piece.rfind("\n", 0, piece.index(words)) + 1
                finish = first + len(piece.rstrip())
                heading = _heading_at(text, structure.marks, starts, begin, finish)
                page = _page_of(page_starts, begin, finish)
                found.append(Passage(begin, finish, text[begin:finish], page, heading))
    return found


# Structure


def _structure_of(text: str, mime: str, ending: str) -> _Structure:
    lines = text.split("\n")
    found = _Structure()
    if mime in _TABLES:
        return found
    if mime in MARKDOWN_KINDS:
        _read_prose(lines, found, is_markdown=True)
    elif ending in _CODE.split("|"):
        _read_code(lines, found, (_UNIT, _C_UNIT) if ending in _C.split("|") else (_UNIT,))
    else:
        _read_prose(lines, found, is_markdown=False)
    return found


def _read_prose(lines: Sequence[str], found: _Structure, *, is_markdown: bool) -> None:
    fence = before = ""
    levels: dict[str, int] = {"=": 1, "-": 2} if is_markdown else {}
    at = 0
    for number, line in enumerate(lines):
        end = at + len(line) + 1
        if is_markdown and (mark := _FENCE.match(line)):
            if not fence:
                fence = mark[1]
            elif mark[1].startswith(fence) and not line[mark.end() :].strip():
                fence = ""
        elif not fence and line.strip():
            below = lines[number + 1] if number + 1 < len(lines) else ""
            is_apart = not before.strip() or _UNDERLINE.match(before) is not None
            if is_apart:
                found.paragraphs.append(at)
            if is_markdown and (title := _TITLE.match(line)):
                words = _MARKS.sub("", _LINK.sub(r"\1", title[2]))
                found.add(len(title[1]), words.rstrip("# \t"), at, end)
            elif is_apart and _UNDERLINE.match(line) is None:
                sign = _UNDERLINE.match(below)
                if sign and (is_markdown or len(below.rstrip()) >= len(line.rstrip())):
                    start = at - len(before) - 1 if before.strip() else at  # a line above belongs to the title too
                    found.add(levels.setdefault(sign[1], len(levels) + 1), line, start, end + len(below) + 1)
                elif not is_markdown and _CAPITALS.match(line):
                    found.add(1, line, at, end)
        before, at = line, end


def _read_code(lines: Sequence[str], found: _Structure, units: Sequence[re.Pattern[str]]) -> None:
    at = begin = 0
    is_blank_before = True
    for line in lines:
        end = at + len(line) + 1
        words = line.strip()
        if not words:
            is_blank_before, begin = True, end
        else:
            if is_blank_before:
                found.paragraphs.append(at)
            is_blank_before = False
            if any(unit.match(line) for unit in units):
                found.add(len(line) - len(line.lstrip()), words.rstrip("{: "), begin, end)
            if not words.startswith(_BEFORE_UNIT):
                begin = end
        at = end


def _heading_at(text: str, marks: Sequence[_Mark], starts: Sequence[int], begin: int, end: int) -> str:
    """Return the way to a passage: headings that it begins with belong to it."""
    place = bisect_right(starts, begin) - 1
    body = marks[place].body if place >= 0 and marks[place].start == begin else begin
    while place + 1 < len(marks) and starts[place + 1] < end and not text[body : starts[place + 1]].strip():
        place += 1
        body = marks[place].body
    return marks[place].path if place >= 0 else ""


# Pages


def _page_of(page_starts: Sequence[int], begin: int, end: int) -> int | None:
    """Return the page on which most of a passage stands, the first one of several."""
    first, last = bisect_right(page_starts, begin), bisect_left(page_starts, end)
    if not page_starts:
        return None

    def share(page: int) -> int:
        page_end = page_starts[page] if page < len(page_starts) else end
        return min(end, page_end) - max(begin, page_starts[page - 1] if page else 0)

    return max(1, max(range(first, last + 1), key=share))


# Division


def _sections(text: str, marks: Sequence[int], page_starts: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Yield the sections of a text, from heading to heading and page to page; short ones together with the next."""
    pages = set(page_starts)
    start = 0
    edges = sorted({each for each in (*marks, *pages) if 0 < each < len(text)})
    last = edges[-1] if edges else 0
    is_end_short = _is_short(text, last, len(text), _SHORT_PAGE)
    for edge in edges:
        if _is_short(text, start, edge, _SHORT_PAGE if edge in pages else _SHORT_SECTION):
            continue
        if edge == last and is_end_short and len(text) - start <= LONGEST:
            continue
        yield start, edge
        start = edge
    yield start, len(text)


def _is_short(text: str, start: int, end: int, length: int) -> bool:
    return end - start < length or len(text[start:end].strip()) < length


def _cuts(text: str, start: int, end: int, paragraphs: Sequence[int], is_table: bool) -> Iterator[int]:
    """Yield where a section is divided that is too long for one passage, into parts of similar length."""
    while end - start > LONGEST:
        parts = -(-(end - start) // LONGEST)
        start = _cut(text, start, start + (end - start) // parts, paragraphs, is_table)
        yield start


def _cut(text: str, start: int, wanted: int, paragraphs: Sequence[int], is_table: bool) -> int:
    """Return where a passage ends that begins at ``start`` and should end near ``wanted``: the best kind of place."""
    least, most = start + (wanted - start) // 2, start + LONGEST
    between = paragraphs[bisect_right(paragraphs, least) : bisect_right(paragraphs, most)]
    if between:
        return min(between, key=lambda place: abs(place - wanted))
    if line := _nearest(_LINE_END, text, wanted, least, most):
        return line
    row = text.rfind("\n", start, most) + 1
    row_end = text.find("\n", most, row + LONGEST + 1)
    if row > start and (is_table or text.startswith("|", row)) and (row_end >= 0 or len(text) - row <= LONGEST):
        return row
    if words := _nearest(_SENTENCE, text, wanted, least, most) or _nearest(_BLANK, text, wanted, least, most):
        return words
    cut = wanted
    while cut > max(least, wanted - _MOST_MARKS_MOVED) and unicodedata.combining(text[cut]):
        cut -= 1
    return cut


def _nearest(sign: re.Pattern[str], text: str, wanted: int, least: int, most: int) -> int:
    """Return the end of the sign nearest to ``wanted`` between two offsets; 0 where there is none."""
    ends = (found.end() for found in sign.finditer(text, least, most))
    return min(ends, key=lambda end: abs(end - wanted), default=0)
