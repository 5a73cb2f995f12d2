"""Reading pages and searching, as tools: in bounds, with sources, and with the server named that is asked."""

from __future__ import annotations

import asyncio
import socket
import threading
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from chatdesk.core.attachments.file_reader import FileReader
from chatdesk.core.attachments.web_page import WebPageReader
from chatdesk.core.chat.tool_calls.results import SourceNumbers
from chatdesk.core.domain.tools import Caller, ToolResult
from chatdesk.core.errors import ChatDeskError
from chatdesk.core.fetching.addresses import AddressScope
from chatdesk.core.fetching.guarded_fetch import FetchFailed, GuardedFetcher
from chatdesk.core.tools.built_in import BuiltInServer
from chatdesk.core.tools.web_search.choice import SearchChoice, SearchEngine
from chatdesk.core.tools.web_search.web_search import WebSearch
from chatdesk.services.web_tools import web_tools
from tests.core.tools.web_search.test_web_search import search_of
from tests.helpers.search_engines import FORMS, PAGES, PATHS, answered
from tests.helpers.site import Site, as_open, redirect, sent
from tests.helpers.waiting import until


def reader() -> WebPageReader:
    return WebPageReader(GuardedFetcher(scope_of=as_open), FileReader(), schemes=("http", "https"))


@pytest.fixture
def search(site: Site, tmp_path: Path) -> WebSearch:
    return search_of(site, tmp_path)


@pytest.fixture
def web(search: WebSearch) -> BuiltInServer:
    return web_tools(lambda: search, reader)


async def call(web: BuiltInServer, name: str, **arguments: Any) -> ToolResult:
    return await web.call(name, arguments, Caller("t", "p"))


async def test_the_search_is_there_once_an_engine_is_chosen(site: Site, search: WebSearch, web: BuiltInServer) -> None:
    assert [each.name for each in web.tools()] == ["read_web_page"]
    await search.choose(SearchChoice(SearchEngine.SEARXNG, site.url("")))
    tools = {each.name: each for each in web.tools()}
    assert list(tools) == ["search_web", "read_web_page"]
    assert all(each.hints.is_open_world and each.hints.is_read_only for each in tools.values())
    assert not web.server.is_on


async def test_a_search_has_its_pages_as_sources(site: Site, search: WebSearch, web: BuiltInServer) -> None:
    site.answers[PATHS[SearchEngine.SEARXNG]] = answered(FORMS[SearchEngine.SEARXNG](*PAGES))
    await search.choose(SearchChoice(SearchEngine.SEARXNG, site.url("")))
    found = await call(web, "search_web", query="tides")
    assert (found.text, [each.url for each in found.sources]) == ("", [url for _title, url, _text in PAGES])
    assert found.size_bytes > 0
    site.answers[PATHS[SearchEngine.SEARXNG]] = answered(FORMS[SearchEngine.SEARXNG]())
    assert "Nothing was found" in (await call(web, "search_web", query="tides")).text


async def test_a_page_is_read_piece_by_piece(site: Site, web: BuiltInServer) -> None:
    text = "".join(f"Paragraph {n} about the tide in the harbour. " for n in range(600))
    site.answers["/long"] = sent(f"<title>Tides</title><p>{text}".encode(), "text/html")
    first = await call(web, "read_web_page", address=site.url("/long"))
    (source,) = first.sources
    assert (source.title, source.url) == ("Tides", site.url("/long"))
    assert source.text.startswith("[Page 1 of 4.]\nParagraph 0") and len(source.text) < 8_100
    last = await call(web, "read_web_page", address=site.url("/long"), page=99)
    assert last.sources[0].text.startswith("[Page 4 of 4.]") and "Paragraph 599" in last.sources[0].text
    odd = await call(web, "read_web_page", address=site.url("/long"), page="two")
    assert odd.sources[0].text == source.text
    site.answers["/short"] = redirect("/there")
    site.answers["/there"] = sent(b"<p>short", "text/html")
    short = await call(web, "read_web_page", address=site.url("/short"))
    assert (short.sources[0].text, short.sources[0].url) == ("short", site.url("/there"))


async def test_a_page_behind_a_long_address_has_its_text(site: Site, web: BuiltInServer) -> None:
    """A server may send on to any address that can be loaded at all; the text is not lost with its link."""
    long = "/there?" + "x" * 3_900
    site.answers["/here"] = redirect(long)
    site.answers["/there"] = sent(b"<p>words", "text/html")
    numbered, stored = SourceNumbers().number(await call(web, "read_web_page", address=site.url("/here")))
    assert numbered.text.endswith("words") and stored["sources"][0]["url"] == site.url(long)


