"""ChatDesk's window over a server on loopback: ``provider_probe first|flood|memory|parallel DATA URL COUNT``.

Prints JSON. ``first``: ms from the first token's sending to the paint that shows it, for each of COUNT answers.
``flood``: an answer of COUNT tokens as fast as loopback gives it: slices of the GUI thread, seconds from the last bytes
on the socket, and from the server's last, to the end; processor seconds. ``memory``: MB before and after COUNT answers. ``parallel``: slices while COUNT answers stream, each
in a thread of its own.
"""

from __future__ import annotations

import asyncio
import gc
import json
import re
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from PySide6.QtGui import QPaintEvent

from chatdesk.app import run_window
from chatdesk.core.domain.library import ThreadQuery
from chatdesk.core.paths import AppPaths
from chatdesk.core.providers.stream_guard import EventReader, ServerEvent
from chatdesk.core.settings.schema import Settings
from chatdesk.ui.transcript.view import TranscriptView
from tests.benchmarks.answer_probe import _cpu_s
from tests.benchmarks.loop_probe import LoopProbe

_STAMP = re.compile(r"@(\d+)@")
_PARALLEL_TOKENS = 800
_WARM_UP = 20
_THREADS = 10


class FirstPaints:
    """Sees when a stamped token is first painted."""

    def __init__(self) -> None:
        self.ms: dict[str, float] = {}
        paint = TranscriptView.paintEvent

        def watched(view: TranscriptView, event: QPaintEvent) -> None:
            paint(view, event)
            now_ns = time.monotonic_ns()
            for item in view.entries[-1].items if view.entries else ():
                for stamp in _STAMP.findall(getattr(item, "text", "")):
                    self.ms.setdefault(stamp, (now_ns - int(stamp)) / 1e6)

        TranscriptView.paintEvent = watched  # type: ignore[method-assign]


async def _ask(application: Any, chat: Any) -> None:
    """One question in the open thread, to its end."""
    await chat.send_message(application.threads.thread_id, "A question")
    await _quiet(chat)


async def _quiet(chat: Any) -> None:
    async with asyncio.timeout(900):
        await chat.turns.wait_for_all()
        while chat.is_writing:
            await asyncio.sleep(0.005)


async def first(application: Any, count: int, paints: FirstPaints) -> dict[str, Any]:
    chat = await _begun(application)
    for _ in range(count):
        await _ask(application, chat)
        await asyncio.sleep(0.05)
    return {"ms": list(paints.ms.values())[1:], "paints": len(paints.ms)}


class LastRead:
    """When the last bytes of an answer were taken from the socket."""

    def __init__(self) -> None:
        self.at_ns = 0
        feed = EventReader.feed

        def watched(reader: EventReader, chunk: bytes) -> Iterator[ServerEvent]:
            self.at_ns = time.monotonic_ns()
            return feed(reader, chunk)

        EventReader.feed = watched  # type: ignore[method-assign]


async def flood(application: Any, count: int, url: str, read: LastRead) -> dict[str, Any]:
    services = await application.services()
    chat = services.chat
    await asyncio.sleep(1.0)
    created = await chat.create_thread(None, "Flood")
    await application.threads.open(created.thread.id)
    await asyncio.sleep(0.5)
    with LoopProbe() as probe:
        cpu_s, began = _cpu_s(), time.monotonic()
        await chat.send_message(created.thread.id, "A question")
        await _quiet(chat)
        ended_ns = time.monotonic_ns()
        await asyncio.sleep(0.3)  # the last frame
        cpu_s = _cpu_s() - cpu_s
    sent_ns = json.loads(await asyncio.to_thread(_fetch, f"{url}/ended"))["at_ns"]
    return {
        "behind_s": (ended_ns - read.at_ns) / 1e9,
        "behind_server_s": (ended_ns - sent_ns) / 1e9,
        "wall_s": (ended_ns / 1e9) - began,
        "cpu_s": cpu_s,
        "slices_ms": probe.cpu_ms,
        "walls_ms": probe.slices_ms,
    }


async def memory(application: Any, count: int) -> dict[str, Any]:
    """Answers go to ten threads in turn, each open while its answers come."""
    chat = await _begun(application)
    for _ in range(_WARM_UP):
        await _ask(application, chat)
    threads = [(await chat.create_thread(None, f"Thread {number}")).thread.id for number in range(_THREADS)]
    await _at_rest(application)
    before = _resident_mb()
    for number in range(count):
        if number % max(1, count // _THREADS) == 0:
            await application.threads.open(threads[min(_THREADS - 1, number * _THREADS // count)])
        await _ask(application, chat)
    most = _resident_mb()
    await _at_rest(application)
    return {"before_mb": before, "most_mb": most, "after_mb": _resident_mb()}


async def parallel(application: Any, count: int) -> dict[str, Any]:
    services = await application.services()
    chat = services.chat
    await asyncio.sleep(1.0)
    first_thread = None
    for _ in range(count):
        created = await chat.create_thread(None, "", "A question")
        first_thread = first_thread or created.thread.id
    await application.threads.open(first_thread)
    await asyncio.sleep(1.0)
    with LoopProbe() as probe:
        await asyncio.sleep(5.0)
        threads = (await services.library.list_threads(ThreadQuery())).threads
        are_all_running = sum(chat.is_answering(each.id) for each in threads)
    return {"slices_ms": probe.cpu_ms, "walls_ms": probe.slices_ms, "running": are_all_running}


async def _begun(application: Any) -> Any:
    """The chat service, with an empty thread open."""
    services = await application.services()
    await asyncio.sleep(1.0)
    created = await services.chat.create_thread(None, "Measured")
    await application.threads.open(created.thread.id)
    await _ask(application, services.chat)
    return services.chat


async def _at_rest(application: Any) -> None:
    await application.threads.open(None)
    await asyncio.sleep(2.0)
    gc.collect()


def _fetch(address: str) -> bytes:
    with urllib.request.urlopen(address, timeout=10) as answer:
        return bytes(answer.read())


def _resident_mb() -> float:
    with open("/proc/self/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * 4096 / 2**20


def main() -> int:
    what, data, url, count_text = sys.argv[1:5]
    count = int(count_text)
    works: dict[str, tuple[str, Callable[[Any], Any]]] = {
        "first": ("stamp", partial(first, count=count, paints=FirstPaints())),
        "flood": (f"mixed-{count}-0", partial(flood, count=count, url=url, read=LastRead())),
        "memory": ("mixed-150-0", partial(memory, count=count)),
        "parallel": (f"mixed-{_PARALLEL_TOKENS}-100", partial(parallel, count=count)),
    }
    model, work = works[what]

    async def script(application: Any) -> int:
        found = await work(application)
        print(json.dumps(found))
        return 0

    settings = Settings(openai_base_url=url, openai_model=model, provider="openai", model_titles=False, summaries=False)
    return run_window(AppPaths.find(data), settings, script=script)


if __name__ == "__main__":
    sys.exit(main())
