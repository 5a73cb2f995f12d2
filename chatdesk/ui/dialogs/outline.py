"""The questions of a thread as a list: typing narrows it, Enter goes to one."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from PySide6.QtCore import (
    QAbstractListModel,
    QEvent,
    QItemSelectionModel,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    Qt,
    Signal,
)
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QAbstractItemView, QFrame, QHBoxLayout, QListView, QPushButton, QVBoxLayout, QWidget

from chatdesk.core.domain.outline import Question
from chatdesk.ui.dialogs.panel import Panel, plain_label
from chatdesk.ui.theme.theme import Theme
from chatdesk.ui.widgets.search_field import SearchField

_SIZE_PX: Final = (560, 520)
_TOP_PX: Final = 72
_SHOWN_CHARACTERS: Final = 200
_FROM_THE_FIELD: Final = (Qt.Key.Key_Up, Qt.Key.Key_Down, Qt.Key.Key_PageUp, Qt.Key.Key_PageDown)

Index = QModelIndex | QPersistentModelIndex


class QuestionList(QAbstractListModel):
    """All questions that have come, and which of them hold the words typed."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._all: list[Question] = []
        self._texts: list[str] = []
        self._shown: list[int] = []
        self._words: list[str] = []

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's own default
        return 0 if parent.isValid() else len(self._shown)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not 0 <= index.row() < len(self._shown):
            return None
        question = self.question(index.row())
        words = question.preview[:_SHOWN_CHARACTERS] or "Without text"
        if role == Qt.ItemDataRole.DisplayRole:
            return f"{words}\n{_moment(question.asked_ms)}"
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return f"{words}, {_moment(question.asked_ms)}"
        return None

    def question(self, row: int) -> Question:
        return self._all[self._shown[row]]

    @property
    def total(self) -> int:
        return len(self._all)

    def add(self, questions: Sequence[Question]) -> None:
        """More of them, in the order of the thread."""
        first = len(self._all)
        self._all += questions
        self._texts += [question.preview.casefold() for question in questions]
        more = self._holding(range(first, len(self._all)))
        if more:
            self.beginInsertRows(QModelIndex(), len(self._shown), len(self._shown) + len(more) - 1)
            self._shown += more
            self.endInsertRows()

    def narrow(self, text: str) -> None:
        """Only those that hold every word of ``text``."""
        self._words = text.casefold().split()
        self.beginResetModel()
        self._shown = self._holding(range(len(self._all)))
        self.endResetModel()

    def row_read(self, position: int) -> int:
        """The row of the last question at ``position`` of the thread or above it; the first where there is none."""
        return max(0, bisect_right(self._shown, position, key=lambda at: self._all[at].position) - 1)

    def _holding(self, places: Sequence[int]) -> list[int]:
        """Those that hold every word: a pass a word, since there may be tens of thousands."""
        texts = self._texts
        for word in self._words:
            places = [at for at in places if word in texts[at]]
        return list(places)


