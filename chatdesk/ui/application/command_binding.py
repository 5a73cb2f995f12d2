"""What each command does: the catalogue's ids bound to the bindings' methods."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject

from chatdesk.ui.application.message_binding import MessageBinding
from chatdesk.ui.application.thread_binding import ThreadBinding
from chatdesk.ui.application.undo_binding import UndoBinding
from chatdesk.ui.async_tasks import AsyncTasks

if TYPE_CHECKING:
    from chatdesk.ui.application.panes import Panes


class CommandBinding(QObject):
    """Binds what has no binding of its own: the library's commands, and those of the window's life, have."""

    def __init__(
        self,
        panes: Panes,
        threads: ThreadBinding,
        messages: MessageBinding,
        undo: UndoBinding,
        *,
        tasks: AsyncTasks,
    ) -> None:
        super().__init__()
        self._panes = panes
        self._threads = threads
        self._tasks = tasks
        self._undo = undo
        sidebar, theme = panes.sidebar, panes.theme
        for command_id, run in {
            "thread.new": lambda: threads.open_soon(None),
            "go.previous_thread": lambda: self._step(-1),
            "go.next_thread": lambda: self._step(1),
            "message.copy_markdown": lambda: panes.transcript.copy_as("copy-markdown"),
            "message.copy_plain": lambda: panes.transcript.copy_as("copy-plain"),
            "message.copy_rich": lambda: panes.transcript.copy_as("copy-rich"),
            "go.find": panes.transcript.open_find,
            "go.find_next": lambda: panes.transcript.find_step(1),
            "go.find_previous": lambda: panes.transcript.find_step(-1),
            "message.regenerate": messages.regenerate_last,
            "message.copy_last": messages.copy_last,
            "message.edit_last": messages.edit_last,
            "view.theme": self._switch_theme,
            "view.larger": theme.zoom_in,
            "view.smaller": theme.zoom_out,
            "view.reset_size": theme.reset_zoom,
        }.items():
            panes.commands.bind(command_id, run)
        # While there is nothing to stop, Esc belongs to whoever has the focus.
        panes.commands.bind("message.stop", messages.stop, messages.can_stop)
        messages.busyChanged.connect(panes.commands.refresh)
        sidebar.threadChosen.connect(threads.open_soon)
        sidebar.newThreadRequested.connect(lambda: threads.open_soon(None))
        panes.header.titleEdited.connect(
            lambda title: self._with_thread(lambda id_: self._undo.do("rename_thread", id_, title))
        )
        panes.header.modelChosen.connect(messages.choose_model)
        panes.empty_state.promptChosen.connect(self._on_prompt_chosen)

    def _with_thread(self, run: Callable[[str], None]) -> None:
        thread_id = self._threads.thread_id
        if thread_id is not None:
            run(thread_id)

    def _step(self, step: int) -> None:
        other = self._panes.sidebar.neighbour_of(self._threads.thread_id, step)
        if other is not None:
            self._threads.open_soon(other)

    def _switch_theme(self) -> None:
        theme = self._panes.theme
        theme.toggle()

    def _on_prompt_chosen(self, prompt: str) -> None:
        composer = self._panes.composer
        composer.set_text(prompt)
        composer.set_cursor_position(len(prompt))
        composer.setFocus()
