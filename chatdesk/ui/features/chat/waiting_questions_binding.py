"""Controls questions that wait for the end of an answer: shows them above the text of their thread, and handles a
person's actions on them."""

from __future__ import annotations

from collections.abc import Callable

from chatdesk.core.chat.attachment_rules import names_of
from chatdesk.core.chat.question_queue import QuestionQueue
from chatdesk.core.domain.waiting import WaitingQuestion
from chatdesk.core.errors import NotPossible
from chatdesk.core.events import AnswerFinished, TurnStarted, WaitingQuestionsChanged
from chatdesk.core.texts import tr
from chatdesk.ui.composer.waiting_questions import WaitingQuestionRow, WaitingQuestions
from chatdesk.ui.features.chat.drafts import DraftKeeper
from chatdesk.ui.features.chat.message_binding import MessageBinding
from chatdesk.ui.features.chat.provider_consent import ProviderConsent
from chatdesk.ui.features.chat.thread_binding import ThreadBinding
from chatdesk.ui.window.window_context import Controller, WindowContext

_SHOWN_CHARACTERS = 300


class WaitingQuestionsBinding(Controller):
    """Binds the composer's strip of queued questions to ``QuestionQueue``. Questions leave it once they are asked."""

    def __init__(
        self,
        context: WindowContext,
        threads: ThreadBinding,
        messages: MessageBinding,
        drafts: DraftKeeper,
        *,
        questions: Callable[[], QuestionQueue],
    ) -> None:
        super().__init__(context)
        panes = context.panes
        self._threads = threads
        self._messages = messages
        self._drafts = drafts
        self._questions = questions
        self._consent = ProviderConsent(context)
        panes.composer.above.waitingMade.connect(self._on_waiting_made)
        threads.opened.connect(lambda _thread: self.show())
        messages.waitingEditRequested.connect(lambda: self._with_last(self.edit))
        panes.commands.bind("message.send_waiting", lambda: self._with_first(self.send_now), self.are_any)
        panes.commands.bind("message.edit_waiting", lambda: self._with_last(self.edit), self.are_any)
        context.events.subscribe(self, WaitingQuestionsChanged, lambda event: self._on_changed(event.thread_id))
        context.events.subscribe(self, TurnStarted, lambda event: self._on_changed(event.thread_id))
        context.events.subscribe(self, AnswerFinished, lambda event: self._on_changed(event.message.thread_id))

    def are_any(self) -> bool:
        """Return whether questions wait in the open thread."""
        return bool(self._here())

    def show(self) -> None:
        """Show the waiting questions of the open thread in the composer."""
        queue, here = self._queue(), self._here()
        rows = [WaitingQuestionRow(each.id, _words(each)) for each in here]
        problem = queue.problem_of(here[0].id) if queue is not None and here else ""
        words = problem or waiting_words(len(here), is_answering=self._is_answering())
        is_heard = self._chats.announces_for(self._panes, self._threads.thread_id or "")
        self._panes.composer.above.set_waiting(rows, words, is_heard=is_heard)

    def send_now(self, question_id: str) -> None:
        """Stop the answer that is being written, keep it, and ask this question."""
        self._tasks.start(self._send_now(question_id), f"send {question_id} now")

    def edit(self, question_id: str) -> None:
        """Move a waiting question into the composer, in front of its text."""
        self._tasks.start(self.withdraw(question_id), f"withdraw {question_id}")

    def move_up(self, question_id: str) -> None:
        self._tasks.start(self._move_up(question_id), f"move up {question_id}")

    async def withdraw(self, question_id: str) -> None:
        """Move a waiting question into the draft of its thread, in front of the text that is there."""
        queue = self._questions()

        async def keep(question: WaitingQuestion) -> None:
            edited = self._messages.edit.edited
            if edited is not None and edited.thread_id == question.thread_id:
                self._messages.edit.end()
            await self._drafts.prepend(question.thread_id, question.text, question.attachments)

        try:
            await queue.withdraw(question_id, keep)
        except NotPossible:  # it was just asked
            self.show()
            return
        self._panes.composer.setFocus()

    # Inside

    async def _send_now(self, question_id: str) -> None:
        queue = self._questions()
        try:
            await self._consent.run(queue.send_now, question_id)
        except NotPossible:
            if any(each.id == question_id for each in queue.all):
                raise
            self.show()

    async def _move_up(self, question_id: str) -> None:
        try:
            await self._questions().move_up(question_id)
        except NotPossible:
            self.show()

    def _queue(self) -> QuestionQueue | None:
        return self._questions()

    def _here(self) -> tuple[WaitingQuestion, ...]:
        queue, thread_id = self._queue(), self._threads.thread_id
        return () if queue is None or thread_id is None else queue.in_thread(thread_id)

    def _is_answering(self) -> bool:
        thread_id = self._threads.thread_id
        return thread_id is not None and self._open_thread.chat_of(thread_id).is_answering(thread_id)

    def _with_first(self, act: Callable[[str], None]) -> None:
        here = self._here()
        if here:
            act(here[0].id)

    def _with_last(self, act: Callable[[str], None]) -> None:
        here = self._here()
        if here:
            act(here[-1].id)

    def _on_changed(self, thread_id: str) -> None:
        if thread_id == self._threads.thread_id:
            self.show()
            self._panes.commands.refresh()

    def _on_waiting_made(self, strip: WaitingQuestions) -> None:
        strip.sendRequested.connect(self.send_now)
        strip.editRequested.connect(self.edit)
        strip.upRequested.connect(self.move_up)
        strip.allRequested.connect(lambda: self._panes.commands.trigger("app.waiting"))


def waiting_words(count: int, *, is_answering: bool) -> str:
    """Return a sentence that says when waiting questions are sent; empty when none wait."""
    if not count:
        return ""
    if is_answering:
        return tr("Sent when the answer is complete:")
    return tr("Not sent: the answer before was not completed. Send it now, or edit it.")


def _words(question: WaitingQuestion) -> str:
    text = " ".join(question.text[: 2 * _SHOWN_CHARACTERS].split())
    return text[:_SHOWN_CHARACTERS] or names_of(question.attachments)
