"""What is typed into the search box, read as a query."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chatdesk.core.domain.search import Filter, FilterName, SearchQuery, Term
from chatdesk.core.search.query import MAX_ITEMS, parse
from tests.helpers.examples import examples

NOW = 1_800_000_000_000
_PIECES = [
    "word", "OR", "or", "-not", "--x", "-", '"', '"a phrase"', '"open', "pre*", '"two pre"*', "*", "tag:", "tag:a",
    'tag:"b c"', "-tag:x", "role:user", "ROLE:Assistant", "role:king", 'role:"the king"', "before:2026-01-31",
    "after:7d", "before:today", "after:99999-1", "before:2026-13-01", "has:code", "has:x", "is:pinned", "project:",
    'project:"', "NEAR(", "a:b", "AND", "漢字", "\0", "\ud800", "ñandú", "^a", "{x}", "(", ")", ":", "model:gpt-4*",
    'x"y', "\u200b", "é", " ", "\n",
]  # fmt: skip


def _midnight(day: date) -> int:
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp() * 1000)


def _parse(text: str, *, is_typing: bool = False) -> SearchQuery:
    return parse(text, now_ms=NOW, midnight=_midnight, is_typing=is_typing)


def _as_text(query: SearchQuery) -> str:
    """Write ``query`` as one would type it."""
    pieces = [" OR ".join(map(_term_text, clause)) for clause in query.clauses]
    pieces += ["-" + _term_text(term) for term in query.excluded]
    pieces += [_filter_text(each) for each in query.filters]
    return " ".join(pieces) + " "


def _term_text(term: Term) -> str:
    shown = f'"{term.text}"' if term.is_phrase else term.text
    return shown + "*" * term.is_prefix


def _filter_text(narrowing: Filter) -> str:
    value = narrowing.value
    is_bare = not value.endswith("*") and not any(letter.isspace() for letter in value)
    quoted = value if is_bare else f'"{value}"'
    return f"{'-' * narrowing.is_excluded}{narrowing.name.value}:{quoted}"


def _terms(query: SearchQuery) -> list[list[str]]:
    return [[term.text for term in clause] for clause in query.clauses]


def test_words_phrases_beginnings_and_what_is_not_wanted() -> None:
    query = _parse('plain "a  whole phrase" begin* -never -"not this"')
    assert query.clauses == (
        (Term("plain"),),
        (Term("a whole phrase", is_phrase=True),),
        (Term("begin", is_prefix=True),),
    )
    assert query.excluded == (Term("never"), Term("not this", is_phrase=True))


def test_the_last_word_may_go_on_while_it_is_typed() -> None:
    assert _parse("one tw", is_typing=True).clauses[-1] == (Term("tw", is_prefix=True),)
    assert _parse("one tw ", is_typing=True).clauses[-1] == (Term("tw"),)
    assert _parse('"one tw', is_typing=True).clauses[-1] == (Term("one tw", is_phrase=True, is_prefix=True),)
    assert _parse('"one tw"', is_typing=True).clauses[-1] == (Term("one tw", is_phrase=True),)
    assert _parse("one -tw", is_typing=True).excluded == (Term("tw"),)


def test_or_joins_its_neighbours_and_is_a_word_elsewhere() -> None:
    assert _terms(_parse("a OR b c OR d OR e")) == [["a", "b"], ["c", "d", "e"]]
    assert _terms(_parse("a or b")) == [["a"], ["or"], ["b"]]
    assert _terms(_parse("OR a")) == [["OR"], ["a"]]
    assert _terms(_parse("a OR")) == [["a"], ["OR"]]
    assert _terms(_parse("a OR -b")) == [["a"], ["OR"]]
    assert _terms(_parse("a OR tag:b c")) == [["a"], ["OR"], ["c"]]


def test_filters() -> None:
    query = _parse('project:"My work" TAG:api -role:User model:gpt has:Code is:pinned')
    assert query.filters == (
        Filter(FilterName.PROJECT, "My work"),
        Filter(FilterName.TAG, "api"),
        Filter(FilterName.ROLE, "user", is_excluded=True),
        Filter(FilterName.MODEL, "gpt"),
        Filter(FilterName.HAS, "code"),
        Filter(FilterName.IS, "pinned"),
    )
    assert query.clauses == ()
    assert not query.is_empty


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-01-31", _midnight(date(2026, 1, 31))),
        ("2026-2", _midnight(date(2026, 2, 1))),
        ("2026", _midnight(date(2026, 1, 1))),
        ("today", _midnight(datetime.fromtimestamp(NOW / 1000).date())),
        ("yesterday", _midnight(date.fromordinal(datetime.fromtimestamp(NOW / 1000).date().toordinal() - 1))),
        ("7d", NOW - 7 * 86_400_000),
        ("2w", NOW - 14 * 86_400_000),
        ("99999y", 0),
    ],
)
def test_dates(text: str, moment: int) -> None:
    assert _parse(f"before:{text}").filters == (Filter(FilterName.BEFORE, text, moment_ms=moment),)


@pytest.mark.parametrize(
    "text",
    [
        "role:king",
        "has:code|feet",
        "is:pinned|trashed",
        "has:|",
        "before:2026-13-40",
        "after:soon",
        "has:feet",
        "is:",
        "tag:",
        "foo:bar",
        "NEAR(",
    ],
)
def test_invalid_syntax_is_searched_as_words(text: str) -> None:
    query = _parse(text)
    assert query.filters == ()
    assert len(query.clauses) == 1


def test_a_day_that_the_system_cannot_count_is_a_word() -> None:
    def fails(_day: date) -> int:
        raise OverflowError

    assert parse("before:1000", now_ms=NOW, midnight=fails).filters == ()


def test_signs_alone_ask_for_nothing() -> None:
    assert _parse('- * !! "" "...').is_empty
    assert _parse("").is_empty
    assert _parse("-only -this").is_empty


def test_a_pasted_text_is_cut() -> None:
    assert len(_parse("word " * 5_000).clauses) == MAX_ITEMS


def test_a_filter_of_stars_alone_is_a_word_that_can_be_joined() -> None:
    (clause,) = _parse("0 OR tag:*").clauses
    assert [(term.text, term.is_prefix) for term in clause] == [("0", False), ("tag:", True)]


@settings(max_examples=examples(400))
@given(
    st.one_of(
        st.text(),
        st.lists(st.sampled_from(_PIECES), max_size=12).map(" ".join),
        st.lists(st.sampled_from(_PIECES)).map("".join),
    ),
    st.booleans(),
)
def test_any_text_is_a_query_and_is_read_the_same_once_written(text: str, is_typing: bool) -> None:
    query = _parse(text, is_typing=is_typing)
    written = _as_text(query)
    assert _parse(written) == query
    assert _parse(written, is_typing=True) == query
