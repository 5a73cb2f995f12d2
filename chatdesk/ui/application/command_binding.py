"""Binds the commands of the catalogue to methods of the controllers, and fills the menu of the composer's plus."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Final

from PySide6.QtCore import QObject, Qt
from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import QMenu

from chatdesk.core.settings.schema import all_settings
from chatdesk.core.texts import Text, shown, tr
from chatdesk.ui.accessibility.assistance import announce
from chatdesk.ui.commands.message_action import MessageAction
from chatdesk.ui.commands.message_catalogue import MESSAGE_ACTIONS, QUICK_ACTIONS
from chatdesk.ui.commands.registry import CommandRegistry
from chatdesk.ui.features.chat.message_binding import MessageBinding
from chatdesk.ui.features.chat.thread_binding import ThreadBinding
from chatdesk.ui.features.chat.undo_binding import UndoBinding
from chatdesk.ui.theme.compositing import round_corners
from chatdesk.ui.theme.icons import icon
from chatdesk.ui.widgets.danger_menu import DangerMenu
from chatdesk.ui.window.window_context import Controller, Panes, WindowContext

# Commands, their icons, and keys of the composer's own.
_ROWS: Final = (
    ("message.attach", "paperclip", ""),
    ("prompt.insert", "wand", "/"),
    ("thread.parameters", "wrench", ""),
    ("app.tools", "hammer", ""),
    ("thread.assistant", "user", "@"),
)
_THEMES: Final = next(each.choices for each in all_settings() if each.name == "theme")

MenuOf = Callable[[], QMenu | None]


class CommandBinding(QObject):
    """Binds the commands that have no binding of their own, as those of the library and of closing windows have."""

    def __init__(
        self,
        panes: Panes,
        threads: ThreadBinding,
        messages: MessageBinding,
        undo: UndoBinding,
    ) -> None:
        super().__init__()
        self._panes = panes
        self._threads = threads
        self._undo = undo
        theme = panes.theme
        for command_id, run in {
            "thread.new": lambda: threads.open_soon(None),
            "go.previous_thread": lambda: self._step(-1),
            "go.next_thread": lambda: self._step(1),
            **_copying(panes.transcript.copy_as),
            "message.quote": panes.transcript.parts.actions.quote,
            "message.remember": panes.transcript.parts.actions.remember,
            "go.find": panes.transcript.finding.open,
            "go.find_next": lambda: panes.transcript.finding.step(1),
            "go.find_previous": lambda: panes.transcript.finding.step(-1),
            "thread.model": self._open_models,
            "message.note": panes.composer.add_as_note,
            "message.regenerate": messages.actions.regenerate_last,
            "message.copy_last": messages.actions.copy_last,
            "message.edit_last": messages.edit.start_last,
            "view.theme": self._switch_theme,
            "view.larger": lambda: self._zoom(theme.zoom_in),
            "view.smaller": lambda: self._zoom(theme.zoom_out),
            "view.reset_size": lambda: self._zoom(theme.reset_zoom),
        }.items():
            panes.commands.bind(command_id, run)
        for command_id, actions in _by_command().items():
            panes.commands.bind(command_id, partial(self._act, actions), lambda: threads.thread_id is not None)
            panes.commands.describe(
                command_id,
                title=partial(self._title_of_act, actions) if len(actions) > 1 else None,
                is_offered=partial(self._can_act, actions),
            )
        # With nothing to stop, Esc goes to the focused widget.
        panes.commands.bind("message.stop", messages.stop, messages.can_stop)
        messages.busyChanged.connect(panes.commands.refresh)
        threads.opened.connect(lambda _thread: panes.commands.refresh())
        panes.header.titleEdited.connect(lambda title: self._with_thread(lambda id_: self._undo.rename(id_, title)))
        panes.header.modelChosen.connect(messages.models.choose)
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

    def _act(self, actions: Sequence[MessageAction]) -> None:
        """Act on the message that was walked to, else on the lowest one in view that can do it."""
        transcript = self._panes.transcript
        if not (transcript.isVisible() and transcript.parts.actions.act(*(each.name for each in actions))):
            self._panes.pane.show_toast(shown(actions[0].otherwise))

    def _can_act(self, actions: Sequence[MessageAction]) -> bool:
        return self._panes.transcript.isVisible() and self._offered(actions) is not None

    def _offered(self, actions: Sequence[MessageAction]) -> MessageAction | None:
        name = self._panes.transcript.parts.actions.offered(*(each.name for each in actions))
        return next((each for each in actions if each.name == name), None)

    def _title_of_act(self, actions: Sequence[MessageAction]) -> str:
        """Return the title of a command that does one of two things: of the action it offers now, else of the usual
        one."""
        return (self._offered(actions) or actions[0]).text

    def _open_models(self) -> None:
        self._panes.header.model_picker.click()  # without the focus, which goes back to where one writes

    def _switch_theme(self) -> None:
        theme = self._panes.theme
        theme.toggle()
        announce(self._panes.window, shown(_THEMES[theme.preference]))

    def _zoom(self, zoom: Callable[[], float]) -> None:
        announce(self._panes.window, tr("Text size {percent}%", percent=round(100 * zoom())))

    def ask(self, question: str) -> None:
        """Ask a question at once, together with the text in the composer."""
        composer = self._panes.composer
        composer.set_text("\n\n".join(filter(None, (question, composer.text().strip()))))
        composer.send_button.click()

    def _on_prompt_chosen(self, prompt: str) -> None:
        """Insert a prompt before the composer's text, which stays."""
        composer = self._panes.composer
        composer.set_text(prompt + composer.text())
        composer.set_cursor_position(len(prompt))
        composer.setFocus()

    def _on_attach_chosen(self, prompt: str) -> None:
        self._on_prompt_chosen(prompt)
        self._panes.commands.trigger("message.attach")


