"""Addresses that a server names for a sign-in, and the words for what went wrong."""

from __future__ import annotations

import httpx2
import pytest

from chatdesk.core.domain.tools import SIGN_IN_NEEDED
from chatdesk.core.tools.host.sign_in import SignIn, failure_text


async def _asked_at(server: str, document: str) -> tuple[list[str], list[str]]:
    """Have a server say that what it protects is described at ``document``; what was told, and what was asked."""
    told: list[str] = []
    asked: list[str] = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        asked.append(str(request.url))
        header = f'Bearer resource_metadata="{document}"'
        return httpx2.Response(401 if len(asked) == 1 else 404, headers={"WWW-Authenticate": header})

    async def receive(_state: str) -> None:
        raise AssertionError

    auth = SignIn(server, {}, keep=told.append, notify=told.append, browse=told.append, receive=receive)  # type: ignore[arg-type]
    async with httpx2.AsyncClient(transport=httpx2.MockTransport(answer), auth=auth) as client:
        with pytest.raises(Exception, match=r"sign|egist"):
            await client.post(server)
    return told, asked


@pytest.mark.parametrize(
    "document",
    [
        "http://tools.example/x",
        "http://other.example/x",
        "https://127.0.0.1/x",
        "http://127.0.0.1:631/x",
        "https://localhost/x",
        "https://printer.local/x",
        "https://10.1.2.3/x",
        "https://169.254.169.254/latest/meta-data",
        "https://[::1]/x",
        "https://router/x",
        "https://ada:pw@other.example/x",
    ],
)
async def test_a_server_on_the_network_leads_to_no_open_or_inner_address(document: str) -> None:
    told, asked = await _asked_at("https://tools.example/mcp", document)
    assert asked == ["https://tools.example/mcp"] and "It sends sign-ins" in told[0]


async def test_another_public_host_may_describe_it() -> None:
    _told, asked = await _asked_at("https://tools.example/mcp", "https://about.tools.example/x")
    assert asked[1] == "https://about.tools.example/x"


@pytest.mark.parametrize("kept", ["", "{", "[]", '{"tokens": 3}', '{"client": {}}'])
async def test_what_is_kept_may_be_damaged(kept: str) -> None:
    told: list[str] = []
    auth = SignIn("https://tools.example/mcp", {"kept": kept}, keep=told.append, notify=told.append)
    transport = httpx2.MockTransport(lambda _request: httpx2.Response(401))
    async with httpx2.AsyncClient(transport=transport, auth=auth) as client:
        assert (await client.post("https://tools.example/mcp")).status_code == 401
    assert told == [SIGN_IN_NEEDED]


def test_every_failure_has_words_without_what_the_server_sent() -> None:
    for error in (TimeoutError(), httpx2.ReadError("secret"), ValueError("secret")):
        assert failure_text(error).endswith(".") and "secret" not in failure_text(error)
