"""Who gets in, and what is refused before anything reads a request: attacks over real sockets."""

from __future__ import annotations

import asyncio
import json
import logging
import re
import socket
from pathlib import Path

import httpx2
import pytest

from chatdesk.core.clock import Clock
from chatdesk.core.errors import InvalidInput
from chatdesk.service.caller import Scope
from chatdesk.service.connections import ConnectionLimits
from chatdesk.service.endpoints import ENDPOINTS
from chatdesk.service.gate import RequestLimits
from chatdesk.service.local_service import ServiceOptions
from chatdesk.service.tokens import TokenBook
from tests.helpers.local_service import ServedWorld, served_world
from tests.helpers.waiting import until

THREADS = "/api/v1/threads"
SOME_ID = "0190b3c2-7c1e-7cc0-98f6-3d2a1b4c5d6e"


def _code(answer: bytes) -> str:
    return str(json.loads(answer.partition(b"\r\n\r\n")[2])["code"])


def _request(world: ServedWorld, *lines: str, method: str = "GET", path: str = THREADS, host: str = "") -> bytes:
    head = [f"{method} {path} HTTP/1.1", f"Host: {host or world.host}", "Connection: close"]
    head.append(f"Authorization: Bearer {world.owner_token}")
    return "\r\n".join([*head, *lines, "", ""]).encode()


async def test_every_route_refuses_unauthorised_callers(tmp_path: Path) -> None:
    async with served_world(tmp_path) as world:
        owner = {"authorization": f"Bearer {world.owner_token}"}
        attacks: list[tuple[dict[str, str], int]] = [
            ({**owner, "host": "rebound.example:80"}, 421),
            ({**owner, "host": f"rebound.example:{world.port}"}, 421),
            ({**owner, "host": "127.0.0.1:1"}, 421),
            ({**owner, "origin": "https://evil.example"}, 403),
            ({**owner, "origin": "null"}, 403),
            ({**owner, "sec-fetch-site": "cross-site"}, 403),
            ({**owner, "sec-fetch-site": "same-site"}, 403),
            ({"authorization": "Bearer wrong"}, 401),
            ({"authorization": f"Bearer {world.owner_token[:-1]}"}, 401),
            ({"authorization": "Basic eDp5"}, 401),
        ]
        async with world.client() as http:
            for endpoint in ENDPOINTS:
                url = re.sub(r"\{\w+\}", SOME_ID, endpoint.path)
                for headers, status in attacks:
                    found = await http.request(endpoint.method, url, headers=headers)
                    assert found.status_code == status, (endpoint.path, headers)
                if endpoint.scope is not None:
                    assert (await http.request(endpoint.method, url)).status_code == 401
        assert (await world.http.get(THREADS)).json()["threads"] == []


async def test_each_route_wants_its_scope(tmp_path: Path) -> None:
    async with served_world(tmp_path) as world:
        for scope in Scope:
            token = world.token(f"all but {scope}", [each for each in Scope if each is not scope])
            async with world.client(token) as http:
                for endpoint in ENDPOINTS:
                    if endpoint.scope is scope:
                        url = re.sub(r"\{\w+\}", SOME_ID, endpoint.path)
                        found = await http.request(endpoint.method, url, json={} if endpoint.writes else None)
                        said = found.json()
                        said = said.get("error", said)  # the form of OpenAI
                        assert (found.status_code, said["code"]) == (403, "not_allowed"), endpoint.path


async def test_a_token_reaches_its_own_projects_only(tmp_path: Path) -> None:
    async with served_world(tmp_path) as world:
        mine = (await world.http.post("/api/v1/projects", json={"name": "Mine"})).json()["id"]
        secret = (await world.http.post(THREADS, json={"title": "Secret"})).json()
        note = (await world.http.post(f"{THREADS}/{secret['id']}/notes", json={"text": "words"})).json()
        everything = [each for each in Scope if each is not Scope.REMOTE]
        async with world.client(world.token("mine", everything, projects=[mine])) as http:
            for url in (
                f"{THREADS}/{secret['id']}",
                f"{THREADS}/{secret['id']}/messages",
                f"/api/v1/messages/{note['id']}",
                f"/api/v1/messages/{note['id']}/versions",
                f"/api/v1/projects/{secret['project_id']}",
            ):
                assert (await http.get(url)).status_code == 404, url
            assert (await http.get(THREADS, params={"project_id": secret["project_id"]})).status_code == 404
            assert (await http.get(THREADS)).json()["threads"] == []
            assert [each["id"] for each in (await http.get("/api/v1/projects")).json()["projects"]] == [mine]
            assert (await http.delete(f"{THREADS}/{secret['id']}")).status_code == 404
            moved = await http.patch(f"{THREADS}/{secret['id']}", json={"project_id": mine})
            assert moved.status_code == 404
            made = (await http.post(THREADS, json={"title": "Here"})).json()
            assert made["project_id"] == mine
            away = await http.patch(f"{THREADS}/{made['id']}", json={"project_id": secret["project_id"]})
            assert away.status_code == 404
            for path in ("messages", "notes"):
                assert (await http.post(f"{THREADS}/{secret['id']}/{path}", json={"text": "x"})).status_code == 404


