"""Pieces of texts around what was found."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatdesk.core.domain.search import SearchQuery, Snippet, Term
from chatdesk.core.search.query import parse
from chatdesk.core.search.snippet import WIDTH, Finder, plain


def _finder(text: str, *, is_typing: bool = False) -> Finder:
    return Finder(parse(text, now_ms=0, midnight=lambda _day: 0, is_typing=is_typing))


def _marked(snippet: Snippet) -> list[str]:
    return [snippet.text[start:end] for start, end in snippet.matches]


def test_a_short_text_is_whole() -> None:
    assert _finder("gull").snippet("a gull, and a seagull") == Snippet("a gull, and a seagull", ((2, 6),))


def test_the_window_holds_most_of_the_words() -> None:
    text = "gull " + "filler " * 60 + "here a gull met a tern " + "filler " * 60 + "tern"
    snippet = _finder("gull tern").snippet(text)
    assert _marked(snippet) == ["gull", "tern"]
    assert snippet.text.startswith("…")
    assert snippet.text.endswith("…")
    assert "gull met a tern" in snippet.text
    assert len(snippet.text) <= WIDTH + 2


def test_markdown_leaves_no_signs() -> None:
    source = "# A **gull**\n\n> - [link](http://x) and `code`\n\n```python\nx = 1\n```\n| a | b |\n|---|---|\n~~gone~~"
    assert plain(source) == "A gull link and code x = 1 a b gone"
    assert _marked(_finder("gull link").snippet(source)) == ["gull", "link"]


def test_hidden_characters_are_spelt_out() -> None:
    assert "\u202e" not in _finder("gull").snippet("a \u202egull").text


@pytest.mark.parametrize(
    "around",
    [
        "```{}\nselect 1\n```",
        "see [the page](http://{}.org/a) for more",
        "![picture](pictures/{}.png)",
        "~~~ {}\nx\n~~~",
        "# {}",
        "- {}",
        "| a | {} |\n|---|---|",
        "**{}** and `{}`",
        "> {}",
        "<b>{}</b>",
        "\u200b{}\u202e",
    ],
)
def test_an_excerpt_contains_the_word_wherever_it_stands(around: str) -> None:
    for word in ["gull", "gull" * 100, "12"]:
        for before in ["", "filler " * 200]:
            text = before + "\n" + around.replace("{}", word) + "\n" + before
            snippet = _finder(word).snippet(text)
            assert _marked(snippet)
            assert word.startswith(_marked(snippet)[0])


def test_the_number_of_a_list_is_shown_where_it_is_searched_for() -> None:
    assert _marked(_finder("12").snippet("12. gulls")) == ["12"]


def test_accents_cases_and_composition() -> None:
    assert _marked(_finder("cafe").snippet("le Café, le cafe\u0301")) == ["Café", "café"]
    assert _marked(_finder("ÉCOLE").snippet("une école")) == ["école"]


def test_a_beginning_marks_the_whole_word_and_a_phrase_its_words() -> None:
    assert _marked(_finder("check*").snippet("a checkpoint here")) == ["checkpoint"]
    assert _marked(_finder('"wal check', is_typing=True).snippet("the WAL, checkpoints")) == ["WAL, checkpoints"]
    assert _marked(_finder("foo:bar").snippet("a foo-bar")) == ["foo-bar"]


def test_a_word_inside_another_is_not_marked() -> None:
    assert _finder("mi").snippet("family mi _mi-x emission 2mi").matches == ((7, 9), (11, 13))
    assert _marked(_finder("京").snippet("東京都")) == ["京"]


def test_signs_before_one_line_go_and_numbers_stay() -> None:
    assert plain("## 2 gulls") == "2 gulls"
    assert plain("  - 1. gulls") == "gulls"
    assert plain("|---|") == ""
    assert plain("-5 degrees, [sic], 3.5 m") == "-5 degrees, [sic], 3.5 m"


def test_overlapping_words_are_marked_once() -> None:
    assert _finder('"a b" b a*').snippet("a b").matches == ((0, 3),)


def test_without_words_the_beginning_is_shown() -> None:
    snippet = Finder(SearchQuery()).snippet("word " * 100)
    assert snippet.matches == ()
    assert snippet.text.startswith("word word")
    assert snippet.text.endswith("…")


def test_a_word_deep_in_a_long_text_is_found() -> None:
    text = "filler " * 40_000 + "gull " + "filler " * 40_000
    assert _marked(_finder("gull").snippet(text)) == ["gull"]


def test_hostile_texts_take_no_time() -> None:
    began = time.thread_time()
    finder = _finder('"a a a a a a a a" a* [ ( b')
    for text in (
        "a" * 300_000,
        "a " * 150_000,
        "[" * 300_000,
        "![a](" * 60_000,
        "```\n" * 80_000,
        "\u0301" * 300_000,
        "| " * 150_000,
    ):
        finder.snippet(text)
        plain(text[:20_000])
    assert time.thread_time() - began < 10


@given(st.text(max_size=400), st.lists(st.text(min_size=1, max_size=6), min_size=1, max_size=3), st.booleans())
def test_any_text_and_words_make_a_snippet(text: str, words: list[str], is_prefix: bool) -> None:
    query = SearchQuery(tuple((Term(word, is_prefix=is_prefix),) for word in words))
    snippet = Finder(query).snippet(text)
    assert len(snippet.text) < 6 * WIDTH  # hidden characters are spelt out
    last = 0
    for start, end in snippet.matches:
        assert last <= start < end <= len(snippet.text)
        last = end
