"""QuestionQueue keeps questions that are sent while an answer is being written, until that answer ends.

A waiting question is shown and on disk, but not part of the thread yet: it can be changed, moved to the front or taken
back, and is sent when the answer before it is complete. If that answer was stopped, failed or was interrupted by the
end of the program, the person may no longer want the question, so it waits for the person, or for the next answer
there.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence

from chatdesk.core.chat.chat_service import ChatService
from chatdesk.core.chat.results import Sent
from chatdesk.core.chat.task_set import TaskSet, uninterruptible
from chatdesk.core.domain.attachment import Attachment
from chatdesk.core.domain.message import Message, Status
from chatdesk.core.domain.waiting import WaitingQuestion
from chatdesk.core.errors import ChatDeskError, NotPossible, TurnInProgress
from chatdesk.core.events import (
    AnswerFinished,
    EventBus,
    ThreadDeleted,
    ThreadsChanged,
    WaitingQuestionsChanged,
)
from chatdesk.core.storage.chat.waiting_questions import WaitingQuestionRepository
from chatdesk.core.texts import Text

_log = logging.getLogger(__name__)


class QuestionQueue:
    """The questions of all threads that wait for an answer to end, on the services' loop. ``load`` comes first."""

    def __init__(self, store: WaitingQuestionRepository, chat: ChatService, bus: EventBus) -> None:
        self._store = store
        self._chat = chat
        self._bus = bus
        self._waiting: tuple[WaitingQuestion, ...] = ()
        self._problems: dict[str, str] = {}
        self._tasks = TaskSet()
        self._lock = asyncio.Lock()  # one change after the other: nothing is asked while it is being taken back
        self._subscriptions = [
            bus.subscribe(AnswerFinished, lambda event: self._on_finished(event.message)),
            bus.subscribe(ThreadDeleted, lambda _event: self._reload()),
            bus.subscribe(ThreadsChanged, lambda _event: self._reload()),
        ]

    async def load(self) -> None:
        """Load the questions that were waiting when the program ended."""
        async with self._lock:
            before, self._waiting = self._waiting, await self._store.all()
        for thread_id in {each.thread_id for each in {*before} ^ {*self._waiting}}:
            self._bus.publish(WaitingQuestionsChanged(thread_id))

    @property
    def all(self) -> tuple[WaitingQuestion, ...]:
        return self._waiting

    def in_thread(self, thread_id: str | None) -> tuple[WaitingQuestion, ...]:
        """Return the questions that wait in a thread, the next one first."""
        return tuple(each for each in self._waiting if each.thread_id == thread_id)

    def problem_of(self, question_id: str) -> str:
        """Return the sentence that says why a question could not be asked when its turn came; empty where it was not
        tried."""
        return self._problems.get(question_id, "")

    @uninterruptible
    async def add(self, thread_id: str, text: str, attachments: Sequence[Attachment] = ()) -> WaitingQuestion:
        """Add a question; where the answer has just ended it is asked at once."""
        self._chat.checked_text(text, attachments)
        async with self._lock:
            added = await self._store.add(thread_id, text, attachments)
            self._waiting = (*self._waiting, added)
        self._bus.publish(WaitingQuestionsChanged(added.thread_id))
        if not self._chat.is_answering(added.thread_id):
            self._tasks.start(self._ask_next(added.thread_id), "ask what waited")
        return added

    @uninterruptible
    async def withdraw(self, question_id: str, keep: Callable[[WaitingQuestion], Awaitable[None]]) -> None:
        """Remove a question after ``keep`` has stored it elsewhere, such as in a draft. Raises ``NotPossible`` where it
        was asked already."""
        async with self._lock:
            question = self._find(question_id)
            await keep(question)
            await self._store.remove(question)
            self._forget(question)
        self._bus.publish(WaitingQuestionsChanged(question.thread_id))

    @uninterruptible
    async def move_up(self, question_id: str) -> None:
        """Move a question before the one that precedes it."""
        async with self._lock:
            question = self._find(question_id)
            row = [*self.in_thread(question.thread_id)]
            place = row.index(question)
            row.insert(max(0, place - 1), row.pop(place))
            await self._store.order(row)
            self._waiting = await self._store.all()
        self._bus.publish(WaitingQuestionsChanged(question.thread_id))

    @uninterruptible
    async def send_now(self, question_id: str) -> Sent:
        """Stop the answer that is being written, keep its text, and ask this question. Raises what ``send_message``
        does; the question then waits on."""
        async with self._lock:
            question = self._find(question_id)
            await self._chat.stop(question.thread_id)
            return await self._ask(question)

    async def close(self) -> None:
        """Stop asking; questions that wait stay on disk."""
        for each in self._subscriptions:
            each.cancel()
        await self._tasks.close()

    # Inside

    def _find(self, question_id: str) -> WaitingQuestion:
        found = next((each for each in self._waiting if each.id == question_id), None)
        if found is None:
            raise NotPossible(Text("This question is no longer waiting."))
        return found

    def _forget(self, question: WaitingQuestion) -> None:
        self._waiting = tuple(each for each in self._waiting if each != question)
        self._problems.pop(question.id, None)

    async def _ask(self, question: WaitingQuestion) -> Sent:
        sent = await self._chat.send_message(
            question.thread_id, question.text, attachments=question.attachments, waited=question
        )
        self._forget(question)
        self._bus.publish(WaitingQuestionsChanged(question.thread_id))
        return sent

    async def _ask_next(self, thread_id: str) -> None:
        async with self._lock:
            row = self.in_thread(thread_id)
            if not row or self._chat.is_answering(thread_id):
                return
            try:
                await self._ask(row[0])
            except TurnInProgress:
                return  # the end of that turn sends the next question
            except ChatDeskError as error:
                _log.warning("question %s waits on: %s", row[0].id, error.code)
                self._problems[row[0].id] = error.sentence
        self._bus.publish(WaitingQuestionsChanged(thread_id))

    def _on_finished(self, message: Message) -> None:
        if message.status is Status.COMPLETE and self.in_thread(message.thread_id):
            self._tasks.start(self._ask_next(message.thread_id), "ask what waited")

    def _reload(self) -> None:
        self._tasks.start(self.load(), "what waits, after threads went or came")
