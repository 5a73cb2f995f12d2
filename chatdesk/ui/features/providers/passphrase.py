"""Asks for the passphrase of the file of keys, once a run; a wrong one is told, and it is asked again."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QLineEdit, QWidget

from chatdesk.core.settings.passphrase import NEW_PASSPHRASE
from chatdesk.core.texts import shown, tr
from chatdesk.ui.accessibility.assistance import named
from chatdesk.ui.dialogs.form_panel import FormPanel, push_button
from chatdesk.ui.theme.theme import Theme

_WIDTH_PX = 440


class PassphraseDialog(FormPanel):
    """A dialog that asks for a passphrase. ``given`` has what was typed; the dialog stays until ``accept``.
    ``is_changing`` asks for a new one as well, and ``changed`` has both."""

    given = Signal(str)
    changed = Signal(str, str)

    def __init__(self, theme: Theme, *, is_changing: bool = False, parent: QWidget | None = None) -> None:
        title = tr("Change the passphrase") if is_changing else tr("Keys are locked")
        super().__init__(theme, title, object_name="passphraseDialog", width_px=_WIDTH_PX, parent=parent)
        self._is_changing = is_changing
        self.field = _secret("passphraseField", tr("The current passphrase") if is_changing else tr("Passphrase"))
        self.new = _secret("passphraseNew", shown(NEW_PASSPHRASE))
        self.again = _secret("passphraseAgain", tr("The new passphrase again"))
        words = tr(
            "The keys of your providers are in a file that a passphrase encrypts. You enter it once after each start."
        )
        self.add_text(words, "text")
        self.body.addWidget(self.field)
        for field in (self.new, self.again):
            self.body.addWidget(field)
            field.setVisible(is_changing)
        self.add_button(push_button(tr("Cancel") if is_changing else tr("Not now"), "passphraseCancel", self.reject))
        self.yes = self.add_button(
            push_button(
                tr("Change") if is_changing else tr("Open"), "passphraseYes", self._on_yes_clicked, is_default=True
            )
        )
        self.field.setFocus()

    def show_busy(self, is_busy: bool) -> None:
        """Show that the file is being opened, which takes most of a second by design."""
        self.yes.setEnabled(not is_busy)

    def show_problem(self, text: str) -> None:
        self.show_busy(False)
        super().show_problem(text)
        self.field.selectAll()
        self.field.setFocus()

    def _on_yes_clicked(self) -> None:
        if self._is_changing and self.new.text() != self.again.text():
            self.show_problem(tr("The two new passphrases are not the same."))
            return
        self.show_busy(True)
        if self._is_changing:
            self.changed.emit(self.field.text(), self.new.text())
        else:
            self.given.emit(self.field.text())


def _secret(object_name: str, name: str) -> QLineEdit:
    field = named(QLineEdit(), object_name, shown(name))
    field.setPlaceholderText(shown(name))
    field.setEchoMode(QLineEdit.EchoMode.Password)
    return field
