"""Makes text harmless for a cell of a spreadsheet, which must not run what a model, a file or a member of a team
wrote."""

from __future__ import annotations

import re
import unicodedata

# What begins a formula or a command. Wide, small and raised forms count too: spreadsheets of East Asia take those.
_SIGNS = ("=", "+", "-", "@", "|", "%")
_NUMBER = re.compile(r"[+-]?\d[\d.,]*(?:[eE][+-]?\d{1,4})?[ \u00a0]?%?", re.ASCII)
# Where a program takes another separator than was meant, a cell begins behind it.
_AFTER_SEPARATOR = re.compile(r"([;\t\r\n|])(?=\s*[=@+\-\uff1d\uff20\uff0b\uff0d])")


def harmless_cell(text: str) -> str:
    """Return ``text`` with an apostrophe, which spreadsheets take for "this is text", wherever a formula could begin.

    Blanks, byte order marks and invisible characters do not hide the beginning; ``-5`` and ``+3.2 %`` stay numbers.
    """
    inside = _AFTER_SEPARATOR.sub(r"\1'", text)
    return f"'{inside}" if _may_run(text) else inside


def _may_run(text: str) -> bool:
    if text[:1] in ("\t", "\r", "\n"):
        return True
    for character in text:
        category = unicodedata.category(character)
        if category[0] in "ZC" or category == "Mn":
            continue
        is_sign = unicodedata.normalize("NFKC", character)[:1] in _SIGNS
        return is_sign and _NUMBER.fullmatch(text.strip()) is None
    return False
