"""Shows the page *My computers* of the settings: the ways in, or the folder, its state and the computers.

The work is done by ``computers_binding.py``. Actions here take effect at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import Signal
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from chatdesk.core.hidden_characters import told_apart, visible_controls
from chatdesk.core.texts import plural, shown, size_text, tr
from chatdesk.ui.accessibility.assistance import announce
from chatdesk.ui.dialogs.form_panel import push_button
from chatdesk.ui.dialogs.marks import Mark
from chatdesk.ui.dialogs.panel import plain_label
from chatdesk.ui.features.team.pages.team_page import WayCard
from chatdesk.ui.features.team.pages.team_table import ActionTable, TableRow
from chatdesk.ui.local_forms import time_of
from chatdesk.ui.theme.theme import Theme
from chatdesk.ui.widgets.layouts import FlowRow, bare_column


@dataclass(frozen=True, slots=True)
class ComputerLine:
    """A computer as the page shows it. ``at``: when it was last here; ``waiting``: files of it that did not arrive."""

    id: str
    name: str
    at: int
    is_this: bool = False
    waiting: int = 0
    size: int = 0
    is_rolled_back: bool = False


@dataclass(frozen=True, slots=True)
class ComputersView:
    """The data that the page shows. ``words`` and ``mark`` say how it is; ``is_ended``: a computer was removed, or the
    profile restored, so that the phrase is needed again."""

    folder: str
    words: str
    mark: tuple[str, str]
    computers: tuple[ComputerLine, ...] = ()
    is_paused: bool = False
    is_ended: bool = False


class ComputersPage(QWidget):
    """The settings page of own computers. ``removeRequested`` has the id of a computer, ``pauseRequested`` whether to
    pause; ``cameInView`` comes each time the page is shown."""

    cameInView = Signal()
    startRequested = Signal()
    joinRequested = Signal()
    syncRequested = Signal()
    pauseRequested = Signal(bool)
    removeRequested = Signal(str)
    forgetRequested = Signal()

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._view: ComputersView | None = None
        self.setObjectName("computersPage")
        space = theme.tokens.space
        self.said = plain_label("", "text", wraps=True, name="computersSaid")
        self.said.setAccessibleName(tr("Result"))
        self.said.hide()
        self._ways, self._room = self._make_ways(), QWidget()
        self.folder = plain_label("", "strong", wraps=True, name="computersFolder")
        self._mark = Mark(theme)
        self.status = plain_label("", "text", wraps=True, name="computersStatus")
        how = QHBoxLayout()
        how.setSpacing(space.s)
        how.addWidget(self._mark)
        how.addWidget(self.status, 1)
        self.table = ActionTable(
            theme,
            (tr("Computer"), tr("Last here"), tr("Waiting"), tr("Size")),
            name=tr("Computers"),
            object_name="computersTable",
            action=tr("Remove this computer…"),
            wide=0,
            parent=self._room,
        )
        self.table.actRequested.connect(self.removeRequested)
        inside = bare_column(self._room, spacing_px=space.m)
        inside.addWidget(self.folder)
        inside.addLayout(how)
        inside.addLayout(self._make_actions())
        inside.addWidget(self.table)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, space.s, 0, space.s)
        column.setSpacing(space.m)
        for widget in (self.said, self._ways, self._room):
            column.addWidget(widget)
        self.show_view(None)

    def show_view(self, view: ComputersView | None) -> None:
        """Show how it is; None: this computer has not joined any. Widgets stay, and with them the focus."""
        had_focus = self.focusWidget() is not None and (view is None) != (self._view is None)
        self._view = view
        self._ways.setVisible(view is None)
        self._room.setVisible(view is not None)
        if view is not None:
            self._show_room(view)
        if had_focus:
            (self.start_button if view is None else self.sync_button).setFocus()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.cameInView.emit()

    def show_result(self, text: str) -> None:
        """Show the result of an action on this page; an empty text hides it."""
        self.said.setText(text)
        self.said.setVisible(bool(text))
        announce(self, text)

    def _show_room(self, view: ComputersView) -> None:
        self.folder.setText(visible_controls(view.folder))
        if self.status.text() != view.words:
            self.status.setText(view.words)
            self.status.setAccessibleName(view.words)
        self._mark.show_icon(*view.mark)
        self.sync_button.setVisible(not view.is_paused and not view.is_ended)
        self.pause_button.setVisible(not view.is_ended)
        self.pause_button.setText(tr("Resume") if view.is_paused else tr("Pause"))
        self.pause_button.setAccessibleName(self.pause_button.text())
        self.again_button.setVisible(view.is_ended)
        self.table.setVisible(bool(view.computers))
        self.table.show_rows(_rows(view.computers, may_remove=not view.is_paused and not view.is_ended))

    def _make_ways(self) -> QWidget:
        ways = QWidget()
        words = tr(
            "Have the same chats on all computers of yours. A folder that something carries between them is enough:"
            " Syncthing, Nextcloud, Dropbox, a network drive or a USB stick. Everything is encrypted before it is"
            " written there."
        )
        self.start_button = push_button(tr("Start…"), "computersStart", self.startRequested.emit)
        self.join_button = push_button(tr("Join…"), "computersJoin", self.joinRequested.emit)
        column = bare_column(ways, spacing_px=self._theme.tokens.space.m)
        column.addWidget(plain_label(words, "text", wraps=True))
        for title, hint, button in (
            (
                tr("The first computer"),
                tr("Choose an empty folder. You get a recovery phrase, which your other computers need."),
                self.start_button,
            ),
            (
                tr("A further computer, or a new one"),
                tr("Choose the same folder and give the phrase. You see whose it is before anything is merged."),
                self.join_button,
            ),
        ):
            column.addWidget(WayCard(self._theme, title, hint, button))
        return ways

    def _make_actions(self) -> FlowRow:
        self.sync_button = push_button(tr("Sync now"), "computersSync", self.syncRequested.emit, is_primary=True)
        self.again_button = push_button(tr("Join again…"), "computersAgain", self.joinRequested.emit, is_primary=True)
        self.pause_button = push_button(tr("Pause"), "computersPause", self._pause)
        self.forget_button = push_button(
            tr("Forget the folder…"), "computersForget", self.forgetRequested.emit, is_danger=True
        )
        row = FlowRow(self._theme.tokens.space.s)
        for button in (self.sync_button, self.again_button, self.pause_button, self.forget_button):
            row.addWidget(button)
        return row

    def _pause(self) -> None:
        self.pauseRequested.emit(self._view is not None and not self._view.is_paused)


def _rows(computers: Sequence[ComputerLine], *, may_remove: bool) -> list[TableRow]:
    names = told_apart({each.id: each.name for each in computers})
    return [
        TableRow(
            each.id,
            (names[each.id], *_about(each)),
            tr("Remove this computer…") if may_remove and not each.is_this else "",
        )
        for each in sorted(computers, key=lambda each: (not each.is_this, -each.at))
    ]


def _about(computer: ComputerLine) -> tuple[str, str, str]:
    waiting = ""
    if computer.is_rolled_back:
        waiting = tr("older files")
    elif computer.waiting:
        waiting = shown(plural("{count} files", "{count} file", computer.waiting))
    size = shown(size_text(computer.size)) if computer.size else ""
    return tr("this computer") if computer.is_this else time_of(computer.at), waiting, size
