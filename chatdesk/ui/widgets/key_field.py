"""Takes the key of a provider: hidden, with an eye that shows the pasted text. It stores and sends nothing."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtGui import QKeyEvent, QResizeEvent
from PySide6.QtWidgets import QLineEdit

from chatdesk.core.domain.key_origin import bare_key
from chatdesk.core.texts import tr
from chatdesk.ui.theme.theme import Theme
from chatdesk.ui.widgets.buttons import IconButton
from chatdesk.ui.widgets.elided_label import set_plain_tooltip

_LEAST_PX: Final = 120
# Fewer letters at once are typed, not pasted.
_LEAST_PASTED: Final = 12


class KeyField(QLineEdit):
    """A field for a key. ``submitted`` carries the key when Enter is pressed, ``pasted`` when one was pasted into the
    empty field. Neither is emitted for an empty key. Esc empties the field."""

    submitted = Signal(str)
    pasted = Signal(str)

    def __init__(self, theme: Theme, *, name: str, object_name: str) -> None:
        super().__init__()
        self._theme = theme
        self._before = ""
        self.setObjectName(object_name)
        self.setAccessibleName(name)
        self.setEchoMode(QLineEdit.EchoMode.Password)
        self.setInputMethodHints(
            Qt.InputMethodHint.ImhSensitiveData
            | Qt.InputMethodHint.ImhNoPredictiveText
            | Qt.InputMethodHint.ImhNoAutoUppercase
        )
        self.setLayoutDirection(Qt.LayoutDirection.LeftToRight)  # keys are Latin letters
        self.eye = IconButton(theme, "eye", name=tr("Show the key"), object_name=f"{object_name}Eye", parent=self)
        self.eye.hide()
        self.eye.clicked.connect(self._on_eye_clicked)
        self.textChanged.connect(self._on_text_changed)
        self.textEdited.connect(self._on_text_edited)
        theme.changed.connect(self._fit)
        self.set_hint(tr("Paste your API key"))
        self._fit()

    def key(self) -> str:
        """Return the typed key, without a variable, a header or quotation marks that were copied with it; empty when
        there is none."""
        return bare_key(self.text())

    def set_hint(self, text: str) -> None:
        """Set the placeholder that is shown without a key."""
        self.setPlaceholderText(text)
        self.setAccessibleDescription(text)
        set_plain_tooltip(self, text)  # a narrow window cuts it

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self.key():
            event.accept()
            self.submitted.emit(self.key())
            return
        if event.key() == Qt.Key.Key_Escape and self.text():
            event.accept()
            self.clear()
            return
        super().keyPressEvent(event)

    def event(self, event: QEvent) -> bool:
        # Only a field with text takes Esc from the window.
        is_override = event.type() is QEvent.Type.ShortcutOverride
        if is_override and isinstance(event, QKeyEvent) and event.key() == Qt.Key.Key_Escape and self.text():
            event.accept()
            return True
        return super().event(event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._place_eye()

    def _on_text_edited(self, text: str) -> None:
        if not self._before and len(text) >= _LEAST_PASTED and self.key():
            self.pasted.emit(self.key())

    def _on_text_changed(self, text: str) -> None:
        # set for programmatic changes, too, so that shortening such a text is not taken for a paste
        self._before = text
        self.eye.setVisible(bool(text))
        self._fit()
        if not text:
            self._show_letters(False)

    def _on_eye_clicked(self) -> None:
        self._show_letters(self.echoMode() is QLineEdit.EchoMode.Password)

    def _show_letters(self, is_shown: bool) -> None:
        self.setEchoMode(QLineEdit.EchoMode.Normal if is_shown else QLineEdit.EchoMode.Password)
        self.eye.set_icon_name("eye-off" if is_shown else "eye")
        self.eye.set_name(tr("Hide the key") if is_shown else tr("Show the key"))

    def _fit(self) -> None:
        self.setTextMargins(0, 0, self.eye.sizeHint().width() if self.text() else 0, 0)
        self.setMinimumWidth(round(_LEAST_PX * max(1.0, self._theme.scale)))
        self._place_eye()

    def _place_eye(self) -> None:
        size = self.eye.sizeHint()
        self.eye.setGeometry(
            self.width() - size.width() - 3, (self.height() - size.height()) // 2, size.width(), size.height()
        )
