"""Turns of the GUI thread's loop, in ms of its processor time, while messages of other members arrive in the open
thread: one by one at a pace, as many at once as are told one by one, and with a reader further up. Beside it an answer
of one's own."""

from __future__ import annotations

import asyncio
import json
import sys
from dataclasses import replace
from typing import Any

from chatdesk.app import run_window
from chatdesk.core.domain.message import Message, Part, PartType, Role, Status
from chatdesk.core.events import AnswerFinished, MessageAdded, SharedMessagesArrived, ThreadChanged
from chatdesk.core.paths import AppPaths
from chatdesk.core.settings.schema import Settings
from tests.benchmarks.answers import message_text
from tests.benchmarks.loop_probe import LoopProbe
from tests.helpers.team_double import ANA, NAMES, TeamDouble

_PAGE, _PAUSE_S = 50, 1.0  # what a round brings at most to be told one by one, and how soon the next comes
_PACE_S = 0.05  # as if twenty people sent one each a second


async def _script(application: Any) -> int:
    count = int(sys.argv[2])
    services = await application.services()
    team = services._team = TeamDouble(services.events)
    await asyncio.sleep(1.0)
    found = {"an answer of one's own": await _watched(_answered(application, services))}
    thread = application.threads.open_thread
    team.share(thread.project_id)
    team.tell_status()
    team.tell_team()
    await asyncio.sleep(2.0)
    arrival = _Arrival(application, services.events, thread.id)
    found["one by one"] = await _watched(arrival.one_by_one(count // 2))
    found["in pages"] = await _watched(arrival.in_pages(count))
    application.panes.transcript.scrolling.by(-20_000)
    await asyncio.sleep(1.0)
    found["while reading further up"] = await _watched(arrival.in_pages(count))
    json.dump(found, sys.stdout)
    return 0


async def _answered(application: Any, services: Any) -> None:
    done = asyncio.Event()
    subscription = services.events.subscribe(AnswerFinished, lambda _event: done.set())
    application.panes.composer.set_text("/demo long")
    application.panes.composer.send_button.click()
    async with asyncio.timeout(60):
        await done.wait()
    subscription.cancel()


async def _watched(work: Any) -> list[float]:
    with LoopProbe() as probe:
        await work
        await asyncio.sleep(0.5)
    return probe.turns_ms


class _Arrival:
    """Publishes what a round of sync does, message by message or a page at a time."""

    def __init__(self, application: Any, events: Any, thread_id: str) -> None:
        self._application = application
        self._events = events
        self._thread_id = thread_id
        self._texts = [message_text(number) for number in range(40)]
        entries = application.panes.transcript.entries
        self._last: Message = entries[-1].message

    async def one_by_one(self, count: int) -> None:
        for _ in range(count):
            self._publish(1)
            await asyncio.sleep(_PACE_S)

    async def in_pages(self, count: int) -> None:
        for _ in range(count // _PAGE):
            self._publish(_PAGE)
            await asyncio.sleep(_PAUSE_S)

    def _publish(self, count: int) -> None:
        thread = self._application.threads.open_thread
        self._events.publish(ThreadChanged(replace(thread, message_count=thread.message_count + count)))
        ids = []
        for _ in range(count):
            message = self._next()
            ids.append(message.id)
            self._events.publish(MessageAdded(message))
        self._events.publish(SharedMessagesArrived(self._thread_id, tuple(ids), (NAMES[ANA],)))

    def _next(self) -> Message:
        number = self._last.position + 1
        is_question = number % 2 == 0
        message_id = f"00000000-0000-7000-9000-{number:012d}"
        text = f"Question {number}" if is_question else self._texts[number % 40]
        self._last = Message(
            message_id,
            self._thread_id,
            self._last.id,
            Role.USER if is_question else Role.ASSISTANT,
            Status.COMPLETE,
            1_700_000_000_000 + number,
            number,
            (Part(f"{message_id}-part", message_id, 0, PartType.TEXT, {"text": text}),),
            model=None if is_question else "gpt-5",
            author_id=ANA,
        )
        return self._last


if __name__ == "__main__":
    run_window(AppPaths.find(sys.argv[1]), Settings(offline_speed_tokens_per_s=1000), script=_script)
