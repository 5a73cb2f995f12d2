"""Reads messages from the database, and writes every step of a turn as one transaction."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy.engine import Connection

from chatdesk.core.domain.attachment import Attachment
from chatdesk.core.domain.message import Message, MessagePage
from chatdesk.core.domain.thread import Thread, TitleSource
from chatdesk.core.domain.turn import AnswerPlan, StreamChunk, TurnOutcome
from chatdesk.core.domain.usage import Spent
from chatdesk.core.domain.waiting import WaitingQuestion
from chatdesk.core.ids import checked_id
from chatdesk.core.storage.chat import message_pages, message_writes, streaming
from chatdesk.core.storage.chat.message_writes import LEAF
from chatdesk.core.storage.chat.threads import insert_thread
from chatdesk.core.storage.chat.waiting_questions import remove_waiting_question
from chatdesk.core.storage.engine.database import Database
from chatdesk.core.storage.engine.rows import get_message, get_thread, marks

__all__ = ["LEAF", "MessageRepository"]


class MessageRepository:
    """Reads and writes messages. Every write is one transaction and returns the changed things."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def page(
        self,
        thread_id: str,
        *,
        limit: int,
        before: str | None = None,
        after: str | None = None,
        around: str | None = None,
        at: int | None = None,
    ) -> MessagePage:
        """Return part of the shown path, oldest first. ``before``: the newest ones older than it; ``after``: the oldest
        ones newer than it; both: the open interval; ``around``: centred on it, ``at``: on a position; none: the newest
        page."""
        thread = checked_id(thread_id)
        older, newer, centre = (None if edge is None else checked_id(edge) for edge in (before, after, around))
        return await self._db.read(
            lambda conn: message_pages.page(conn, thread, max(limit, 1), older, newer, centre, at)
        )

    async def get(self, message_id: str) -> Message:
        wanted = checked_id(message_id)
        return await self._db.read(lambda conn: get_message(conn, wanted))

    async def were_imported(self, *ids: str) -> bool:
        """Return whether all of these messages, threads and projects came out of a file; none was made here or by a
        team."""
        wanted = [checked_id(each) for each in ids]
        statement = f"SELECT count(DISTINCT entity) FROM import_origins WHERE entity IN ({marks(wanted)})"  # noqa: S608
        found = await self._db.read(lambda conn: conn.exec_driver_sql(statement, tuple(wanted)).scalar())
        return found == len(set(wanted))

    async def versions(self, message_id: str) -> tuple[Message, ...]:
        """Return the live siblings of the same role, the message itself included, oldest first."""
        wanted = checked_id(message_id)
        return await self._db.read(lambda conn: message_pages.versions(conn, wanted))

    async def below(self, message_id: str, *, limit: int) -> MessagePage | None:
        """Return the beginning of the path that choosing this message would show. None if the message above it is not
        shown, so that the choice would change more than the messages below."""
        wanted = checked_id(message_id)
        return await self._db.read(lambda conn: message_pages.below(conn, wanted, limit))

    async def create_thread_with_question(
        self,
        project_id: str,
        title: str,
        text: str,
        *,
        provider: str | None,
        model: str | None,
        title_source: TitleSource = TitleSource.PERSON,
        with_answer: AnswerPlan | None = None,
        attachments: Sequence[Attachment] = (),
        assistant_id: str | None = None,
    ) -> tuple[Thread, Message, Message | None]:
        """Create a thread with its first question, and the pending answer below it: all of it or nothing."""
        project = checked_id(project_id)

        def work(conn: Connection) -> tuple[Thread, Message, Message | None]:
            thread = insert_thread(
                conn,
                self._db.origin,
                project,
                title,
                provider=provider,
                model=model,
                system_prompt="",
                title_source=title_source,
                assistant_id=assistant_id,
            )
            asked, answer = message_writes.add_question(
                conn, self._db.origin, self._db.owner_token, thread.id, text, LEAF, with_answer, attachments
            )
            return get_thread(conn, thread.id), asked, answer

        return await self._db.write(work)

    async def add_question(
        self,
        thread_id: str,
        text: str,
        *,
        parent_id: str | None = LEAF,
        with_answer: AnswerPlan | None,
        attachments: Sequence[Attachment] = (),
        waited: WaitingQuestion | None = None,
    ) -> tuple[Message, Message | None, Thread]:
        """Add a complete user message below ``parent_id`` (``LEAF``: the end of the shown path; None: a first message),
        and the pending answer below it. ``waited``: the waiting question that it was until now, which goes. Raises
        ``UnknownParent``, ``ThreadInTrash``, ``MessageInTrash``."""
        thread = checked_id(thread_id)
        parent = parent_id if parent_id is None or parent_id == LEAF else checked_id(parent_id)

        def work(conn: Connection) -> tuple[Message, Message | None, Thread]:
            if waited is not None:
                remove_waiting_question(conn, waited)
            asked, answer = message_writes.add_question(
                conn, self._db.origin, self._db.owner_token, thread, text, parent, with_answer, attachments
            )
            return asked, answer, get_thread(conn, thread)

        return await self._db.write(work)

    async def add_note(
        self,
        thread_id: str,
        text: str,
        *,
        attachments: Sequence[Attachment] = (),
        instead_of: str | None = None,
    ) -> tuple[Message, Thread]:
        """Add a note at the end of the shown path, or another version of one."""
        thread = checked_id(thread_id)

        def work(conn: Connection) -> tuple[Message, Thread]:
            note = message_writes.add_note(conn, self._db.origin, thread, text, attachments, instead_of=instead_of)
            return note, get_thread(conn, thread)

        return await self._db.write(work)

    async def add_edited_answer(
        self, message_id: str, text: str, *, attachments: Sequence[Attachment] = ()
    ) -> tuple[Message, Thread]:
        """Add a person's words as another version of an answer; it becomes the shown one."""
        answer_id = checked_id(message_id)

        def work(conn: Connection) -> tuple[Message, Thread]:
            made = message_writes.add_edited_answer(conn, self._db.origin, answer_id, text, attachments)
            return made, get_thread(conn, made.thread_id)

        return await self._db.write(work)

    async def add_answer(self, parent_id: str, plan: AnswerPlan) -> tuple[Message, Thread]:
        """Add another pending answer to ``parent_id``; it becomes the shown version."""
        parent = checked_id(parent_id)

        def work(conn: Connection) -> tuple[Message, Thread]:
            answer = message_writes.add_answer(conn, self._db.origin, self._db.owner_token, parent, plan)
            return answer, get_thread(conn, answer.thread_id)

        return await self._db.write(work)

    async def add_question_version(
        self,
        message_id: str,
        text: str,
        with_answer: AnswerPlan | None,
        *,
        attachments: Sequence[Attachment] = (),
    ) -> tuple[Message, Message | None, Thread]:
        """Add another version of a user message; it becomes the shown one. The old one is kept."""
        wanted = checked_id(message_id)

        def work(conn: Connection) -> tuple[Message, Message | None, Thread]:
            asked, answer = message_writes.add_question_version(
                conn, self._db.origin, self._db.owner_token, wanted, text, with_answer, attachments
            )
            return asked, answer, get_thread(conn, asked.thread_id)

        return await self._db.write(work)

    async def add_comparison(
        self, thread_id: str, text: str, plans: Sequence[AnswerPlan], *, attachments: Sequence[Attachment] = ()
    ) -> tuple[Message, tuple[Message, ...], Thread]:
        """Add a question at the end of the shown path with a pending answer for each plan, the first of them shown."""
        thread = checked_id(thread_id)

        def work(conn: Connection) -> tuple[Message, tuple[Message, ...], Thread]:
            origin, owner = self._db.origin, self._db.owner_token
            asked, first = message_writes.add_question(conn, origin, owner, thread, text, LEAF, plans[0], attachments)
            assert first is not None  # asked for by the first plan
            ids = [first.id, *message_writes.add_others(conn, origin, owner, first, plans[1:])]
            return asked, tuple(get_message(conn, each) for each in ids), get_thread(conn, thread)

        return await self._db.write(work)

    async def start_streaming(self, message_id: str, started_at: int, *, model: str | None = None) -> Message:
        """Change an answer from pending to streaming; ``model`` names the answering model if it was unknown before."""
        wanted = checked_id(message_id)

        def work(conn: Connection) -> Message:
            streaming.start(conn, self._db.origin, wanted, started_at, model=model)
            return get_message(conn, wanted)

        return await self._db.write(work, is_durable=False)

    async def append_chunks(self, message_id: str, chunks: Sequence[StreamChunk], *, step: Spent | None = None) -> None:
        """Store streamed text; survives the death of the process, not a power loss. ``step`` is what a request took
        that another one of the same answer follows; that survives both."""
        wanted = checked_id(message_id)

        def work(conn: Connection) -> None:
            streaming.append_chunks(conn, self._db.origin, wanted, chunks)
            if step is not None:
                streaming.record_step(conn, self._db.origin, wanted, step)

        await self._db.write(work, is_durable=step is not None)

    async def finish(self, message_id: str, outcome: TurnOutcome) -> tuple[Message, Thread]:
        """Store the end of a turn: text, status, usage, counters and change log together."""
        wanted = checked_id(message_id)

        def work(conn: Connection) -> tuple[Message, Thread]:
            thread_id = streaming.finish(conn, self._db.origin, wanted, outcome)
            return get_message(conn, wanted), get_thread(conn, thread_id)

        return await self._db.write(work)

    async def resume(self, message_id: str, plan: AnswerPlan) -> Message:
        """Continue an answer that stopped, failed or was interrupted: pending again, its text kept. In a shared project
        that is another version of it."""
        wanted = checked_id(message_id)

        def work(conn: Connection) -> Message:
            return get_message(conn, message_writes.resume(conn, self._db.origin, self._db.owner_token, wanted, plan))

        return await self._db.write(work)
