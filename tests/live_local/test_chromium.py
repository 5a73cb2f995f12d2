"""A real browser: pages of others get nothing from the local service and change nothing, pages of a named origin work
with a token, and its own page is read there."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from chatdesk.core.settings.schema import Settings
from chatdesk.service.caller import Scope
from chatdesk.service.opening import options_of
from tests.helpers.chromium import chromium_page, find_chromium
from tests.helpers.local_service import ServedWorld, served_world

pytestmark = pytest.mark.skipif(find_chromium() is None, reason="Chromium is not installed")

_EVIL = "evil.test"
_TOOL = "tool.test"
_LEARNT_NOTHING = ("refused", "unseen", "opaque ")
# Each way in which a page can reach another origin. Each answers with what the page got to know, or "refused".
_WAYS = """
(async () => {
  const at = ADDRESS, token = TOKEN, found = {};
  const threads = at + "/api/v1/threads", body = JSON.stringify({title: "By a page"});
  const attempt = async (name, act) => {
    try { found[name] = await act(); } catch (error) { found[name] = "refused"; }
  };
  const text = async (...request) => { const got = await fetch(...request); return got.type + " " + await got.text(); };
  const later = (make) => new Promise((resolve, reject) => { make(resolve, reject); setTimeout(reject, 8000); });
  const authorized = {Authorization: "Bearer " + token};
  await attempt("read", () => text(threads));
  await attempt("read with cookies", () => text(threads, {credentials: "include"}));
  await attempt("read with a stolen token", () => text(threads, {headers: authorized}));
  await attempt("health", () => text(at + "/health"));
  await attempt("document", () => text(at + "/api/v1/openapi.json"));
  await attempt("simple text", () => text(threads, {method: "POST", body}));
  await attempt("simple text unseen", () => text(threads, {method: "POST", body, mode: "no-cors"}));
  await attempt("JSON", () => text(threads, {method: "POST", body, headers: {"Content-Type": "application/json"}}));
  await attempt("JSON with a stolen token", () => text(threads, {
    method: "POST", body, headers: {"Content-Type": "application/json", ...authorized}}));
  await attempt("OpenAI", () => text(at + "/v1/chat/completions", {method: "POST", body, headers: authorized}));
  await attempt("beacon", async () => { navigator.sendBeacon(threads, body); return "unseen"; });
  await attempt("socket", () => later((resolve, reject) => {
    const socket = new WebSocket(at.replace("http", "ws") + "/api/v1/ws");
    socket.onopen = () => resolve("open"); socket.onmessage = () => resolve("message"); socket.onerror = reject; }));
  await attempt("events", () => later((resolve, reject) => {
    const source = new EventSource(at + "/api/v1/events");
    source.onopen = () => resolve("open"); source.onerror = reject; }));
  await attempt("picture", () => later((resolve, reject) => {
    const picture = new Image(); picture.onload = () => resolve("seen"); picture.onerror = reject;
    picture.src = threads; }));
  await attempt("script", () => later((resolve, reject) => {
    const script = document.createElement("script"); script.onload = () => resolve("ran"); script.onerror = reject;
    script.src = at + "/api/v1/openapi.json"; document.head.append(script); }));
  for (const kind of ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data"])
    await attempt("form " + kind, () => later((resolve) => {
      const frame = document.createElement("iframe"), form = document.createElement("form");
      const field = document.createElement("input");
      frame.name = kind; field.name = body; form.method = "post"; form.action = threads; form.enctype = kind;
      form.target = kind; form.append(field); document.body.append(frame, form);
      frame.onload = () => resolve("unseen"); form.submit(); }));
  await attempt("frame of the page", () => later((resolve) => {
    const frame = document.createElement("iframe");
    frame.onload = () => { let seen; try { seen = frame.contentDocument.title; } catch { seen = null; }
                           resolve(seen ? "seen " + seen : "unseen"); };
    frame.src = at + "/docs"; document.body.append(frame); }));
  return JSON.stringify(found);
})()
"""
# What a tool on a page of a named origin does, with a token in each request. Each way answers with what it read.
_WORK = """
(async () => {
  const at = ADDRESS, authorized = {Authorization: "Bearer " + TOKEN}, found = {};
  const json = {"Content-Type": "application/json", ...authorized}, threads = at + "/api/v1/threads";
  const post = (address, body, more = {}) =>
    fetch(address, {method: "POST", headers: {...json, ...more}, body: JSON.stringify(body)});
  const made = await post(threads, {title: "By a tool"}, {"Idempotency-Key": "once"});
  const thread = await made.json(), seen = made.headers.get("ETag");
  found.made = made.status + " " + thread.title;
  const again = await post(threads, {title: "By a tool"}, {"Idempotency-Key": "once"});
  found.again = again.headers.get("Idempotent-Replayed") + " " + ((await again.json()).id === thread.id);
  const change = (title) => fetch(threads + "/" + thread.id, {
    method: "PATCH", headers: {...json, "If-Match": seen}, body: JSON.stringify({title})});
  found.changed = (await (await change("Changed")).json()).title;
  const late = await change("Late");
  found.late = late.status + " " + (await late.json()).current.title;
  found.known = (await fetch(threads + "/" + thread.id, {
    headers: {...authorized, "If-None-Match": late.headers.get("ETag")}, cache: "no-store"})).status;
  const answer = await post(at + "/v1/chat/completions", {
    model: "chatdesk/default", stream: true, messages: [{role: "user", content: "Hello"}]});
  let text = "";
  for await (const piece of answer.body.pipeThrough(new TextDecoderStream())) text += piece;
  found.streamed = text.trimEnd().endsWith("data: [DONE]");
  const leaving = new AbortController();
  const events = await fetch(at + "/api/v1/events", {headers: authorized, signal: leaving.signal});
  const {value} = await events.body.getReader().read();
  found.events = new TextDecoder().decode(value).includes("WELCOME");
  leaving.abort();
  found.caller = answer.headers.get("X-ChatDesk-Token") !== null;
  found.deleted = (await fetch(threads + "/" + thread.id, {method: "DELETE", headers: authorized})).status;
  found.without = (await fetch(threads)).status;
  const refused = async (act) => { try { await act(); return "seen"; } catch { return "refused"; } };
  found.credentials = await refused(() => fetch(threads, {headers: authorized, credentials: "include"}));
  found.socket = await refused(() => new Promise((resolve, reject) => {
    const socket = new WebSocket(at.replace("http", "ws") + "/api/v1/ws");
    socket.onopen = resolve; socket.onerror = reject; }));
  return JSON.stringify(found);
})()
"""
# What a page of a named origin tries that has a token of another project, one that is wrong, and paths that lead away.
_TRESPASS = """
(async () => {
  const at = ADDRESS, found = {};
  const attempt = async (name, path, token) => {
    const got = await fetch(at + path, {headers: {Authorization: "Bearer " + token}});
    found[name] = got.status + " " + (await got.text()).includes("Secret"); };
  await attempt("thread of another project", "/api/v1/threads/" + THREAD, TOKEN);
  await attempt("its messages", "/api/v1/threads/" + THREAD + "/messages", TOKEN);
  await attempt("all threads", "/api/v1/threads", TOKEN);
  await attempt("wrong token", "/api/v1/threads", TOKEN + "x");
  await attempt("path outside", "/api/v1/jobs/..%2f..%2fservice%2fowner.token/file", TOKEN);
  await attempt("path of files", "/docs/%2e%2e%2f%2e%2e%2fchatdesk.db", TOKEN);
  return JSON.stringify(found);
})()
"""


class _Elsewhere(ThreadingHTTPServer):
    """A web server of somebody else's on this computer, which shows a page and lets everybody do everything."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Answering)
        self.posted: list[str] = []


class _Answering(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self._answer()

    def do_OPTIONS(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        assert isinstance(self.server, _Elsewhere)
        self.server.posted.append(self.headers.get_content_type())
        self._answer()

    def _answer(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream" if "events" in self.path else "text/html")
        self.send_header("Access-Control-Allow-Origin", self.headers.get("Origin", "*"))
        self.send_header("Access-Control-Allow-Credentials", "true")
        self.send_header("Access-Control-Allow-Headers", "authorization, content-type")
        self.end_headers()
        self.wfile.write(b"<!doctype html><title>A page</title><body>")

    def log_message(self, *_arguments: Any) -> None:
        pass


@contextmanager
def _elsewhere() -> Iterator[_Elsewhere]:
    with _Elsewhere() as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


def _attacked(page_address: str, service: str, token: str, *, with_policies: bool = True) -> dict[str, str]:
    with chromium_page(names=f"MAP {_EVIL} 127.0.0.1") as page:
        if not with_policies:
            page.without_policies()
        page.open(page_address)
        script = _WAYS.replace("ADDRESS", json.dumps(service)).replace("TOKEN", json.dumps(token))
        return dict(json.loads(page.run(script)))


def _worked(page_address: str, script: str, **values: str) -> dict[str, Any]:
    with chromium_page(names=f"MAP {_TOOL} 127.0.0.1") as page:
        page.open(page_address)
        for name, value in values.items():
            script = script.replace(name, json.dumps(value))
        return dict(json.loads(page.run(script)))


async def _titles(world: ServedWorld) -> list[str]:
    return [thread["title"] for thread in (await world.http.get("/api/v1/threads")).json()["threads"]]


def test_the_attacks_reach_a_server_that_lets_everybody_in() -> None:
    """Otherwise the tests below would say nothing."""
    with _elsewhere() as mine, _elsewhere() as other:
        pages, service = f"http://{_EVIL}:{mine.server_port}/", f"http://127.0.0.1:{other.server_port}"
        found = _attacked(pages, service, "stolen")
        assert {way for way, said in found.items() if said == "refused"} <= {"socket", "picture", "script"}
        assert sorted(set(other.posted)) == [
            "application/json", "application/x-www-form-urlencoded", "multipart/form-data", "text/plain",
        ]  # fmt: skip
        assert len(other.posted) == 9


@pytest.mark.parametrize("host", ["127.0.0.1", _EVIL])
async def test_a_page_of_another_origin_reads_nothing_and_changes_nothing(host: str, tmp_path: Path) -> None:
    """The one of this computer is the same site, another port; the other is a name that somebody else gives."""
    async with served_world(tmp_path) as world:
        await world.http.post("/api/v1/threads", json={"title": "Mine"})
        token = world.token(scopes=list(Scope))
        with _elsewhere() as server:
            page = f"http://{host}:{server.server_port}/"
            found = await asyncio.to_thread(_attacked, page, world.address.urls[0], token)
        assert {way: said for way, said in found.items() if said not in _LEARNT_NOTHING} == {}
        assert await _titles(world) == ["Mine"]


@pytest.mark.parametrize("host", ["127.0.0.1", _TOOL])
async def test_a_page_of_a_named_origin_works_with_a_token_and_no_other_page_does(host: str, tmp_path: Path) -> None:
    with _elsewhere() as tool, _elsewhere() as other:
        named, page = f"http://{host}:{tool.server_port}", f"http://{_EVIL}:{other.server_port}/"
        options = options_of(Settings(service_origins=f"https://tool.example {named}"))
        async with served_world(tmp_path, options=options) as world:
            address, token = world.address.urls[0], world.token(scopes=list(Scope))
            assert await asyncio.to_thread(_worked, f"{named}/", _WORK, ADDRESS=address, TOKEN=token) == {
                "made": "201 By a tool",
                "again": "true true",
                "changed": "Changed",
                "late": "409 Changed",
                "known": 304,
                "streamed": True,
                "events": True,
                "caller": True,
                "deleted": 204,
                "without": 401,
                "credentials": "refused",
                "socket": "refused",
            }
            found = await asyncio.to_thread(_attacked, page, address, token)
            assert {way: said for way, said in found.items() if said not in _LEARNT_NOTHING} == {}
            assert await _titles(world) == []
            trash = (await world.http.get("/api/v1/threads?scope=trash")).json()["threads"]
            assert [thread["title"] for thread in trash] == ["Changed"]


async def test_a_page_of_a_named_origin_reaches_no_more_than_its_token(tmp_path: Path) -> None:
    with _elsewhere() as tool:
        page = f"http://{_TOOL}:{tool.server_port}"
        async with served_world(tmp_path, options=options_of(Settings(service_origins=page))) as world:
            mine = (await world.http.post("/api/v1/projects", json={"name": "Mine"})).json()["id"]
            thread = (await world.http.post("/api/v1/threads", json={"title": "Secret"})).json()["id"]
            token = world.token(scopes=list(Scope), projects=[mine])
            values = {"ADDRESS": world.address.urls[0], "TOKEN": token, "THREAD": thread}
            assert await asyncio.to_thread(_worked, f"{page}/", _TRESPASS, **values) == {
                "thread of another project": "404 false",
                "its messages": "404 false",
                "all threads": "200 false",
                "wrong token": "401 false",
                "path outside": "404 false",
                "path of files": "404 false",
            }


async def test_a_name_that_turns_into_this_computer_opens_nothing(tmp_path: Path) -> None:
    """After DNS rebinding the page and the service are one origin: only the Host tells. The page itself came from
    somebody else, so no policy of the service binds it."""
    async with served_world(tmp_path) as world:
        address, token = f"http://{_EVIL}:{world.port}", world.token(scopes=list(Scope))
        found = await asyncio.to_thread(_attacked, f"{address}/docs", address, token, with_policies=False)
        read = {way for way, said in found.items() if said not in _LEARNT_NOTHING}
        assert {"read", "read with a stolen token", "simple text", "JSON with a stolen token", "health"} <= read
        for way in read:
            assert '"wrong_host"' in found[way], way
        assert await _titles(world) == []


async def test_the_page_of_the_document_is_read_without_a_word_from_elsewhere(tmp_path: Path) -> None:
    async with served_world(tmp_path) as world:
        await asyncio.to_thread(_read_document, world.address.urls[0], tmp_path)


def _read_document(address: str, folder: Path) -> None:
    with chromium_page() as page:
        page.open(f"{address}/docs")
        assert page.run("document.title").startswith("ChatDesk")
        assert page.run("getComputedStyle(document.querySelector('.method')).display") == "inline-block"
        assert page.run("document.querySelectorAll('details').length") > 50
        dangling = """[...document.querySelectorAll('a[href^="#"]')].map(each => each.getAttribute('href').slice(1))
            .filter(each => !document.getElementById(each))"""
        assert page.run(dangling) == []
        page.run("document.querySelector('details summary').click()")
        assert page.run("document.querySelector('details').open")
        link = "document.querySelector('details[open] a[href^=\"#\"]')"
        page.run(f"{link}.click()")
        named = "document.getElementById(location.hash.slice(1))"
        assert page.run(f"{named}.getBoundingClientRect().top < innerHeight")
        assert page.run(f"{named}.closest('details').open")
        page.picture(folder / "docs.png")
        assert page.complaints == []
        page.open(f"{address}/api/v1/openapi.json")
        assert page.run("JSON.parse(document.body.innerText).openapi").startswith("3.1")
        assert {each for each in page.requests if not each.startswith(address)} <= {"about:blank"}
