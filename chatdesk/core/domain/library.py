"""Describes changes of many threads at once with their inverse, and the filters of a list of threads. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

Column = Literal["pinned_at", "archived_at", "deleted_at", "project_id"]
ThreadScope = Literal["active", "archive", "trash"]
Order = Literal["activity", "name"]
Value = int | str | None

# ``deleted_at`` of a thread that is being deleted for good: no list shows it, and it cannot be restored here. A shared
# one comes back if another member changes it.
GONE: Final = 0


@dataclass(frozen=True, slots=True)
class ThreadQuery:
    """The filters and the order of a list of threads. The trash is always in the order of deletion, the latest
    first."""

    scope: ThreadScope = "active"
    project_id: str | None = None
    tag_id: str | None = None
    text: str = ""
    order: Order = "activity"
    is_pinned: bool | None = None


@dataclass(frozen=True, slots=True)
class LibraryChange:
    """A change of many threads. ``threads`` has the value of ``column`` before and after, by thread; ``projects``
    that of their ``deleted_at``. Tags are pairs of thread and tag; ``new_tags`` (name by id) are made before and
    ``old_tags`` deleted after them."""

    label: str
    column: Column | None = None
    threads: Mapping[str, tuple[Value, Value]] = field(default_factory=dict)
    projects: Mapping[str, tuple[int | None, int | None]] = field(default_factory=dict)
    tags_added: tuple[tuple[str, str], ...] = ()
    tags_removed: tuple[tuple[str, str], ...] = ()
    new_tags: Mapping[str, str] = field(default_factory=dict)
    old_tags: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_empty(self) -> bool:
        return not (self.threads or self.projects or self.tags_added or self.tags_removed or self.old_tags)

    @property
    def thread_ids(self) -> tuple[str, ...]:
        pairs = (*self.tags_added, *self.tags_removed)
        return tuple(dict.fromkeys((*self.threads, *(thread_id for thread_id, _ in pairs))))

    def inverse(self) -> LibraryChange:
        """Return the change that undoes this one. Tags that were made for it stay, without threads."""
        return LibraryChange(
            self.label,
            self.column,
            threads={key: (after, before) for key, (before, after) in self.threads.items()},
            projects={key: (after, before) for key, (before, after) in self.projects.items()},
            tags_added=self.tags_removed,
            tags_removed=self.tags_added,
            new_tags=self.old_tags,
        )


@dataclass(frozen=True, slots=True)
class ProjectCounts:
    """Counts of a project's threads; ``threads`` are those not in the trash, archived ones included."""

    threads: int
    archived: int
    trashed: int


@dataclass(frozen=True, slots=True)
class DeletedMessage:
    """A message in the trash whose thread is not. ``count`` messages went there in the same step and come back
    together."""

    message_id: str
    thread_id: str
    thread_title: str
    preview: str
    is_question: bool
    deleted_at: int
    count: int
