"""Reads the sheets of an Excel file as Markdown tables: the values of the cells as they were last calculated."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

from chatdesk.core.attachments.markdown_lines import TableRows, heading
from chatdesk.core.attachments.packed_document import (
    LimitReached,
    PackedDocument,
    XmlReader,
    local_name,
    parse_xml,
    related_files,
)

_MOST_COLUMNS: Final = 16_384
# A number has fifteen digits in Excel; more are an error of binary fractions.
_DIGITS: Final = 15
_FIRST_DAY: Final = datetime(1899, 12, 30, tzinfo=UTC)
_FIRST_DAY_OF_MACS: Final = datetime(1904, 1, 1, tzinfo=UTC)
_DATE_FORMATS: Final = frozenset(map(str, (*range(14, 23), *range(27, 37), *range(45, 48), *range(50, 59))))
# The parts of a number's format that print themselves, colours and conditions.
_PRINTED: Final = re.compile(r'"[^"]*"|\\.|\[[^\]]*\]')
_SHARED: Final = "xl/sharedStrings.xml"


def sheet_texts(document: PackedDocument, most_characters: int) -> Iterator[str]:
    """Yield the text of each sheet, in their order, with its name as a heading."""
    shared = _SharedTexts()
    parse_xml(document.pieces(_SHARED), shared)
    formats = _Formats()
    parse_xml(document.pieces("xl/styles.xml"), formats)
    parse_xml(document.pieces("xl/workbook.xml"), formats)
    for name, path in related_files(document, "xl/workbook.xml", "sheet"):
        sheet = _Sheet(shared.texts, formats, most_characters)
        try:
            parse_xml(document.pieces(path), sheet)
        except LimitReached:
            yield heading(1, name) + "\n".join(sheet.lines)
            raise
        yield heading(1, name) + "\n".join(sheet.lines)


class _SharedTexts(XmlReader):
    """The texts that cells refer to by number."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        self._pieces: list[str] = []
        self._is_in_text = False
        self._is_sound = False

    def on_start(self, name: str, attributes: dict[str, str]) -> None:
        local = local_name(name)
        self._is_in_text = local == "t"
        self._is_sound = self._is_sound or local == "rPh"

    def on_end(self, name: str) -> None:
        local = local_name(name)
        self._is_in_text = False
        if local == "rPh":
            self._is_sound = False
        elif local == "si":
            self.texts.append("".join(self._pieces))
            self._pieces.clear()

    def on_text(self, text: str) -> None:
        if self._is_in_text and not self._is_sound:
            self._pieces.append(text)


class _Formats(XmlReader):
    """Tells which cells hold moments: by the format of their style."""

    def __init__(self) -> None:
        self._dates = set(_DATE_FORMATS)
        self._styles: list[str] = []
        self._is_in_cells = False
        self._first_day = _FIRST_DAY

    def on_start(self, name: str, attributes: dict[str, str]) -> None:
        local = local_name(name)
        if local == "numFmt":
            code = _PRINTED.sub("", attributes.get("formatCode", "")).lower()
            if re.search(r"[ymdhs]", code):
                self._dates.add(attributes.get("numFmtId", ""))
        elif local == "cellXfs":
            self._is_in_cells = True
        elif local == "xf" and self._is_in_cells:
            self._styles.append(attributes.get("numFmtId", ""))
        elif local == "workbookPr" and attributes.get("date1904") in ("1", "true"):
            self._first_day = _FIRST_DAY_OF_MACS

    def on_end(self, name: str) -> None:
        if local_name(name) == "cellXfs":
            self._is_in_cells = False

    def written(self, value: str, style: str) -> str:
        """Return a number as a cell of this style shows it, more or less."""
        is_date = style.isdecimal() and int(style) < len(self._styles) and self._styles[int(style)] in self._dates
        try:
            if is_date:
                return self._moment(float(value))
            return value if len(value) <= _DIGITS else f"{float(value):.{_DIGITS}g}"
        except (ValueError, OverflowError):
            return value

    def _moment(self, days: float) -> str:
        moment = self._first_day + timedelta(seconds=round(days * 86_400))
        time = "" if moment.time() == datetime.min.time() else f"{moment:%H:%M}"
        return time if 0 <= days < 1 and time else f"{moment:%Y-%m-%d} {time}".rstrip()


class _Sheet(XmlReader):
    """Collects the rows of a sheet, up to a number of characters."""

    def __init__(self, shared: Sequence[str], formats: _Formats, most_characters: int) -> None:
        self.lines: list[str] = []
        self._shared = shared
        self._formats = formats
        self._left = most_characters
        self._rows = TableRows()
        self._row: list[str] = []
        self._column = 0
        self._kind = self._style = ""
        self._value: list[str] = []
        self._is_in_value = False

    def on_start(self, name: str, attributes: dict[str, str]) -> None:
        local = local_name(name)
        if local == "c":
            self._kind, self._style = attributes.get("t", "n"), attributes.get("s", "")
            self._column = _column_of(attributes.get("r", "")) or len(self._row) + 1
        self._is_in_value = local in ("v", "t")

    def on_text(self, text: str) -> None:
        if self._is_in_value:
            self._value.append(text)

    def on_end(self, name: str) -> None:
        local = local_name(name)
        self._is_in_value = False
        if local == "c":
            self._end_cell()
        elif local == "row":
            self.lines += self._rows.lines(self._row)
            self._row = []

    def _end_cell(self) -> None:
        value, self._value = "".join(self._value), []
        if self._kind == "s":
            value = self._shared[int(value)] if value.isdecimal() and int(value) < len(self._shared) else ""
        elif self._kind == "b":
            value = "TRUE" if value == "1" else "FALSE"
        elif self._kind == "n":
            value = self._formats.written(value, self._style)
        empty = self._column - 1 - len(self._row)
        if value and empty >= 0 and self._column <= _MOST_COLUMNS:
            # The limit holds inside a row: many cells may refer to one long text.
            self._left -= len(value) + 3 * (empty + 1)
            if self._left <= 0:
                raise LimitReached
            self._row += [""] * empty + [value]


def _column_of(place: str) -> int:
    """Return the number of the column in a cell's place (“AB12”), from 1; 0 where it says none."""
    number = 0
    for letter in place[:3]:
        if "A" <= letter <= "Z":
            number = number * 26 + ord(letter) - 64
    return number if number <= _MOST_COLUMNS else 0
