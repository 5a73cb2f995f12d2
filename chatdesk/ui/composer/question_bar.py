"""Shows a question in one line above the composer's text, with two buttons that answer it."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QSizePolicy, QWidget

from chatdesk.core.texts import shown, tr
from chatdesk.ui.qt.unread_guard import UnreadGuard
from chatdesk.ui.theme.theme import Theme
from chatdesk.ui.widgets.buttons import PillButton
from chatdesk.ui.widgets.elided_label import ElidedLabel
from chatdesk.ui.widgets.layouts import bare_row


class QuestionBar(QWidget):
    """A line with a question. ``answered`` is True when the button that agrees was pressed. A mouse cannot press that
    one for a moment after another question appeared."""

    answered = Signal(bool)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("composerQuestion")
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self._label = ElidedLabel(theme, role="muted")
        self._label.setObjectName("composerQuestionText")
        self.yes = PillButton(theme, "", object_name="composerQuestionYes")
        self.no = PillButton(theme, "", object_name="composerQuestionNo")
        self.yes.clicked.connect(lambda: self.answered.emit(True))
        self.no.clicked.connect(lambda: self.answered.emit(False))
        self._guard = UnreadGuard([self.yes], self, [self.no])
        row = bare_row(self, spacing_px=12)
        row.addWidget(self._label, 1)
        row.addWidget(self.yes)
        row.addWidget(self.no)

    @property
    def text(self) -> str:
        return self._label.text()

    def ask(self, text: str, *, yes: str, no: str) -> None:
        """Show a question, and the words of its buttons."""
        text = shown(text)
        if text != self.text or self.isHidden():
            self._guard.restart()
        self._label.setText(text)
        self.setAccessibleName(text)
        for button, words in ((self.yes, shown(yes)), (self.no, shown(no))):
            button.setText(words)
            button.set_name(words, tooltip=tr("{answer}: {question}", answer=words, question=text))
        self.setFixedHeight(max(self.yes.sizeHint().height(), self.no.sizeHint().height()))
