"""All repositories of one database, for the composition root to hand out."""

from __future__ import annotations

from dataclasses import dataclass

from chatdesk.core.storage.database import Database
from chatdesk.core.storage.drafts import DraftRepository
from chatdesk.core.storage.messages import MessageRepository
from chatdesk.core.storage.projects import ProjectRepository
from chatdesk.core.storage.threads import ThreadRepository


@dataclass(frozen=True, slots=True)
class Repositories:
    projects: ProjectRepository
    threads: ThreadRepository
    messages: MessageRepository
    drafts: DraftRepository

    @classmethod
    def of(cls, database: Database) -> Repositories:
        return cls(
            projects=ProjectRepository(database),
            threads=ThreadRepository(database),
            messages=MessageRepository(database),
            drafts=DraftRepository(database),
        )
