"""A real database with its repositories, and a clock that tests move."""

from __future__ import annotations

from pathlib import Path

from chatdesk.core.domain.message import PartType, Status
from chatdesk.core.domain.turn import AnswerPlan, StreamChunk, TurnOutcome
from chatdesk.core.domain.usage import Usage
from chatdesk.core.storage.chat.drafts import DraftRepository
from chatdesk.core.storage.chat.messages import MessageRepository
from chatdesk.core.storage.chat.outlines import OutlineRepository
from chatdesk.core.storage.chat.paths import PathRepository
from chatdesk.core.storage.chat.projects import ProjectRepository
from chatdesk.core.storage.chat.threads import ThreadRepository
from chatdesk.core.storage.library.library import LibraryRepository
from chatdesk.core.storage.library.trash_store import TrashRepository
from chatdesk.core.storage.profile_database import ProfileDatabase

PLAN = AnswerPlan("offline", "demo")


class MovableClock:
    def __init__(self, now_ms: int = 1_800_000_000_000) -> None:
        self.now = now_ms

    def now_ms(self) -> int:
        self.now += 1
        return self.now

    def monotonic_s(self) -> float:
        return self.now / 1000


class Store:
    """A database with its repositories, and shorthands for what tests do all the time."""

    def __init__(self, path: Path, clock: MovableClock) -> None:
        self.path = path
        self.clock = clock
        self.reset()

    def reset(self) -> None:
        self.use(ProfileDatabase(self.path, clock=self.clock, backup_dir=self.path.parent / "backups"))

    def use(self, db: ProfileDatabase) -> None:
        """Work with a database that was made in another way."""
        self.db = db
        self.projects = ProjectRepository(self.db)
        self.threads = ThreadRepository(self.db)
        self.trash = TrashRepository(self.db)
        self.library = LibraryRepository(self.db)
        self.messages = MessageRepository(self.db)
        self.outlines = OutlineRepository(self.db)
        self.paths = PathRepository(self.db)
        self.drafts = DraftRepository(self.db)

    async def reopen(self) -> object:
        await self.db.close()
        self.reset()
        return await self.db.open()

    async def thread(self, title: str = "A thread") -> str:
        project = await self.projects.default()
        return (await self.threads.create(project.id, title, provider="offline", model="demo")).id

    async def ask(self, thread_id: str, text: str = "question") -> tuple[str, str]:
        """A question with its finished answer."""
        question, answer, _ = await self.messages.add_question(thread_id, text, with_answer=PLAN)
        assert answer is not None
        await self.answer(answer.id, f"answer to {text}")
        return question.id, answer.id

    async def answer(self, message_id: str, text: str, status: Status = Status.COMPLETE) -> None:
        await self.messages.start_streaming(message_id, self.clock.now_ms())
        await self.messages.append_chunks(message_id, [StreamChunk(0, PartType.TEXT, text)])
        await self.messages.finish(
            message_id, TurnOutcome(status, self.clock.now_ms(), usage=Usage(10, 5, 2, 1), finish_reason="stop")
        )

    async def shown(self, thread_id: str) -> list[str]:
        page = await self.messages.page(thread_id, limit=1000)
        assert page.total == len(page.messages)
        return [message.text for message in page.messages]
