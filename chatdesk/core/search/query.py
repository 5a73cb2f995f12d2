"""Parses the text that a person typed as a query. Every text is a query: parts without a meaning in the syntax are
searched as words.

    words "a phrase" begin* -not this OR that project:Name tag:"two words" role:user model:gpt
    before:2026-01-31 after:7d has:code is:pinned

Pure: the day and the clock come from outside. ``as_text`` writes a query so that it is read as the same query.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta

from chatdesk.core.domain.message import Role
from chatdesk.core.domain.search import HAS_VALUES, IS_VALUES, Filter, FilterName, SearchQuery, Term
from chatdesk.core.moments import local_moment
from chatdesk.core.storage.engine.plain_text import clean

# A longer text is not typed but pasted, and more words find nothing that these do not.
MAX_CHARS = 1_000
MAX_ITEMS = 32

_DAY_MS = 24 * 3600 * 1000
_OR = "OR"
_NAMES = {name.value: name for name in FilterName}
_AGO = re.compile(r"(\d{1,5})([dwmy])", re.ASCII)
_DATE = re.compile(r"(\d{4})(?:-(\d{1,2})(?:-(\d{1,2}))?)?", re.ASCII)
_DAYS_OF_UNIT = {"d": 1, "w": 7, "m": 30, "y": 365}

# The beginning of a day here, in milliseconds UTC; may raise for days that the system's calendar does not reach.
Midnight = Callable[[date], int]


@dataclass(frozen=True, slots=True)
class _Item:
    """A stretch of the text between white space. ``name`` is before its colon; ``is_open``: the text ends in it."""

    text: str
    name: str = ""
    is_excluded: bool = False
    is_quoted: bool = False
    is_prefix: bool = False
    is_open: bool = False


def parse(text: str, *, now_ms: int, midnight: Midnight, is_typing: bool = True) -> SearchQuery:
    """Parse a typed query. ``is_typing``: the last word may be incomplete, so that its beginning is enough."""
    items = list(_items(clean(text[:MAX_CHARS])))[:MAX_ITEMS]
    clauses: list[tuple[Term, ...]] = []
    excluded: list[Term] = []
    filters: list[Filter] = []
    joins_next = False
    for place, item in enumerate(items):
        if _is_or(items, place):
            joins_next = bool(clauses)
            continue
        narrowing = _filter(item, now_ms, midnight)
        if narrowing is not None:
            filters.append(narrowing)
            joins_next = False
            continue
        term = _term(item, is_typing=is_typing and not item.is_excluded)
        if term is None:
            continue
        if item.is_excluded:
            excluded.append(term)
        elif joins_next:
            clauses[-1] = (*clauses[-1], term)
        else:
            clauses.append((term,))
        joins_next = False
    return SearchQuery(tuple(clauses), tuple(excluded), tuple(filters))


def has_words(text: str) -> bool:
    """Return whether the index keeps anything of ``text``: letters and digits of any script."""
    return any(unicodedata.category(letter)[0] in "LN" for letter in text)


def _items(text: str) -> Iterator[_Item]:
    place, end = 0, len(text)
    while place < end:
        if text[place].isspace():
            place += 1
            continue
        is_excluded = text[place] == "-" and place + 1 < end and not text[place + 1].isspace()
        place += is_excluded
        name = ""
        if text[place] != '"':
            colon = _colon(text, place)
            if colon > place:
                name, place = text[place:colon], colon + 1
        if text[place] == '"':
            close = text.find('"', place + 1)
            stop = end if close < 0 else close
            words = " ".join(text[place + 1 : stop].split())
            place = min(stop + 1, end)
            stars = place
            while place < end and text[place] == "*":
                place += 1
            is_open = close < 0 and bool(text[stop - 1 : stop].strip())
            yield _Item(words, name, is_excluded, is_quoted=True, is_prefix=place > stars, is_open=is_open)
            continue
        stop = place
        while stop < end and not text[stop].isspace():
            stop += 1
        word = text[place:stop]
        bare = word.rstrip("*")
        yield _Item(bare, name, is_excluded, is_prefix=bare != word, is_open=stop == end)
        place = stop


def _colon(text: str, start: int) -> int:
    """Return the place of the colon after the name of a filter; -1 when there is none with something behind it."""
    for name in _NAMES:
        colon = start + len(name)
        if text[start:colon].lower() == name and text[colon : colon + 1] == ":":
            return colon if text[colon + 1 :].lstrip("*")[:1].strip() else -1
    return -1


def _is_or(items: list[_Item], place: int) -> bool:
    """Return whether the item joins its neighbours: both have to be words that are wanted."""

    def is_word(item: _Item) -> bool:
        return not item.name and not item.is_excluded and has_words(item.text)

    def is_sign(item: _Item) -> bool:
        return item == replace(_Item(_OR), is_open=item.is_open)

    if not is_sign(items[place]) or not 0 < place < len(items) - 1:
        return False
    before, after = items[place - 1], items[place + 1]
    return is_word(before) and is_word(after) and not is_sign(after) and not (is_sign(before) and place > 1)


def _term(item: _Item, *, is_typing: bool) -> Term | None:
    text, is_phrase = item.text, item.is_quoted
    if item.name:  # a filter that makes no sense
        text, is_phrase = f"{item.name}:{item.text}", is_phrase or " " in item.text
    if text == _OR:
        is_phrase = True
    if not has_words(text):
        return None
    return Term(text, is_phrase=is_phrase, is_prefix=item.is_prefix or (is_typing and item.is_open))


def _filter(item: _Item, now_ms: int, midnight: Midnight) -> Filter | None:
    name = _NAMES.get(item.name.lower())
    if name is None or not item.text:
        return None
    value = item.text.lower()
    if name in (FilterName.PROJECT, FilterName.TAG, FilterName.MODEL):
        return Filter(name, item.text, item.is_excluded)
    if name in (FilterName.BEFORE, FilterName.AFTER):
        moment = _moment(value, now_ms, midnight)
        return None if moment is None else Filter(name, value, item.is_excluded, moment)
    known = {FilterName.ROLE: tuple(Role), FilterName.HAS: HAS_VALUES, FilterName.IS: IS_VALUES}[name]
    values = value.split("|")
    # The trash is searched separately, so it cannot be one of several alternatives.
    is_known = value in known or all(each in known and each != "trashed" for each in values)
    return Filter(name, value, item.is_excluded) if is_known else None


def _moment(value: str, now_ms: int, midnight: Midnight) -> int | None:
    try:
        return _moment_of(value, now_ms, midnight)
    except (ValueError, OverflowError, OSError):  # no such day, or none that the system can count
        return None


def _moment_of(value: str, now_ms: int, midnight: Midnight) -> int | None:
    today = local_moment(now_ms).date()
    if value == "today":
        return midnight(today)
    if value == "yesterday":
        return midnight(today - timedelta(days=1))
    ago = _AGO.fullmatch(value)
    if ago is not None:
        return max(0, now_ms - int(ago[1]) * _DAYS_OF_UNIT[ago[2]] * _DAY_MS)
    found = _DATE.fullmatch(value)
    return None if found is None else midnight(date(int(found[1]), int(found[2] or 1), int(found[3] or 1)))
