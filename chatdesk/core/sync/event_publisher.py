"""Publishes reports of the threads of sync as events on the event loop's thread, each once for any number of
reports."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from contextlib import suppress
from functools import partial
from typing import Any, Final, TypeAlias

from chatdesk.core.domain.sharing.sync_results import Applied
from chatdesk.core.domain.sharing.team import SyncStatus
from chatdesk.core.domain.thread import Project
from chatdesk.core.errors import ChatDeskError, NotFound
from chatdesk.core.events import (
    EventBus,
    PresenceChanged,
    ProjectChanged,
    ProjectDeleted,
    SharedFilesChanged,
    SyncStatusChanged,
    TeamChanged,
    ThreadsChanged,
)
from chatdesk.core.storage.repositories import Repositories
from chatdesk.core.sync.delivery import Delivery

_log = logging.getLogger(__name__)

Work: TypeAlias = Callable[[], Coroutine[Any, Any, None]]

# The least time between two events about progress, and about counters or files.
_STATUS_EVERY_S: Final = 0.1
_COUNTS_EVERY_S: Final = 0.3


class SyncEventPublisher:
    """Publishes reports of sync as events. Methods that begin with ``on_`` are for threads of sync, everything else for
    the event loop's. ``status_of`` returns the current status of a workspace, ``name_of`` a member's name; ``refresh``
    is awaited before events are published whose handlers look something up."""

    def __init__(
        self,
        repositories: Repositories,
        bus: EventBus,
        *,
        status_of: Callable[[str], SyncStatus],
        name_of: Callable[[str], str],
        refresh: Work,
    ) -> None:
        self._repositories = repositories
        self._bus = bus
        self._status_of = status_of
        self._name_of = name_of
        self._refresh = refresh
        self._loop: asyncio.AbstractEventLoop | None = None
        self._delivery: Delivery | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._wanted: set[str] = set()  # names of work that has not begun, so that each is queued once
        self._published: dict[str, SyncStatus] = {}
        self._files: set[str] = set()
        self._is_closed = False

    def start(self, loop: asyncio.AbstractEventLoop) -> None:
        """Start publishing on this event loop. Called before any thread of sync is started."""
        self._loop = loop
        self._delivery = Delivery(
            self._repositories, self._bus, loop=loop, name_of=self._name_of, refresh=self._refresh
        )

    def run(self, work: Work, name: str, after_s: float = 0.0) -> None:
        """Run ``work`` as a task that ``close`` cancels. ``work`` is called inside the task: a coroutine that was made
        before would never be awaited if the task is cancelled, or the loop ends, before its first step."""
        if self._is_closed:
            return
        task = asyncio.get_running_loop().create_task(self._guarded(work, name, after_s), name=name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        """Stop publishing and cancel the tasks."""
        self._is_closed = True
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._delivery is not None:
            await self._delivery.close()

    # From threads of sync

    def name_of(self, member_id: str) -> str:
        return self._name_of(member_id)

    def on_status(self, status: SyncStatus) -> None:
        published = self._published.get(status.workspace_id)
        is_progress = status.done is not None and published is not None and published.phase is status.phase
        self._soon(
            f"status {status.workspace_id}",
            partial(self._publish_status, status.workspace_id),
            _STATUS_EVERY_S if is_progress else 0.0,
        )

    def on_applied(self, applied: Applied, *, is_catch_up: bool, me: str) -> None:
        if self._delivery is not None:
            self._delivery.add(applied, is_catch_up=is_catch_up, me=me)

    def on_team(self, changed: frozenset[str]) -> None:
        """Publish changes of people or shares; ``changed`` projects were added or ended."""
        if changed:
            self._soon(f"projects {sorted(changed)}", partial(self._publish_projects, changed))
        else:
            self.on_counts()

    def on_counts(self) -> None:
        self._soon("counts", self._refresh, _COUNTS_EVERY_S)

    def on_presence(self, projects: frozenset[str]) -> None:
        self._soon(f"presence {sorted(projects)}", partial(self._publish_presence, projects))

    def on_files(self, sums: frozenset[str]) -> None:
        """Publish that files have arrived or are missing; ``sums`` are their SHA-256. A first pull has thousands, and
        the state is read again each time."""
        self._files |= sums
        self._soon("files", self._publish_files, _COUNTS_EVERY_S)

    # On the loop's thread

    def _soon(self, name: str, work: Work, after_s: float = 0.0) -> None:
        """Run ``work`` on the event loop's thread in ``after_s`` seconds, once for all calls with the same name until
        it begins."""
        if self._loop is None or self._is_closed or name in self._wanted:
            return
        self._wanted.add(name)
        with suppress(RuntimeError):  # the loop ended first
            self._loop.call_soon_threadsafe(self.run, work, name, after_s)

    async def _guarded(self, work: Work, name: str, after_s: float) -> None:
        await asyncio.sleep(after_s)
        self._wanted.discard(name)  # later reports may be too late for this work
        try:
            await work()
        except ChatDeskError as error:
            _log.warning("telling of team sync failed: %s", error.code)

    async def _publish_status(self, workspace_id: str) -> None:
        status = self._status_of(workspace_id)
        if status != self._published.get(workspace_id):
            self._published[workspace_id] = status
            self._bus.publish(SyncStatusChanged(status))

    async def _publish_projects(self, changed: frozenset[str]) -> None:
        """Publish that projects were added or ended."""
        await self._refresh()
        for project_id in changed:
            try:
                project = await self._repositories.projects.get(project_id)
            except NotFound:  # an unused first project, in the place of which there is that of another computer
                self._bus.publish(ProjectDeleted(Project(project_id, "", "", "", None, None, 0, None, deleted_at=0)))
                continue
            # A deleted project here was erased by its owner.
            self._bus.publish(ProjectChanged(project) if project.deleted_at is None else ProjectDeleted(project))
        self._bus.publish(ThreadsChanged(None))
        self._bus.publish(TeamChanged())

    async def _publish_presence(self, projects: frozenset[str]) -> None:
        for project_id in projects:
            self._bus.publish(PresenceChanged(project_id))

    async def _publish_files(self) -> None:
        sums, self._files = self._files, set()
        if sums:
            await self._refresh()
            self._bus.publish(SharedFilesChanged(frozenset(sums)))
