"""A real ChatService over a real database whose provider talks to the fault server, and what a person sees of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from chatdesk.core.chat.chat_service import ChatService
from chatdesk.core.chat.library import LibraryService
from chatdesk.core.clock import Clock
from chatdesk.core.domain.message import Message
from chatdesk.core.events import AnswerFinished, EventBus, RetryWaiting
from chatdesk.core.providers.endpoint import Endpoint
from chatdesk.core.providers.openai_compatible import OpenAICompatibleProvider
from chatdesk.core.providers.registry import ProviderRegistry
from chatdesk.core.providers.retry import RetryPolicy
from chatdesk.core.providers.stream_guard import StreamLimits
from chatdesk.core.storage.engine.database import Database
from chatdesk.core.storage.profile_database import ProfileDatabase
from chatdesk.core.storage.repositories import Repositories

KEY = "sk-canary-0123456789abcdefghij"
WHO = "Testhost"
# Generous, for a busy machine.
LIMITS = StreamLimits(first_byte_s=30.0, silence_s=30.0, after_finish_s=0.2, error_body_s=0.5)
# Odd figures, so that they are found in sentences; the table gives those that hold without a setting.
SHORT_LIMITS = StreamLimits(connect_s=0.97, first_byte_s=1.61, silence_s=1.43, after_finish_s=0.2)


@dataclass(frozen=True)
class Seen:
    """What came of one question."""

    answer: Message
    waits: tuple[RetryWaiting, ...]


class FaultWorld:
    def __init__(
        self, chat: ChatService, bus: EventBus, provider: OpenAICompatibleProvider, database: Database
    ) -> None:
        self.chat = chat
        self.bus = bus
        self.provider = provider
        self.database = database
        self.library = LibraryService(repositories=Repositories.of(database), chat=chat, bus=bus, clock=Clock())
        self._thread_id: str | None = None

    async def ask(self, text: str, *, timeout_s: float = 60.0) -> Seen:
        """Ask in the one thread of this world and wait for the end."""
        ended: dict[str, Message] = {}
        waits: list[RetryWaiting] = []
        news = asyncio.Event()

        def on_finished(event: AnswerFinished) -> None:
            ended[event.message.id] = event.message
            news.set()

        subscriptions = [
            self.bus.subscribe(AnswerFinished, on_finished),
            self.bus.subscribe(RetryWaiting, waits.append),
        ]
        try:
            answer = await self._send(text)
            async with asyncio.timeout(timeout_s):
                while answer.id not in ended:
                    await news.wait()
                    news.clear()
        finally:
            for each in subscriptions:
                each.cancel()
        return Seen(ended[answer.id], tuple(waits))

    async def _send(self, text: str) -> Message:
        if self._thread_id is None:
            created = await self.chat.create_thread(None, "", text)
            self._thread_id = created.thread.id
            assert created.answer is not None
            return created.answer
        return (await self.chat.send_message(self._thread_id, text)).answer

    async def ask_too_early(self, text: str) -> str:
        """Ask while the provider takes no requests: the answer waits in sight. Returns why, and takes it back."""
        await self._send(text)
        (waiting,) = self.chat.queue.in_thread(self.thread_id)
        await self.chat.stop(self.thread_id)
        return waiting.reason

    @property
    def thread_id(self) -> str:
        assert self._thread_id is not None
        return self._thread_id


@asynccontextmanager
async def fault_world(
    directory: Path,
    base_url: str,
    *,
    limits: StreamLimits = LIMITS,
    clock: Clock | None = None,
    key: str = KEY,
    model: str = "m",
    headers: Mapping[str, str] | None = None,
) -> AsyncIterator[FaultWorld]:
    clock = clock or Clock()
    database = ProfileDatabase(directory / "chatdesk.db", clock=clock, backup_dir=directory / "backups")
    await database.open()
    bus = EventBus()
    provider = OpenAICompatibleProvider(
        "test",
        WHO,
        Endpoint.of(base_url, key or None, headers),
        timeouts=limits,
        retry=RetryPolicy(longest_wait_s=limits.longest_wait_s, first_wait_s=0.02),
    )
    chat = ChatService(
        repositories=Repositories.of(database),
        providers=ProviderRegistry([provider], "test", model),
        bus=bus,
        clock=clock,
    )
    try:
        yield FaultWorld(chat, bus, provider, database)
    finally:
        await chat.close()
        await provider.close()
        await database.close()
