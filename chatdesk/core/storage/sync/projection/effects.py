"""Collects the effects of applying others' changes."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass, field

from chatdesk.core.domain.sharing.sync_results import Applied
from chatdesk.core.storage.engine.rows import batches, marks


@dataclass(slots=True)
class Effects:
    """Collects the effects, from which ``applied`` makes an ``Applied``. ``me`` is this person's member id in the
    workspace. ``is_quiet``: the changes are older than this person's membership, so nobody is notified of them.
    ``summary_versions``: the newest by thread, of those that got another one."""

    me: str | None = None
    is_quiet: bool = False
    threads: set[str] = field(default_factory=set)
    new_threads: set[str] = field(default_factory=set)
    projects: set[str] = field(default_factory=set)
    paths: set[str] = field(default_factory=set)
    contexts: set[str] = field(default_factory=set)
    new_messages: list[tuple[str, str]] = field(default_factory=list)
    versions: list[tuple[str, str]] = field(default_factory=list)
    wanted_files: set[str] = field(default_factory=set)
    notes: list[str] = field(default_factory=list)
    has_tags: bool = False
    summary_versions: dict[str, int] = field(default_factory=dict)

    def applied(self, *, rows: int = 0, confirmed: int = 0) -> Applied:
        return Applied(
            threads=frozenset(self.threads),
            new_threads=frozenset(self.new_threads),
            projects=frozenset(self.projects),
            paths=frozenset(self.paths),
            contexts=frozenset(self.contexts),
            new_messages=tuple(self.new_messages),
            versions=tuple(self.versions),
            has_tags=self.has_tags,
            wanted_files=frozenset(self.wanted_files),
            confirmed=confirmed,
            rows=rows,
            notes=tuple(self.notes),
        )

    def homes(self, raw: sqlite3.Connection) -> set[str]:
        """Return the projects of the threads that changed or are new."""
        return {
            row[0]
            for batch in batches(sorted(self.threads | self.new_threads))
            for row in raw.execute(f"SELECT DISTINCT project_id FROM threads WHERE id IN ({marks(batch)})", batch)  # noqa: S608
        }

    def member(self, author: str | None) -> str | None:
        """Return ``author`` as rows store it: None is this person."""
        return None if author == self.me else author
