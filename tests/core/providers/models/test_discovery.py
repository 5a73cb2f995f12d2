"""Servers on this computer are known by what they answer."""

from __future__ import annotations

import asyncio
import json
import socket
import time

import pytest

from chatdesk.core.providers.models.discovery import find_local_servers, local_ports
from tests.helpers.fault_server import Exchange, FaultServer, status

LIST = {"object": "list", "data": [{"id": "m1"}, {"id": "m2"}, {"id": 7}, "x"]}


def pages(found: dict[str, object], *, chunked: bool = False) -> FaultServer:
    async def script(exchange: Exchange) -> None:
        page = found.get(exchange.request.path)
        if page is None:
            await status(404, {"error": "no"})(exchange)
        elif chunked:
            await exchange.start(content_type="application/json")
            text = json.dumps(page)
            await exchange.send(text[:5])
            await exchange.send(text[5:])
            await exchange.end()
        else:
            await status(200, page)(exchange)

    return FaultServer(script)


@pytest.mark.parametrize(
    ("found", "preset", "models", "version"),
    [
        (
            {"/api/version": {"version": "0.9.1"}, "/api/tags": {"models": [{"name": "qwen3:8b"}]}},
            "ollama",
            ("qwen3:8b",),
            "0.9.1",
        ),
        ({"/v1/models": LIST, "/api/v0/models": {"data": [{"id": "m1", "publisher": "x"}]}}, "lm-studio", None, ""),
        ({"/v1/models": LIST, "/props": {"build_info": "b1"}}, "llama-cpp", None, ""),
        ({"/v1/models": {"data": [{"id": "m1", "owned_by": "llamacpp"}]}}, "llama-cpp", ("m1",), ""),
        (
            {"/v1/models": {"data": [{"id": "m1", "owned_by": "vllm"}]}, "/version": {"version": "<b>"}},
            "vllm",
            ("m1",),
            "",
        ),
        ({"/v1/models": {"data": [{"id": "m1", "owned_by": "jan"}]}}, "jan", ("m1",), ""),
        ({"/v1/models": LIST}, "other", None, ""),
    ],
)
@pytest.mark.parametrize("chunked", [False, True])
async def test_each_kind_is_recognised(
    found: dict[str, object], preset: str, models: tuple[str, ...] | None, version: str, chunked: bool
) -> None:
    async with pages(found, chunked=chunked) as server:
        (seen,) = await find_local_servers([server.port])
        await server.wait_until_closed()
    assert (seen.preset, seen.version) == (preset, version)
    assert seen.models == (models or ("m1", "m2"))
    assert seen.base_url == f"http://127.0.0.1:{server.port}/v1"
    assert all("authorization" not in request.headers for request in server.requests)


@pytest.mark.parametrize(
    "found",
    [
        {"/": {"hello": 1}},
        {"/api/version": {"version": "1"}},
        {"/v1/models": {"object": "page", "data": []}},
        {"/v1/models": {"models": []}},
        {"/v1/models": [1]},
    ],
)
async def test_a_port_with_something_else_behind_it_is_left_alone(found: dict[str, object]) -> None:
    async with pages(found) as server:
        assert await find_local_servers([server.port]) == ()


async def test_hostile_answers_take_neither_time_nor_memory() -> None:
    async def endless(exchange: Exchange) -> None:
        await exchange.start(content_type="application/json", chunked=False)
        while True:
            await exchange.send(b"x" * 65536)

    async def silent(exchange: Exchange) -> None:
        await exchange.hang()

    async def deep(exchange: Exchange) -> None:
        await status(200, "[" * 200_000)(exchange)

    began = time.monotonic()
    for script in (endless, silent, deep):
        async with FaultServer(script) as server:
            assert await find_local_servers([server.port]) == ()
    assert time.monotonic() - began < 15


async def test_nothing_at_a_port_is_nothing() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    assert await find_local_servers([port]) == ()


def test_only_the_five_usual_ports_are_looked_at() -> None:
    assert sorted(local_ports()) == [1234, 1337, 8000, 8080, 11434]


async def test_only_loopback_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    class Probe(socket.socket):
        def connect_ex(self, address: tuple[str, int]) -> int:  # type: ignore[override]
            asked.append(address[0])
            return 0

    async def connect(host: str, port: int, **_more: object) -> object:
        asked.append(host)
        raise OSError

    monkeypatch.setattr(socket, "socket", Probe)
    monkeypatch.setattr(asyncio, "open_connection", connect)
    assert await find_local_servers() == ()
    assert set(asked) == {"127.0.0.1"}
