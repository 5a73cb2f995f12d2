"""Lists the questions of the open thread: typing narrows the list, a click or Enter goes to a question."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from functools import partial
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
from PySide6.QtWidgets import (
    QAbstractItemView,
    QFrame,
    QLabel,
    QListView,
    QVBoxLayout,
    QWidget,
)

from chatdesk.core.domain.thread import Question
from chatdesk.core.moments import moment_text
from chatdesk.core.texts import plural, shown, tr
from chatdesk.ui.accessibility.pressed_rows import offer_press
from chatdesk.ui.local_forms import day_and_time_text
from chatdesk.ui.theme.theme import Theme
from chatdesk.ui.widgets.search_field import SearchField
from chatdesk.ui.widgets.stray_keys import begins_writing
from chatdesk.ui.widgets.uniform_row_delegate import UniformRowDelegate

_SHOWN_CHARACTERS: Final = 200
_ROW_PX: Final = 50  # two lines: the question and when it was asked
_FROM_THE_FIELD: Final = (Qt.Key.Key_Up, Qt.Key.Key_Down, Qt.Key.Key_PageUp, Qt.Key.Key_PageDown)

Index = QModelIndex | QPersistentModelIndex


class QuestionsTab(QWidget):
    """The inspector tab that lists questions. ``questionChosen`` carries a message's id, ``filterChanged`` the
    text of the field. A controller fills the list: it calls ``reset``, then ``add`` for each page."""

    questionChosen = Signal(str)
    filterChanged = Signal(str)

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._position = 0
        self._has_moved = False
        self.field = SearchField(theme, object_name="questionsField", placeholder=tr("Filter the questions"))
        self.field.textChanged.connect(self.filterChanged)
        self.field.installEventFilter(self)
        self.questions = _QuestionModel(self)
        self.list = _QuestionList()
        self.list.setItemDelegate(UniformRowDelegate(theme, _ROW_PX, self.list))
        self.list.setModel(self.questions)
        self.list.activated.connect(self._choose)
        self.list.clicked.connect(self._choose)
        self.list.pressed.connect(self._on_moved)
        self.count = QLabel()
        self.count.setTextFormat(Qt.TextFormat.PlainText)
        self.count.setProperty("textRole", "muted")
        self.count.setContentsMargins(4, 0, 0, 0)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 4, 0, 0)
        column.addWidget(self.field)
        column.addWidget(self.list, 1)
        column.addWidget(self.count)
        self.setFocusProxy(self.field)
        theme.changed.connect(self._on_theme_changed)
        self._on_theme_changed()

    @property
    def last(self) -> Question | None:
        """The last listed question."""
        return self.questions.last

    def reset(self, *, position: int) -> None:
        """Clear the list to be filled again. The question at ``position``, where the reader is, is current until a
        person moves on."""
        self._position, self._has_moved = position, False
        self.questions.clear()
        self._show_count(is_complete=False)

    def add(self, questions: Sequence[Question], *, is_last: bool) -> None:
        """Add the next questions; ``is_last``: they are the last ones."""
        self.questions.add(questions)
        self._show_count(is_complete=is_last)
        if not self._has_moved and questions:
            self._make_current(0 if self.field.text().strip() else self.questions.row_read(self._position))

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Move in the list with Up and Down and go to a question with Enter, while the field has the focus."""
        if watched is self.field and isinstance(event, QKeyEvent) and event.type() is QEvent.Type.KeyPress:
            if event.key() in _FROM_THE_FIELD:
                self._on_moved()
                self.list.keyPressEvent(event)
                return True
            if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
                self._choose(self.list.currentIndex())
                return True
        return super().eventFilter(watched, event)

    def _on_moved(self) -> None:
        self._has_moved = True

    def _make_current(self, row: int) -> None:
        index = self.questions.index(row, 0)
        if index.isValid():
            self.list.selectionModel().setCurrentIndex(index, QItemSelectionModel.SelectionFlag.ClearAndSelect)
            self.list.scrollTo(index, QAbstractItemView.ScrollHint.PositionAtCenter)

    def _show_count(self, *, is_complete: bool) -> None:
        count, is_narrowed = self.questions.rowCount(), bool(self.field.text().strip())
        if count:
            words = shown(plural("{count} questions", "{count} question", count))
            words = words if is_complete else f"{words}…"
        elif not is_complete:
            words = tr("Reading the thread…")
        else:
            words = tr("No question contains these words.") if is_narrowed else tr("No question has been asked yet.")
        self.count.setText(words)
        self.list.setAccessibleDescription(words)

    def _choose(self, index: Index) -> None:
        if index.isValid():
            self._on_moved()
            self.questionChosen.emit(self.questions.question(index.row()).message_id)

    def _on_theme_changed(self) -> None:
        tokens = self._theme.tokens
        self.list.setStyleSheet(
            "#questionsList { background: transparent; border: none; outline: none; }"
            f"#questionsList::item {{ padding: {tokens.space.s - 2}px; border-radius: {tokens.radius.row}px;"
            " border: 2px solid transparent; }"
            f"#questionsList::item:selected {{ background: {tokens.selected}; color: {tokens.text}; }}"
            f"#questionsList::item:focus {{ border: 2px solid {tokens.accent}; }}"
        )


class _QuestionList(QListView):
    def __init__(self) -> None:
        super().__init__()
        offer_press(_QuestionList)
        self.setObjectName("questionsList")
        self.setAccessibleName(tr("Questions"))
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setUniformItemSizes(True)
        self.setLayoutMode(QListView.LayoutMode.Batched)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setTextElideMode(Qt.TextElideMode.ElideRight)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Pass letters on to the composer, as every list of the inspector does."""
        if begins_writing(event):
            event.ignore()
        else:
            super().keyPressEvent(event)


class _QuestionModel(QAbstractListModel):
    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._all: list[Question] = []

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's own default
        return 0 if parent.isValid() else len(self._all)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not 0 <= index.row() < len(self._all):
            return None
        question = self.question(index.row())
        words = question.preview[:_SHOWN_CHARACTERS] or tr("Without text")
        if role == Qt.ItemDataRole.DisplayRole:
            return f"{words}\n{_moment(question.asked_ms)}"
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return f"{words}, {_moment(question.asked_ms)}"
        return question.preview if role == Qt.ItemDataRole.ToolTipRole else None

    def question(self, row: int) -> Question:
        return self._all[row]

    @property
    def last(self) -> Question | None:
        return self._all[-1] if self._all else None

    def clear(self) -> None:
        self.beginResetModel()
        self._all = []
        self.endResetModel()

    def add(self, questions: Sequence[Question]) -> None:
        """Add rows, in the order of the thread."""
        if questions:
            self.beginInsertRows(QModelIndex(), len(self._all), len(self._all) + len(questions) - 1)
            self._all += questions
            self.endInsertRows()

    def row_read(self, position: int) -> int:
        """Return the row of the last question at ``position`` of the thread or above it; the first where there is
        none."""
        return max(0, bisect_right(self._all, position, key=lambda each: each.position) - 1)


def _moment(at_ms: int) -> str:
    return shown(moment_text(at_ms, partial(day_and_time_text, is_short=True)))
