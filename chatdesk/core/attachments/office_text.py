"""Reads the words of Word, PowerPoint and OpenDocument files as Markdown, with their headings and tables."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from chatdesk.core.attachments.markdown_lines import TableRows, heading
from chatdesk.core.attachments.packed_document import (
    LimitReached,
    PackedDocument,
    XmlReader,
    attribute,
    local_name,
    parse_xml,
    related_files,
)

_MOST_SLIDES: Final = 1000
_PARAGRAPHS: Final = frozenset({"p", "h"})
_BREAKS: Final = {"tab": "\t", "br": "\n", "line-break": "\n", "cr": "\n", "s": " "}
_TABLES: Final = frozenset({"tbl", "table"})
_ROWS: Final = frozenset({"tr", "table-row"})
_CELLS: Final = frozenset({"tc", "table-cell"})
# Text that nobody sees: the second form of a drawing, what was deleted, how a paragraph looked before.
_SKIPPED: Final = frozenset({"Fallback", "tracked-changes", "pPrChange"})
# In Word and PowerPoint words are in ``t`` only; in OpenDocument anywhere in the body.
_OFFICE_TEXT: Final = "t"
_ODF_BODY: Final = "body"
_TITLES: Final = frozenset({"title", "ctrTitle"})
_HEADING_STYLE: Final = re.compile(r"(?:heading ?([1-9])|title)\Z", re.IGNORECASE)
_MOST_STEPS: Final = 20


def word_text(document: PackedDocument, most_characters: int) -> Iterator[str]:
    """Yield the text of a Word document."""
    styles = _Styles()
    parse_xml(document.pieces("word/styles.xml"), styles)
    yield from _words(document.pieces("word/document.xml"), most_characters, styles.levels())


def open_document_text(document: PackedDocument, most_characters: int) -> Iterator[str]:
    """Yield the text of an OpenDocument text."""
    yield from _words(document.pieces("content.xml"), most_characters, {})


def slide_texts(document: PackedDocument, most_characters: int) -> Iterator[str]:
    """Yield the text of each slide, in their order."""
    for name in _slides(document):
        yield from _words(document.pieces(name), most_characters, {})


def _slides(document: PackedDocument) -> list[str]:
    """Return the files of the slides in the order of the presentation; by their numbers where it has none."""
    found = [path for _, path in related_files(document, "ppt/presentation.xml", "sldId")]
    if not found:
        slides = [n for n in document.names if n.startswith("ppt/slides/slide") and n.endswith(".xml")]
        found = sorted(slides, key=lambda name: (len(name), name))
    return found[:_MOST_SLIDES]


class _Styles(XmlReader):
    """Finds which styles of a Word document are headings: by name, by level, or by the style they are based on."""

    def __init__(self) -> None:
        self._id = ""
        self._own: dict[str, int] = {}
        self._bases: dict[str, str] = {}

    def on_start(self, name: str, attributes: dict[str, str]) -> None:
        local, value = local_name(name), attribute(attributes, "val")
        if local == "style":
            self._id = attribute(attributes, "styleId")
        elif local == "name" and (level := _level_of_style(value)):
            self._own[self._id] = level
        elif local == "outlineLvl":
            self._own.setdefault(self._id, _level_of_outline(value))
        elif local == "basedOn":
            self._bases[self._id] = value

    def levels(self) -> dict[str, int]:
        """Return the level of each style that has one; 0 says that it is none."""
        found = dict(self._own)
        for style in self._bases:
            at, steps = style, 0
            while at not in self._own and at in self._bases and steps < _MOST_STEPS:
                at, steps = self._bases[at], steps + 1
            found[style] = self._own.get(at, 0)
        return found


def _level_of_style(name: str) -> int:
    """Return the level of heading that a style's name says; 0 for another style."""
    found = _HEADING_STYLE.match(name)
    return int(found[1] or 1) if found else 0


def _level_of_outline(value: str) -> int:
    return int(value) + 1 if value in tuple("012345678") else 0


def _words(pieces: Iterable[bytes], most_characters: int, levels: Mapping[str, int]) -> Iterator[str]:
    words = _Words(most_characters, levels)
    try:
        parse_xml(pieces, words)
    except LimitReached:
        yield words.text()
        raise
    yield words.text()


class _Words(XmlReader):
    """Collects words as Markdown, a line for each paragraph, up to a number of characters."""

    def __init__(self, most_characters: int, levels: Mapping[str, int]) -> None:
        self._left = most_characters
        self._levels = levels
        self._lines: list[str] = []
        self._line: list[str] = []
        self._level = 0
        self._texts = self._bodies = self._skipped = self._tables = 0
        self._is_title = False
        self._cells: list[str] = []
        self._rows = TableRows()

    def text(self) -> str:
        """Return the words found so far."""
        self._end_paragraph()
        self._end_row()
        return re.sub(r"\n{3,}", "\n\n", "\n".join(self._lines)).strip()

    def on_start(self, name: str, attributes: dict[str, str]) -> None:
        prefix, _, local = name.rpartition(":")
        self._skipped += local in _SKIPPED
        if self._skipped:
            return
        if local == _OFFICE_TEXT and prefix in ("w", "a"):
            self._texts += 1
        elif local == _ODF_BODY and prefix == "office":
            self._bodies += 1
        elif local in _BREAKS and "w:pos" not in attributes:  # where tabs stop is no tab
            self._add(_BREAKS[local])
        elif local in _TABLES:
            self._tables += 1
            if self._tables == 1:
                self._rows = TableRows()
        elif local in _CELLS and self._tables == 1:
            self._spend(3)
            self._cells.append("")
        else:
            self._set_level(local, attributes)

    def _set_level(self, local: str, attributes: dict[str, str]) -> None:
        match local:
            case "pStyle":
                style = attribute(attributes, "val")
                self._level = self._levels[style] if style in self._levels else _level_of_style(style)
            case "outlineLvl":
                self._level = _level_of_outline(attribute(attributes, "val"))
            case "h":
                self._level = max(_level_of_outline(attribute(attributes, "outline-level")) - 1, 1)
            case "ph":
                self._is_title = attributes.get("type") in _TITLES
            case "sp":
                self._is_title = False

    def on_end(self, name: str) -> None:
        prefix, _, local = name.rpartition(":")
        if self._skipped:
            self._skipped -= local in _SKIPPED
        elif local == _OFFICE_TEXT and prefix in ("w", "a"):
            self._texts -= 1
        elif local in _PARAGRAPHS:
            self._spend(1)
            self._end_paragraph()
        elif local in _ROWS and self._tables == 1:
            self._end_row()
        elif local in _TABLES:
            self._tables -= 1
            if not self._tables:
                self._lines.append("")

    def on_text(self, text: str) -> None:
        if (self._texts > 0 or self._bodies > 0) and not self._skipped:
            self._add(text)

    def _add(self, text: str) -> None:
        self._line.append(text[: self._left])
        self._spend(len(text))

    def _spend(self, characters: int) -> None:
        self._left -= characters
        if self._left <= 0:
            raise LimitReached

    def _end_paragraph(self) -> None:
        line, self._line = "".join(self._line).rstrip(), []
        level, self._level = self._level or int(self._is_title), 0
        if self._tables:
            if self._cells and line:
                self._cells[-1] += f"\n{line}"
        elif level and line:
            self._lines.append(heading(level, line))
        else:
            self._lines.append(line)

    def _end_row(self) -> None:
        cells, self._cells = self._cells, []
        self._lines += self._rows.lines(cells)