async def test_a_revoked_or_expired_token_is_refused_at_once(tmp_path: Path) -> None:
    async with served_world(tmp_path) as world:
        now_ms = Clock().now_ms()
        async with world.client(world.token("old", expires_at=now_ms)) as http:
            assert (await http.get(THREADS)).json()["code"] == "no_token"
        async with world.client(world.token("one")) as http:
            assert (await http.get(THREADS)).status_code == 200
            TokenBook(world.files.tokens).revoke("one")
            assert (await http.get(THREADS)).json()["code"] == "no_token"


async def test_a_token_makes_as_many_requests_a_minute_as_it_may(tmp_path: Path) -> None:
    async with served_world(tmp_path) as world, world.client(world.token(requests_per_minute=3)) as http:
        statuses = [(await http.get(THREADS)).status_code for _ in range(4)]
        assert statuses == [200, 200, 200, 429]
        assert 1 <= int((await http.get(THREADS)).headers["retry-after"]) <= 60


async def test_the_unix_socket_lets_its_owner_in_without_a_token(tmp_path: Path) -> None:
    async with served_world(tmp_path) as world:
        transport = httpx2.AsyncHTTPTransport(uds=world.address.socket)
        async with httpx2.AsyncClient(transport=transport, base_url="http://localhost") as http:
            assert (await http.get(THREADS)).status_code == 200
            assert (await http.get(THREADS, headers={"origin": "http://localhost"})).status_code == 403
            assert (await http.get(THREADS, headers={"authorization": "Bearer x"})).status_code == 401
        assert Path(world.address.socket).stat().st_mode & 0o077 == 0
        assert world.files.owner_token.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(
    "lines",
    [
        ("Content-Length: 4", "Transfer-Encoding: chunked"),
        ("Transfer-Encoding: chunked, identity",),
        ("Transfer-Encoding: xchunked",),
        ("Content-Length: 4", "Content-Length: 5"),
        ("Content-Length: +4",),
        ("Content-Length: 4, 5",),
        ("Content-Length : 4",),
        ("Host: other",),
        ("Authorization: Bearer x",),
        ("X-Folded: a", "  b: c"),
        ("X-Null: a\0b",),
    ],
)
async def test_ambiguous_requests_are_refused(tmp_path: Path, lines: tuple[str, ...]) -> None:
    async with served_world(tmp_path) as world:
        smuggled = _request(world, method="POST", path="/api/v1/projects")
        head = _request(world, *lines, "Content-Type: application/json", method="POST")
        answer = await world.raw(head + b"0\r\n\r\n" + smuggled)
        assert answer.split(b" ", 2)[1] in (b"400", b"415", b"422", b"501"), answer[:200]
        assert answer.count(b"HTTP/1.1 ") == 1  # what follows is not read as another request
        assert len((await world.http.get("/api/v1/projects")).json()["projects"]) == 1