class OutlineDialog(Panel):
    """``questionChosen`` carries a message's id. ``position`` is where the reader is: its question is current until a
    person moves on."""

    questionChosen = Signal(str)

    def __init__(self, theme: Theme, *, position: int = 0, parent: QWidget | None = None) -> None:
        super().__init__(theme, "Questions of this thread", parent=parent, top_px=_TOP_PX)
        self.setObjectName("outlineDialog")
        self._position = position
        self._has_moved = False
        self.field = SearchField(theme, object_name="outlineField", placeholder="Filter the questions")
        self.field.textChanged.connect(self._on_text_changed)
        self.field.installEventFilter(self)
        self.questions = QuestionList(self)
        self.list = QListView()
        self.list.setObjectName("outlineList")
        self.list.setAccessibleName("Questions")
        self.list.setModel(self.questions)
        self.list.setFrameShape(QFrame.Shape.NoFrame)
        self.list.setUniformItemSizes(True)
        self.list.setLayoutMode(QListView.LayoutMode.Batched)
        self.list.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.list.setTextElideMode(Qt.TextElideMode.ElideRight)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.activated.connect(self._choose)
        self.list.pressed.connect(self._note_moved)
        self.count = plain_label("Reading the thread…", "muted")
        self.go_button = QPushButton("Go to the question")
        self.go_button.setObjectName("goToQuestionButton")
        self.go_button.clicked.connect(lambda: self._choose(self.list.currentIndex()))
        close = QPushButton("Close")
        close.clicked.connect(self.reject)
        for button in (self.go_button, close):
            button.setAutoDefault(False)
        tokens = theme.tokens
        self.list.setStyleSheet(
            "#outlineList { background: transparent; border: none; outline: none; }"
            f"#outlineList::item {{ padding: {tokens.space.s - 2}px; border-radius: {tokens.radius.row}px;"
            " border: 2px solid transparent; }"
            f"#outlineList::item:selected {{ background: {tokens.selected}; color: {tokens.text};"
            f" border: 2px solid {tokens.accent}; }}"
        )
        buttons = QHBoxLayout()
        buttons.addWidget(self.count, 1)
        buttons.addWidget(self.go_button)
        buttons.addWidget(close)
        column = QVBoxLayout(self)
        column.setContentsMargins(24, 20, 24, 18)
        column.setSpacing(12)
        column.addWidget(plain_label("Questions of this thread", "strong"))
        column.addWidget(self.field)
        column.addWidget(self.list, 1)
        column.addLayout(buttons)
        self.fit(*_SIZE_PX)
        self.field.setFocus()
        self.go_button.setEnabled(False)

    def add(self, questions: Sequence[Question], *, is_last: bool) -> None:
        """The next of them; ``is_last``: there are no more."""
        self.questions.add(questions)
        self._show_state(is_complete=is_last)
        if not self._has_moved:
            self._make_current(self.questions.row_read(self._position))

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Up and Down move in the list, and Enter goes, while one types."""
        if watched is self.field and isinstance(event, QKeyEvent) and event.type() is QEvent.Type.KeyPress:
            if event.key() in _FROM_THE_FIELD:
                self._note_moved()
                self.list.keyPressEvent(event)
                return True
            if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
                self._choose(self.list.currentIndex())
                return True
        return super().eventFilter(watched, event)

    def _note_moved(self) -> None:
        self._has_moved = True

    def _on_text_changed(self, text: str) -> None:
        self.questions.narrow(text)
        self._has_moved = bool(text.strip())
        self._make_current(0 if self._has_moved else self.questions.row_read(self._position))
        self._show_state(is_complete=self._is_complete)

    def _make_current(self, row: int) -> None:
        index = self.questions.index(row, 0)
        if index.isValid():
            self.list.selectionModel().setCurrentIndex(index, QItemSelectionModel.SelectionFlag.ClearAndSelect)
            self.list.scrollTo(index, QAbstractItemView.ScrollHint.PositionAtCenter)

    def _show_state(self, *, is_complete: bool) -> None:
        self._is_complete = is_complete
        shown, total = self.questions.rowCount(), self.questions.total
        if not total:
            words = "No question has been asked yet." if is_complete else "Reading the thread…"
        elif shown == total:
            words = f"{total:,} {'question' if total == 1 else 'questions'}{'' if is_complete else '…'}"
        else:
            words = f"{shown:,} of {total:,}{'' if is_complete else '…'}"
        self.count.setText(words)
        self.list.setAccessibleDescription(words)
        self.go_button.setEnabled(shown > 0)

    def _choose(self, index: Index) -> None:
        if index.isValid():
            message_id = self.questions.question(index.row()).message_id
            self.accept()
            self.questionChosen.emit(message_id)

    _is_complete = False


def _moment(at_ms: int) -> str:
    at = datetime.fromtimestamp(at_ms / 1000).astimezone()
    return f"{at.day} {at:%b %Y, %H:%M}"
