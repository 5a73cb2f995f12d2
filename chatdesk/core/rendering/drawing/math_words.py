"""Takes the words of a formula that its font lacks, such as Chinese ones, out of the letters that ziamath draws.

They are laid out by an estimate of their width, and drawn in the font of the text around the formula. Pure.
"""

from __future__ import annotations

import re
import unicodedata
from itertools import groupby
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:  # loaded only by the process that does this work
    from xml.etree.ElementTree import Element

WORDS: Final = "words"  # an element of our own, with a text and nothing else
_TOKENS: Final = frozenset(("mtext", "mi", "mo", "mn", "ms"))
_ROWS: Final = frozenset(("math", "mrow", "mtd", "mstyle"))
_WORD_CATEGORIES: Final = ("L", "M", "N", "P")
# A text with a sign for each letter: "w" for one of words, "_" for a blank, "-" for any other.
_BETWEEN: Final = re.compile("(?<=w)_+(?=w)")
_BLANKS: Final = " \u00a0"
_WIDE_EM, _OTHER_EM, _SPACE_EM = 1.0, 0.6, 0.3


def separate_words(tree: Element, font: Any) -> str:
    """Put words that ``font`` lacks into elements of their own, in place. Returns all that is in them."""
    for element in list(tree.iter()):
        if _name(element) in _TOKENS and element.text and not len(element):
            _separate(element, font)
    for row in tree.iter():
        if _name(row) in _ROWS:
            _join(row)
    return "".join(element.text or "" for element in tree.iter() if _name(element) == WORDS)


def width_em(words: str) -> float:
    """Return about how wide words are, in sizes of the font."""
    return sum(map(_width_em, words))


def _width_em(letter: str) -> float:
    if letter in _BLANKS:
        return _SPACE_EM
    if unicodedata.combining(letter):
        return 0.0
    return _WIDE_EM if unicodedata.east_asian_width(letter) in "WF" else _OTHER_EM


def _separate(element: Element, font: Any) -> None:
    text = element.text or ""
    marks = "".join("w" if _is_foreign(letter, font) else "_" if letter in _BLANKS else "-" for letter in text)
    if "w" not in marks:
        return
    marks = _BETWEEN.sub(lambda blanks: "w" * len(blanks[0]), marks)
    at, parts = 0, []
    for is_word, run in groupby(marks, key=lambda mark: mark == "w"):
        length = len(list(run))
        parts.append((WORDS if is_word else element.tag, text[at : at + length]))
        at += length
    if len(parts) == 1:
        element.tag = WORDS
        return
    element.tag, element.text = "mrow", None
    for tag, part in parts:
        child = element.makeelement(tag, {})
        child.text = part
        element.append(child)


def _is_foreign(letter: str, font: Any) -> bool:
    if letter.isascii() or not letter.isprintable() or unicodedata.category(letter)[0] not in _WORD_CATEGORIES:
        return False
    return not font.glyphindex(letter)


def _join(row: Element) -> None:
    """Make one of words side by side: letters of some scripts look otherwise beside others."""
    before = None
    for child in list(row):
        if before is not None and before.tag == child.tag == WORDS:
            before.text = f"{before.text}{child.text}"
            row.remove(child)
        else:
            before = child


def _name(element: Element) -> str:
    return element.tag.rpartition("}")[2]
