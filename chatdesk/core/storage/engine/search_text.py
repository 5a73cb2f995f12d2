"""Prepares texts for the search index: scripts that are written without spaces are split into letters.

A word of such a script is found as a phrase of its letters, so any part of it is found, and one letter as well.
SQLite's own trigrams find nothing for one or two letters and take five times the room.
"""

from __future__ import annotations

import re
import sqlite3
import unicodedata
from collections.abc import Sequence

# Characters of a message that are searched.
LONGEST = 1_000_000
# The name of ``words`` in SQL; the index's view uses it.
FUNCTION = "search_words"

_UNSPACED = (
    "\u0e00-\u0eff"  # Thai, Lao
    "\u1000-\u109f\u1780-\u17ff"  # Myanmar, Khmer
    "\u1100-\u11ff\u3130-\u318f\ua960-\ua97f\uac00-\ud7ff"  # Korean
    "\u3005-\u3007\u3040-\u312f\u31a0-\u31bf\u31f0-\u31ff\uff66-\uff9f"  # kana, bopomofo
    "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"  # Chinese characters
)
_LETTER = re.compile(f"([{_UNSPACED}])")


def words(text: str | bytes | None) -> str | None:
    """Return ``text`` composed, with spaces around each letter of a script that has none. SQL may give bytes that stand
    in the place of a text."""
    if isinstance(text, bytes):
        text = text.decode("utf-8", "replace")
    if text is None or text.isascii():
        return text
    return _LETTER.sub(r" \1 ", unicodedata.normalize("NFC", text))


def of_message(texts: Sequence[str]) -> str:
    """Return the indexed text of a message with these text parts: equal to the index's view, without querying it."""
    return words("\n".join(texts)[:LONGEST]) or ""


def is_unspaced(letter: str) -> bool:
    return _LETTER.match(letter) is not None


def register(connection: sqlite3.Connection) -> None:
    """Register the SQL function that the index's view calls."""
    connection.create_function(FUNCTION, 1, words, deterministic=True)
