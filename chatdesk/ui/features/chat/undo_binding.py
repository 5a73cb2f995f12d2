"""Controls undo and redo of a chat: every undoable change goes through here."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Final

from PySide6.QtCore import QObject

from chatdesk.core.chat.chat_service import ChatService
from chatdesk.core.chat.undo import Act, Lasting, Step, UndoStack
from chatdesk.core.events import MessageAdded, TurnStarted
from chatdesk.core.texts import plural, shortened, shown, tr
from chatdesk.ui.features.chat.thread_binding import ThreadBinding
from chatdesk.ui.qt.async_tasks import in_task
from chatdesk.ui.window.chat_pane import ChatPane
from chatdesk.ui.window.window_context import Controller, WindowContext

_LONGEST_TITLE: Final = 40


class UndoHistory(QObject):
    """The changes that were made, in one order for all windows."""

    def __init__(self, context: WindowContext) -> None:
        super().__init__(context.panes.window)
        self.stack: UndoStack | None = None
        self._context = context
        context.events.subscribe(self, MessageAdded, self._on_event)
        context.events.subscribe(self, TurnStarted, self._on_event)

    def stack_for(self, chat: ChatService) -> UndoStack:
        """Return the changes that were made so far, to make another one through ``chat``."""
        if self.stack is None:
            self.stack = UndoStack(chat)
        self.stack.use(chat)
        return self.stack

    def _on_event(self, event: MessageAdded | TurnStarted) -> None:
        self.stack_for(self._context.open_thread.chat).record_event(event)
        self._context.panes.commands.refresh()


class UndoBinding(Controller):
    """Ctrl+Z, its opposite, and the button of a toast. ``history`` is shared by all chats that are shown."""

    def __init__(self, context: WindowContext, threads: ThreadBinding, history: UndoHistory) -> None:
        super().__init__(context)
        panes = context.panes
        self._threads = threads
        self._history = history
        panes.commands.bind("edit.undo", self.undo, self._can_undo)
        panes.commands.bind(
            "edit.redo", self.redo, lambda: self._history.stack is not None and self._history.stack.next is not None
        )

    def _can_undo(self) -> bool:
        return self._history.stack is not None and self._history.stack.last_seen_from(None) is not None

    async def stack(self, thread_id: str | None = None) -> UndoStack:
        """Return the changes that were made so far, to make another one in a thread; None means the open one."""
        return self._stack(thread_id)

    def _stack(self, thread_id: str | None) -> UndoStack:
        chat = self._open_thread.chat if thread_id is None else self._open_thread.chat_of(thread_id)
        return self._history.stack_for(chat)

    @contextmanager
    def change(self, thread_id: str | None = None) -> Iterator[UndoStack]:
        """Begin a change in a thread (None: the open one), for which *Undo* waits. It is recorded within the block."""
        stack = self._stack(thread_id)
        with stack.begun.change():
            yield stack
        self._panes.commands.refresh()

    def record(self, label: str, undo: Act, redo: Act, *, thread_id: str) -> None:
        """Record a change in a thread that was made at once, and offer to undo it."""
        self._stack(thread_id).record(label, undo, redo, thread_id=thread_id)

    def record_lasting(self, label: str, *, thread_id: str | None = None) -> None:
        """Record a change that cannot be undone, so that *Undo* takes no older one for it."""
        self._stack(thread_id).record_lasting(label, thread_id=thread_id)
        self._panes.commands.refresh()

    def forget(self, thread_id: str) -> None:
        """Drop the undo steps of a thread."""
        if self._history.stack is not None:
            self._history.stack.forget(thread_id)
            self._panes.commands.refresh()

    @in_task("rename thread")
    async def rename(self, thread_id: str, title: str) -> None:
        await (await self.stack(thread_id)).rename_thread(thread_id, title)
        self._panes.commands.refresh()

    @in_task("restore message")
    async def restore_message(self, message_id: str) -> None:
        await (await self.stack()).restore_message(message_id)
        self._panes.commands.refresh()

    def offer(self, text: str, pane: ChatPane | None = None) -> None:
        """Show a toast with *Undo*, in this chat or in the pane of another one."""
        step = self._history.stack.last if self._history.stack is not None else None
        self._panes.commands.refresh()
        (pane or self._panes.pane).show_toast(text, tr("Undo"), partial(self.undo, step))

    @in_task("undo")
    async def undo(self, step: Step | Lasting | None = None) -> None:
        """Undo ``step``, else the last change that can be seen from here, else the last one of all. Where that cannot
        be undone say so, and name the one before it, which is the next to be undone."""
        stack = await self.stack()
        await stack.begun.wait_for_all()
        chosen = step or stack.last_seen_from(self._threads.thread_id)
        if isinstance(chosen, Lasting):
            self._pass_over(stack, chosen)
            return
        try:
            undone = await stack.undo(chosen)
        finally:
            self._panes.commands.refresh()
        if undone is not None:
            await self._show_step(tr("Undone"), undone, tr("Redo", "a step"), self.redo)

    def _pass_over(self, stack: UndoStack, lasting: Lasting) -> None:
        words = tr("This cannot be undone: {label}.", label=lasting.label)
        stack.pass_over(lasting)
        self._panes.commands.refresh()
        older = stack.last_seen_from(self._threads.thread_id)
        if older is None:
            self._panes.pane.show_toast(words)
            return
        words = tr("{words} Before it: {older}, which was left as it is.", words=words, older=older.label)
        self._panes.pane.show_toast(words, tr("Undo that, too"), partial(self.undo, older))

    @in_task("redo")
    async def redo(self, step: Step | None = None) -> None:
        stack = await self.stack()
        await stack.begun.wait_for_all()
        try:
            redone = await stack.redo(step or stack.next_seen_from(self._threads.thread_id))
        finally:
            self._panes.commands.refresh()
        if redone is not None:
            await self._show_step(tr("Redone"), redone, tr("Undo"), self.undo)

    async def _show_step(self, what: str, step: Step, back: str, go_back: Callable[[Step], None]) -> None:
        """Show a toast about a change, with a button that reverses it. A change out of sight also names its thread,
        with a button that opens it."""
        pane, thread_id = self._panes.pane, step.thread_id
        await self._show_returned(step)
        if thread_id in (None, self._threads.thread_id):
            pane.show_toast(f"{what}: {shown(step.label)}", back, partial(go_back, step))
            return
        assert thread_id is not None
        title = shown((await self._open_thread.chat_of(thread_id).get_thread(thread_id)).name)
        title = shortened(title, _LONGEST_TITLE)
        words = tr("{what} in “{title}”: {label}", what=what, title=title, label=step.label)
        pane.show_toast(words, tr("Show"), partial(self._chats.show_soon, thread_id))

    async def _show_returned(self, step: Step) -> None:
        """Open the thread that came back from the trash, in place of a new chat in which nothing is written."""
        if step.returning_id is None or self._threads.thread_id is not None or self._panes.composer.text():
            return
        thread = await self._open_thread.chat_of(step.returning_id).get_thread(step.returning_id)
        if thread.deleted_at is None:
            await self._threads.open(thread.id)


def moved_words(count: int) -> str:
    """Return the sentence for messages that went to the trash."""
    return shown(plural("{count} messages moved to the trash", "Message moved to the trash", count))
