"""Rows of the local service's events: what idle WebSockets hold, and what publishing costs the loop of the services
while nobody, one client or five hundred follow."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Final

from websockets.asyncio.client import connect

from chatdesk.core.events import EventBus, TextStreamed
from chatdesk.core.providers.base import ChatRequest, FinishReason, StreamEvent, StreamFinished, TextDelta
from chatdesk.core.providers.registry import ProviderRegistry
from tests.benchmarks.table import Row, against
from tests.helpers.chat_world import ScriptedProvider
from tests.helpers.live_events import live_client
from tests.helpers.local_service import ServedWorld, served_world
from tests.helpers.served_process import ServedProcess, serving

_IDLE: Final = 500
_MOST_IDLE_MB: Final = 40.0
_STREAMS: Final = 100
_SOME_ID: Final = "0190b3c2-7c1e-7cc0-98f6-3d2a1b4c5d6e"


def following(folder: Path, is_quick: bool) -> list[Row]:
    return [
        *_idle(folder / "idle"),
        *asyncio.run(_publishing(folder / "publishing", 2_000 if is_quick else 20_000)),
        *asyncio.run(_streaming(folder / "streaming", 100 if is_quick else 500)),
    ]


def _idle(folder: Path) -> list[Row]:
    folder.mkdir(parents=True)
    with serving(folder) as service:
        grown_mb = asyncio.run(_connected_mb(service))
    goal = f"at most {_MOST_IDLE_MB:.0f} MB"
    return [Row(f"memory of {_IDLE} idle WebSockets", grown_mb, "MB", goal, grown_mb <= _MOST_IDLE_MB)]


async def _connected_mb(service: ServedProcess) -> float:
    """Return by how much the service grew from its first client to the last, welcomed and beaten for once."""
    headers = {"Authorization": f"Bearer {service.token}"}
    url = service.url.replace("http", "ws")
    async with AsyncExitStack() as stack:
        before_mb = 0.0
        for number in range(_IDLE + 1):
            socket = await stack.enter_async_context(
                connect(f"{url}/api/v1/ws", additional_headers=headers, proxy=None)
            )
            await socket.recv()
            if number == 0:
                before_mb = service.resident_mb
        await socket.recv()  # its heartbeat: all others had theirs
        return service.resident_mb - before_mb


async def _publishing(folder: Path, count: int) -> list[Row]:
    async with served_world(folder) as world, AsyncExitStack() as stack:
        thread_id = (await world.http.post("/api/v1/threads", json={"title": "A thread"})).json()["id"]
        bare_us = await _microseconds(EventBus(), count)
        nobody_us = await _microseconds(world.services.events, count)
        await stack.enter_async_context(live_client(world, f"/ws/chat/{thread_id}"))
        one_us = await _microseconds(world.services.events, count)
        for _ in range(_IDLE - 1):
            await stack.enter_async_context(live_client(world, f"/ws/chat/{thread_id}"))
        many_us = await _microseconds(world.services.events, count)
    return [
        against(
            "publishing text, nobody follows", nobody_us, bare_us, unit="us", most=1.5, goal="as without the service"
        ),
        Row("publishing text, one client", one_us, "us", "at most 10 us", one_us <= 10),
        against(
            f"publishing text, {_IDLE} clients of another thread",
            many_us,
            one_us,
            unit="us",
            most=1.5,
            goal="as one client",
        ),
    ]


async def _microseconds(bus: EventBus, count: int) -> float:
    """Return the CPU time of this thread for an event; the best of three."""
    found = []
    for _ in range(3):
        event = TextStreamed(_SOME_ID, _SOME_ID, 0, "text", "some words of an answer ")
        taken_s = 0.0
        for _ in range(count // 20):
            began_s = time.thread_time()
            for _ in range(20):
                bus.publish(event)
            taken_s += time.thread_time() - began_s
            await asyncio.sleep(0)
        found.append(taken_s / count * 1_000_000)
    return min(found)


async def _streaming(folder: Path, words: int) -> list[Row]:
    """A hundred answers at a hundred words a second, and one client that hears them all."""
    async with served_world(folder) as world, live_client(world) as client:
        provider = _PacedProvider(words)
        world.services.chat.use_providers(ProviderRegistry([provider], "scripted", "small"))
        answers = await _asked(world)
        began_s, began_cpu_s = time.monotonic(), time.process_time()
        provider.go.set()
        await client.until(lambda: all(map(client.mirror.is_finished, answers)))
        took_s, cpu_s = time.monotonic() - began_s, time.process_time() - began_cpu_s
        expected = "".join(f"{number} " for number in range(words))
        lost = sum(client.mirror.text(each) != expected for each in answers)
    return [
        Row(f"{_STREAMS} answers at once that did not arrive whole", float(lost), "", "none", lost == 0),
        Row("CPU of both ends in a second of it", cpu_s / took_s * 1_000, "ms", "under 500", cpu_s / took_s < 0.5),
    ]


async def _asked(world: ServedWorld) -> list[str]:
    found = []
    for _ in range(_STREAMS):
        thread = (await world.services.chat.create_thread(None, "A thread")).thread
        found.append((await world.services.chat.send_message(thread.id, "Go")).answer.id)
    return found


class _PacedProvider(ScriptedProvider):
    """Answers with so many words, a hundred a second."""

    def __init__(self, words: int) -> None:
        super().__init__()
        self.go = asyncio.Event()
        self._words = words

    async def stream(self, request: ChatRequest) -> AsyncGenerator[StreamEvent, None]:
        await self.go.wait()
        for number in range(self._words):
            yield TextDelta(f"{number} ")
            await asyncio.sleep(0.01)
        yield StreamFinished(FinishReason.STOP)
