"""Makes text harmless for a cell of a spreadsheet, which must not run what a model, a file or a member of a team
wrote."""

from __future__ import annotations

import csv
import re
import unicodedata
from collections.abc import Iterable, Sequence
from io import StringIO

# Characters that begin a formula. Their wide, small and raised forms count, too: East Asian spreadsheets accept them.
_SIGNS = ("=", "+", "-", "@")
# A number without an operator after it is a telephone number, a temperature or a price, not a formula.
_NUMBER = re.compile(r"[$€£¥]?\d[\d.,]*(?:[eE][+-]?\d+)?\s*(?![-+*/^&=<>%:|!(\s\d.,])", re.ASCII)
# The parts of a formula with an effect: a function, a reference to a sheet, a cell. Calls of programs (DDE, ``|…!``)
# are found separately.
_ACTS = re.compile(r"[^\W\d][\w.]*\s*\(|!\$?[A-Za-z]{1,3}\$?\d|^\$?[A-Za-z]{1,3}\$?\d+(?!\w)")
# A program that expects another separator may begin a cell after any of these.
_CELL = re.compile(r"[^;\t\r\n]+")


def harmless_cell(text: str) -> str:
    """Return ``text`` with an apostrophe, which spreadsheets take for "this is text", wherever a formula could begin
    that does something.

    Blanks, byte order marks and invisible characters do not hide the beginning. Numbers, options of commands, handles
    and bullets stay as they are.
    """
    made = _CELL.sub(lambda cell: _guarded(cell[0]), text)
    return made if made[:1] == "'" != text[:1] or not may_run(text) else f"'{made}"


def _guarded(cell: str) -> str:
    first, *parts = cell.split("|")
    return "|".join(("'" * may_run(cell) + first, *("'" * may_run(part) + part for part in parts)))


def may_run(text: str) -> bool:
    """Return whether a spreadsheet would run ``text`` as a formula that does something."""
    for place, character in enumerate(text):
        category = unicodedata.category(character)
        if category[0] in "ZC" or category == "Mn":
            continue
        sign = unicodedata.normalize("NFKC", character)[:1]
        if sign not in _SIGNS:
            return False
        rest = unicodedata.normalize("NFKC", text[place:]).lstrip("+-@ \u00a0")
        if sign == "=" or rest[:1] == "=":
            return True
        calls_program = -1 < rest.find("|") < rest.rfind("!")
        return _NUMBER.match(rest) is None and (calls_program or _ACTS.search(rest) is not None)
    return False


def as_separated(rows: Iterable[Sequence[str]], separator: str) -> str:
    """Return rows of cells as CSV, or with another separator, harmless and each on one line."""
    out = StringIO()
    writer = csv.writer(out, delimiter=separator, lineterminator="\n")
    writer.writerows([harmless_cell(cell.replace("\n", " ").strip()) for cell in row] for row in rows)
    return out.getvalue()