async def test_an_unreadable_page_is_explained(site: Site, web: BuiltInServer) -> None:
    site.answers["/empty"] = sent(b"<html><body><img src=x></body></html>", "text/html")
    site.answers["/in"] = redirect("http://10.0.0.1/")
    with pytest.raises(ChatDeskError, match="no text"):
        await call(web, "read_web_page", address=site.url("/empty"))
    with pytest.raises(FetchFailed, match="own network"):
        await call(web, "read_web_page", address=site.url("/in"))
    for arguments in ({}, {"address": 5}, {"address": " "}, {"address": "x" * 3_000}):
        with pytest.raises(ChatDeskError):
            await call(web, "read_web_page", **arguments)
    for arguments in ({}, {"query": None}, {"query": "x" * 2_000}, {"query": "no engine"}):
        with pytest.raises(ChatDeskError):
            await call(web, "search_web", **arguments)


@pytest.mark.parametrize(
    ("address", "server"),
    [
        ("https://tides.example/a?b", "https://tides.example"),
        ("http://tides.example:8080/a", "https://tides.example:8080"),
        ("tides.example", "https://tides.example"),
        ("https://good.example@evil.example/", "https://evil.example"),
        ("https://аpple.com/", "https://xn--pple-43d.com"),
        ("", "https://"),
        (None, "https://"),
    ],
)
def test_the_server_that_is_asked_is_named(web: BuiltInServer, address: Any, server: str) -> None:
    assert web.goes_to("read_web_page", {"address": address}) == server


@pytest.mark.parametrize(
    "address",
    [
        "https://good.example\\@evil.example/",
        "https://good.example#@evil.example/",
        "https://good.example?@evil.example/",
        "https://good.example/@evil.example/",
        "good.example/://evil.example/",
        "//evil.example/",
        "https:/evil.example",
        "https:evil.example",
        "https://good.example:443@evil.example",
        "https://good.exam\tple/",
        "https://[::1]@good.example/",
        "HTTPS://Good.Example./",
        "ftp://good.example/",
    ],
)
def test_the_server_that_is_named_is_the_one_that_is_asked(
    web: BuiltInServer, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What two readers of addresses take for different servers is refused before anything is sent."""
    named = urlsplit(web.goes_to("read_web_page", {"address": address})).hostname
    looked_up: list[object] = []

    def scope_of(_address: str) -> AddressScope:
        return AddressScope.CLOSED

    def resolve(host: str, *_arguments: Any, **_more: Any) -> list[Any]:
        looked_up.append(host)
        raise OSError

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    with pytest.raises(ChatDeskError):
        WebPageReader(GuardedFetcher(scope_of=scope_of), FileReader()).read(address)
    assert looked_up in ([], [named])


async def test_calls_at_the_same_time_leave_threads_to_others(site: Site, web: BuiltInServer) -> None:
    gone, lock, running, most = threading.Event(), threading.Lock(), [0], [0]

    def slow(handler: BaseHTTPRequestHandler) -> None:
        with lock:
            running[0] += 1
            most[0] = max(most[0], running[0])
        gone.wait(0.05)
        with lock:
            running[0] -= 1
        sent(b"<p>ok", "text/html")(handler)

    site.answers["/x"] = slow
    found = await asyncio.gather(*(call(web, "read_web_page", address=site.url("/x")) for _ in range(8)))
    assert [each.sources[0].text for each in found] == ["ok"] * 8
    assert most[0] <= 3


async def test_the_engine_that_is_asked_is_named(site: Site, search: WebSearch, web: BuiltInServer) -> None:
    assert web.goes_to("search_web", {"query": "x"}) == ""
    await search.choose(SearchChoice(SearchEngine.SEARXNG, site.url("/searx")))
    assert web.goes_to("search_web", {"query": "x"}) == site.url("")


async def test_stopping_ends_the_request(site: Site, web: BuiltInServer) -> None:
    asked, gone = threading.Event(), threading.Event()

    def hang(_handler: BaseHTTPRequestHandler) -> None:
        asked.set()
        gone.wait(30)

    site.answers["/x"] = hang
    task = asyncio.ensure_future(call(web, "read_web_page", address=site.url("/x")))
    await until(asked.is_set)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await until(lambda: not any(each.name == "guarded fetch" for each in threading.enumerate()))
    gone.set()
