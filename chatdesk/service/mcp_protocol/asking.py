"""Asks questions for assistants, whose time-outs are shorter than some answers: an answer continues after the assistant
has stopped waiting, and can be read when it has ended. Belongs to the loop of the services."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, aclosing, nullcontext
from dataclasses import dataclass
from typing import Any, Final

from chatdesk.service.caller import Caller
from chatdesk.service.errors import TooManyAnswers

_MOST_RUNNING: Final = 8


@dataclass(frozen=True, slots=True)
class Asker:
    """The caller that sent a message, and the id of the request for the log."""

    caller: Caller
    request_id: str


@dataclass(slots=True)
class Asked:
    """A question and its answer so far. ``status`` is that of the message; ``error`` says why it failed. Its usage is
    known at its end, if the provider reports it and prices are known."""

    thread_id: str = ""
    question_id: str = ""
    message_id: str = ""
    status: str = "streaming"
    text: str = ""
    error: str | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None
    cost_usd: float | None = None


class Askings:
    """The answers that are being written for assistants. ``holding`` keeps the services open during each."""

    def __init__(self, holding: Callable[[], AbstractAsyncContextManager[Any]] = nullcontext) -> None:
        self._holding = holding
        self._running: set[asyncio.Task[None]] = set()

    async def ask(
        self, events: AsyncGenerator[dict[str, Any], None], *, wait_s: float, on_start: Callable[[str], None]
    ) -> Asked:
        """Ask with ``events`` (``core.chat.ask``) and wait for the answer so long; it goes on after that. Cancelling
        stops the answer, whose text is kept. ``on_start`` is called with the id of the answer. Raises what asking
        raises, and ``TooManyAnswers``."""
        if len(self._running) >= _MOST_RUNNING:
            raise TooManyAnswers
        asked = Asked()
        running = asyncio.ensure_future(self._follow(events, asked, on_start))
        self._running.add(running)
        running.add_done_callback(self._end)
        try:
            await asyncio.wait([running], timeout=wait_s)
        except asyncio.CancelledError:
            running.cancel()
            await asyncio.wait([running])
            raise
        if running.done():
            running.result()
        return asked

    async def close(self) -> None:
        """Stop the answers that are being written; their text is kept."""
        while running := set(self._running):
            for each in running:
                each.cancel()
            await asyncio.wait(running)

    async def _follow(
        self, events: AsyncGenerator[dict[str, Any], None], asked: Asked, on_start: Callable[[str], None]
    ) -> None:
        async with self._holding(), aclosing(events):
            async for event in events:
                match event["event"]:
                    case "start":
                        asked.thread_id, asked.question_id = event["thread_id"], event["question_id"]
                        asked.message_id = event["message_id"]
                        on_start(asked.message_id)
                    case "finish":
                        asked.status, asked.text, asked.error = event["status"], event["text"], event["error"]
                        usage, asked.cost_usd = event["usage"], event["cost_usd"]
                        asked.input_tokens, asked.output_tokens = usage["input_tokens"], usage["output_tokens"]

    def _end(self, ended: asyncio.Task[None]) -> None:
        self._running.discard(ended)
        if not ended.cancelled():
            ended.exception()  # a waiting caller gets the error; for others the thread has it
