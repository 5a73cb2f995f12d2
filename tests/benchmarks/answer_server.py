"""An OpenAI-compatible server on loopback that streams a benchmark's answer; prints its address and serves until killed.

The model's name says what comes: ``mixed-20000-100`` is 20,000 tokens of mixed Markdown at 100 a second, 0 being as fast
as the socket takes them.
"""

from __future__ import annotations

import asyncio
import json
import time

from tests.benchmarks.answers import answer_text, tokens_of
from tests.helpers.fault_server import Exchange, FaultServer, chunk

_FLUSH_S = 0.01
_EVENTS_A_WRITE = 100


async def stream(exchange: Exchange) -> None:
    if not exchange.request.path.endswith("/chat/completions"):
        await exchange.start(404, content_type="application/json", length=2)
        await exchange.send_raw(b"{}")
        return
    kind, count, rate = str(exchange.request.json["model"]).split("-")
    events = [f"data: {json.dumps(chunk({'content': each}))}\n\n".encode() for each in _tokens(kind, int(count))]
    await exchange.start()
    began, sent = time.monotonic(), 0
    while sent < len(events):
        due = len(events)
        if float(rate):
            due = min(due, int((time.monotonic() - began) * float(rate)) + 1)
        for at in range(sent, due, _EVENTS_A_WRITE):
            await exchange.send(b"".join(events[at : min(due, at + _EVENTS_A_WRITE)]))
        sent = due
        if sent < len(events):
            await asyncio.sleep(_FLUSH_S)
    await exchange.finish()


def _tokens(kind: str, count: int) -> list[str]:
    return tokens_of(answer_text(kind, count * 4))[:count]


async def main() -> None:
    async with FaultServer(stream) as server:
        print(server.base_url, flush=True)
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main())
