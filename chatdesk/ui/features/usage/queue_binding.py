"""Controls messages that wait to be sent: a line below the list of threads, a dialog with those of all threads, and
notices in the open one."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine, Sequence
from functools import partial

from shiboken6 import isValid

from chatdesk.core.chat.chat_service import ChatService
from chatdesk.core.chat.network_watch import NetworkWatch
from chatdesk.core.chat.question_queue import QuestionQueue
from chatdesk.core.domain.message import Role
from chatdesk.core.domain.waiting import WaitingQuestion
from chatdesk.core.errors import ChatDeskError, NotPossible
from chatdesk.core.events import QueueChanged, ReachabilityChanged, WaitingQuestionsChanged
from chatdesk.core.texts import Text, plural, shortened, shown
from chatdesk.ui.features.chat.message_binding import MessageBinding
from chatdesk.ui.features.chat.thread_binding import ThreadBinding
from chatdesk.ui.features.usage.usage_binding import waiting_words
from chatdesk.ui.features.usage.waiting import WaitingDialog, WaitingRow
from chatdesk.ui.qt.async_tasks import in_task
from chatdesk.ui.window.window_context import Controller, WindowContext

_QUESTION_CHARACTERS = 160
_AFTER_ANSWER = Text("It is sent when the answer before it is complete.")
_UNFINISHED = Text("The answer before it was not completed. Go to it to send it now.")
_NO_CONNECTION = Text("You are offline. It is sent when the connection is back.")


class QueueBinding(Controller):
    """Joins the queue of limits and the watch on the network: for a person both are questions that wait."""

    def __init__(
        self,
        context: WindowContext,
        *,
        withdraw: Callable[[str], Awaitable[None]],
        questions: Callable[[], QuestionQueue],
        network: Callable[[], NetworkWatch],
    ) -> None:
        """Follow the queue. ``withdraw`` turns a question that waits for an answer into a draft again."""
        super().__init__(context)
        self._withdraw = withdraw
        panes = context.panes
        self._question_queue = questions
        self._network = network
        self._queued: tuple[str, ...] = ()
        self._unreached: dict[str, Text] = {}  # ids, and why each waits
        self._dialog: WaitingDialog | None = None
        panes.commands.bind("app.waiting", self.open)
        panes.sidebar.waitingPressed.connect(self.open)
        context.events.subscribe(self, QueueChanged, self._on_queue_changed)
        context.events.subscribe(self, WaitingQuestionsChanged, lambda _event: self._show())
        context.events.subscribe(self, ReachabilityChanged, self._on_reachability_changed)

    @in_task("what waits", replaces=True)
    async def open(self) -> None:
        """Open the list of waiting messages, in a dialog that keeps up with it."""
        if self._dialog is not None and isValid(self._dialog) and self._dialog.isVisible():
            return
        dialog = self._dialog = WaitingDialog(self._panes.theme, parent=self._panes.window)
        dialog.openRequested.connect(self._go_to)
        dialog.cancelRequested.connect(lambda id_: self._tasks.start(self._cancel(id_), f"cancel {id_}"))
        dialog.firstRequested.connect(lambda id_: self._tasks.start(self._send_first(id_), f"send {id_} first"))
        await self._fill(dialog)
        if isValid(dialog):
            dialog.open()

    def _on_queue_changed(self, event: QueueChanged) -> None:
        self._queued = tuple(each.message_id for each in event.waiting)
        self._show()

    def _on_reachability_changed(self, event: ReachabilityChanged) -> None:
        is_sending = self._current_settings().send_when_back
        reasons = dict.fromkeys(event.due, _AFTER_ANSWER) | dict.fromkeys(event.waiting, _NO_CONNECTION)
        self._unreached = reasons if is_sending else {}
        self._show()

    def _show(self) -> None:
        count = len(self._queued) + len(self._unreached) + len(self._questions())
        self._panes.sidebar.lines.show_waiting(queue_words(count))
        if self._dialog is not None and isValid(self._dialog):
            self._tasks.replace(self._fill(self._dialog), "list what waits")

    def _questions(self) -> tuple[WaitingQuestion, ...]:
        return self._question_queue().all

    async def _fill(self, dialog: WaitingDialog) -> None:
        rows = await self._rows()
        if isValid(dialog):
            dialog.show_rows(rows)

    async def _rows(self) -> Sequence[WaitingRow]:
        chat = self._open_thread.chat
        waiting = [(each.message_id, waiting_words(each), each.before > 0) for each in chat.queue.waiting]
        waiting += [(id_, shown(reason), False) for id_, reason in self._unreached.items()]
        rows = [await _row(chat, *each) for each in waiting]
        rows += [await _question_row(chat, each) for each in self._questions()]
        return [row for row in rows if row is not None]

    def _go_to(self, thread_id: str, message_id: str) -> None:
        is_message = all(each.id != message_id for each in self._questions())
        self._chats.show_soon(thread_id, message_id if is_message else None)

    async def _cancel(self, message_id: str) -> None:
        chat = self._open_thread.chat
        if any(each.id == message_id for each in self._questions()):
            await self._withdraw(message_id)
        elif message_id in self._unreached:
            self._network().cancel(message_id)
        else:
            await chat.stop(message_id)

    async def _send_first(self, message_id: str) -> None:
        try:
            await self._open_thread.chat.queue.send_first(message_id)
        except NotPossible:  # it was just sent
            self._show()


async def _row(chat: ChatService, message_id: str, words: str, can_go_first: bool) -> WaitingRow | None:
    try:
        message = await chat.reader.get_message(message_id)
        thread = await chat.get_thread(message.thread_id)
        question = None if message.parent_id is None else await chat.reader.get_message(message.parent_id)
    except ChatDeskError:  # deleted in the meantime
        return None
    text = _shortened(question.text) if question is not None and question.role is Role.USER else ""
    return WaitingRow(message_id, thread.id, shown(thread.name), text, words, can_go_first)


async def _question_row(chat: ChatService, question: WaitingQuestion) -> WaitingRow | None:
    try:
        thread = await chat.get_thread(question.thread_id)
    except ChatDeskError:  # deleted in the meantime
        return None
    words = shown(_AFTER_ANSWER) if chat.is_answering(thread.id) else shown(_UNFINISHED)
    return WaitingRow(question.id, thread.id, shown(thread.name), _shortened(question.text), words)


def _shortened(text: str) -> str:
    return shortened(" ".join(text.split()), _QUESTION_CHARACTERS)


def queue_words(count: int) -> str:
    """Return the text of the line below the list of threads; empty when no message waits."""
    if not count:
        return ""
    return shown(plural("{count} messages wait", "{count} message waits", count))


class WaitingAnswers(Controller):
    """Joins the queue of questions with the transcript and the composer of one chat."""

    def __init__(self, context: WindowContext, threads: ThreadBinding, messages: MessageBinding) -> None:
        super().__init__(context)
        panes = context.panes
        self._threads = threads
        self._messages = messages
        for name, work in {
            "cancel-waiting": self._cancel,
            "send-first": self._send_first,
            "send-anyway": self._send_anyway,
        }.items():
            panes.message_handlers.bind(name, partial(self._start, name, work))
        panes.message_handlers.bind("raise-limit", lambda _answer_id: panes.commands.trigger("app.limits"))
        context.events.subscribe(self, QueueChanged, self._on_queue_changed)

    def _on_queue_changed(self, event: QueueChanged) -> None:
        self._panes.transcript.conversation.progress.set_waiting(
            {each.message_id: (waiting_words(each), each.before) for each in event.waiting}
        )
        thread_id = self._threads.thread_id
        if thread_id is not None:
            self._panes.composer.set_streaming(self._open_thread.chat_of(thread_id).is_answering(thread_id))
            self._messages.busyChanged.emit()

    def _start(self, name: str, work: Callable[[str], Coroutine[object, object, None]], answer_id: str) -> None:
        self._tasks.start(work(answer_id), f"{name} {answer_id}")

    async def _cancel(self, answer_id: str) -> None:
        await self._open_thread.chat.stop(answer_id)

    async def _send_first(self, answer_id: str) -> None:
        await self._open_thread.chat.queue.send_first(answer_id)

    async def _send_anyway(self, answer_id: str) -> None:
        chat = self._open_thread.chat
        chat.limits.allow_once(answer_id)
        await chat.retry_message(answer_id)
