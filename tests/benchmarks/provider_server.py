"""The answers of ``answer_server``, and ones that carry the time at which they were sent; and when the last one ended.

The model ``stamp`` begins with ``@<nanoseconds>@``, the monotonic clock that all processes of a machine share. ``GET
/v1/ended`` says on that clock when the last answer had been taken off this server's hands.
"""

from __future__ import annotations

import asyncio
import json
import time

from tests.benchmarks import answer_server
from tests.helpers.fault_server import Exchange, FaultServer, status

_BEFORE_FIRST_S = 0.05
_MORE_TOKENS, _PACE_S = 10, 0.02


class Ended:
    """Monotonic nanoseconds of the last end."""

    at_ns = 0


async def serve(exchange: Exchange) -> None:
    path = exchange.request.path
    if path.endswith("/ended"):
        await status(200, {"at_ns": Ended.at_ns})(exchange)
    elif path.endswith("/models"):
        await status(200, {"data": [{"id": "stamp"}]})(exchange)
    elif exchange.request.json["model"] == "stamp":
        await stamped(exchange)
    else:
        await answer_server.stream(exchange)
        Ended.at_ns = time.monotonic_ns()


async def stamped(exchange: Exchange) -> None:
    await exchange.start()
    await exchange.delta(role="assistant", content="")
    await asyncio.sleep(_BEFORE_FIRST_S)
    await exchange.delta(content=f"@{time.monotonic_ns()}@ ")
    for number in range(_MORE_TOKENS):
        await asyncio.sleep(_PACE_S)
        await exchange.delta(content=f"word{number} ")
    await exchange.finish()


async def main() -> None:
    async with FaultServer(serve) as server:
        print(json.dumps({"url": server.base_url}), flush=True)
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main())
