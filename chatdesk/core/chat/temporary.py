"""TemporaryThreads holds a thread that leaves nothing behind unless it is kept.

It lives in a database in memory behind a ChatService of its own, so that all features of threads work. Only the window
receives its events: they have their own bus, without subscribers for logs and statistics. Its costs count against the
limits as estimates until ChatDesk ends, and exactly once the thread is kept.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from functools import partial

from chatdesk.core.chat.chat_service import ChatService
from chatdesk.core.chat.task_set import uninterruptible
from chatdesk.core.clock import Clock
from chatdesk.core.domain.message import Status
from chatdesk.core.domain.thread import NEW_THREAD_TITLE, Thread, TitleSource
from chatdesk.core.errors import NotPossible, StorageError
from chatdesk.core.events import EventBus, ThreadChanged, ThreadCreated, ThreadDeleted
from chatdesk.core.providers.registry import ProviderRegistry
from chatdesk.core.storage.engine.database import Database
from chatdesk.core.storage.library import kept_thread
from chatdesk.core.storage.memory_database import MemoryDatabase
from chatdesk.core.storage.repositories import Repositories
from chatdesk.core.texts import Text
from chatdesk.core.usage.usage_service import UsageService


class TemporaryThreads:
    """The temporary thread. There is at most one at a time; ``thread_id`` is None where there is none."""

    def __init__(self, chat: ChatService, database: Database, bus: EventBus, clock: Clock) -> None:
        """Create the service beside ``chat``, ``database`` and ``bus`` of all other threads; a temporary thread that is
        kept moves there."""
        self.bus = EventBus()
        self._stored_chat = chat
        self._stored = database
        self._stored_bus = bus
        self._clock = clock
        self._chat: ChatService | None = None
        self._memory: MemoryDatabase | None = None
        self._thread_id: str | None = None
        self._usage: UsageService | None = None
        self._lock = asyncio.Lock()

    @property
    def thread_id(self) -> str | None:
        return self._thread_id

    def is_temporary(self, thread_id: str | None) -> bool:
        return thread_id is not None and thread_id == self._thread_id

    def chat_of(self, thread_id: str | None) -> ChatService:
        """Return the service that has a thread."""
        return self._chat if self._chat is not None and self.is_temporary(thread_id) else self._stored_chat

    def usage_of(self, thread_id: str | None) -> UsageService | None:
        """Return the usage service of the temporary thread; None for any other thread."""
        return self._usage if self.is_temporary(thread_id) else None

    def use_providers(self, providers: ProviderRegistry) -> None:
        if self._chat is not None:
            self._chat.use_providers(providers)

    @uninterruptible
    async def create(
        self, project_id: str | None = None, *, provider: str | None = None, model: str | None = None
    ) -> Thread:
        """Create a temporary thread with the instructions of an unshared project (None: of the oldest). Raises
        ``NotPossible`` if there is one already."""
        async with self._lock:
            if self._thread_id is not None:
                raise NotPossible(
                    Text("There is a temporary chat already."), next_step=Text("Keep it or close it first.")
                )
            wanted = project_id or (await self._stored_chat.projects.default()).id
            project = await self._stored.read(partial(kept_thread.project_row, project_id=wanted))
            memory = MemoryDatabase(clock=self._clock)
            try:
                await memory.open()
                await memory.write(partial(kept_thread.copy_project, row=project))
                repositories = Repositories.of(memory)
                thread = await repositories.threads.create(
                    project["id"],
                    NEW_THREAD_TITLE,
                    provider=provider or project["provider"],
                    model=model if provider else project["model"],
                    title_source=TitleSource.TEXT,
                )
            except BaseException:
                await memory.close()
                raise
            self._memory, self._thread_id = memory, thread.id
            self._usage = UsageService(repositories.usage, repositories.usage_days, self._clock)
            self._chat = self._stored_chat.beside(repositories, self.bus)
        self.bus.publish(ThreadCreated(thread))
        return thread

    async def holds_something(self) -> bool:
        """Return whether the thread has messages, or a saved draft."""
        if self._chat is None or self._thread_id is None:
            return False
        thread = await self._chat.get_thread(self._thread_id)
        return thread.message_count > 0 or await self._chat.drafts.get(self._thread_id) is not None

    @uninterruptible
    async def keep(self) -> Thread:
        """Store the thread as one like any other, with all messages, versions and times. Raises ``NotPossible`` while
        an answer is being written, or ``StorageError``; the thread is then as temporary as before."""
        async with self._lock:
            if self._chat is None or self._memory is None or self._thread_id is None:
                raise NotPossible(Text("There is no temporary chat."))
            if self._chat.is_answering(self._thread_id):
                raise _still_written()
            self._memory.freeze()
            try:
                rows = await self._memory.read(partial(kept_thread.rows_of, thread_id=self._thread_id))
                if not all(Status(row["status"]).is_final for row in rows["messages"]):
                    raise _still_written()  # asked in the moment before, so its answer is yet to come
                thread = await self._stored.write(lambda conn: kept_thread.insert(conn, self._stored.origin, rows))
            except BaseException:
                self._memory.thaw()
                raise
            self._memory.retire(
                StorageError(Text("This chat was just kept."), safe=Text("What you wrote is still there."))
            )
            for row in rows["messages"]:
                self._stored_chat.limits.release(row["id"])  # the ledger has it now
            chat, memory = self._let_go()
            self._stored_bus.publish(ThreadCreated(thread))
            self._stored_bus.publish(ThreadChanged(thread))
        await chat.close()
        await memory.close()
        return thread

    @uninterruptible
    async def forget(self) -> None:
        """End the thread and leave no trace of it. Does nothing without an open one."""
        thread_id = self._thread_id
        await self.close()
        if thread_id is not None:
            self.bus.publish(ThreadDeleted(thread_id, is_purged=True))

    async def close(self) -> None:
        """End the thread without an event: no subscriber is left."""
        async with self._lock:
            if self._thread_id is None:
                return
            chat, memory = self._let_go()
        await chat.close()
        await memory.close()

    async def image_of(self, thread_ids: Sequence[str]) -> bytes | None:
        """Return the bytes of the database that has these threads, for an export; None where they are not temporary."""
        if self._memory is None or not all(map(self.is_temporary, thread_ids)) or not thread_ids:
            return None
        return await self._memory.image()

    @property
    def is_writing(self) -> bool:
        """Return whether an answer is being written."""
        return self._chat is not None and self._chat.is_writing

    async def wait_until_written(self) -> None:
        """Wait until no answer is being written, including those that begin in the meantime."""
        if self._chat is not None:
            await self._chat.turns.wait_for_all()

    async def stop(self) -> None:
        """Stop the answers of the thread; their text stays."""
        if self._chat is not None and self._thread_id is not None:
            await self._chat.stop(self._thread_id)
            await self.wait_until_written()

    def _let_go(self) -> tuple[ChatService, MemoryDatabase]:
        assert self._chat is not None
        assert self._memory is not None
        chat, memory = self._chat, self._memory
        self._chat, self._memory, self._thread_id, self._usage = None, None, None, None
        return chat, memory


def _still_written() -> NotPossible:
    return NotPossible(
        Text("An answer is still being written, so this chat was not kept yet."),
        next_step=Text("Wait for its end, or stop it, and keep the chat then."),
    )
