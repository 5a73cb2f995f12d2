"""An answer without end, from a server on a thread of this process: ``large_answer_probe window|script DATA MB``.

Prints JSON: ``more_mb``, the peak of memory above that after a short answer; ``s``, from the question to the stored end;
``characters`` that were kept, and what the person reads (``error``). The server writes piece by piece and holds nothing.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from typing import Any

from chatdesk.app import run_window
from chatdesk.core.paths import AppPaths
from chatdesk.core.settings.schema import Settings
from chatdesk.services.owner import open_services
from tests.benchmarks.processes import peak_mb
from tests.helpers.fault_cases import sse
from tests.helpers.fault_server import Exchange, Script, answer, chunk
from tests.helpers.served import Served, served

_WORDS = "Lorem ipsum dolor sit amet, consectetur adipiscing elit. " * 7 + "\n\n"


def _long(megabytes: int) -> Script:
    event = sse(chunk({"content": _WORDS})).encode()
    count = megabytes * 1_000_000 // len(event)

    async def script(exchange: Exchange) -> None:
        await exchange.start()
        for _ in range(count // 20):
            await exchange.send(event * 20)
        await exchange.finish()

    return script


async def _measured(services: Any, server: Served, megabytes: int, application: Any = None) -> dict[str, Any]:
    created = await services.chat.create_thread(None, "", "A short one")
    if application is not None:
        await application.threads.open(created.thread.id)
    await services.chat.turns.wait_for_all()
    before = peak_mb()

    async def change() -> None:
        server.server.play(_long(megabytes))

    await asyncio.to_thread(server.run, change())
    began = time.monotonic()
    sent = await services.chat.send_message(created.thread.id, "A long one")
    async with asyncio.timeout(900):
        await services.chat.turns.wait_for_all()
    took = time.monotonic() - began
    message = await services.chat.reader.get_message(sent.answer.id)
    peak = peak_mb()
    return {"more_mb": peak - before, "s": took, "characters": len(message.text), "error": message.error}


def main() -> int:
    where, data, megabytes = sys.argv[1], sys.argv[2], int(sys.argv[3])
    with served(answer()) as server:
        settings = Settings(
            openai_base_url=server.base_url, openai_model="m", provider="openai", model_titles=False, summaries=False
        )

        async def in_window(application: Any) -> int:
            services = await application.services()
            print(json.dumps(await _measured(services, server, megabytes, application)))
            return 0

        async def in_script() -> None:
            async with open_services(AppPaths.find(data), settings) as services:
                print(json.dumps(await _measured(services, server, megabytes)))

        if where == "window":
            return run_window(AppPaths.find(data), settings, script=in_window)
        asyncio.run(in_script())
        return 0


if __name__ == "__main__":
    sys.exit(main())
