"""A real ChatService over a real database in a temporary directory, with a provider that does what a test says."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from chatdesk.core.chat.chat_service import ChatService
from chatdesk.core.chat.context.context_service import ContextService
from chatdesk.core.chat.library import LibraryService
from chatdesk.core.clock import Clock
from chatdesk.core.domain.provider_profile import PLAIN
from chatdesk.core.events import AnswerFinished, EventBus
from chatdesk.core.providers.base import (
    ChatRequest,
    FinishReason,
    ListedModel,
    StreamEvent,
    StreamFinished,
    TextDelta,
)
from chatdesk.core.providers.registry import ProviderRegistry
from chatdesk.core.storage.engine.database import Database
from chatdesk.core.storage.profile_database import ProfileDatabase
from chatdesk.core.storage.repositories import Repositories
from tests.helpers.waiting import PATIENCE_S, until

MakeContext = Callable[[Repositories, ProviderRegistry, EventBus], ContextService]
Step = StreamEvent | Exception | asyncio.Event


class ScriptedProvider:
    """Plays one script an answer; an event is waited for, an exception is raised. Without a script it answers "ok"."""

    name = "scripted"
    label = "Scripted"
    dialect = PLAIN

    def __init__(self) -> None:
        self.scripts: list[Sequence[Step]] = []
        self.requests: list[ChatRequest] = []
        self.open_streams = 0

    def will(self, *steps: Step) -> None:
        self.scripts.append(steps)

    def lacks(self, _request: ChatRequest) -> list[str]:
        return []

    async def list_models(self) -> tuple[ListedModel, ...]:
        return (ListedModel("small", "Small"),)

    async def stream(self, request: ChatRequest) -> AsyncGenerator[StreamEvent, None]:
        self.requests.append(request)
        script = self.scripts.pop(0) if self.scripts else (TextDelta("ok"), StreamFinished(FinishReason.STOP))
        self.open_streams += 1
        try:
            for step in script:
                if isinstance(step, asyncio.Event):
                    await step.wait()
                elif isinstance(step, Exception):
                    raise step
                else:
                    yield step
        finally:
            self.open_streams -= 1

    async def close(self) -> None:
        pass


@dataclass
class ChatWorld:
    chat: ChatService
    bus: EventBus
    provider: ScriptedProvider
    database: Database
    repositories: Repositories
    library: LibraryService
    events: list[object] = field(default_factory=list)

    async def asked(self, count: int = 1) -> None:
        """Wait until the provider was asked so many times in all."""
        await until(lambda: len(self.provider.requests) >= count)

    async def answer_of(self, sent: object) -> object:
        """Wait for the end of the answer in ``Sent`` or ``Created``."""
        answer_id = sent.answer.id  # type: ignore[attr-defined]
        return await self.finished(answer_id)

    async def finished(self, answer_id: str) -> object:
        for event in self.events:
            if isinstance(event, AnswerFinished) and event.message.id == answer_id:
                return event.message
        done: asyncio.Future[object] = asyncio.get_running_loop().create_future()

        def on_finished(event: AnswerFinished) -> None:
            if event.message.id == answer_id and not done.done():
                done.set_result(event.message)

        subscription = self.bus.subscribe(AnswerFinished, on_finished)
        try:
            async with asyncio.timeout(PATIENCE_S):
                return await done
        finally:
            subscription.cancel()


@asynccontextmanager
async def chat_world(
    directory: Path,
    *,
    make_context: MakeContext | None = None,
    provider: ScriptedProvider | None = None,
    **options: int,
) -> AsyncIterator[ChatWorld]:
    """``make_context``: None for the context of scripts; ``provider``: None for one that plays scripts."""
    database = ProfileDatabase(directory / "chatdesk.db", clock=Clock(), backup_dir=directory / "backups")
    await database.open()
    provider, bus = provider or ScriptedProvider(), EventBus()
    repositories = Repositories.of(database)
    providers = ProviderRegistry([provider], "scripted", "small")
    chat = ChatService(
        repositories=repositories,
        providers=providers,
        bus=bus,
        clock=Clock(),
        context=None if make_context is None else make_context(repositories, providers, bus),
        **options,
    )
    library = LibraryService(repositories=repositories, chat=chat, bus=bus, clock=Clock())
    world = ChatWorld(chat, bus, provider, database, repositories, library)
    from chatdesk.core import events

    for kind in vars(events).values():
        if isinstance(kind, type) and hasattr(kind, "__dataclass_fields__"):
            bus.subscribe(kind, world.events.append)
    try:
        yield world
    finally:
        await chat.close()
        await database.close()
