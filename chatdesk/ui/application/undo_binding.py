"""What this window changed, and the way back: every change that can be taken back goes through here."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject

from chatdesk.ui.application.service_handle import ServiceHandle
from chatdesk.ui.async_tasks import AsyncTasks

if TYPE_CHECKING:
    from chatdesk.core.chat.undo import Step, UndoStack
    from chatdesk.ui.application.panes import Panes


class UndoBinding(QObject):
    """Ctrl+Z, its opposite, and the button of a toast."""

    def __init__(self, panes: Panes, handle: ServiceHandle, tasks: AsyncTasks) -> None:
        super().__init__()
        self._panes = panes
        self._handle = handle
        self._tasks = tasks
        self._stack: UndoStack | None = None
        panes.commands.bind("edit.undo", self.undo, lambda: self._stack is not None and self._stack.last is not None)
        panes.commands.bind("edit.redo", self.redo, lambda: self._stack is not None and self._stack.next is not None)

    async def stack(self) -> UndoStack:
        """The changes of this window, to make another one."""
        chat = await self._handle.chat()
        if self._stack is None:
            from chatdesk.core.chat.undo import UndoStack

            self._stack = UndoStack(chat)
        return self._stack

    def do(self, method: str, *values: object, **options: object) -> None:
        """Make one of the stack's changes."""

        async def work() -> None:
            await getattr(await self.stack(), method)(*values, **options)
            self._panes.commands.refresh()

        self._tasks.start(work(), method)

    def offer(self, text: str) -> None:
        """Say what was done, with the way back."""
        step = self._stack.last if self._stack is not None else None
        self._panes.commands.refresh()
        self._panes.window.show_toast(text, "Undo", partial(self.undo, step))

    def undo(self, step: Step | None = None) -> None:
        async def work() -> None:
            try:
                undone = await (await self.stack()).undo(step)
            finally:
                self._panes.commands.refresh()
            if undone is not None:
                self._panes.window.show_toast(f"Undone: {undone.label}", "Redo", self.redo)

        self._tasks.start(work(), "undo")

    def redo(self) -> None:
        async def work() -> None:
            try:
                redone = await (await self.stack()).redo()
            finally:
                self._panes.commands.refresh()
            if redone is not None:
                self._panes.window.show_toast(f"Done again: {redone.label}", "Undo", partial(self.undo, redone))

        self._tasks.start(work(), "redo")
