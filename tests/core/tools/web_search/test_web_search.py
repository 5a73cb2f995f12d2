"""Searching the web through each engine over real connections, its test in steps, and where its key may go."""

from __future__ import annotations

import asyncio
import json
import threading
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest

from chatdesk.core.errors import InvalidInput
from chatdesk.core.fetching.guarded_fetch import GuardedFetcher
from chatdesk.core.settings.profile_id import ProfileId
from chatdesk.core.settings.providers_store import KeyPlace
from chatdesk.core.settings.secrets import SecretStore
from chatdesk.core.tools.web_search.choice import SearchChoice, SearchEngine, SearchStep
from chatdesk.core.tools.web_search.engines import EngineClient, SearchFailed
from chatdesk.core.tools.web_search.web_search import SearchNotUsable, WebSearch, checked
from tests.helpers.accounts import MemoryKeyring
from tests.helpers.search_engines import FORMS, PAGES, PATHS, REFUSALS, answered
from tests.helpers.site import Site, as_open, redirect, sent
from tests.helpers.waiting import until

ENGINES = list(SearchEngine)
KEYED = [SearchEngine.BRAVE, SearchEngine.TAVILY]


def secrets_of(folder: Path, ring: MemoryKeyring, environ: dict[str, str] | None = None) -> SecretStore:
    return SecretStore(
        register=lambda _value: None, environ=environ or {}, load_backend=lambda: ring, profile=ProfileId(folder)
    )


def search_of(site: Site, folder: Path, ring: MemoryKeyring | None = None, **more: Any) -> WebSearch:
    async def keep(_choice: SearchChoice) -> None:
        """Nothing: the file of tool servers has its own tests."""

    return WebSearch(
        more.pop("choice", SearchChoice()),
        keep,
        secrets_of(folder, ring or MemoryKeyring(), more.pop("environ", None)),
        lambda: KeyPlace.KEYRING,
        addresses=more.pop("addresses", dict.fromkeys(KEYED, site.url(""))),
        make_client=lambda: EngineClient(GuardedFetcher(scope_of=as_open)),
    )


async def choose(search: WebSearch, engine: SearchEngine, site: Site) -> None:
    await search.choose(SearchChoice(engine, site.url("")), "key-1" if engine.needs_key else "")


@pytest.mark.parametrize("engine", ENGINES)
async def test_pages_are_found(site: Site, tmp_path: Path, engine: SearchEngine) -> None:
    site.answers[PATHS[engine]] = answered(FORMS[engine](*PAGES))
    search = search_of(site, tmp_path)
    await choose(search, engine, site)
    found = await search.find("  high\n water ")
    assert [(each.title, each.url, each.text) for each in found] == list(PAGES)
    said = site.asked[0] + site.bodies[0].decode()
    assert "high+water" in said or "high water" in said
    headers = {name.lower(): value for name, value in site.headers[0].items()}
    key = {SearchEngine.BRAVE: "x-subscription-token", SearchEngine.TAVILY: "authorization"}.get(engine, "")
    assert (headers.get(key, "").endswith("key-1")) is engine.needs_key
    assert "cookie" not in headers and "key-1" not in said
    assert search.goes_to == site.url("")


@pytest.mark.parametrize("engine", ENGINES)
async def test_the_test_goes_step_by_step(site: Site, tmp_path: Path, engine: SearchEngine) -> None:
    site.answers[PATHS[engine]] = answered(FORMS[engine](*PAGES))
    search = search_of(site, tmp_path)
    choice = SearchChoice(engine, site.url(""))
    steps = [(each.step, each.is_well) async for each in search.check(choice, "key-1")]
    assert steps == [(step, True) for step in SearchStep]
    assert search.choice == SearchChoice() and not await search.has_key(engine), "nothing was kept"


