"""The binding of commands: the catalogue's ids are connected to the bindings' methods."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt

from chatdesk.ui.async_tasks import AsyncTasks
from chatdesk.ui.features.chat.message_binding import MessageBinding
from chatdesk.ui.features.chat.thread_binding import ThreadBinding
from chatdesk.ui.features.chat.undo_binding import UndoBinding

if TYPE_CHECKING:
    from chatdesk.ui.window.panes import Panes

#: What a command does with a message, by the names of the message's menu, and what is said when that is not possible.
_WITH_MESSAGE = {
    "message.previous_version": (("version-previous",), "There is no earlier version of this message."),
    "message.next_version": (("version-next",), "There is no later version of this message."),
    "message.compare_versions": (("compare",), "This answer has one version only."),
    "message.edit_answer": (("edit-answer",), "There is no finished answer here."),
    "message.continue": (("continue",), "There is no answer here that could be continued."),
    "message.shorter": (("quick:shorter",), "There is no finished answer here."),
    "message.longer": (("quick:longer",), "There is no finished answer here."),
    "message.branch": (("branch",), "There is no finished message here."),
    "message.pin": (("unpin", "pin"), "There is no finished message here."),
    "message.exclude": (("include", "exclude"), "There is no finished message here."),
    "message.start_here": (("start-here",), "The context starts here already."),
    "message.start_at_beginning": (("start-at-beginning",), "The context starts at the beginning already."),
    "message.delete": (("delete",), "There is no finished message here."),
}

#: What a command that does one of two things is called in menus, by what it would do; first what it mostly does.
_TITLES = {
    "message.pin": {"pin": "Pin into the context", "unpin": "Unpin from the context"},
    "message.exclude": {"exclude": "Exclude from the context", "include": "Include in the context"},
}


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
            "message.quote": panes.transcript.quote,
            "go.find": panes.transcript.open_find,
            "go.find_next": lambda: panes.transcript.find_step(1),
            "go.find_previous": lambda: panes.transcript.find_step(-1),
            "thread.model": self._open_models,
            "message.note": panes.composer.add_as_note,
            "message.regenerate": messages.regenerate_last,
            "message.copy_last": messages.copy_last,
            "message.edit_last": messages.edit.begin_last,
            "view.theme": self._switch_theme,
            "view.larger": theme.zoom_in,
            "view.smaller": theme.zoom_out,
            "view.reset_size": theme.reset_zoom,
        }.items():
            panes.commands.bind(command_id, run)
        for command_id in _WITH_MESSAGE:
            panes.commands.bind(command_id, partial(self._act, command_id), lambda: threads.thread_id is not None)
            panes.commands.describe(
                command_id,
                title=partial(self._title_of_act, command_id) if command_id in _TITLES else None,
                is_offered=partial(self._can_act, command_id),
            )
        panes.commands.keysChanged.connect(self._show_keys)
        self._show_keys()
        # While there is nothing to stop, Esc belongs to whoever has the focus.
        panes.commands.bind("message.stop", messages.stop, messages.can_stop)
        messages.busyChanged.connect(panes.commands.refresh)
        sidebar.threadChosen.connect(threads.open_soon)
        sidebar.newThreadRequested.connect(lambda: threads.open_soon(None))
        panes.header.titleEdited.connect(lambda title: self._with_thread(lambda id_: self._undo.rename(id_, title)))
        panes.header.modelChosen.connect(messages.choose_model)
        empty_state = panes.empty_state
        empty_state.promptChosen.connect(self._on_prompt_chosen)
        empty_state.attachChosen.connect(self._on_attach_chosen)
        empty_state.questionAsked.connect(self.ask)
        empty_state.commandChosen.connect(panes.commands.trigger)

    def _with_thread(self, run: Callable[[str], None]) -> None:
        thread_id = self._threads.thread_id
        if thread_id is not None:
            run(thread_id)

    def _step(self, step: int) -> None:
        other = self._panes.sidebar.neighbour_of(self._threads.thread_id, step)
        if other is not None:
            self._threads.open_soon(other)

    def _act(self, command_id: str) -> None:
        """Act on the message that was walked to, else on the lowest one in view that can do it."""
        names, otherwise = _WITH_MESSAGE[command_id]
        transcript = self._panes.transcript
        if not (transcript.isVisible() and transcript.act(*names)):
            self._panes.window.show_toast(otherwise)

    def _can_act(self, command_id: str) -> bool:
        transcript = self._panes.transcript
        return transcript.isVisible() and transcript.offered(*_WITH_MESSAGE[command_id][0]) is not None

    def _title_of_act(self, command_id: str) -> str:
        titles = _TITLES[command_id]
        offered = self._panes.transcript.offered(*_WITH_MESSAGE[command_id][0])
        return titles.get(offered or "", next(iter(titles.values())))

    def _show_keys(self) -> None:
        keys = self._panes.commands.shown_keys
        self._panes.sidebar.show_keys(
            new_thread=keys("thread.new"),
            search=keys("go.search"),
            settings=keys("app.settings"),
            rename=keys("thread.rename"),
        )

    def _open_models(self) -> None:
        picker = self._panes.header.model_picker
        picker.setFocus(Qt.FocusReason.ShortcutFocusReason)
        picker.click()

    def _switch_theme(self) -> None:
        theme = self._panes.theme
        theme.toggle()

    def ask(self, question: str) -> None:
        """Ask at once; what stands in the composer is asked with it."""
        composer = self._panes.composer
        composer.set_text("\n\n".join(filter(None, (question, composer.text().strip()))))
        composer.send_button.click()

    def _on_prompt_chosen(self, prompt: str) -> None:
        """Insert a prompt before what stands in the composer, which stays."""
        composer = self._panes.composer
        composer.set_text(prompt + composer.text())
        composer.set_cursor_position(len(prompt))
        composer.setFocus()

    def _on_attach_chosen(self, prompt: str) -> None:
        self._on_prompt_chosen(prompt)
        self._panes.commands.trigger("message.attach")
