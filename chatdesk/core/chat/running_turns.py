"""Tracks the running answers, each with its own turn; several of one thread may run side by side."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from chatdesk.core.chat.task_set import TaskSet
from chatdesk.core.chat.turn import Turn
from chatdesk.core.domain.message import Message, MessagePage
from chatdesk.core.system.sleep_watch import SleepWatch

MOST_IN_THREAD = 4
# How long a connection that has outlived a sleep may take to show it.
AFTER_SLEEP_S = 8.0


class RunningTurns:
    """The running turns by the id of the message that each writes. While any runs, a sleep of the computer is watched
    for."""

    def __init__(self) -> None:
        self._turns: dict[str, Turn] = {}
        self._tasks = TaskSet()
        self._watching: asyncio.Task[None] | None = None

    def start(self, turn: Turn) -> None:
        self._turns[turn.message_id] = turn
        self._tasks.start(self._run(turn), f"turn {turn.message_id}")
        if self._watching is None:
            self._watching = self._tasks.start(SleepWatch(turn.clock, self._on_woken).run(), "watch for sleep")

    @property
    def are_any(self) -> bool:
        return any(not turn.finished.done() for turn in self._turns.values())

    @property
    def message_ids(self) -> tuple[str, ...]:
        """The ids of the messages that are being written."""
        return tuple(id_ for id_, turn in self._turns.items() if not turn.finished.done())

    async def wait_for_all(self) -> None:
        """Wait until no turn is running, including those that begin in the meantime."""
        while self.are_any:
            await asyncio.wait([turn.finished for turn in self._turns.values() if not turn.finished.done()])

    def in_thread(self, thread_id: str) -> tuple[Turn, ...]:
        """Return the turns of a thread that have not ended."""
        turns = self._turns.values()
        return tuple(turn for turn in turns if turn.thread_id == thread_id and not turn.finished.done())

    def is_writing(self, message_id: str) -> bool:
        turn = self._turns.get(message_id)
        return turn is not None and not turn.finished.done()

    def overlay(self, message: Message) -> Message:
        """Return ``message`` with everything that was shown of it so far."""
        turn = self._turns.get(message.id)
        return message if turn is None else turn.overlay(message)

    def overlay_page(self, page: MessagePage) -> MessagePage:
        if not self._turns or not any(message.id in self._turns for message in page.messages):
            return page
        return replace(page, messages=tuple(self.overlay(message) for message in page.messages))

    def hurry(self, message_id: str) -> bool:
        """End the wait before the provider is asked again. Returns whether a turn writes that message."""
        if not self.is_writing(message_id):
            return False
        self._turns[message_id].hurry()
        return True

    async def stop(self, thread_or_message_id: str) -> Message | None:
        """Stop one turn, or all of a thread. Returns the last message that ended; None where no turn was running."""
        turns = self.in_thread(thread_or_message_id)
        if self.is_writing(thread_or_message_id):
            turns = (self._turns[thread_or_message_id],)
        for turn in turns:
            turn.stop()
        ended = [await asyncio.shield(turn.finished) for turn in turns]
        return ended[-1] if ended else None

    async def close(self) -> None:
        """Interrupt all turns and wait until their text is stored."""
        turns = tuple(self._turns.values())
        for turn in turns:
            turn.interrupt()
        await asyncio.gather(*(turn.finished for turn in turns), return_exceptions=True)
        await self._tasks.close()

    async def _run(self, turn: Turn) -> None:
        try:
            await turn.run()
        finally:
            if self._turns.get(turn.message_id) is turn:
                del self._turns[turn.message_id]
            if not self._turns and self._watching is not None:
                self._watching.cancel()
                self._watching = None

    def _on_woken(self, _slept_s: float) -> None:
        self._tasks.start(self._end_the_dead(), "look for dead streams")

    async def _end_the_dead(self) -> None:
        """Interrupt the turns that receive nothing for ``AFTER_SLEEP_S`` seconds."""
        before = {turn: turn.received_count for turn in self._turns.values()}
        await asyncio.sleep(AFTER_SLEEP_S)
        for turn, count in before.items():
            if turn.received_count == count and not turn.finished.done():
                turn.lose()
