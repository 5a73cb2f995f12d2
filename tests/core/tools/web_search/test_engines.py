"""What search engines are asked and what their answers say, in their own forms and in hostile ones."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from chatdesk.core.domain.tools import ToolSource
from chatdesk.core.tools.web_search.choice import SearchEngine
from chatdesk.core.tools.web_search.engines import NotAnAnswerError, found_in, request_of
from tests.helpers.search_engines import FORMS, PAGES, brave, searxng

ENGINES = list(SearchEngine)


@pytest.mark.parametrize("engine", ENGINES)
def test_pages_are_read_in_each_form(engine: SearchEngine) -> None:
    body = json.dumps(FORMS[engine](*PAGES)).encode()
    assert found_in(engine, body) == tuple(ToolSource(*page) for page in PAGES)


@pytest.mark.parametrize("engine", ENGINES)
def test_nothing_found_is_an_answer(engine: SearchEngine) -> None:
    assert found_in(engine, json.dumps(FORMS[engine]()).encode()) == ()


def test_brave_leaves_web_out_where_it_found_nothing() -> None:
    assert found_in(SearchEngine.BRAVE, b'{"type": "search", "query": {"original": "x"}}') == ()


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(
    "body",
    [b"", b"<html>", b"[]", b"7", b"{}", b'{"results": 5}', b'{"web": {"results": "x"}}', b"[" * 200_000, b"\xff"],
)
def test_other_answers_are_refused(engine: SearchEngine, body: bytes) -> None:
    with pytest.raises(NotAnAnswerError):
        found_in(engine, body)


@pytest.mark.parametrize("engine", ENGINES)
def test_hostile_rows_are_left_out_or_cut(engine: SearchEngine) -> None:
    bad = [
        ("t", "javascript:alert(1)", "x"),
        ("t", "file:///etc/passwd", "x"),
        ("t", "https://good.com@evil.test/", "x"),
        ("t", "https://a.test/\u202e", "x"),
        ("y" * 5_000, "https://long.test/", "word " * 5_000),
        ("again", "https://long.test/", "x"),
    ]
    data = FORMS[engine](*bad)
    rows = data["web"]["results"] if engine is SearchEngine.BRAVE else data["results"]
    rows += [None, 5, "x", {}, {"url": 7}, {"url": "https://bare.test/"}]
    found = found_in(engine, json.dumps(data).encode())
    assert [each.url for each in found] == ["https://long.test/", "https://bare.test/"]
    assert (len(found[0].title), len(found[0].text)) == (300, 700)
    many = FORMS[engine](*((f"t{n}", f"https://t.test/{n}", "x") for n in range(500)))
    assert len(found_in(engine, json.dumps(many).encode())) == 10


def test_marks_of_found_words_go_and_other_signs_stay() -> None:
    (found,) = found_in(SearchEngine.BRAVE, json.dumps(brave(("a < b", "https://a.test/", "if a < b"))).encode())
    assert (found.title, found.text) == ("a < b", "if a < b")
    (found,) = found_in(SearchEngine.SEARXNG, json.dumps(searxng(("<div>", "https://a.test/", "a <div> tag"))).encode())
    assert (found.title, found.text) == ("<div>", "a <div> tag")


def test_the_requests() -> None:
    query = "tides & times #1 é"
    asked = request_of(SearchEngine.SEARXNG, "https://searx.test/sub/search/", query, "")
    assert parse_qs(urlsplit(asked.url).query) == {"q": [query], "format": ["json"]}
    assert (urlsplit(asked.url).path, asked.body) == ("/sub/search", None)
    asked = request_of(SearchEngine.BRAVE, "https://api.test", query, "key-1")
    assert parse_qs(urlsplit(asked.url).query)["q"] == [query]
    assert asked.headers["X-Subscription-Token"] == "key-1" and "key-1" not in asked.url
    asked = request_of(SearchEngine.TAVILY, "https://api.test", query, "key-2")
    assert asked.headers["Authorization"] == "Bearer key-2" and asked.body is not None
    sent: dict[str, Any] = json.loads(asked.body)
    assert sent["query"] == query and "key-2" not in asked.body.decode()
    assert "key-2" not in repr(asked)
