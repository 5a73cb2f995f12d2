"""Asks for the passphrase of the file of keys, once a run; a wrong one is told, and it is asked again."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QPushButton, QVBoxLayout, QWidget

from chatdesk.core.settings.passphrase import NEW_PASSPHRASE
from chatdesk.ui.accessibility.announce import announce
from chatdesk.ui.dialogs.panel import Panel, plain_label
from chatdesk.ui.theme.theme import Theme

_WIDTH_PX = 440


class PassphraseDialog(Panel):
    """``given`` has what was typed; the dialog stays until ``accept``. ``is_changing`` asks for a new one as well, and
    ``changed`` has both."""

    given = Signal(str)
    changed = Signal(str, str)

    def __init__(self, theme: Theme, *, is_changing: bool = False, parent: QWidget | None = None) -> None:
        title = "Change the passphrase" if is_changing else "Keys are locked"
        super().__init__(theme, title, parent=parent)
        self.setObjectName("passphraseDialog")
        self._is_changing = is_changing
        self.field = _secret("passphraseField", "The current passphrase" if is_changing else "Passphrase")
        self.new = _secret("passphraseNew", NEW_PASSPHRASE)
        self.again = _secret("passphraseAgain", "The new passphrase again")
        self._problem = plain_label("", "note", wraps=True)
        self._problem.setObjectName("passphraseProblem")
        self._problem.setProperty("isDanger", True)
        self._problem.hide()
        self.yes = QPushButton("Change" if is_changing else "Open")
        self.yes.setObjectName("passphraseYes")
        self.yes.setDefault(True)
        cancel = QPushButton("Cancel" if is_changing else "Not Now")
        cancel.setObjectName("passphraseCancel")
        cancel.setAutoDefault(False)
        row = QHBoxLayout()
        row.addStretch(1)
        row.addWidget(cancel)
        row.addWidget(self.yes)
        words = (
            "The keys of your providers are in a file that a passphrase encrypts. You enter it once after each start."
        )
        column = QVBoxLayout(self)
        column.setContentsMargins(24, 22, 24, 20)
        column.setSpacing(10)
        column.addWidget(plain_label(title, "strong"))
        column.addWidget(plain_label(words, "text", wraps=True))
        column.addWidget(self.field)
        for field in (self.new, self.again):
            column.addWidget(field)
            field.setVisible(is_changing)
        column.addWidget(self._problem)
        column.addLayout(row)
        cancel.clicked.connect(self.reject)
        self.yes.clicked.connect(self._on_yes_clicked)
        self.setFixedWidth(round(_WIDTH_PX * max(1.0, theme.scale)))
        self.field.setFocus()

    def show_busy(self, is_busy: bool) -> None:
        """Opening takes most of a second by design."""
        self.yes.setEnabled(not is_busy)

    def show_problem(self, text: str) -> None:
        self.show_busy(False)
        self._problem.setText(text)
        self._problem.setVisible(bool(text))
        self.adjustSize()
        announce(self, text, is_assertive=True)
        self.field.selectAll()
        self.field.setFocus()

    def _on_yes_clicked(self) -> None:
        if self._is_changing and self.new.text() != self.again.text():
            self.show_problem("The two new passphrases are not the same.")
            return
        self.show_busy(True)
        if self._is_changing:
            self.changed.emit(self.field.text(), self.new.text())
        else:
            self.given.emit(self.field.text())


def _secret(object_name: str, name: str) -> QLineEdit:
    field = QLineEdit()
    field.setObjectName(object_name)
    field.setAccessibleName(name)
    field.setPlaceholderText(name)
    field.setEchoMode(QLineEdit.EchoMode.Password)
    return field