@pytest.mark.parametrize("engine", KEYED)
async def test_a_refused_key_is_told(site: Site, tmp_path: Path, engine: SearchEngine) -> None:
    status, body = REFUSALS[engine]
    site.answers[PATHS[engine]] = answered(body, status=status)
    steps = [each async for each in search_of(site, tmp_path).check(SearchChoice(engine), "wrong")]
    assert [(each.step, each.is_well) for each in steps] == [(SearchStep.REACHED, True), (SearchStep.ALLOWED, False)]
    assert f"{engine.label} does not take this key" in steps[-1].remark
    search = search_of(site, tmp_path)
    await choose(search, engine, site)
    with pytest.raises(SearchFailed, match="does not take this key"):
        await search.find("x")


@pytest.mark.parametrize(
    ("engine", "answer", "step", "words"),
    [
        (SearchEngine.SEARXNG, sent(b"Forbidden", "text/html", status=403), SearchStep.ALLOWED, "search.formats"),
        (SearchEngine.SEARXNG, sent(b"<html>", "text/html"), SearchStep.ALLOWED, "not as SearXNG does"),
        (SearchEngine.SEARXNG, sent(b"x", "text/html", status=502), SearchStep.REACHED, "answered with 502"),
        (SearchEngine.SEARXNG, redirect("https://elsewhere.test/"), SearchStep.REACHED, "leads to another server"),
        (SearchEngine.SEARXNG, answered({"results": []}), SearchStep.FOUND, "no page about tide tables"),
        (SearchEngine.SEARXNG, sent(b" " * 2_000_000, "application/json"), SearchStep.REACHED, "larger than 1 MB"),
        (SearchEngine.BRAVE, answered({}, status=429), SearchStep.ALLOWED, "no more searches for now"),
        (SearchEngine.TAVILY, answered({}, status=432), SearchStep.ALLOWED, "no more searches for now"),
    ],
)
async def test_what_goes_wrong_is_told_at_its_step(
    site: Site, tmp_path: Path, engine: SearchEngine, answer: Any, step: SearchStep, words: str
) -> None:
    site.answers[PATHS[engine]] = answer
    choice = SearchChoice(engine, site.url(""))
    *before, last = [each async for each in search_of(site, tmp_path).check(choice, "key-1")]
    assert (last.step, last.is_well) == (step, False) and words in last.remark
    assert all(each.is_well for each in before)


@pytest.mark.parametrize("engine", ENGINES)
async def test_only_an_address_that_was_entered_is_to_be_checked(
    site: Site, tmp_path: Path, engine: SearchEngine
) -> None:
    site.answers[PATHS[engine]] = answered({}, status=502)
    search = search_of(site, tmp_path)
    await choose(search, engine, site)
    with pytest.raises(SearchFailed) as failure:
        await search.find("x")
    assert ("address" in failure.value.next_step) is (engine is SearchEngine.SEARXNG)
    assert "ry again later." in failure.value.next_step


async def test_an_unreachable_engine_is_reported(site: Site, tmp_path: Path) -> None:
    choice = SearchChoice(SearchEngine.SEARXNG, "http://127.0.0.1:1")
    (step,) = [each async for each in search_of(site, tmp_path).check(choice)]
    assert (step.step, step.is_well) == (SearchStep.REACHED, False) and "did not give an answer" in step.remark


@pytest.mark.parametrize("engine", KEYED)
async def test_a_key_goes_only_to_the_server_that_it_was_given_for(
    site: Site, tmp_path: Path, engine: SearchEngine
) -> None:
    ring = MemoryKeyring()
    search = search_of(site, tmp_path, ring)
    await choose(search, engine, site)
    other = Site()
    other.answers[PATHS[engine]] = answered(FORMS[engine](*PAGES))
    try:
        moved = dict.fromkeys(KEYED, other.url(""))
        there = search_of(site, tmp_path, ring, choice=SearchChoice(engine), addresses=moved)
        assert not await there.has_key(engine)
        with pytest.raises(SearchFailed, match="is missing"):
            await there.find("x")
        assert other.asked == []
    finally:
        other.close()
    assert await search_of(site, tmp_path, ring, choice=SearchChoice(engine)).has_key(engine)
    await search.forget_key(engine)
    assert not await search.has_key(engine)


