"""Shows the list of threads, with the *open* thread, the row of the *keys* (the current row), and the *marked* threads
(``thread_marks``). ``list_place`` keeps its place."""

from __future__ import annotations

from typing import Any

from PySide6 import QtWidgets  # as in row_view
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
from PySide6.QtGui import (
    QDragEnterEvent,
    QDragLeaveEvent,
    QDragMoveEvent,
    QDropEvent,
    QFocusEvent,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QResizeEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QAbstractItemView, QApplication, QStyleOptionViewItem, QWidget

from chatdesk.core.texts import tr
from chatdesk.ui.accessibility.interfaces import ViewInterface, give_interfaces
from chatdesk.ui.sidebar.folder_model import FolderModel
from chatdesk.ui.sidebar.folder_rows import FolderRows
from chatdesk.ui.sidebar.list_place import ListPlace
from chatdesk.ui.sidebar.row_view import RowsAccessible, RowView
from chatdesk.ui.sidebar.thread_delegate import ThreadDelegate
from chatdesk.ui.sidebar.thread_marks import ThreadMarks
from chatdesk.ui.theme.theme import Theme
from chatdesk.ui.widgets.focus_ring import frame_when_empty

_Flags = QItemSelectionModel.SelectionFlag
_CTRL, _SHIFT = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier


class ThreadList(RowView):
    """Emits thread ids. The view never opens on its own. Ctrl and Shift with a click or an arrow, and Ctrl+A, mark."""

    chosen = Signal(str)
    deletePressed = Signal(object)  # the ids, as a tuple
    menuAsked = Signal(str, QPoint)
    markedChanged = Signal()
    openChanged = Signal()
    written = Signal(str)  # letters that no title begins with
    allAsked = Signal()  # every thread of the list, also those that are not fetched
    dragStarted = Signal()
    droppedOn = Signal(str)  # the project whose folder dragged threads were dropped on

    def __init__(self, model: FolderModel, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._threads = model
        give_interfaces(ThreadList, _interface_of)
        self._theme = theme
        self._delegate = ThreadDelegate(theme, self)
        self.marks = ThreadMarks(self, model, changed=self.markedChanged.emit, all_asked=self.allAsked.emit)
        self.place = ListPlace(self, model)
        self._folders = FolderRows(self, model, theme)
        self._pressed: QPoint | None = None
        self._is_press_done = False
        self._typed = ""
        self._typed_at = QElapsedTimer()
        self._has_key_focus = False
        self.empty_text = ""
        self.setObjectName("threadList")
        self.setAccessibleName(tr("Threads"))
        self.setItemDelegate(self._delegate)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.DefaultContextMenu)
        self.viewport().setAcceptDrops(True)
        self.setUniformItemSizes(True)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFrameShape(RowView.Shape.NoFrame)
        self.setMouseTracking(True)
        self.setTabKeyNavigation(False)
        self.setModel(model)
        frame_when_empty(theme, self)
        model.rowsAboutToBeInserted.connect(self._on_model_rows_about_to_change)
        model.rowsAboutToBeRemoved.connect(self._on_model_rows_about_to_change)
        model.rowsAboutToBeMoved.connect(self._on_model_rows_about_to_change)
        model.aboutToRebuild.connect(self._on_model_about_to_rebuild)
        model.modelReset.connect(self._on_model_reset)
        model.rowsInserted.connect(self._on_model_rows_inserted)
        model.pageArrived.connect(self._on_model_page_arrived)
        model.foldersToggled.connect(self._on_model_folders_toggled)
        self.clicked.connect(self._on_clicked)
        self.verticalScrollBar().valueChanged.connect(self._on_scrolled)
        theme.changed.connect(self._on_theme_changed)

    @property
    def row_height_px(self) -> int:
        return self._delegate.row_height_px

    # For the sidebar

    def show_open(self, thread_id: str | None) -> None:
        """Mark the open thread; it need not have been fetched yet."""
        if thread_id == self.marks.open_id:
            return
        self.marks.open_id = thread_id
        self.openChanged.emit()
        if self.marks:
            return
        self.marks.show()
        index = QModelIndex() if thread_id is None else self._threads.index_of(thread_id)
        if index.isValid():
            self.selectionModel().setCurrentIndex(index, _Flags.NoUpdate)
            self.scrollTo(index)

    @property
    def has_keys(self) -> bool:
        """Return whether the list has the focus in its window, also while a menu or a dialog is over it."""
        return self.window().focusWidget() is self

    def keyboard_id(self) -> str | None:
        """Return the thread that keys and menus act on: the current row with the focus, else the open one."""
        thread = self._threads.thread_at(self.currentIndex()) if self.has_keys else None
        return self.marks.open_id if thread is None else thread.id

    def start_rename(self, thread_id: str) -> bool:
        index = self._threads.index_of(thread_id)
        if not index.isValid() or not index.flags() & Qt.ItemFlag.ItemIsEditable:
            return False
        self.setCurrentIndex(index)
        self.scrollTo(index)
        self.edit(index)
        return True

    def set_empty_text(self, text: str) -> None:
        """Shown in place of rows."""
        self.empty_text = text
        self.viewport().update()

    @property
    def is_editing(self) -> bool:
        return self.state() == QAbstractItemView.State.EditingState

    # Qt's questions

    def selectionCommand(
        self, _index: QModelIndex | QPersistentModelIndex, _event: QEvent | None = None
    ) -> QItemSelectionModel.SelectionFlag:
        return _Flags.NoUpdate

    def event(self, event: QEvent) -> bool:
        # Esc ends marking and must not stop an answer then.
        if event.type() == QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent):
            is_ours = event.key() == Qt.Key.Key_Escape and self.marks
            if is_ours or (event.key() == Qt.Key.Key_A and event.modifiers() == _CTRL):
                event.accept()
                return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        self.place.stop_seeking()
        self._ensure_current()
        thread = self._threads.thread_at(self.currentIndex())
        key = event.key()
        if self.marks.use_key(event) or self._folders.use_key(event, is_typing=self._is_typing()):
            self._has_key_focus = True
        elif thread is not None and key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.chosen.emit(thread.id)
        elif key == Qt.Key.Key_Delete and (thread is not None or self.marks):
            self.deletePressed.emit(self.marks.ids or (() if thread is None else (thread.id,)))
        elif thread is not None and key == Qt.Key.Key_F10 and event.modifiers() & _SHIFT:
            self._open_menu_of(self.currentIndex())
        elif thread is not None and key == Qt.Key.Key_F2:
            self.start_rename(thread.id)
        elif thread is not None and key == Qt.Key.Key_Space and not self._is_typing():
            self.chosen.emit(thread.id)
        else:
            self._has_key_focus = True
            super().keyPressEvent(event)

    def keyboardSearch(self, search: str) -> None:
        """Type-ahead over titles; Qt's own asks the model for every row through Python. Text without a matching title
        was not meant for the list and is signalled as ``written``, from its first letter on."""
        self._typed = self._typed + search if self._is_typing() else search
        self._typed_at.restart()
        index = self._threads.find(self._typed, self.currentIndex())
        if index.isValid():
            self.setCurrentIndex(index)
        else:
            typed, self._typed = self._typed, ""
            self.written.emit(typed)

    def contextMenuEvent(self, event: QEvent) -> None:
        by_keys = event.reason() == event.Reason.Keyboard  # type: ignore[attr-defined]
        index = self.currentIndex() if by_keys else self.indexAt(event.pos())  # type: ignore[attr-defined]
        thread = self._threads.thread_at(index)
        if thread is not None:
            rect = self.visualRect(index)
            self.menuAsked.emit(thread.id, self.viewport().mapToGlobal(rect.center()) if by_keys else event.globalPos())  # type: ignore[attr-defined]

    def focusInEvent(self, event: QFocusEvent) -> None:
        self._has_key_focus = event.reason() != Qt.FocusReason.MouseFocusReason
        if self._has_key_focus:
            self._ensure_current()  # which scrolls there; under a click the row that is meant would move away
        super().focusInEvent(event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.place.read_on()

    def wheelEvent(self, event: QWheelEvent) -> None:
        self.place.stop_seeking()
        super().wheelEvent(event)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self._has_key_focus = False
        self.place.stop_seeking()
        self._is_press_done = False
        thread = self._threads.thread_at(self.indexAt(event.position().toPoint()))
        if thread is not None and event.button() is Qt.MouseButton.LeftButton and self._is_on_menu(event):
            self._is_press_done = True
            self._open_menu_of(self.indexAt(event.position().toPoint()))
            return
        before = self.currentIndex()
        super().mousePressEvent(event)
        if thread is None or event.button() is not Qt.MouseButton.LeftButton:
            return
        self._pressed = event.position().toPoint()
        if event.modifiers() & _SHIFT:
            self.marks.extend_to(thread.id, from_row=before.row())
            self._is_press_done = True
        elif event.modifiers() & _CTRL:
            self.marks.toggle(thread.id)
            self._is_press_done = True

    def _is_on_menu(self, event: QMouseEvent) -> bool:
        point = event.position().toPoint()
        rect = self.visualRect(self.indexAt(point))
        return not event.modifiers() and self._delegate.menu_area(rect, self.layoutDirection()).contains(point)

    def _open_menu_of(self, index: QModelIndex) -> None:
        """Below the button of the row."""
        thread = self._threads.thread_at(index)
        if thread is not None:
            area = self._delegate.menu_area(self.visualRect(index), self.layoutDirection())
            self.menuAsked.emit(thread.id, self.viewport().mapToGlobal(area.bottomLeft()))

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._pressed is None or not event.buttons() & Qt.MouseButton.LeftButton:
            super().mouseMoveEvent(event)
            return
        distance = (event.position().toPoint() - self._pressed).manhattanLength()
        if distance >= QApplication.startDragDistance():
            thread = self._threads.thread_at(self.indexAt(self._pressed))
            self._pressed = None
            if thread is not None and thread.id not in self.marks:
                self.marks.set([thread.id])
            self._is_press_done = True
            self.dragStarted.emit()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        self._pressed = None
        super().mouseReleaseEvent(event)

    # Dropping threads on a folder

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if self._folders.accepts(event):
            event.acceptProposedAction()
        else:
            event.ignore()

    def dragMoveEvent(self, event: QDragMoveEvent) -> None:
        if self._folders.drag_to(event.position().toPoint()) is None:
            event.ignore()
        else:
            event.acceptProposedAction()

    def dragLeaveEvent(self, _event: QDragLeaveEvent) -> None:
        self._folders.drag_to(None)

    def dropEvent(self, event: QDropEvent) -> None:
        folder = self._folders.drop_at(event.position().toPoint())
        if folder is None:
            event.ignore()
        else:
            event.acceptProposedAction()
            self.droppedOn.emit(folder.project_id)

    def initViewItemOption(self, option: QStyleOptionViewItem) -> None:
        super().initViewItemOption(option)
        if self._has_key_focus:
            option.state |= QtWidgets.QStyle.StateFlag.State_KeyboardFocusChange

    def scrollTo(
        self,
        index: QModelIndex | QPersistentModelIndex,
        hint: QAbstractItemView.ScrollHint = QAbstractItemView.ScrollHint.EnsureVisible,
    ) -> None:
        """Scroll to a row; the first thread of a group comes with its heading."""
        above = self._threads.index(index.row() - 1)
        if above.isValid() and self._threads.thread_at(above) is None:
            super().scrollTo(above, hint)
        super().scrollTo(index, hint)

    def doItemsLayout(self) -> None:
        super().doItemsLayout()
        self.place.return_to_anchor()

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        self._folders.paint()
        if self.empty_text and not self.row_count():
            space = self._theme.tokens.space
            painter = QPainter(self.viewport())
            painter.setFont(self._theme.font("muted"))
            painter.setPen(self._theme.colour("muted"))
            area = self.viewport().rect().adjusted(space.s, space.m, -space.s, -space.m)
            flags = Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignLeft | Qt.TextFlag.TextWordWrap
            painter.drawText(QRect(area), int(flags), self.empty_text)
            painter.end()

    # Inside

    def _ensure_current(self) -> None:
        """Make the open thread the current row if there is none, or the first one."""
        if self.currentIndex().isValid():
            return
        index = self._threads.index_of(self.marks.open_id) if self.marks.open_id is not None else QModelIndex()
        if not index.isValid():
            index = self._threads.find("", QModelIndex())
        self.selectionModel().setCurrentIndex(index, _Flags.NoUpdate)

    def _is_typing(self) -> bool:
        return (
            bool(self._typed)
            and self._typed_at.isValid()
            and self._typed_at.elapsed() < QApplication.keyboardInputInterval()
        )

    def _on_clicked(self, index: QModelIndex) -> None:
        if not self._is_press_done:
            self.press_row(index)

    def press_row(self, index: QModelIndex) -> None:
        """Open or close a folder, choose a thread."""
        thread, folder = self._threads.thread_at(index), self._threads.folder_at(index)
        if folder is not None:
            self._folders.toggle(folder.project_id)
        elif thread is not None:
            self.marks.restart(thread.id)
            self.chosen.emit(thread.id)

    def _on_model_rows_about_to_change(self) -> None:
        self.place.remember_anchor()

    def _on_model_rows_inserted(self, _parent: QModelIndex, first: int, last: int) -> None:
        self.marks.show_inserted(first, last)

    def _on_model_page_arrived(self) -> None:
        self.place.seek_on()
        self.place.read_on()

    def _on_model_folders_toggled(self) -> None:
        self.place.read_on()

    def _on_model_about_to_rebuild(self) -> None:
        self.place.remember_rows()

    def _on_model_reset(self) -> None:
        self.marks.show()
        self.place.return_to_rows()

    def _on_scrolled(self, value: int) -> None:
        self.place.read_on_at(value)

    def _on_theme_changed(self) -> None:
        self.scheduleDelayedItemsLayout()
        self.viewport().update()


def _interface_of(view: Any) -> ViewInterface:
    return RowsAccessible(view, view._threads, view.press_row)  # Qt may ask before the view has its model
