"""LibraryService manages projects, tags and the trash, and changes many threads at a time.

Every change of a selection is one transaction and returns a ``LibraryChange``, whose inverse takes it back.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from chatdesk.core.clock import Clock
from chatdesk.core.domain.library import DeletedMessage, LibraryChange, ProjectCounts, ThreadQuery
from chatdesk.core.domain.project import Project
from chatdesk.core.domain.tag import Tag
from chatdesk.core.domain.thread import ThreadPage
from chatdesk.core.errors import InvalidInput
from chatdesk.core.events import (
    EventBus,
    ProjectChanged,
    ProjectCreated,
    ProjectDeleted,
    TagsChanged,
    ThreadDeleted,
    ThreadsChanged,
)

if TYPE_CHECKING:
    from chatdesk.core.chat.service import ChatService
    from chatdesk.core.storage.repositories import Repositories

LARGEST_PAGE: Final = 500
MOST_TOLD: Final = 500  # of more changed threads than that only the fact is told
_EVERYTHING: Final = 1_000_000
_MS_PER_DAY: Final = 24 * 3600 * 1000
_BREATH: Final = 1_000
_PREVIEW: Final = 200


class LibraryService:
    """The use cases of projects, tags, lists and the trash. Events are published once a change is durable."""

    def __init__(self, *, repositories: Repositories, chat: ChatService, bus: EventBus, clock: Clock) -> None:
        self._projects = repositories.projects
        self._trash = repositories.trash
        self._library = repositories.library
        self._tags = repositories.tags
        self._chat = chat
        self._bus = bus
        self._clock = clock
        self._purging = asyncio.Lock()

    # Lists

    async def list_threads(self, query: ThreadQuery, *, limit: int = 50, cursor: str | None = None) -> ThreadPage:
        """Return a page of a list; ``cursor`` is the ``next_cursor`` of the page before."""
        if not 1 <= limit <= LARGEST_PAGE:
            raise InvalidInput(
                f"A page holds 1 to {LARGEST_PAGE} rows, not {limit}.", safe="Nothing was changed.", next_step=""
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

    async def list_deleted_messages(self) -> tuple[DeletedMessage, ...]:
        """Return messages in the trash whose thread is not in it, the latest first, at most ``LARGEST_PAGE``."""
        return await self._library.deleted_messages(limit=LARGEST_PAGE, preview=_PREVIEW)

    # Projects

    async def list_projects(self, *, deleted_too: bool = False) -> tuple[Project, ...]:
        """Return all projects in order of creation, archived ones included."""
        return await self._projects.list(deleted_too=deleted_too)

    async def get_project(self, project_id: str) -> Project:
        return await self._projects.get(project_id)

    async def count_project(self, project_id: str) -> ProjectCounts:
        return await self._projects.counts(project_id)

    async def create_project(
        self, name: str, colour: str, *, provider: str | None = None, model: str | None = None
    ) -> Project:
        project = await self._projects.create(name, colour, provider=provider, model=model)
        self._bus.publish(ProjectCreated(project))
        return project

    async def change_project(self, project_id: str, **values: Any) -> Mapping[str, Any]:
        """Set some of name, colour, provider and model. Returns the former values of those that changed, for undo."""
        project, before = await self._projects.change(project_id, values)
        if before:
            self._bus.publish(ProjectChanged(project))
        return before

    async def archive_project(self, project_id: str, *, is_archived: bool = True) -> bool:
        """Archive a project or bring it back; its threads stay in their lists. Returns whether anything changed."""
        was_archived = (await self._projects.get(project_id)).archived_at is not None
        if was_archived == is_archived:
            return False
        at = self._clock.now_ms() if is_archived else None
        await self.change_project(project_id, archived_at=at)
        return True

    async def delete_project(self, project_id: str) -> LibraryChange:
        """Move a project to the trash with all its threads, after stopping answers that are being written there.
        Refused for the last project in use."""
        change = await self._library.delete_project(project_id)
        await self._stop(tuple(change.threads))
        return await self._told(change)

    async def restore_project(self, project_id: str) -> LibraryChange:
        """Restore a project from the trash, with the threads that were deleted with it."""
        return await self._told(await self._library.restore_project(project_id))

    # Many threads

    async def pin(self, thread_ids: Sequence[str], *, is_pinned: bool = True) -> LibraryChange:
        label = _label("pin" if is_pinned else "unpin", thread_ids)
        at = self._clock.now_ms() if is_pinned else None
        return await self._told(await self._library.set_flag(thread_ids, "pinned_at", at, label))

    async def archive(self, thread_ids: Sequence[str], *, is_archived: bool = True) -> LibraryChange:
        label = _label("archive" if is_archived else "unarchive", thread_ids)
        at = self._clock.now_ms() if is_archived else None
        return await self._told(await self._library.set_flag(thread_ids, "archived_at", at, label))

    async def move(self, thread_ids: Sequence[str], project_id: str) -> LibraryChange:
        label = _label("move", thread_ids)
        return await self._told(await self._library.set_flag(thread_ids, "project_id", project_id, label))

    async def tag(
        self, thread_ids: Sequence[str], *, add: Sequence[str] = (), remove: Sequence[str] = ()
    ) -> LibraryChange:
        """Add tags to all these threads, by name, and remove others, by id."""
        return await self._told(await self._library.tag(thread_ids, add=add, remove=remove))

    async def delete(self, thread_ids: Sequence[str]) -> LibraryChange:
        """Move threads to the trash. Answers that are being written there are stopped first."""
        await self._stop(thread_ids)
        return await self._told(await self._library.delete(thread_ids))

    async def restore(self, thread_ids: Sequence[str]) -> LibraryChange:
        """Restore threads from the trash, together with their projects where these were deleted too."""
        return await self._told(await self._library.restore(thread_ids))

    async def redo(self, change: LibraryChange) -> None:
        """Carry a change out again: all of it, or nothing with ``NotPossible``."""
        await self._told(await self._library.carry_out(change))

    async def undo(self, change: LibraryChange) -> None:
        """Carry out the inverse of a change: all of it, or nothing with ``NotPossible``."""
        await self._told(await self._library.carry_out(change, is_back=True))

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
        return await self._told(await self._library.delete_tag(tag_id))

    # The end of things

    async def delete_for_good(self, thread_ids: Sequence[str]) -> int:
        """Delete threads of the trash for good, all or none, and return how many. They are gone when this returns;
        their rows are removed a few at a time afterwards."""
        count = await self._library.begin_purge(thread_ids)
        if len(thread_ids) > MOST_TOLD:
            self._bus.publish(ThreadsChanged(None))
        else:
            for thread_id in thread_ids:
                self._bus.publish(ThreadDeleted(thread_id, is_purged=True))
        return count

    async def empty_trash(self) -> int:
        """Delete all threads of the trash for good, in every project. Returns how many."""
        count = await self._library.begin_purge(None)
        self._bus.publish(ThreadsChanged(None))
        return count

    async def sweep(self, *, trash_days: int, archive_days: int = 0) -> int:
        """Delete for good what has been in the trash for ``trash_days``; before that, move threads there that have been
        archived for ``archive_days`` (0: never). Works in small steps and may be cancelled between any two. Returns how
        many threads and messages are gone."""
        async with self._purging:
            now = self._clock.now_ms()
            if archive_days and await self._trash.trash_archived(now - archive_days * _MS_PER_DAY):
                self._bus.publish(ThreadsChanged(None))
            gone = await self._trash.purge_expired(now - trash_days * _MS_PER_DAY)
            if gone:
                self._bus.publish(ThreadsChanged(None))
            return gone

    # Inside

    async def _told(self, change: LibraryChange) -> LibraryChange:
        count = len(change.threads) + len(change.tags_added) + len(change.tags_removed)
        if count > MOST_TOLD:
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


def _label(verb: str, thread_ids: Sequence[str]) -> str:
    return f"{verb} thread" if len(thread_ids) == 1 else f"{verb} {len(thread_ids)} threads"