async def test_a_redirect_does_not_take_the_key_along(site: Site, tmp_path: Path) -> None:
    site.answers[PATHS[SearchEngine.BRAVE]] = redirect("/elsewhere")
    search = search_of(site, tmp_path)
    await choose(search, SearchEngine.BRAVE, site)
    with pytest.raises(SearchFailed):
        await search.find("x")
    assert len(site.asked) == 1


async def test_a_variable_may_have_the_key(site: Site, tmp_path: Path) -> None:
    site.answers[PATHS[SearchEngine.TAVILY]] = answered(FORMS[SearchEngine.TAVILY](*PAGES))
    search = search_of(site, tmp_path, environ={"TAVILY_API_KEY": '"of-the-variable"'})
    await search.choose(SearchChoice(SearchEngine.TAVILY))
    await search.find("x")
    assert site.headers[0]["Authorization"] == "Bearer of-the-variable"


async def test_an_engine_with_a_key_wants_one(site: Site, tmp_path: Path) -> None:
    search = search_of(site, tmp_path)
    with pytest.raises(SearchNotUsable, match="wants a key"):
        await search.choose(SearchChoice(SearchEngine.BRAVE))
    assert search.choice == SearchChoice()
    with pytest.raises(SearchFailed, match="No search engine"):
        await search.find("x")


@pytest.mark.parametrize("query", ["", "  \n "])
async def test_an_empty_query_is_not_sent(site: Site, tmp_path: Path, query: str) -> None:
    search = search_of(site, tmp_path)
    await choose(search, SearchEngine.SEARXNG, site)
    with pytest.raises(InvalidInput):
        await search.find(query)
    assert site.asked == []


async def test_a_long_query_is_cut(site: Site, tmp_path: Path) -> None:
    site.answers[PATHS[SearchEngine.TAVILY]] = answered(FORMS[SearchEngine.TAVILY]())
    search = search_of(site, tmp_path)
    await choose(search, SearchEngine.TAVILY, site)
    await search.find("word " * 200)
    assert json.loads(site.bodies[0])["query"] == " ".join(["word"] * 50)


@pytest.mark.parametrize(
    ("written", "address"),
    [
        ("searx.example.org", "https://searx.example.org"),
        ("https://searx.example.org/", "https://searx.example.org"),
        ("http://192.168.1.5:8080/searx", "http://192.168.1.5:8080/searx"),
        ("localhost:8888", "http://localhost:8888"),
        ("127.0.0.1:8888", "http://127.0.0.1:8888"),
    ],
)
def test_addresses_of_searxng(written: str, address: str) -> None:
    assert checked(SearchChoice(SearchEngine.SEARXNG, written)).address == address


@pytest.mark.parametrize("written", ["", "ftp://a.test", "https://", "https://me@a.test", "https://a.test/?q=", "a b"])
def test_an_invalid_address_is_refused(written: str) -> None:
    with pytest.raises(SearchNotUsable):
        checked(SearchChoice(SearchEngine.SEARXNG, written))


async def test_a_cancelled_caller_ends_the_request(site: Site, tmp_path: Path) -> None:
    asked, gone = threading.Event(), threading.Event()

    def hang(_handler: BaseHTTPRequestHandler) -> None:
        asked.set()
        gone.wait(30)

    site.answers[PATHS[SearchEngine.SEARXNG]] = hang
    search = search_of(site, tmp_path)
    await choose(search, SearchEngine.SEARXNG, site)
    task = asyncio.ensure_future(search.find("x"))
    await until(asked.is_set)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await until(lambda: not any(each.name == "guarded fetch" for each in threading.enumerate()))
    gone.set()
