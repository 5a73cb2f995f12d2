"""A tool server over HTTP is reached through the proxy that the system names, and a proxy in the way is named."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest

from chatdesk.core.domain.tools import ServerKind, ToolServer
from chatdesk.core.settings.system_proxy import proxy_variables
from chatdesk.core.tools.host.failures import HostFailure
from chatdesk.core.tools.host.server_connection import Connection
from tests.helpers.tool_http_server import tool_http_server
from tests.helpers.tools_world import CALLER, tool_service

_NAMES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    for name in _NAMES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    return monkeypatch


@asynccontextmanager
async def _proxy(answer: str) -> AsyncIterator[tuple[str, list[bytes]]]:
    """A proxy that gives each request the same answer."""
    heads = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heads.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(f"HTTP/1.1 {answer}\r\nContent-Length: 0\r\n\r\n".encode())
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        yield f"http://zoe7:hidden3@127.0.0.1:{server.sockets[0].getsockname()[1]}", heads


async def _problem(address: str) -> str:
    """Return the problem of a connection to a server that is not reached."""
    connection = Connection("notes", {"address": address, "headers": {}}, lambda *_news: None)
    try:
        async with asyncio.timeout(10):
            with suppress(HostFailure):
                await connection.tools()
    finally:
        await connection.end(at_once=True)
    return str(connection.problem)


async def test_a_request_goes_through_the_proxy(environment: pytest.MonkeyPatch) -> None:
    async with _proxy("407 Proxy Authentication Required") as (address, heads):
        environment.setenv("HTTPS_PROXY", address)
        problem = await _problem("https://tools.example/mcp")
    assert heads and heads[0].startswith(b"CONNECT tools.example:443")
    assert "user name and a password" in problem and "HTTPS_PROXY=" in problem and "hidden3" not in problem


@pytest.mark.parametrize(
    ("address", "words"), [("socks5://127.0.0.1:9", "cannot be used"), ("http://127.0.0.1:9", "could not be reached")]
)
async def test_a_proxy_in_the_way_is_named(environment: pytest.MonkeyPatch, address: str, words: str) -> None:
    environment.setenv("ALL_PROXY", address)
    problem = await _problem("https://tools.example/mcp")
    assert words in problem and f"ALL_PROXY={address}" in problem


async def test_this_computer_is_reached_without_a_proxy(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("ALL_PROXY", "socks5://127.0.0.1:9")
    with tool_http_server("plain") as server:
        connection = Connection("notes", {"address": server.address, "headers": {}}, lambda *_news: None)
        try:
            rows, _left_out = await connection.tools()
            assert rows
        finally:
            await connection.end(at_once=True)


def test_the_process_of_tools_knows_the_proxies_and_nothing_else(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("https_proxy", "http://10.0.0.1:3128")
    environment.setenv("NO_PROXY", "home.example")
    environment.setenv("OTHER_PROXY_KEY", "secret")
    assert proxy_variables() == {"https_proxy": "http://10.0.0.1:3128", "NO_PROXY": "home.example"}


async def test_the_process_of_tools_is_told_the_proxies_by_its_pipe(
    environment: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    async with _proxy("407 Proxy Authentication Required") as (address, heads):
        environment.setenv("HTTPS_PROXY", address)
        async with tool_service(tmp_path) as service:
            await service.save(ToolServer("far", "Far", ServerKind.ADDRESS, address="https://tools.example/mcp"))
            assert await service.tools(service.servers, CALLER) == ()
            assert "user name and a password" in str(service.statuses()[0].problem)
    assert heads[0].startswith(b"CONNECT tools.example:443")
