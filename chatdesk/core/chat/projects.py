"""ProjectService reads, creates and changes projects."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from chatdesk.core.clock import Clock
from chatdesk.core.domain.library import ProjectCounts
from chatdesk.core.domain.thread import DEFAULT_COLOUR, Project
from chatdesk.core.events import EventBus, ProjectChanged, ProjectCreated
from chatdesk.core.storage.chat.projects import ProjectRepository


class ProjectService:
    """The use cases of projects; ``ChatService.projects`` exposes it. Events are published once a change is durable;
    changes that also affect a project's threads are in ``LibraryService``."""

    def __init__(self, projects: ProjectRepository, bus: EventBus, clock: Clock) -> None:
        self._projects = projects
        self._bus = bus
        self._clock = clock

    async def list(self, *, deleted_too: bool = False) -> tuple[Project, ...]:
        """Return all projects in order of creation, archived ones included."""
        return await self._projects.list(deleted_too=deleted_too)

    async def default(self) -> Project:
        """Return the project in which threads are created without another choice."""
        return await self._projects.default()

    async def get(self, project_id: str) -> Project:
        return await self._projects.get(project_id)

    async def count(self, project_id: str) -> ProjectCounts:
        return await self._projects.counts(project_id)

    async def create(
        self, name: str, colour: str = DEFAULT_COLOUR, *, provider: str | None = None, model: str | None = None
    ) -> Project:
        project = await self._projects.create(name, colour, provider=provider, model=model)
        self._bus.publish(ProjectCreated(project))
        return project

    async def change(self, project_id: str, **values: Any) -> Mapping[str, Any]:
        """Set some of name, colour, provider and model. Returns the former values of those that changed, for undo."""
        project, before = await self._projects.change(project_id, values)
        if before:
            self._bus.publish(ProjectChanged(project))
        return before

    async def archive(self, project_id: str, *, is_archived: bool = True) -> bool:
        """Archive a project or bring it back; its threads stay in their lists. Returns whether anything changed."""
        was_archived = (await self._projects.get(project_id)).archived_at is not None
        if was_archived == is_archived:
            return False
        at = self._clock.now_ms() if is_archived else None
        await self.change(project_id, archived_at=at)
        return True
