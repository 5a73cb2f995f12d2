"""Cuts a piece around the best match out of a text, without Markdown's signs, and finds the places of the words in it.

Pure, and bounded: of a long text only the first stretch with a match is examined closely.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

from chatdesk.core.domain.search import SearchQuery, Snippet, Term
from chatdesk.core.hidden_characters import readable_prose
from chatdesk.core.storage.engine.search_text import is_unspaced

WIDTH = 120
_BEFORE = 36
_NEXT_WORD = 30
_STRETCH = 20_000
_MOST_MATCHES = 200

_WORD = "[^\\W_]"
_TOKEN = re.compile(f"{_WORD}+")
_LINK = re.compile(r"!?\[([^\[\]\n]{0,500})\]\([^()\n]{0,500}\)")
_LINE_SIGNS = re.compile(
    r"^[ \t]*(?:(?:```|~~~)[^\n]*|(?:#{1,6}[ \t]+|>[ \t]?|(?:[-*+]|\d{1,9}[.)])[ \t]+)+)", re.MULTILINE
)
_MAY_BEGIN_LINE = re.compile(r"[ \t]*[`~#>\-+*\d|:]")
_TABLE_RULE = re.compile(r"^[ \t]*\|?[ \t:|-]{3,}$", re.MULTILINE)


class Finder:
    """Finds the words of one query in texts. Made once for a page of hits."""

    def __init__(self, query: SearchQuery) -> None:
        terms = [term for clause in query.clauses for term in clause]
        # The first word is looked for as a plain string, which is ten times as fast; the rest is compared there.
        made = dict.fromkeys(filter(None, map(_pattern, terms)))
        self._terms = [(first, re.compile(pattern), is_unspaced(first[0])) for first, pattern in made]

    def matches(self, text: str) -> tuple[tuple[int, int], ...]:
        """Return the places of the words in ``text``."""
        return tuple((start, end) for start, end, _ in self._places(_folded(text)))

    def _places(self, folded: str) -> list[tuple[int, int, int]]:
        """Return start, end and number of the term, in order and without overlaps."""
        found: list[tuple[int, int, int]] = []
        for number, (first, pattern, begins_anywhere) in enumerate(self._terms):
            place, left = folded.find(first), _MOST_MATCHES
            while place >= 0 and left:
                # Looking at the letter before costs a tenth of asking the pattern, which says the same.
                is_inside = not begins_anywhere and place > 0 and folded[place - 1].isalnum()
                match = None if is_inside else pattern.match(folded, place)
                if match is not None:
                    found.append((place, match.end(), number))
                    left -= 1
                place = folded.find(first, place + 1 if match is None else match.end())
        if len(self._terms) > 1:
            found.sort(key=lambda each: (each[0], -each[1]))
            kept: list[tuple[int, int, int]] = []
            for each in found:
                if not kept or each[0] >= kept[-1][1]:
                    kept.append(each)
            return kept
        return found

    def snippet(self, text: str) -> Snippet:
        """Return about ``WIDTH`` characters around a match; from the beginning when no word occurs in ``text``."""
        if not text.isascii():
            text = unicodedata.normalize("NFC", text)
        place, stop = self._best_place(text)
        start = max(0, place - 2 * _BEFORE)
        end = max(place + 2 * WIDTH, stop + _NEXT_WORD)
        shown, found = self._readable(_cut_at_words(text, start, end))
        first = found[0][0] if found else 0
        left = max(0, min(first - _BEFORE, len(shown) - WIDTH))
        if left:
            space = shown.find(" ", left, first)
            left = space + 1 if space >= 0 else left
        right = min(len(shown), left + WIDTH)
        if right < len(shown):
            space = shown.rfind(" ", first + 1, right)
            right = space if space > left + WIDTH // 2 else right
        before = "…" if left > 0 or start > 0 else ""
        after = "…" if right < len(shown) or end < len(text) else ""
        shift = len(before) - left
        kept = tuple((a + shift, min(b, right) + shift) for a, b in found if left <= a < right)
        return Snippet(before + shown[left:right] + after, kept)

    def _readable(self, piece: str) -> tuple[str, tuple[tuple[int, int], ...]]:
        """Return ``piece`` without Markdown's signs and the places of the words in it; with its signs where a word is
        part of one: the language of a code block, the address of a link, the number of a list."""
        shown = plain(piece)
        found = self.matches(shown)
        if not found:
            whole = _in_one_line(piece)
            found = self.matches(whole)
            shown = whole if found else shown
        return shown, found

    def _best_place(self, text: str) -> tuple[int, int]:
        """Return the beginning of the window with most of the different words, and the end of the first of them."""
        for start in range(0, len(text), _STRETCH):
            # Some overlap, so that a word on the border is whole once.
            found = self._places(_folded(text[start : start + _STRETCH + 200]))
            if found:
                first, end = _best_of(found)
                return start + first, start + end
        return 0, 0


def plain(text: str) -> str:
    """Return ``text`` in one line, without Markdown's marks; hidden characters are spelt out."""
    if "](" in text:
        text = _LINK.sub(r"\1", text)
    if "\n" in text:
        text = _TABLE_RULE.sub(" ", _LINE_SIGNS.sub("", text))
    elif _MAY_BEGIN_LINE.match(text):  # patterns that are looked for at each letter cost more than all the rest
        text = _TABLE_RULE.sub(" ", _LINE_SIGNS.sub("", text, 1))
    for sign in ("*", "`", "~~", "__"):
        text = text.replace(sign, "")
    return _in_one_line(text.replace("|", " "))


