"""A proxy of the environment is used where it can be, and named where it cannot."""

from __future__ import annotations

import asyncio

import pytest

from chatdesk.core.errors import ProviderError
from chatdesk.core.providers.base import ChatRequest
from chatdesk.core.providers.endpoint import ConnectionOptions, Endpoint
from chatdesk.core.providers.openai_compatible import OpenAICompatibleProvider
from chatdesk.core.providers.retry import RetryPolicy
from chatdesk.core.settings.system_proxy import system_proxy

_NAMES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")
_USABLE, _SOCKS = "http://10.0.0.1:3128", "socks://127.0.0.1:9"


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    for name in _NAMES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    return monkeypatch


@pytest.mark.parametrize(
    ("variables", "address", "is_usable"),
    [
        ({}, None, False),
        ({"HTTPS_PROXY": _USABLE}, _USABLE, True),
        ({"https_proxy": "proxy.example:3128"}, "http://proxy.example:3128", True),
        ({"ALL_PROXY": _USABLE}, _USABLE, True),
        ({"ALL_PROXY": _SOCKS}, _SOCKS, False),
        ({"ALL_PROXY": "socks5h://127.0.0.1:9"}, "socks5h://127.0.0.1:9", False),
        ({"HTTPS_PROXY": _USABLE, "ALL_PROXY": _SOCKS}, _USABLE, True),
        ({"HTTPS_PROXY": _SOCKS, "ALL_PROXY": _USABLE}, _USABLE, True),
        ({"HTTPS_PROXY": "http://[", "ALL_PROXY": ""}, "http://[", False),
        ({"HTTPS_PROXY": _USABLE, "NO_PROXY": "vendor.example"}, None, False),
        ({"HTTPS_PROXY": _USABLE, "NO_PROXY": "*"}, None, False),
        ({"HTTP_PROXY": _USABLE}, None, False),
    ],
)
def test_the_first_proxy_that_can_be_used_is_taken(
    environment: pytest.MonkeyPatch, variables: dict[str, str], address: str | None, is_usable: bool
) -> None:
    for name, value in variables.items():
        environment.setenv(name, value)
    found = system_proxy("https://vendor.example/v1")
    assert (None if found is None else found.address) == address
    assert found is None or found.is_usable is is_usable


async def _failure(endpoint: Endpoint) -> ProviderError:
    provider = OpenAICompatibleProvider("v", "Vendor", endpoint, retry=RetryPolicy(longest_wait_s=1, max_attempts=1))
    try:
        with pytest.raises(ProviderError) as caught:
            async for _ in provider.stream(ChatRequest("m", ())):
                pass
        return caught.value
    finally:
        await provider.close()


async def test_a_proxy_that_cannot_be_used_is_named_without_its_password(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("ALL_PROXY", "socks://zoe7:hidden3@127.0.0.1:9")
    failure = await _failure(Endpoint.of("https://vendor.example/v1", "sk-test-0123456789"))
    assert "ALL_PROXY=socks://127.0.0.1:9" in failure.what
    assert "hidden3" not in failure.sentence and "zoe7" not in failure.sentence


@pytest.mark.parametrize("is_own", [False, True])
async def test_a_proxy_that_is_down_is_not_called_the_vendor(environment: pytest.MonkeyPatch, is_own: bool) -> None:
    address = "http://127.0.0.1:9"
    if not is_own:
        environment.setenv("HTTPS_PROXY", address)
    connection = ConnectionOptions(proxy=address if is_own else None)
    failure = await _failure(Endpoint.of("https://vendor.example/v1", "sk-test-0123456789", connection=connection))
    assert "proxy" in failure.what and address in failure.what and "Vendor" not in failure.what


@pytest.mark.parametrize(
    ("answer", "words"),
    [("407 Proxy Authentication Required", "user name and a password"), ("403 Forbidden", "let nothing through (403)")],
)
async def test_a_proxy_that_refuses_says_why(environment: pytest.MonkeyPatch, answer: str, words: str) -> None:
    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(f"HTTP/1.1 {answer}\r\nContent-Length: 0\r\n\r\n".encode())
        writer.close()

    async with await asyncio.start_server(refuse, "127.0.0.1", 0) as server:
        address = f"http://zoe7:hidden3@127.0.0.1:{server.sockets[0].getsockname()[1]}"
        environment.setenv("HTTPS_PROXY", address)
        failure = await _failure(Endpoint.of("https://vendor.example/v1", "sk-test-0123456789"))
    assert words in failure.what and "HTTPS_PROXY=" in failure.what and "hidden3" not in failure.sentence


async def test_this_computer_is_reached_without_a_proxy(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("ALL_PROXY", _SOCKS)
    assert Endpoint.of("http://127.0.0.1:11434/v1").problem() is None