@pytest.mark.parametrize(
    "body",
    [
        b"0xd\r\n",
        b"-d\r\n",
        b"d;a\nb\r\n",
        b"d\n{}\n0\n\n",
        b"2\r\n{}XX0\r\n\r\n",
        b"0" * 24 + b"2\r\n{}\r\n0\r\n\r\n",
    ],
    ids=["hex prefix", "minus", "line feed in extension", "bare line feeds", "no end of chunk", "long size"],
)
async def test_a_chunk_that_is_none_ends_its_connection(
    tmp_path: Path, body: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    async with served_world(tmp_path) as world:
        head = _request(world, "Content-Type: application/json", "Transfer-Encoding: chunked", method="POST")
        smuggled = _request(world, method="POST", path="/api/v1/projects")
        answer = await world.raw(head.replace(b"Connection: close\r\n", b"") + body + smuggled)
        assert (answer.split(b" ", 2)[1], answer.count(b"HTTP/1.1 ")) == (b"400", 1)
        assert len((await world.http.get("/api/v1/projects")).json()["projects"]) == 1
    assert "Traceback" not in caplog.text  # what a stranger sends is no fault of the service


_JSON = "Content-Type: application/json"
_CHUNKED = ("Transfer-Encoding: chunked", _JSON)
_LONG_CHUNKS = b"".join(b"1;%s\r\n%c\r\n" % (b"x" * 20_000, each) for each in b'{"name":"x"}') + b"0\r\n\r\n"


def _made(world: ServedWorld, *lines: str) -> bytes:
    return _request(world, *lines, method="POST", path="/api/v1/projects")


async def test_pages_of_named_origins_may_ask_with_a_token_and_without_credentials(tmp_path: Path) -> None:
    page = "https://tool.example"
    asked = {
        "origin": page,
        "sec-fetch-site": "cross-site",
        "access-control-request-method": "PATCH",
        "access-control-request-headers": "authorization,content-type,x-stainless-lang",
        "access-control-request-private-network": "true",
    }
    sent = {"origin": page, "sec-fetch-site": "cross-site"}
    options = ServiceOptions(origins=(f"{page}/", "http://[::1]:5173"))
    async with served_world(tmp_path, options=options) as world, world.client() as nobody:
        answer = await nobody.options(THREADS, headers=asked)
        assert answer.status_code == 204
        prefix = "access-control-allow-"
        allowed = {name: value for name, value in answer.headers.items() if name.startswith(prefix)}
        assert {name.removeprefix(prefix): value for name, value in allowed.items()} == {
            "origin": page,
            "methods": "GET, HEAD, POST, PUT, PATCH, DELETE",
            "headers": "authorization,content-type,x-stainless-lang",
            "private-network": "true",
        }
        assert (await nobody.get(THREADS, headers=sent)).status_code == 401
        shown = await world.http.get(THREADS, headers=sent)
        refused = await world.http.get(f"{THREADS}/{SOME_ID}", headers=sent)
        assert [each.status_code for each in (shown, refused)] == [200, 404]
        for each in (answer, shown, refused):
            assert each.headers["access-control-allow-origin"] == page
            assert "origin" in each.headers["vary"]
            assert "access-control-allow-credentials" not in each.headers
        wrong = [
            {**asked, "origin": other}
            for other in ("https://evil.example", "null", f"{page}.evil.example", f"{page}:1", "http://tool.example")
        ]
        for headers in (*wrong, {**asked, "host": "rebound.example"}):
            answer = await nobody.options(THREADS, headers=headers)
            assert answer.status_code in (403, 421), headers
            assert "access-control-allow-origin" not in answer.headers
        strange = await nobody.options(THREADS, headers={**asked, "access-control-request-headers": "a;b=(c)"})
        assert "access-control-allow-headers" not in strange.headers
        assert (await world.http.options(THREADS)).status_code == 405  # no page asks
        assert "access-control-allow-origin" not in (await world.http.get(THREADS)).headers


@pytest.mark.parametrize("origin", ["*", "null", "tool.example", "https://a.example/path", "https://a@b", "file://x"])
async def test_an_invalid_origin_of_pages_is_refused_at_the_start(tmp_path: Path, origin: str) -> None:
    with pytest.raises(InvalidInput, match="origin of web pages"):
        async with served_world(tmp_path, options=ServiceOptions(origins=(origin,))):
            pass


async def test_both_addresses_of_this_computer_answer(tmp_path: Path) -> None:
    if not _has_ipv6():
        pytest.skip("this computer has no ::1")
    async with served_world(tmp_path) as world:
        assert [url.rpartition(":")[0] for url in world.address.urls] == ["http://127.0.0.1", "http://[::1]"]
        headers = {"authorization": f"Bearer {world.owner_token}"}
        async with httpx2.AsyncClient(base_url=world.address.urls[1], headers=headers, trust_env=False) as http:
            assert (await http.post(THREADS, json={"title": "By IPv6"})).status_code == 201
            own = {"origin": world.address.urls[1]}
            assert (await http.get(THREADS, headers=own)).json()["threads"][0]["title"] == "By IPv6"
            assert (await http.get(THREADS, headers={"host": "[::1]:1"})).status_code == 421


def _has_ipv6() -> bool:
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
    except OSError:
        return False
    return True


async def test_an_ambiguous_request_is_refused(tmp_path: Path) -> None:
    """h11 reads all of these but the first as the first, and a proxy in front of the service may not."""
    body = b'{"name":"x"}'
    chunk, last = b"c\r\n%s\r\n" % body, b"0\r\n\r\n"
    async with served_world(tmp_path) as world:
        plain = _made(world, _JSON, "Content-Length: 12") + body
        wrong = {
            "bare line feeds": plain.replace(b"\r\n", b"\n"),
            "one bare line feed": plain.replace(b"\r\nContent-Length", b"\nContent-Length"),
            "a folded length": plain.replace(b"Content-Length:", b"Content-Length:\r\n"),
            "a folded header": _made(world, _JSON, "Content-Length: 12", "X-A: b\r\n\tc") + body,
            "a length twice": _made(world, _JSON, "Content-Length: 12", "content-length: 12") + body,
            "a list of lengths": _made(world, _JSON, "Content-Length: 12, 12") + body,
            "another version": plain.replace(b"HTTP/1.1", b"HTTP/2.0", 1),
            "a trailer": _made(world, *_CHUNKED) + chunk + b"0\r\nX-A: b\r\n\r\n",
        }
        for name, sent in wrong.items():
            assert (await world.raw(sent)).startswith(b"HTTP/1.1 400 "), name
        cut = await world.raw(_made(world, *_CHUNKED) + _LONG_CHUNKS)  # it may not be read to its end
        assert cut[:13] in (b"", b"HTTP/1.1 400 ")
        assert len((await world.http.get("/api/v1/projects")).json()["projects"]) == 1
        small = b"".join(b"1;a=b\r\n%c\r\n" % each for each in body)
        for sent in (plain, _made(world, *_CHUNKED) + chunk + last, _made(world, *_CHUNKED) + small + last):
            assert (await world.raw(sent)).startswith(b"HTTP/1.1 201 ")


async def test_the_second_request_of_a_connection_is_read_as_strictly(tmp_path: Path) -> None:
    async with served_world(tmp_path) as world:
        first = _request(world).replace(b"Connection: close\r\n", b"")
        body = b'{"name":"x"}'
        second = _made(world, _JSON, "Content-Length: 12", "Content-Length: 12") + body
        answer = await world.raw(first + second)
        assert (answer.count(b"HTTP/1.1 200 "), answer.count(b"HTTP/1.1 400 ")) == (1, 1)
        right = await world.raw(first + _made(world, _JSON, "Content-Length: 12") + body)
        assert (right.count(b"HTTP/1.1 200 "), right.count(b"HTTP/1.1 201 ")) == (1, 1)


async def test_a_body_in_many_small_chunks_is_read(tmp_path: Path) -> None:
    async with served_world(tmp_path) as world:
        body = json.dumps({"text": "word " * 20_000}).encode()
        thread = (await world.http.post(THREADS, json={})).json()["id"]
        head = _request(world, *_CHUNKED, method="POST", path=f"{THREADS}/{thread}/notes")
        chunks = b"".join(b"1\r\n%c\r\n" % each for each in body)
        assert (await world.raw(head + chunks + b"0\r\n\r\n")).startswith(b"HTTP/1.1 201 ")


async def test_a_disconnect_within_a_body_is_not_a_fault(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        async with served_world(tmp_path) as world:
            connection = world.connect()
            head = _request(world, "Content-Type: application/json", "Content-Length: 9", method="POST")
            connection.sendall(head + b"{")
            connection.close()
            await until(lambda: "status=499" in caplog.text)
    assert "Traceback" not in caplog.text


async def test_a_websocket_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    async with served_world(tmp_path) as world:
        upgrade = ("Upgrade: websocket", "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==")
        for more in ("Content-Length: 5", "Transfer-Encoding: chunked", "X-Long: " + "x" * 9_000):
            head = _request(world, *upgrade, more, path="/api/v1/ws")
            answer = await world.raw(head.replace(b"Connection: close", b"Connection: Upgrade") + b"hello")
            assert answer.startswith(b"HTTP/1.1 400"), more[:20]


async def test_large_headers_and_bodies_are_refused(tmp_path: Path) -> None:
    options = ServiceOptions(requests=RequestLimits(header_bytes=4096, body_bytes=1000))
    async with served_world(tmp_path, options=options) as world:
        assert _code(await world.raw(_request(world, "X-Long: " + "x" * 8192))) == "headers_too_large"
        assert (await world.raw(b"GET /" + b"x" * 8192)).startswith(b"HTTP/1.1 400")
        json_type = "Content-Type: application/json"
        told = await world.raw(_request(world, json_type, "Content-Length: 1001", method="POST"))
        assert _code(told) == "body_too_large"
        chunked = _request(world, json_type, "Transfer-Encoding: chunked", method="POST")
        assert _code(await world.raw(chunked + b"3e9\r\n" + b" " * 1001)) == "body_too_large"
        assert _code(await world.raw(_request(world, "Content-Length: 1") + b"x")) == "malformed_request"


async def test_slow_headers_and_bodies_end_their_connection(tmp_path: Path) -> None:
    limits = ConnectionLimits(header_s=0.2, idle_s=600)  # who sent half of its headers is not idle
    options = ServiceOptions(connections=limits, requests=RequestLimits(body_s=0.2))
    async with served_world(tmp_path, options=options) as world:
        assert await world.raw(b"GET / HTTP/1.1\r\nHost: x") == b""
        assert await world.raw(b"") == b""
        slow = _request(world, "Content-Type: application/json", "Content-Length: 9", method="POST")
        assert _code(await world.raw(slow + b"{")) == "body_too_slow"
        # Also in the second request of a connection.
        first = _request(world).replace(b"Connection: close\r\n", b"")
        answer = await world.raw(first + b"GET / HTTP/1.1\r\nHost")
        assert answer.count(b"HTTP/1.1 200") == 1


async def test_a_flood_takes_no_more_than_its_places_and_shuts_nobody_out(tmp_path: Path) -> None:
    options = ServiceOptions(connections=ConnectionLimits(most=24, unproven=6, header_s=30))
    async with served_world(tmp_path, options=options) as world:
        before = len(list(Path("/proc/self/fd").iterdir()))
        flood = [world.connect() for _ in range(80)]
        try:
            async with asyncio.timeout(40):
                assert (await world.http.get(THREADS, timeout=40)).status_code == 200
            taken = len(list(Path("/proc/self/fd").iterdir())) - before - len(flood)
            assert taken <= 6 + 4  # the client's own connection has two ends here
        finally:
            for each in flood:
                each.close()


async def test_every_answer_has_the_headers_of_security(tmp_path: Path) -> None:
    async with served_world(tmp_path) as world, world.client() as http:
        for found in (
            await world.http.get(THREADS),
            await http.get("/health"),
            await http.get(THREADS),
            await http.get("/nothing", headers={"host": "evil"}),
        ):
            assert "default-src 'none'" in found.headers["content-security-policy"]
            assert found.headers["x-content-type-options"] == "nosniff"
            assert found.headers["referrer-policy"] == "no-referrer"
            assert found.headers["x-frame-options"] == "DENY"
            assert found.headers["cache-control"] == "no-store"
            assert not [name for name in found.headers if name.startswith("access-control")]
            assert "server" not in found.headers


async def test_the_log_says_who_and_what_without_words_and_tokens(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    words = "marked-words-4711"
    with caplog.at_level(logging.DEBUG):
        async with served_world(tmp_path) as world:
            token = world.token("editor", [Scope.WRITE])
            async with world.client(token) as http:
                made = await http.post(THREADS, json={"title": words}, headers={"user-agent": words})
                await http.get(f"/{words}%0aforged%20line")
            lines = [each.getMessage() for each in caplog.records if "service_request" in each.getMessage()]
            owner_token = world.owner_token
    told = next(line for line in lines if made.headers["x-request-id"] in line)
    assert f"who={token.split('_')[1]}" in told
    assert f"path={THREADS}" in told
    assert "status=201" in told
    everything = "\n".join(
        each.getMessage() for each in caplog.records if each.name.startswith(("chatdesk", "uvicorn"))
    )
    assert token not in everything
    assert owner_token not in everything
    assert words not in "\n".join(lines)
    assert "forged" not in everything


async def test_closing_tells_callers_and_leaves_no_file(tmp_path: Path) -> None:
    async with served_world(tmp_path) as world:
        held = world.connect()
        await until(lambda: world.files.address.exists())
        await world.service.close()
        assert not world.files.address.exists()
        assert not world.files.owner_token.exists()
        assert not Path(world.address.socket).exists()
        assert held.recv(10) == b""
        held.close()
        with pytest.raises(httpx2.ConnectError):
            await world.http.get(THREADS)
