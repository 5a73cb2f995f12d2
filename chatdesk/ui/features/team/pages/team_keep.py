"""Asks for the passphrase of the encrypted file that keeps the team's password on a computer without a keyring."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QWidget

from chatdesk.core.settings.passphrase import NEW_PASSPHRASE
from chatdesk.core.texts import Text, shown, tr
from chatdesk.ui.accessibility.assistance import announce
from chatdesk.ui.dialogs.form_panel import push_button
from chatdesk.ui.dialogs.panel import plain_label
from chatdesk.ui.widgets.layouts import bare_column

_WORDS = Text(
    "This computer has no keyring that could keep the password. Keep it in ChatDesk's encrypted file of keys instead; "
    "you enter its passphrase once after each start."
)


class KeepInFile(QWidget):
    """Hidden until ``offer``; ``given`` has the passphrase. ``words`` say what is kept."""

    given = Signal(str)

    def __init__(self, words: Text = _WORDS) -> None:
        super().__init__()
        self._words = words
        self.setObjectName("teamKeep")
        self.field = QLineEdit()
        self.field.setObjectName("teamKeepPassphrase")
        self.field.setEchoMode(QLineEdit.EchoMode.Password)
        self.button = push_button(tr("Keep it in the file"), "teamKeepYes", self._give)
        row = QHBoxLayout()
        row.addWidget(self.field, 1)
        row.addWidget(self.button)
        column = bare_column(self)
        column.addWidget(plain_label(shown(words), "text", wraps=True))
        column.addLayout(row)
        self.field.textChanged.connect(lambda text: self.button.setEnabled(bool(text)))
        self.field.returnPressed.connect(self._give)
        self.button.setEnabled(False)
        self.hide()

    def offer(self, *, has_file: bool) -> None:
        """Offer the encrypted file for the password; ``has_file``: there is one with a passphrase already."""
        name = tr("The passphrase of the file of keys") if has_file else shown(NEW_PASSPHRASE)
        self.field.setAccessibleName(name)
        self.field.setPlaceholderText(name)
        self.show()
        self.field.setFocus()
        announce(self, shown(self._words))

    def _give(self) -> None:
        if self.field.text():
            self.given.emit(self.field.text())
