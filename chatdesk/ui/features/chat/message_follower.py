"""Shows events of messages in the transcript, the composer and the sidebar, word by word. Messages of other members
come a few at a time: a page of them costs no frame."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from itertools import islice

from PySide6.QtCore import QObject, QTimer, Signal

from chatdesk.core import events
from chatdesk.core.clock import Clock
from chatdesk.core.domain.message import Message
from chatdesk.core.domain.tools import SIGN_IN_NEEDED
from chatdesk.core.texts import shown, tr
from chatdesk.ui.features.chat.thread_binding import ThreadBinding
from chatdesk.ui.features.chat.version_steps import VersionSteps
from chatdesk.ui.transcript.messages.notices import Retry
from chatdesk.ui.window.window_context import Controller, WindowContext

_SHORTEST_SHOWN_WAIT_S = 2.0
_BETWEEN_MS = 33  # time for the view to lay out and draw the last messages
_FIRST_MS = 12  # lets the other effects of an event be drawn first, such as the thread's row in the sidebar
_SOON = 4  # number of waiting messages that are rendered ahead
_AGAIN_MS = 8  # interval of checks whether the next message is rendered
_LONGEST_S = 0.06  # after this wait a message is shown as plain text first
_AT_ONCE = 1  # messages that the view can draw in one frame; of a long queue a twentieth is shown, so that it shrinks
# Beyond this number messages are not inserted one by one: the thread is loaded again at the reader's place.
TOO_MANY = 400


class MessageFollower(Controller):
    """Updates a chat when its messages change. ``busyChanged``: an answer of the open thread began or ended."""

    busyChanged = Signal()

    def __init__(self, context: WindowContext, threads: ThreadBinding, versions: VersionSteps) -> None:
        super().__init__(context, context.panes.pane)
        self._threads = threads
        self._versions = versions
        self._incoming: IncomingMessages | None = None
        self._told: set[str] = set()
        panes, chats = context.panes, context.chats
        panes.transcript.set_heard(lambda: chats.announces_for(panes, threads.thread_id or ""))
        subscribe = context.events.subscribe
        subscribe(self, events.MessageAdded, lambda event: self._on_message_added(event.message))
        subscribe(self, events.MessageChanged, lambda event: self._on_message_changed(event.message))
        subscribe(self, events.PathChanged, self._on_path_changed)
        subscribe(self, events.TurnStarted, self._on_turn_started)
        subscribe(self, events.TextStreamed, self._on_text_streamed)
        subscribe(self, events.RetryWaiting, self._on_retry_waiting)
        subscribe(self, events.ToolsOffered, self._on_tools_offered)
        subscribe(self, events.AnswerFinished, self._on_answer_finished)

    def forget(self) -> None:
        """Drop the changes that are prepared for a thread that is not open any more."""
        if self._incoming is not None:
            self._incoming.forget()

    def _on_message_added(self, message: Message) -> None:
        if message.thread_id != self._threads.thread_id:
            return
        if message.author_id is None and not (self._incoming is not None and self._incoming.is_waiting):
            self._panes.transcript.conversation.add_message(message)
            return
        if self._incoming is None:
            transcript = self._panes.transcript
            self._incoming = IncomingMessages(
                transcript.conversation.prepare, transcript.conversation.add_message, transcript.reload_from
            )
        self._incoming.add(message)

    def _on_message_changed(self, message: Message) -> None:
        if message.thread_id == self._threads.thread_id:
            if self._incoming is not None:
                self._incoming.change(message)
            self._panes.transcript.conversation.change_message(message)

    def _on_path_changed(self, event: events.PathChanged) -> None:
        if event.thread_id != self._threads.thread_id:
            return
        self.forget()
        if self._versions.is_shown_already(event):
            self._panes.transcript.conversation.confirm()
        else:
            self._panes.transcript.reload_from(event.from_message_id)

    def _on_turn_started(self, event: events.TurnStarted) -> None:
        thread_id = event.thread_id
        self._panes.transcript.conversation.progress.record_request(event.message_id, Clock().now_ms())
        self._panes.sidebar.rows.set_streaming(thread_id, True)
        if thread_id == self._threads.thread_id:
            self._panes.composer.set_streaming(True)
            self.busyChanged.emit()

    def _on_text_streamed(self, event: events.TextStreamed) -> None:
        if event.thread_id == self._threads.thread_id:
            self._panes.transcript.conversation.append_text(event.message_id, event.part_index, event.kind, event.delta)

    def _on_retry_waiting(self, event: events.RetryWaiting) -> None:
        if (retry := retry_of(event)) is not None:
            self._panes.transcript.conversation.progress.set_retry(event.message_id, retry)

    def _on_tools_offered(self, event: events.ToolsOffered) -> None:
        """Say once for each reason why tools cannot be called; a sign-in has a card of its own."""
        notes = [note for note in event.notes if SIGN_IN_NEEDED not in note]
        words = " ".join(tr("{server}: {problem}", server=event.server, problem=shown(note)) for note in notes)
        if words and words not in self._told and event.thread_id == self._threads.thread_id:
            self._told.add(words)
            self._panes.pane.show_toast(words)

    def _on_answer_finished(self, event: events.AnswerFinished) -> None:
        message = event.message
        self._panes.transcript.conversation.progress.forget_answer(message.id)
        is_answering = self._open_thread.chat_of(message.thread_id).is_answering(message.thread_id)
        self._panes.sidebar.rows.set_streaming(message.thread_id, is_answering)
        if message.thread_id == self._threads.thread_id:
            self._panes.composer.set_streaming(is_answering)
            if not is_answering:
                self._panes.pane.toasts.end_failures()  # most often that an answer was being written
            self.busyChanged.emit()


def retry_of(event: events.RetryWaiting) -> Retry | None:
    """Return the retry that is announced after a failure; None for a wait too short to show."""
    if event.delay_s < _SHORTEST_SHOWN_WAIT_S:
        return None
    due_ms = Clock().now_ms() + round(event.delay_s * 1000)
    return Retry(event.reason, attempt=event.attempt + 1, due_ms=due_ms)


class IncomingMessages(QObject):
    """A queue of messages in order: a new one waits behind the others. ``prepare`` gets a message ready and returns
    whether it is, ``add`` puts it into the shown thread, ``reload`` reads the path below a message again."""

    def __init__(
        self,
        prepare: Callable[[Message], bool],
        add: Callable[[Message], None],
        reload: Callable[[str | None], None],
    ) -> None:
        super().__init__()
        self._prepare = prepare
        self._add = add
        self._reload = reload
        self._waiting: deque[Message] = deque()
        self._added_at = 0.0
        self._first_at = 0.0  # since when the first one could be shown
        self._timer = QTimer(self, singleShot=True)
        self._timer.timeout.connect(self._add_some)

    @property
    def is_waiting(self) -> bool:
        return bool(self._waiting)

    def add(self, message: Message) -> None:
        self._waiting.append(message)
        if len(self._waiting) <= _SOON:
            self._prepare(message)
        if not self._timer.isActive():
            rested_ms = (time.perf_counter() - self._added_at) * 1000
            self._timer.start(round(max(_FIRST_MS, _BETWEEN_MS - rested_ms)))

    def change(self, message: Message) -> None:
        """Replace a message that still waits with a newer state."""
        for place, each in enumerate(self._waiting):
            if each.id == message.id:
                self._waiting[place] = message
                return

    def forget(self) -> None:
        """Drop the waiting messages, because another thread is shown or the path is read again."""
        self._waiting.clear()
        self._timer.stop()

    def _add_some(self) -> None:
        if len(self._waiting) > TOO_MANY:
            first = self._waiting[0]
            self.forget()
            self._reload(first.parent_id)
            return
        count = min(len(self._waiting), max(_AT_ONCE, len(self._waiting) // 20))
        states = [self._prepare(each) for each in islice(self._waiting, count)]
        now = time.perf_counter()
        if not all(states):
            self._first_at = self._first_at or now
            if now - self._first_at < _LONGEST_S:
                self._timer.start(_AGAIN_MS)
                return
        self._first_at = 0.0
        for _ in range(count):
            self._add(self._waiting.popleft())
        self._added_at = now
        if self._waiting:
            for each in islice(self._waiting, _SOON):
                self._prepare(each)
            self._timer.start(_BETWEEN_MS)
