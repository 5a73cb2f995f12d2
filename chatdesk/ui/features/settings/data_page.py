"""Shows the page *Data* of the settings: import and export, backups, the health of the database. Its controller does
the work."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Final

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QPushButton, QVBoxLayout, QWidget

from chatdesk.core.texts import Text, shown, tr
from chatdesk.ui.accessibility.assistance import announce
from chatdesk.ui.dialogs.form_panel import push_button
from chatdesk.ui.dialogs.panel import plain_label
from chatdesk.ui.widgets.layouts import FlowRow

_MOST_LINES = 12
# The actions by section; each has a button and a description.
ACTIONS: Final = (
    (
        Text("Import and export"),
        Text("Take over chats from ChatGPT, Claude and others, or write yours as Markdown, web pages, PDF or JSON."),
        (("import", Text("Import…")), ("export", Text("Export…"))),
    ),
    (
        Text("Back up and restore"),
        Text("ChatDesk makes a backup each day and before each upgrade, and checks each one."),
        (
            ("backup", Text("Back up now")),
            ("zip", Text("Save everything as a zip…")),
            ("folder", Text("Show folder")),
            ("restore", Text("Restore…")),
        ),
    ),
    (
        Text("Database"),
        Text("Check reads everything that is stored. Repair makes a copy first and says what it changed."),
        (("check", Text("Check")), ("repair", Text("Repair"))),
    ),
    (
        Text("Something went wrong?"),
        Text("Collects the log, the settings and failure reports, without your messages and keys."),
        (("report", Text("Report a problem…")),),
    ),
)


class DataPage(QWidget):
    """The *Data* settings page. ``requested`` names the action: import, export, backup, zip, folder, restore, check,
    repair or report."""

    requested = Signal(str)

    def __init__(self, folder: str) -> None:
        super().__init__()
        self.setObjectName("dataPage")
        self._buttons: list[QPushButton] = []
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 10, 0, 10)
        column.setSpacing(6)
        for title, hint, actions in ACTIONS:
            column.addWidget(plain_label(shown(title), "strong"))
            column.addWidget(plain_label(shown(hint), "muted", wraps=True))
            row = FlowRow(8)
            for name, words in actions:
                button = push_button(shown(words), f"data_{name}", partial(self.requested.emit, name))
                self._buttons.append(button)
                row.addWidget(button)
            column.addLayout(row)
            column.addSpacing(10)
        place = plain_label(tr("Backups are in {folder}", folder=folder), "muted", wraps=True, name="dataFolder")
        column.addWidget(place)
        self._result = plain_label("", "text", wraps=True, name="dataResult")
        self._result.setAccessibleName(tr("Result"))
        self._pressed: QPushButton | None = None
        column.addWidget(self._result)

    def show_busy(self, text: str) -> None:
        """Show that work is under way; nothing else can be requested. The focus stays on the progress text, because
        otherwise it would move to another widget."""
        self._pressed = next((each for each in self._buttons if each.hasFocus()), None)
        if self._pressed is not None:
            self._result.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
            self._result.setFocus(Qt.FocusReason.OtherFocusReason)
        self._result.setText(text)
        self._result.setAccessibleName(text)
        for button in self._buttons:
            button.setEnabled(False)

    def show_result(self, lines: Sequence[str]) -> None:
        """Show the result of an action; a long list is cut, and says so."""
        said = [*lines[:_MOST_LINES]]
        if len(lines) > _MOST_LINES:
            said.append(tr("… and {lines} more; 'chatdesk doctor --json' lists them.", lines=len(lines) - _MOST_LINES))
        text = "\n".join(said)
        self._result.setText(text)
        self._result.setAccessibleName(text)
        for button in self._buttons:
            button.setEnabled(True)
        if self._pressed is not None and self._result.hasFocus():
            self._pressed.setFocus(Qt.FocusReason.OtherFocusReason)
        self._pressed = None
        self._result.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        announce(self, text)
