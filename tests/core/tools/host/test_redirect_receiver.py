"""The answer of a browser: what is taken, what is refused, and that it is taken once."""

from __future__ import annotations

import asyncio

import pytest

from chatdesk.core.tools.host.redirect_receiver import PATH, RedirectReceiver
from chatdesk.core.tools.host.stdio import ServerBroke


async def _ask(receiver: RedirectReceiver, target: str, *, method: str = "GET", host: str = "") -> int:
    port = int(receiver.address.split(":")[2].partition("/")[0])
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(f"{method} {target} HTTP/1.1\r\nHost: {host or f'127.0.0.1:{port}'}\r\n\r\n".encode())
    answer = await reader.read()
    writer.close()
    return int(answer.split()[1]) if answer else 0


async def test_the_answer_with_the_state_is_taken_once() -> None:
    receiver = RedirectReceiver()
    async with receiver.listening():
        assert await _ask(receiver, f"{PATH}?code=early&state=known") == 400  # nobody waits yet
        waiting = asyncio.ensure_future(receiver.receive("known"))
        await asyncio.sleep(0)
        for bad in (f"{PATH}?code=a", f"{PATH}?code=a&state=other", f"{PATH}?code=a&state=known&state=other"):
            assert await _ask(receiver, bad) == 400
        assert await _ask(receiver, f"{PATH}?" + "&".join(f"a{n}=1" for n in range(50))) == 400
        assert not waiting.done()
        assert await _ask(receiver, f"{PATH}?code=right&state=known&iss=https://a.example") == 200
        found = await waiting
        assert (found.code, found.state, found.iss) == ("right", "known", "https://a.example")
        assert await _ask(receiver, f"{PATH}?code=right&state=known") == 400


async def test_a_request_unlike_a_browsers_is_refused() -> None:
    receiver = RedirectReceiver()
    async with receiver.listening():
        right = f"{PATH}?code=right&state=known"
        waiting = asyncio.ensure_future(receiver.receive("known"))
        await asyncio.sleep(0)
        assert await _ask(receiver, right, method="POST") == 404
        assert await _ask(receiver, right, host="evil.example") == 404  # a name that was made to point here
        assert await _ask(receiver, "/favicon.ico") == 404
        assert await _ask(receiver, "/" + "x" * 100_000) == 0  # longer than any head
        assert not waiting.done()
        waiting.cancel()


@pytest.mark.parametrize("query", ["error=access_denied", "code=a&code=b", "code=a&iss=b&iss=c"])
async def test_an_answer_without_one_code_declines(query: str) -> None:
    receiver = RedirectReceiver()
    async with receiver.listening():
        waiting = asyncio.ensure_future(receiver.receive("known"))
        await asyncio.sleep(0)
        assert await _ask(receiver, f"{PATH}?state=known&{query}") == 200
        with pytest.raises(ServerBroke, match="declined"):
            await waiting