def _copying(copy_as: Callable[[str], None]) -> dict[str, Callable[[], None]]:
    """Return the commands that copy the selection in one form; the forms are named as the actions of a message are."""
    forms = [each.name for each in MESSAGE_ACTIONS if each.name.startswith("copy-")]
    return {f"message.{form.replace('-', '_')}": partial(copy_as, form) for form in forms}


def _by_command() -> dict[str, list[MessageAction]]:
    """Return the actions on messages that each command runs; of two, a message offers the one that applies."""
    found: dict[str, list[MessageAction]] = {}
    for action in (*MESSAGE_ACTIONS, *QUICK_ACTIONS):
        if action.command:
            found.setdefault(action.command, []).append(action)
    return found


class ComposerMenu(Controller):
    """Opens the menu above the plus. ``tools`` and ``assistants`` return menus to choose from; None where there is
    nothing to choose yet: then their rows lead to where it is set up."""

    def __init__(self, context: WindowContext, *, tools: MenuOf, assistants: MenuOf) -> None:
        super().__init__(context)
        self._below = {
            "app.tools": (Text("Tools"), tools),
            "thread.assistant": (Text("Assistant"), assistants),
        }
        context.panes.composer.addRequested.connect(self.open)

    def open(self) -> None:
        """Open the menu."""
        panes = self._panes
        button = panes.composer.add_button
        menu = DangerMenu(panes.theme.colour, button)
        menu.setObjectName("addMenu")
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        round_corners(menu, panes.theme.tokens.radius.row)
        commands = panes.commands
        registry = commands if isinstance(commands, CommandRegistry) else commands.registry
        for command_id, icon_name, keys in _ROWS:
            action = registry.action(command_id)
            if action is None:
                continue
            image = icon(icon_name, panes.theme.colour("muted"))
            title, below_of = self._below.get(command_id, (None, None))
            below = None if below_of is None else below_of()
            if title is not None and below is not None:
                below.setTitle(shown(title))
                below.setIcon(image)
                menu.addMenu(below)
                continue
            words = registry.title_of(command_id)
            said = keys or action.shortcut().toString(QKeySequence.SequenceFormat.NativeText)
            row = menu.addAction(image, f"{words}\t{said}" if said else words, partial(commands.trigger, command_id))
            row.setObjectName(f"add-{command_id}")
            row.setEnabled(registry.is_offered(command_id))
        menu.make_room()
        button.popup(menu, is_above=True)
