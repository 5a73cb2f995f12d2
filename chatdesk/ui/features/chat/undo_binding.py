"""The undo and redo of a chat: every change that can be undone goes through here."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Final

from chatdesk.core.texts import plural, shortened, shown, tr
from chatdesk.ui.features.chat.thread_binding import ThreadBinding
from chatdesk.ui.window.window_context import Controller, WindowContext

if TYPE_CHECKING:
    from chatdesk.core.chat.undo import Act, Step, UndoStack
    from chatdesk.ui.window.chat_pane import ChatPane

_LONGEST_TITLE: Final = 40


class UndoHistory:
    """The changes that can be undone, in one order for all windows."""

    def __init__(self) -> None:
        self.stack: UndoStack | None = None


class UndoBinding(Controller):
    """Ctrl+Z, its opposite, and the button of a toast. ``history`` is shared by all chats that are shown."""

    def __init__(self, context: WindowContext, threads: ThreadBinding, history: UndoHistory | None = None) -> None:
        super().__init__(context)
        panes = context.panes
        self._threads = threads
        self._history = history or UndoHistory()
        panes.commands.bind(
            "edit.undo", self.undo, lambda: self._history.stack is not None and self._history.stack.last is not None
        )
        panes.commands.bind(
            "edit.redo", self.redo, lambda: self._history.stack is not None and self._history.stack.next is not None
        )

    async def stack(self, thread_id: str | None = None) -> UndoStack:
        """Return the changes that were made so far, to make another one in a thread; None means the open one."""
        return self._stack(thread_id)

    def _stack(self, thread_id: str | None) -> UndoStack:
        chat = self._open_thread.chat if thread_id is None else self._open_thread.chat_of(thread_id)
        if self._history.stack is None:
            from chatdesk.core.chat.undo import UndoStack

            self._history.stack = UndoStack(chat)
        self._history.stack.use(chat)
        return self._history.stack

    def record(self, label: str, undo: Act, redo: Act, *, thread_id: str) -> None:
        """Record a change in a thread that was made at once, and offer to undo it."""
        self._stack(thread_id).record(label, undo, redo, thread_id=thread_id)

    def forget(self, thread_id: str) -> None:
        """Drop the undo steps of a thread."""
        if self._history.stack is not None:
            self._history.stack.forget(thread_id)
            self._panes.commands.refresh()

    def rename(self, thread_id: str, title: str) -> None:
        async def work() -> None:
            await (await self.stack(thread_id)).rename_thread(thread_id, title)
            self._panes.commands.refresh()

        self._tasks.start(work(), "rename thread")

    def restore_message(self, message_id: str) -> None:

        async def work() -> None:
            await (await self.stack()).restore_message(message_id)
            self._panes.commands.refresh()

        self._tasks.start(work(), "restore message")

    def offer(self, text: str, pane: ChatPane | None = None) -> None:
        """Show a toast with *Undo*, in this chat or in the pane of another one."""
        step = self._history.stack.last if self._history.stack is not None else None
        self._panes.commands.refresh()
        (pane or self._panes.pane).show_toast(text, tr("Undo"), partial(self.undo, step))

    def undo(self, step: Step | None = None) -> None:
        """Undo ``step``, else the last change that can be seen from here, else the last one of all."""

        async def work() -> None:
            stack = await self.stack()
            try:
                undone = await stack.undo(step or stack.last_seen_from(self._threads.thread_id))
            finally:
                self._panes.commands.refresh()
            if undone is not None:
                await self._show_step(tr("Undone"), undone, tr("Redo"), self.redo)

        self._tasks.start(work(), "undo")

    def redo(self, step: Step | None = None) -> None:
        async def work() -> None:
            stack = await self.stack()
            try:
                redone = await stack.redo(step or stack.next_seen_from(self._threads.thread_id))
            finally:
                self._panes.commands.refresh()
            if redone is not None:
                await self._show_step(tr("Redone"), redone, tr("Undo"), self.undo)

        self._tasks.start(work(), "redo")

    async def _show_step(self, what: str, step: Step, back: str, go_back: Callable[[Step], None]) -> None:
        """Show a toast about a change, with a button that reverses it. A change out of sight also names its thread,
        with a button that opens it."""
        pane, thread_id = self._panes.pane, step.thread_id
        if thread_id in (None, self._threads.thread_id):
            pane.show_toast(f"{what}: {shown(step.label)}", back, partial(go_back, step))
            return
        assert thread_id is not None
        title = shown((await self._open_thread.chat_of(thread_id).get_thread(thread_id)).name)
        title = shortened(title, _LONGEST_TITLE)
        words = tr("{what} in “{title}”: {label}", what=what, title=title, label=step.label)
        pane.show_toast(words, tr("Show"), partial(self._chats.show_soon, thread_id))


def moved_words(count: int) -> str:
    """Return the sentence for messages that went to the trash."""
    return shown(plural("{count} messages moved to the trash", "Message moved to the trash", count))