def _in_one_line(text: str) -> str:
    return readable_prose(" ".join(text.split()))


def _best_of(found: Sequence[tuple[int, int, int]]) -> tuple[int, int]:
    best, most = found[0][:2], 0
    for place, (start, end, _) in enumerate(found):
        kinds = set()
        for other, _, kind in found[place:]:
            if other > start + WIDTH - _BEFORE:
                break
            kinds.add(kind)
        if len(kinds) > most:
            best, most = (start, end), len(kinds)
    return best


def _cut_at_words(text: str, start: int, end: int) -> str:
    if start > 0:
        space = text.find(" ", start, start + _NEXT_WORD)
        start = space + 1 if space >= 0 else start
    if end < len(text):
        space = text.rfind(" ", end - _NEXT_WORD, end)
        end = space if space >= 0 else end
    return text[start:end]


def _pattern(term: Term) -> tuple[str, str] | None:
    """Return the first of the folded words, and the pattern of all in a row with anything but letters and digits
    between."""
    tokens: list[str] = []
    for run in _TOKEN.findall(_folded(unicodedata.normalize("NFC", term.text))):
        word = ""
        for letter in run:
            if is_unspaced(letter):
                tokens += [word, letter] if word else [letter]
                word = ""
            else:
                word += letter
        if word:
            tokens.append(word)
    if not tokens:
        return None
    made = "" if is_unspaced(tokens[0]) else f"(?<!{_WORD})"
    for place, token in enumerate(tokens):
        if place:
            is_joined = is_unspaced(token) or is_unspaced(tokens[place - 1])
            made += r"[\W_]{0,20}" if is_joined else r"[\W_]{1,20}"
        made += re.escape(token)
    if not is_unspaced(tokens[-1]):
        made += f"{_WORD}*" if term.is_prefix else f"(?!{_WORD})"
    return tokens[0], made


class _Folding(dict[int, str]):
    """Maps letters to lower case without their accents, one for one, so that offsets stay the same."""

    def __missing__(self, code: int) -> str:
        letter = chr(code)
        lower = letter.lower()
        lower = lower if len(lower) == 1 else letter
        apart = unicodedata.normalize("NFD", lower)
        folded = apart[0] if all(map(unicodedata.combining, apart[1:])) else lower
        self[code] = folded
        return folded


_FOLDING = _Folding()


def _folded(text: str) -> str:
    return text.lower() if text.isascii() else text.translate(_FOLDING)
