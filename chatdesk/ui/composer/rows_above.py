"""Shows the rows above the text: an unusual effect of sending, the questions that wait for an answer, a remark."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtWidgets import QSizePolicy, QVBoxLayout, QWidget

from chatdesk.core.texts import shown, tr
from chatdesk.ui.accessibility.assistance import announce
from chatdesk.ui.composer.question_bar import QuestionBar
from chatdesk.ui.composer.text_editor import TextEditor
from chatdesk.ui.composer.waiting_questions import WaitingQuestionRow, WaitingQuestions
from chatdesk.ui.theme.theme import Theme
from chatdesk.ui.widgets.buttons import PillButton
from chatdesk.ui.widgets.elided_label import ElidedLabel
from chatdesk.ui.widgets.layouts import bare_row


class RowsAbove(QObject):
    """The rows above the text, each created when it is first shown. ``stateLeft``: the button of the state was
    pressed; ``questionAnswered``: one of those of the question, True for the one that agrees."""

    stateLeft = Signal()
    questionAnswered = Signal(bool)
    waitingMade = Signal(object)

    def __init__(self, composer: QWidget, editor: TextEditor, theme: Theme, *, fit_height: Callable[[], None]) -> None:
        super().__init__(composer)
        self._composer = composer
        self._editor = editor
        self._theme = theme
        self._fit_height = fit_height
        self.state: StateBar | None = None
        self._waiting: WaitingQuestions | None = None
        self._question: QuestionBar | None = None
        self._remark: ElidedLabel | None = None

    @property
    def heights_px(self) -> tuple[int, ...]:
        """The heights of the rows that are shown."""
        rows = (self.state, self._waiting, self._question, self._remark)
        return tuple(each.height() for each in rows if each is not None and not each.isHidden())

    def set_state(self, text: str, *, leave: str = "") -> None:
        """Show a line above the text that says that sending is unusual now, such as editing; ``leave`` labels the
        button that ends it. Empty means that sending works as usual."""
        if self.state is None:
            if not text:
                return

            self.state = StateBar(self._theme, self._composer)
            self.state.left.connect(self.stateLeft)
            self._column().insertWidget(0, self.state)
            QWidget.setTabOrder(self.state.button, self._editor)
        is_new = bool(text) and text != self.state.text
        self.state.show_state(text, leave=leave)
        self.state.setVisible(bool(text))
        self._fit_height()
        if is_new:
            announce(self._composer, text)

    def set_waiting(self, rows: Sequence[WaitingQuestionRow], words: str, *, is_heard: bool = True) -> None:
        """Show the questions that wait for the end of the answer, above everything, and when they are sent.
        ``is_heard``: another one is announced, and not by another chat with the same thread."""
        if self._waiting is None:
            if not rows:
                return

            editor = self._editor
            self._waiting = WaitingQuestions(self._theme, self._composer)
            self._waiting.left.connect(lambda: editor.setFocus(Qt.FocusReason.OtherFocusReason))
            self._column().insertWidget(0, self._waiting)
            QWidget.setTabOrder(self._waiting, editor)
            self.waitingMade.emit(self._waiting)
        before = len(self._waiting.texts)
        if self._waiting.show_rows(rows, words):
            self._waiting.setVisible(bool(rows))
            self._fit_height()
            if len(rows) > before and is_heard:
                announce(self._composer, f"{words} {rows[-1].text}")

    def set_question(self, text: str, *, yes: str = "", no: str = "") -> None:
        """Ask something in a line above the text, with a button for each answer; empty ends the question."""
        if self._question is None:
            if not text:
                return

            self._question = QuestionBar(self._theme, self._composer)
            self._question.answered.connect(self.questionAnswered)
            self._column().insertWidget(0, self._question)
            QWidget.setTabOrder(self._question.yes, self._question.no)
            QWidget.setTabOrder(self._question.no, self._editor)
        if not text and self._question.isAncestorOf(self._composer.window().focusWidget()):
            self._editor.setFocus(Qt.FocusReason.OtherFocusReason)
        is_new = bool(text) and (self._question.isHidden() or text != self._question.text)
        if text:
            self._question.ask(text, yes=yes, no=no)
        self._question.setVisible(bool(text))
        self._fit_height()
        if is_new:
            announce(self._composer, text)

    def set_remark(self, text: str) -> None:
        """Show a line directly above the text about what is written there; empty for none."""
        if self._remark is None:
            if not text:
                return

            self._remark = ElidedLabel(self._theme, role="muted", parent=self._composer)
            self._remark.setObjectName("composerRemark")
            self._column().insertWidget(self._column().indexOf(self._editor), self._remark)
        is_new = bool(text) and shown(text) != self._remark.text()
        self._remark.setText(shown(text))
        self._remark.setVisible(bool(text))
        self._fit_height()
        if is_new:
            announce(self._composer, text)

    def _column(self) -> QVBoxLayout:
        column = self._composer.layout()
        assert isinstance(column, QVBoxLayout)
        return column


class StateBar(QWidget):
    """A line with a button to leave a state. ``left``: the button was pressed."""

    left = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("composerState")
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self._label = ElidedLabel(theme, role="muted")
        self._label.setObjectName("composerStateText")
        self.button = PillButton(theme, "", object_name="composerStateLeave")
        self.button.clicked.connect(self.left)
        row = bare_row(self, spacing_px=12)
        row.addWidget(self._label, 1)
        row.addWidget(self.button)

    @property
    def text(self) -> str:
        return self._label.text()

    def show_state(self, text: str, *, leave: str) -> None:
        text, leave = shown(text), shown(leave)
        self._label.setText(text)
        self.setAccessibleName(text)
        self.button.setText(leave)
        self.button.set_name(leave, tooltip=tr("{leave}: {state}", leave=leave, state=text))
        self.setFixedHeight(self.button.sizeHint().height())
