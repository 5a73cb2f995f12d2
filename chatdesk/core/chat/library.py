"""LibraryService lists threads and tags, and changes many threads at a time.

Every change of a selection is one transaction and returns a ``LibraryChange``, whose inverse takes it back.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Final

from chatdesk.core.chat.chat_service import ChatService
from chatdesk.core.chat.trash import MOST_PUBLISHED, TrashService
from chatdesk.core.clock import Clock
from chatdesk.core.domain.library import LibraryChange, ThreadQuery
from chatdesk.core.domain.thread import Tag, ThreadPage
from chatdesk.core.errors import InvalidInput
from chatdesk.core.events import (
    EventBus,
    ProjectChanged,
    ProjectDeleted,
    TagsChanged,
    ThreadsChanged,
)
from chatdesk.core.storage.repositories import Repositories
from chatdesk.core.texts import Text, plural

LARGEST_PAGE: Final = 500
_EVERYTHING: Final = 1_000_000
_BREATH: Final = 1_000


class LibraryService:
    """The use cases of lists, selections and tags. Events are published once a change is durable."""

    def __init__(self, *, repositories: Repositories, chat: ChatService, bus: EventBus, clock: Clock) -> None:
        self._projects = repositories.projects
        self._library = repositories.library
        self._tags = repositories.tags
        self._chat = chat
        self._bus = bus
        self._clock = clock
        self.projects = chat.projects
        self.trash = TrashService(repositories, bus)

    # Lists

    async def list_threads(self, query: ThreadQuery, *, limit: int = 50, cursor: str | None = None) -> ThreadPage:
        """Return a page of a list; ``cursor`` is the ``next_cursor`` of the page before."""
        if not 1 <= limit <= LARGEST_PAGE:
            raise InvalidInput(
                Text(
                    "A page holds 1 to {largest_page} rows, not {limit}.",
                    largest_page=str(LARGEST_PAGE),
                    limit=str(limit),
                ),
                safe=Text("Nothing was changed."),
                next_step="",
            )
        return await self._library.page(query, limit=limit, cursor=cursor)

    async def list_ids(self, query: ThreadQuery) -> tuple[str, ...]:
        """Return the ids of a whole list, for *Select all*."""
        return await self._library.ids(query, limit=_EVERYTHING)

    async def count_threads(self, query: ThreadQuery) -> int:
        return await self._library.count(query)

    async def count_by_project(self) -> Mapping[str, int]:
        """Return how many threads each project has, by project id; archived, deleted and pinned ones do not count."""
        return await self._library.count_by_project()

    # Projects

    async def delete_project(self, project_id: str) -> LibraryChange:
        """Move a project to the trash with all its threads, after stopping answers that are being written there.
        Refused for the last project in use."""
        change = await self._library.delete_project(project_id)
        await self._stop(tuple(change.threads))
        return await self._published(change)

    async def restore_project(self, project_id: str) -> LibraryChange:
        """Restore a project from the trash, with the threads that were deleted with it."""
        return await self._published(await self._library.restore_project(project_id))

    # Many threads

    async def pin(self, thread_ids: Sequence[str], *, is_pinned: bool = True) -> LibraryChange:
        count = len(thread_ids)
        label = (
            plural("pin {count} threads", "pin thread", count)
            if is_pinned
            else plural("unpin {count} threads", "unpin thread", count)
        )
        at = self._clock.now_ms() if is_pinned else None
        return await self._published(await self._library.set_flag(thread_ids, "pinned_at", at, label))

    async def archive(self, thread_ids: Sequence[str], *, is_archived: bool = True) -> LibraryChange:
        count = len(thread_ids)
        label = (
            plural("archive {count} threads", "archive thread", count)
            if is_archived
            else plural("unarchive {count} threads", "unarchive thread", count)
        )
        at = self._clock.now_ms() if is_archived else None
        return await self._published(await self._library.set_flag(thread_ids, "archived_at", at, label))

    async def move(self, thread_ids: Sequence[str], project_id: str) -> LibraryChange:
        label = plural("move {count} threads", "move thread", len(thread_ids))
        return await self._published(await self._library.set_flag(thread_ids, "project_id", project_id, label))

    async def tag(
        self, thread_ids: Sequence[str], *, add: Sequence[str] = (), remove: Sequence[str] = ()
    ) -> LibraryChange:
        """Add tags to all these threads, by name, and remove others, by id."""
        return await self._published(await self._library.tag(thread_ids, add=add, remove=remove))

    async def delete(self, thread_ids: Sequence[str]) -> LibraryChange:
        """Move threads to the trash. Answers that are being written there are stopped first."""
        await self._stop(thread_ids)
        return await self._published(await self._library.delete(thread_ids))

    async def restore(self, thread_ids: Sequence[str]) -> LibraryChange:
        """Restore threads from the trash, together with their projects where these were deleted too."""
        return await self._published(await self._library.restore(thread_ids))

    async def redo(self, change: LibraryChange) -> None:
        """Carry a change out again: all of it, or nothing with ``NotPossible``."""
        await self._published(await self._library.carry_out(change))

    async def undo(self, change: LibraryChange) -> None:
        """Carry out the inverse of a change: all of it, or nothing with ``NotPossible``."""
        await self._published(await self._library.carry_out(change, is_back=True))

    # Tags

    async def list_tags(self) -> tuple[Tag, ...]:
        return await self._tags.list()

    async def tags_of(self, thread_ids: Sequence[str]) -> dict[str, int]:
        """Return how many of these threads have each tag, by the tag's id."""
        return await self._tags.of_threads(thread_ids)

    async def rename_tag(self, tag_id: str, name: str) -> str:
        """Rename a tag. Returns the name it had."""
        _tag, before = await self._tags.rename(tag_id, name)
        self._bus.publish(TagsChanged())
        return before

    async def delete_tag(self, tag_id: str) -> LibraryChange:
        return await self._published(await self._library.delete_tag(tag_id))

    # Inside

    async def _published(self, change: LibraryChange) -> LibraryChange:
        """Publish the effects of a change, and return it."""
        count = len(change.threads) + len(change.tags_added) + len(change.tags_removed)
        if count > MOST_PUBLISHED:
            self._bus.publish(ThreadsChanged(None))
        elif count:
            self._bus.publish(ThreadsChanged(await self._library.threads(change.thread_ids)))
        for project_id, (_, deleted_at) in change.projects.items():
            project = await self._projects.get(project_id)
            self._bus.publish(ProjectChanged(project) if deleted_at is None else ProjectDeleted(project))
        if change.tags_added or change.tags_removed or change.new_tags or change.old_tags:
            self._bus.publish(TagsChanged())
        return change

    async def _stop(self, thread_ids: Sequence[str]) -> None:
        for number, thread_id in enumerate(thread_ids):
            if number % _BREATH == _BREATH - 1:
                await asyncio.sleep(0)
            if self._chat.is_answering(thread_id):
                await self._chat.stop(thread_id)
