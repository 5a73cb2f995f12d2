"""Publishes the effects of pulled pages: collects them from the thread of sync and publishes events on the event loop.

A few changes are published one by one, so that the window updates them in place. A first pull is published as a whole
and at most once a second, so that a hundred thousand messages cost the window no more than a few.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

from chatdesk.core.domain.message import Message
from chatdesk.core.domain.sharing.sync_results import Applied
from chatdesk.core.errors import ChatDeskError, NotFound
from chatdesk.core.events import (
    ContextChanged,
    EventBus,
    MessageAdded,
    MessageChanged,
    PathChanged,
    ProjectChanged,
    ProjectDeleted,
    SharedMessagesArrived,
    TagsChanged,
    TeamChanged,
    ThreadChanged,
    ThreadCreated,
    ThreadDeleted,
    ThreadsChanged,
)
from chatdesk.core.storage.repositories import Repositories

_log = logging.getLogger(__name__)

# Up to these numbers, changes are published one by one.
_FEW_THREADS: Final = 20
_FEW_MESSAGES: Final = 60
# More rows than these in one round are a catch-up, without a notification for each.
CATCH_UP_ROWS: Final = 1_000
# The least time between two large deliveries.
_CALM_S: Final = 1.0
_MOST_PATHS: Final = 500


@dataclass(slots=True)
class _UnpublishedChanges:
    """Changes that were applied and not published yet."""

    threads: set[str] = field(default_factory=set)
    new_threads: set[str] = field(default_factory=set)
    projects: set[str] = field(default_factory=set)
    paths: set[str] = field(default_factory=set)
    contexts: set[str] = field(default_factory=set)
    added: dict[str, list[str]] = field(default_factory=dict)
    versions: dict[str, list[str]] = field(default_factory=dict)
    has_tags: bool = False
    has_notes: bool = False
    is_catch_up: bool = False

    def add(self, applied: Applied) -> None:
        self.threads |= applied.threads
        self.new_threads |= applied.new_threads
        self.projects |= applied.projects
        self.paths |= applied.paths
        self.contexts |= applied.contexts
        self.has_tags |= applied.has_tags
        self.has_notes |= bool(applied.notes)
        for known, found in ((self.added, applied.new_messages), (self.versions, applied.versions)):
            for thread_id, message_id in found:
                known.setdefault(thread_id, []).append(message_id)

    @property
    def all_threads(self) -> set[str]:
        return self.threads | self.new_threads | self.added.keys() | self.versions.keys()

    @property
    def is_large(self) -> bool:
        messages = sum(map(len, self.added.values())) + sum(map(len, self.versions.values()))
        return self.is_catch_up or len(self.all_threads) > _FEW_THREADS or messages > _FEW_MESSAGES


class Delivery:
    """Collects applied changes and publishes them as events. ``add`` may be called from any thread, everything else
    from the event loop's. ``name_of`` returns a member's name; ``refresh`` is awaited before events are published, so
    that look-ups in their handlers see the new state."""

    def __init__(
        self,
        repositories: Repositories,
        bus: EventBus,
        *,
        loop: asyncio.AbstractEventLoop,
        name_of: Callable[[str], str],
        refresh: Callable[[], Awaitable[None]],
    ) -> None:
        self._repositories = repositories
        self._bus = bus
        self._loop = loop
        self._name_of = name_of
        self._refresh = refresh
        self._lock = threading.Lock()
        self._news: _UnpublishedChanges | None = None
        self._members: set[str] = set()
        self._task: asyncio.Task[None] | None = None
        self._is_closed = False

    def add(self, applied: Applied, *, is_catch_up: bool, me: str) -> None:
        """Collect the effects of a page. ``me``: this person's id as a member."""
        with self._lock:
            is_first = self._news is None
            news = self._news = self._news or _UnpublishedChanges()
            news.add(applied)
            news.is_catch_up |= is_catch_up
            self._members.add(me)
        if is_first:
            self._call(self._start)

    async def close(self) -> None:
        """Stop publishing. Changes that were not published yet appear after the next start, which reads everything."""
        self._is_closed = True
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def _call(self, work: Callable[[], None]) -> None:
        try:
            self._loop.call_soon_threadsafe(work)
        except RuntimeError:  # the loop ended first
            _log.info("a page came after the end")

    def _start(self) -> None:
        if self._is_closed or (self._task is not None and not self._task.done()):
            return
        self._task = self._loop.create_task(self._run(), name="publish pulled changes")

    async def _run(self) -> None:
        while (news := self._pop_news()) is not None:
            try:
                await self._refresh()
                await (self._publish_together(news) if news.is_large else self._publish_each(news))
                if news.has_notes:  # rare: an open chat reads the notes of its thread
                    self._bus.publish(TeamChanged())
            except ChatDeskError as error:
                # Lists are read again when they are next shown; the rows are all there.
                _log.warning("what came could not be published: %s", error.code)
            if news.is_large:
                await asyncio.sleep(_CALM_S)

    def _pop_news(self) -> _UnpublishedChanges | None:
        with self._lock:
            news, self._news = self._news, None
        return news

    async def _publish_together(self, news: _UnpublishedChanges) -> None:
        """Publish many changes by a few events about all threads, without one for each message."""
        await self._publish_projects(news.projects)
        self._bus.publish(ThreadsChanged(None))
        if news.has_tags:
            self._bus.publish(TagsChanged())
        # Threads of which only versions came look as before, but for a number that the next look brings.
        for thread_id in list(news.paths | news.added.keys())[:_MOST_PATHS]:
            self._bus.publish(PathChanged(thread_id, None))
        for thread_id in list(news.contexts)[:_MOST_PATHS]:
            self._bus.publish(ContextChanged(thread_id))

    async def _publish_each(self, news: _UnpublishedChanges) -> None:
        """Publish a few changes by an event for each thread and message."""
        await self._publish_projects(news.projects)
        written = [message for ids in news.added.values() for message in await self._messages(ids)]
        versions = [message for ids in news.versions.values() for message in await self._messages(ids)]
        for thread_id in sorted(news.all_threads):
            await self._publish_thread(thread_id, is_new=thread_id in news.new_threads)
        for message in written:
            if message.thread_id not in news.paths:
                self._bus.publish(MessageAdded(message))
        for message in versions:
            await self._publish_siblings(message)
        for thread_id in news.paths:
            self._bus.publish(PathChanged(thread_id, None))
        for thread_id in news.contexts:
            self._bus.publish(ContextChanged(thread_id))
        if news.has_tags:
            self._bus.publish(TagsChanged())
        self._notify(written + versions)

    async def _publish_projects(self, projects: set[str]) -> None:
        for project_id in projects:
            try:
                project = await self._repositories.projects.get(project_id)
                self._bus.publish(ProjectChanged(project) if project.deleted_at is None else ProjectDeleted(project))
            except NotFound:
                continue

    async def _publish_thread(self, thread_id: str, *, is_new: bool) -> None:
        try:
            thread = await self._repositories.threads.get(thread_id)
        except NotFound:
            return
        if thread.deleted_at is not None:
            self._bus.publish(ThreadDeleted(thread_id))
        else:
            self._bus.publish(ThreadCreated(thread) if is_new else ThreadChanged(thread))

    async def _publish_siblings(self, version: Message) -> None:
        """Publish all versions of a message, because the shown one displays how many there are."""
        try:
            siblings = await self._repositories.messages.versions(version.id)
        except NotFound:
            return
        for message in siblings:
            self._bus.publish(MessageChanged(message))

    async def _messages(self, ids: Sequence[str]) -> list[Message]:
        found: list[Message] = []
        for message_id in ids:
            try:
                found.append(await self._repositories.messages.get(message_id))
            except NotFound:  # deleted by a later page
                continue
        return found

    def _notify(self, written: Sequence[Message]) -> None:
        """Report messages of other members; those that this person wrote on another computer are left out."""
        by_thread: dict[str, list[Message]] = {}
        for message in written:
            if message.author_id is not None and message.author_id not in self._members:
                by_thread.setdefault(message.thread_id, []).append(message)
        for thread_id, messages in by_thread.items():
            authors = dict.fromkeys(self._name_of(message.author_id or "") for message in messages)
            ids = tuple(message.id for message in messages)
            self._bus.publish(SharedMessagesArrived(thread_id, ids, tuple(authors)))
