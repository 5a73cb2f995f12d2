"""Shows *New token…*: the program's name, its permissions, projects and duration; then the token itself, once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QCheckBox, QLineEdit, QWidget

from chatdesk.core.texts import Text, shown, tr
from chatdesk.services.service_switch import SCOPES
from chatdesk.ui.accessibility.assistance import announce, named
from chatdesk.ui.dialogs.form_panel import push_button
from chatdesk.ui.dialogs.panel import plain_label
from chatdesk.ui.dialogs.task_panel import TaskPanel
from chatdesk.ui.theme.theme import Theme
from chatdesk.ui.widgets.fields.choice_box import ChoiceBox

_WIDTH_PX: Final = 480
_LONGEST_NAME: Final = 60
_BOXES_A_STEP: Final = 8
_DAYS: Final[Mapping[str, int | None]] = {
    Text("30 days"): 30,
    Text("90 days"): 90,
    Text("A year"): 365,
    Text("Until it is revoked"): None,
}


class NewTokenDialog(TaskPanel):
    """A dialog that makes a token. ``requested`` has the name, the scopes, the ids of projects (none: all) and the days
    (None: for ever); the answer to it is ``show_token`` or ``end_busy`` and ``show_problem``."""

    requested = Signal(str, object, object, object)

    def __init__(self, theme: Theme, *, parent: QWidget | None = None) -> None:
        super().__init__(theme, tr("New token"), object_name="newTokenDialog", width_px=_WIDTH_PX, parent=parent)
        self.name = named(QLineEdit(), "newTokenName", tr("What will use it"))
        self.name.setPlaceholderText(tr("For example: editor"))
        self.name.setMaxLength(_LONGEST_NAME)
        self.scopes = {name: _box(shown(words), f"newTokenScope_{name}") for name, words in SCOPES.items()}
        self.scopes["read"].setChecked(True)
        self.projects: dict[str, QCheckBox] = {}
        self.days = named(ChoiceBox(), "newTokenDays", tr("Valid for"))
        for words, days in _DAYS.items():
            self.days.addItem(shown(words), days)
        self.days.setCurrentIndex(self.days.findData(90))
        self.token = named(QLineEdit(), "newTokenText", tr("The token"))
        self.token.setReadOnly(True)
        self.token.setFont(theme.font("code"))
        self.token.hide()
        self._explanation = plain_label("", "text", wraps=True, name="newTokenExplanation")
        self._explanation.hide()
        self.copy_button = push_button(
            tr("Copy"), "newTokenCopy", self._copy, name=tr("Copy the token"), is_primary=True
        )
        self.copy_button.hide()
        self.make_button = push_button(tr("Make token"), "newTokenMake", self._ask, is_primary=True, is_default=True)
        self.close_button = push_button(tr("Cancel"), "newTokenClose", self.reject, is_way_out=True)
        self._build()
        self.name.setFocus()

    def add_projects(self, projects: Mapping[str, str]) -> Iterator[None]:
        """Offer these projects (names by id) in steps, between which the window stays responsive."""
        yield
        if projects:
            self.add_heading(tr("In these projects only"))
            self.body.addWidget(plain_label(tr("None chosen: in all of them."), "muted", wraps=True))
        for number, (key, name) in enumerate(projects.items(), 1):
            box = self.projects[key] = _box(name, f"newTokenProject_{key}")
            self.body.addWidget(box)
            if number % _BOXES_A_STEP == 0:
                yield

    def show_token(self, text: str) -> None:
        """Show the text of the token that was made, instead of the form."""
        self.end_busy()
        self.show_problem("")
        for place in range(self.body.count()):
            widget = self.body.itemAt(place).widget()  # type: ignore[union-attr]
            if widget is not None:
                widget.setVisible(widget in (self._explanation, self.token))
        self._explanation.setText(
            tr(
                "This is the token for “{name}”. It is shown only now and stored nowhere: copy it to where it is used.",
                name=self.name.text().strip(),
            )
        )
        self.token.setText(text)
        self.token.setCursorPosition(0)
        self.make_button.hide()
        self.make_button.setDefault(False)
        self.copy_button.show()
        self.close_button.setText(tr("Done"))
        self.close_button.setAccessibleName(tr("Done"))
        self.copy_button.setFocus(Qt.FocusReason.OtherFocusReason)
        announce(self, self._explanation.text())

    def _build(self) -> None:
        self.body.addWidget(self._explanation)
        self.body.addWidget(self.token)
        self.body.addWidget(plain_label(tr("What will use it"), "text"))
        self.body.addWidget(self.name)
        self.add_heading(tr("Valid for"))
        self.body.addWidget(self.days)
        self.add_heading(tr("It may"))
        for box in self.scopes.values():
            self.body.addWidget(box)
        self.add_button(self.close_button)
        self.add_button(self.copy_button)
        self.add_button(self.make_button)

    def _ask(self) -> None:
        scopes = [name for name, box in self.scopes.items() if box.isChecked()]
        if not self.name.text().strip():
            self.show_problem(tr("Say what will use it."))
            self.name.setFocus(Qt.FocusReason.OtherFocusReason)
        elif not scopes:
            self.show_problem(tr("Choose what it may do."))
            self.scopes["read"].setFocus(Qt.FocusReason.OtherFocusReason)
        else:
            projects = [key for key, box in self.projects.items() if box.isChecked()]
            self.show_problem("")
            self.show_busy(tr("Making the token…"))
            self.requested.emit(self.name.text(), scopes, projects, self.days.currentData())

    def _copy(self) -> None:
        QGuiApplication.clipboard().setText(self.token.text())
        self.copy_button.setText(tr("Copied"))
        announce(self, tr("The token is in the clipboard."))


def _box(words: str, object_name: str) -> QCheckBox:
    return named(QCheckBox(words.replace("&", "&&")), object_name, words)
