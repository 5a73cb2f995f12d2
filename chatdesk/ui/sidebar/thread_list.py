"""The list of threads as a view: keeps its place while rows come and go, and separates *where the keys are* from
*which thread is open* (the selected row is the open thread; the current row is where the keyboard stands).
"""

from __future__ import annotations

from PySide6.QtCore import (
    QElapsedTimer,
    QEvent,
    QItemSelectionModel,
    QModelIndex,
    QPersistentModelIndex,
    QPoint,
    QRect,
    Qt,
    Signal,
)
from PySide6.QtGui import QFocusEvent, QKeyEvent, QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QAbstractItemView, QApplication, QListView, QStyle, QStyleOptionViewItem, QWidget

from chatdesk.ui.sidebar.thread_delegate import ThreadDelegate
from chatdesk.ui.sidebar.thread_model import ThreadModel
from chatdesk.ui.theme.theme import Theme

_PREFETCH_PAGES = 2  # ask for more when less than this many viewports are left below


class ThreadList(QListView):
    """Emits thread ids. Select with ``show_open``; the view never selects on its own."""

    chosen = Signal(str)
    deletePressed = Signal(str)
    menuAsked = Signal(str, QPoint)

    def __init__(self, model: ThreadModel, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._threads = model
        self._theme = theme
        self._delegate = ThreadDelegate(theme, self)
        self._anchor: tuple[QPersistentModelIndex, int] | None = None
        self._kept: tuple[str | None, str | None, int] | None = None
        self._open_id: str | None = None
        self._typed = ""
        self._typed_at = QElapsedTimer()
        self._has_key_focus = False
        self._empty_text = ""
        self._set_up()
        self.setModel(model)
        model.rowsAboutToBeInserted.connect(self._note_anchor)
        model.rowsAboutToBeRemoved.connect(self._note_anchor)
        model.rowsAboutToBeMoved.connect(self._note_anchor)
        model.aboutToRebuild.connect(self._on_model_about_to_rebuild)
        model.modelReset.connect(self._on_model_reset)
        model.rowsInserted.connect(self._select_open)
        self.clicked.connect(self._choose)
        self.verticalScrollBar().valueChanged.connect(self._on_scrolled)
        theme.changed.connect(self._on_theme_changed)

    def _set_up(self) -> None:
        self.setObjectName("threadList")
        self.setAccessibleName("Threads")
        self.setItemDelegate(self._delegate)
        self.setUniformItemSizes(True)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setFrameShape(QListView.Shape.NoFrame)
        self.setMouseTracking(True)
        self.setTabKeyNavigation(False)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.DefaultContextMenu)
        self.viewport().setAutoFillBackground(False)
        self.verticalScrollBar().setSingleStep(self._delegate.row_height_px)

    # For the sidebar

    @property
    def open_id(self) -> str | None:
        return self._open_id

    def show_open(self, thread_id: str | None) -> None:
        """Mark the open thread; it need not have been fetched yet."""
        if thread_id == self._open_id:
            return
        self._open_id = thread_id
        self.selectionModel().clearSelection()
        self._select_open()
        index = QModelIndex() if thread_id is None else self._threads.index_of(thread_id)
        if index.isValid():
            self.selectionModel().setCurrentIndex(index, QItemSelectionModel.SelectionFlag.NoUpdate)
            self.scrollTo(index)

    def keyboard_id(self) -> str | None:
        """The thread that keys and menus are about: the current row while the list has the focus, else the open one."""
        thread = self._threads.thread_at(self.currentIndex()) if self.hasFocus() else None
        return self._open_id if thread is None else thread.id

    def begin_rename(self, thread_id: str) -> bool:
        index = self._threads.index_of(thread_id)
        if not index.isValid() or not index.flags() & Qt.ItemFlag.ItemIsEditable:
            return False
        self.setCurrentIndex(index)
        self.edit(index)
        return True

    def set_empty_text(self, text: str) -> None:
        """Shown in place of rows."""
        self._empty_text = text
        self.viewport().update()

    @property
    def empty_text(self) -> str:
        return self._empty_text

    @property
    def is_editing(self) -> bool:
        return self.state() == QAbstractItemView.State.EditingState

    # Qt's questions

    def selectionCommand(
        self, _index: QModelIndex | QPersistentModelIndex, _event: QEvent | None = None
    ) -> QItemSelectionModel.SelectionFlag:
        return QItemSelectionModel.SelectionFlag.NoUpdate

    def moveCursor(self, action: QAbstractItemView.CursorAction, modifiers: Qt.KeyboardModifier) -> QModelIndex:
        """Qt goes to row 0, which is a heading, and stays where it is because that cannot be chosen."""
        if action == QAbstractItemView.CursorAction.MoveHome:
            return self._threads.find("", QModelIndex())
        return super().moveCursor(action, modifiers)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        self._ensure_current()
        thread = self._threads.thread_at(self.currentIndex())
        key = event.key()
        if thread is not None and key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.chosen.emit(thread.id)
        elif thread is not None and key == Qt.Key.Key_Delete:
            self.deletePressed.emit(thread.id)
        elif thread is not None and key == Qt.Key.Key_F2:
            self.begin_rename(thread.id)
        elif thread is not None and key == Qt.Key.Key_Space and not self._is_typing():
            self.chosen.emit(thread.id)
        else:
            self._has_key_focus = True
            super().keyPressEvent(event)

    def keyboardSearch(self, search: str) -> None:
        """Type-ahead over titles; Qt's own asks the model for every row through Python."""
        self._typed = self._typed + search if self._is_typing() else search
        self._typed_at.restart()
        index = self._threads.find(self._typed, self.currentIndex())
        if index.isValid():
            self.setCurrentIndex(index)

    def contextMenuEvent(self, event: QEvent) -> None:
        by_keys = event.reason() == event.Reason.Keyboard  # type: ignore[attr-defined]
        index = self.currentIndex() if by_keys else self.indexAt(event.pos())  # type: ignore[attr-defined]
        thread = self._threads.thread_at(index)
        if thread is not None:
            rect = self.visualRect(index)
            self.menuAsked.emit(thread.id, self.viewport().mapToGlobal(rect.center()) if by_keys else event.globalPos())  # type: ignore[attr-defined]

    def focusInEvent(self, event: QFocusEvent) -> None:
        self._has_key_focus = event.reason() != Qt.FocusReason.MouseFocusReason
        self._ensure_current()
        super().focusInEvent(event)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self._has_key_focus = False
        super().mousePressEvent(event)

    def initViewItemOption(self, option: QStyleOptionViewItem) -> None:
        super().initViewItemOption(option)
        if self._has_key_focus:
            option.state |= QStyle.StateFlag.State_KeyboardFocusChange

    def scrollTo(
        self,
        index: QModelIndex | QPersistentModelIndex,
        hint: QAbstractItemView.ScrollHint = QAbstractItemView.ScrollHint.EnsureVisible,
    ) -> None:
        """The first thread of a group comes with its heading."""
        above = self._threads.index(index.row() - 1)
        if above.isValid() and self._threads.thread_at(above) is None:
            super().scrollTo(above, hint)
        super().scrollTo(index, hint)

    def doItemsLayout(self) -> None:
        super().doItemsLayout()
        self._return_to_anchor()

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        if self._empty_text and not self._threads.thread_count:
            space = self._theme.tokens.space
            painter = QPainter(self.viewport())
            painter.setFont(self._theme.font("muted"))
            painter.setPen(self._theme.colour("muted"))
            area = self.viewport().rect().adjusted(space.s, space.m, -space.s, -space.m)
            flags = Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignLeft | Qt.TextFlag.TextWordWrap
            painter.drawText(QRect(area), int(flags), self._empty_text)
            painter.end()

    # Inside

    def _ensure_current(self) -> None:
        """The keys start at the open thread, or at the first one."""
        if self.currentIndex().isValid():
            return
        index = self._threads.index_of(self._open_id) if self._open_id is not None else QModelIndex()
        if not index.isValid():
            index = self._threads.find("", QModelIndex())
        self.selectionModel().setCurrentIndex(index, QItemSelectionModel.SelectionFlag.NoUpdate)

    def _is_typing(self) -> bool:
        return (
            bool(self._typed)
            and self._typed_at.isValid()
            and self._typed_at.elapsed() < QApplication.keyboardInputInterval()
        )

    def _choose(self, index: QModelIndex) -> None:
        thread = self._threads.thread_at(index)
        if thread is not None:
            self.chosen.emit(thread.id)

    def _select_open(self) -> None:
        index = QModelIndex() if self._open_id is None else self._threads.index_of(self._open_id)
        if index.isValid() and not self.selectionModel().isSelected(index):
            self.selectionModel().select(index, QItemSelectionModel.SelectionFlag.ClearAndSelect)

    def _note_anchor(self) -> None:
        """Remember the row at the top before rows change. At the very top nothing is held: new threads shall show."""
        if self._anchor is None and self.verticalScrollBar().value() > 0:
            index = self.indexAt(QPoint(self.viewport().width() // 2, 0))
            if index.isValid():
                self._anchor = (QPersistentModelIndex(index), self.visualRect(index).top())

    def _return_to_anchor(self) -> None:
        anchor, self._anchor = self._anchor, None
        if anchor is None or not anchor[0].isValid():
            return
        bar = self.verticalScrollBar()
        bar.setValue(anchor[0].row() * self._delegate.row_height_px - anchor[1])

    def _on_model_about_to_rebuild(self) -> None:
        current = self._threads.thread_at(self.currentIndex())
        top = self._threads.thread_at(self.indexAt(QPoint(self.viewport().width() // 2, 0)))
        top_id = top.id if top is not None and self.verticalScrollBar().value() > 0 else None
        offset = 0 if top_id is None else self.visualRect(self._threads.index_of(top_id)).top()
        self._kept = (None if current is None else current.id, top_id, offset)

    def _on_model_reset(self) -> None:
        self._anchor = None
        kept, self._kept = self._kept, None
        self._select_open()
        if kept is None:
            return
        current_id, top_id, offset = kept
        if current_id is not None:
            index = self._threads.index_of(current_id)
            self.selectionModel().setCurrentIndex(index, QItemSelectionModel.SelectionFlag.NoUpdate)
        top = QModelIndex() if top_id is None else self._threads.index_of(top_id)
        if top.isValid():
            self._anchor = (QPersistentModelIndex(top), offset)

    def _on_scrolled(self, value: int) -> None:
        bar = self.verticalScrollBar()
        if bar.maximum() - value < _PREFETCH_PAGES * self.viewport().height():
            self._threads.fetchMore()

    def _on_theme_changed(self) -> None:
        self.verticalScrollBar().setSingleStep(self._delegate.row_height_px)
        self.scheduleDelayedItemsLayout()
        self.viewport().update()
