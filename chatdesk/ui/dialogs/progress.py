"""A dialog that shows the progress of long work, with a button that stops it."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QProgressBar, QWidget

from chatdesk.core.texts import shown, tr
from chatdesk.ui.accessibility.announce import announce
from chatdesk.ui.accessibility.names import named
from chatdesk.ui.dialogs.form_panel import FormPanel, push_button
from chatdesk.ui.dialogs.panel import plain_label
from chatdesk.ui.theme.theme import Theme

_WIDTH_PX = 440
_STEPS = 1000


class ProgressDialog(FormPanel):
    """A dialog that shows the progress of long work. ``stopped`` comes once when the person gives it up, by button or
    Esc; ``end`` closes it without."""

    stopped = Signal()

    def __init__(self, theme: Theme, title: str, text: str, *, parent: QWidget | None = None) -> None:
        super().__init__(theme, title, object_name="progressDialog", width_px=_WIDTH_PX, parent=parent)
        self._is_over = False
        self._text = plain_label(text, "text", wraps=True, name="progressText")
        self.bar = named(QProgressBar(), "progressBar", shown(title))
        self.bar.setRange(0, 0)
        self.bar.setTextVisible(False)
        self.body.addWidget(self._text)
        self.body.addWidget(self.bar)
        self.add_button(push_button(tr("Cancel"), "progressStop", self.reject))
        announce(self, text)

    def show_text(self, text: str) -> None:
        self._text.setText(shown(text))
        self.fit_height(_WIDTH_PX)

    def show_share(self, done: int, of: int) -> None:
        """Show progress; ``of`` 0 means that the total is not known."""
        self.bar.setRange(0, _STEPS if of else 0)
        if of:
            self.bar.setValue(min(_STEPS, done * _STEPS // of))

    def end(self) -> None:
        """Close the dialog because the work has ended, with or without success."""
        if not self._is_over:
            self._is_over = True
            self.accept()

    def reject(self) -> None:
        if self._is_over:
            super().reject()
        else:
            self._is_over = True
            super().reject()
            self.stopped.emit()
