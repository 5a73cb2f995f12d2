"""The context as the transcript shows it: marks on messages, and the lines where it starts and where summaries end."""

from __future__ import annotations

from functools import partial

from chatdesk.core.domain.message import ContextMark
from chatdesk.core.domain.thread import Thread
from chatdesk.core.events import ContextChanged, PathChanged
from chatdesk.core.texts import Text, shown, tr
from chatdesk.ui.accessibility.assistance import announce
from chatdesk.ui.features.chat.thread_binding import ThreadBinding
from chatdesk.ui.features.chat.undo_binding import UndoBinding
from chatdesk.ui.features.inspector.inspector_binding import SUMMARY, InspectorBinding
from chatdesk.ui.window.window_context import Controller, WindowContext

_MARKS = {
    "pin": ContextMark.PINNED,
    "unpin": ContextMark.NONE,
    "exclude": ContextMark.EXCLUDED,
    "include": ContextMark.NONE,
}
_SAID = {
    ContextMark.PINNED: Text("Pinned into the context"),
    ContextMark.EXCLUDED: Text("Excluded from the context"),
    ContextMark.NONE: Text("Sent as it fits"),
}


class TranscriptContext(Controller):
    """Carries out actions on messages that change the context, and keeps the context lines of the transcript up to
    date."""

    def __init__(
        self, context: WindowContext, threads: ThreadBinding, inspector: InspectorBinding, undo: UndoBinding
    ) -> None:
        super().__init__(context)
        panes = context.panes
        self._threads = threads
        self._undo = undo
        for name, mark in _MARKS.items():
            panes.message_handlers.bind(name, partial(self.mark, mark=mark))
        panes.message_handlers.bind("start-here", self.start_at)
        panes.message_handlers.bind("start-at-beginning", lambda _message_id: self.start_at(None))
        panes.message_handlers.bind("show-summary", lambda _message_id: inspector.open(SUMMARY))
        threads.opened.connect(self._on_thread_opened)
        context.subscribe(self, ContextChanged, lambda event: self._refresh_if_open(event.thread_id))
        context.subscribe(self, PathChanged, lambda event: self._refresh_if_open(event.thread_id))

    def mark(self, message_id: str, mark: ContextMark) -> None:
        """Pin a message into the context, exclude it, or neither."""

        async def work() -> None:
            await (await self._undo.stack()).mark_message(message_id, mark)
            self._panes.commands.refresh()
            announce(self._panes.transcript, shown(_SAID[mark]))

        self._tasks.start(work(), "mark message")

    def start_at(self, message_id: str | None) -> None:
        """Send nothing before that message; None: from the beginning."""

        async def work() -> None:
            thread_id = self._threads.thread_id
            if thread_id is not None:
                await (await self._undo.stack()).start_context(thread_id, message_id)
                self._panes.commands.refresh()
                said = (
                    tr("The context starts here")
                    if message_id is not None
                    else tr("The context starts at the beginning")
                )
                announce(self._panes.transcript, said)

        self._tasks.start(work(), "start context")

    def _on_thread_opened(self, thread: Thread | None) -> None:
        if thread is not None:
            self._refresh_if_open(thread.id)

    def _refresh_if_open(self, thread_id: str | None) -> None:
        """Read the landmarks again if the thread ``thread_id`` is open, or for any open thread if it is None."""
        if thread_id in (None, self._threads.thread_id):
            self._tasks.replace(self._read(), "read landmarks")

    async def _read(self) -> None:
        thread_id = self._threads.thread_id
        if thread_id is None:
            return
        landmarks = await self._open_thread.chat.context.landmarks(thread_id)
        if thread_id == self._panes.transcript.thread_id:
            self._panes.transcript.conversation.set_landmarks(landmarks)
