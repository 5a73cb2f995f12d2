"""The list of threads as a view: keeps its place while rows come and go, and tells three things apart: which thread is
*open*, where the *keys* are (the current row), and which threads are *marked* for something that is done to all of
them. Selected rows are the marked ones, or the open one while nothing is marked.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from PySide6 import QtGui, QtWidgets  # as in row_view
from PySide6.QtCore import (
    QElapsedTimer,
    QEvent,
    QItemSelection,
    QItemSelectionModel,
    QModelIndex,
    QPersistentModelIndex,
    QPoint,
    QRect,
    QRectF,
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
from PySide6.QtWidgets import QAbstractItemView, QApplication, QListView, QStyleOptionViewItem, QWidget

from chatdesk.ui.accessibility.interfaces import ViewInterface, give_interfaces
from chatdesk.ui.sidebar.folder_model import FolderModel
from chatdesk.ui.sidebar.folders import Folder
from chatdesk.ui.sidebar.project_badge import THREADS_MIME
from chatdesk.ui.sidebar.row_view import RowView
from chatdesk.ui.sidebar.thread_delegate import ThreadDelegate
from chatdesk.ui.theme.theme import Theme
from chatdesk.ui.widgets.painting import paint_focus_ring

_PREFETCH_PAGES = 2  # ask for more when less than this many viewports are left below
_MOST_PAGES_SOUGHT = 40  # so far down the place of the last run is looked for

_Flags = QItemSelectionModel.SelectionFlag
_CTRL, _SHIFT = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier


class ThreadList(RowView):
    """Emits thread ids. The view never opens on its own. Ctrl and Shift with a click or an arrow, and Ctrl+A, mark."""

    chosen = Signal(str)
    deletePressed = Signal(object)  # the ids, as a tuple
    menuAsked = Signal(str, QPoint)
    markedChanged = Signal()
    written = Signal(str)  # letters that no title begins with
    allAsked = Signal()  # every thread of the list, also those that are not fetched
    dragStarted = Signal()
    droppedOn = Signal(str)  # the project whose folder dragged threads were dropped on

    def __init__(self, model: FolderModel, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        give_interfaces(ThreadList, _interface_of)
        self._threads = model
        self._theme = theme
        self._delegate = ThreadDelegate(theme, self)
        self._anchor: tuple[QPersistentModelIndex, int] | None = None
        self._kept: tuple[str | None, str | None, int] | None = None
        self._kept_folder: Folder | None = None
        self._sought: tuple[str, int, int] | None = None
        self._begins_at_top = False
        self._open_id: str | None = None
        self._marked: dict[str, None] = {}
        self._range_from: str | None = None
        self._pressed: QPoint | None = None
        self._is_press_done = False
        self._under_drag: Folder | None = None
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
        model.rowsInserted.connect(self._on_model_rows_inserted)
        model.pageArrived.connect(self._on_model_page_arrived)
        model.foldersToggled.connect(self._read_on)
        self.clicked.connect(self._on_clicked)
        self.verticalScrollBar().valueChanged.connect(self._on_scrolled)
        theme.changed.connect(self._on_theme_changed)

    def _set_up(self) -> None:
        self.setObjectName("threadList")
        self.setAccessibleName("Threads")
        self.setItemDelegate(self._delegate)
        self.setUniformItemSizes(True)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setFrameShape(QListView.Shape.NoFrame)
        self.setMouseTracking(True)
        self.setTabKeyNavigation(False)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.DefaultContextMenu)
        self.viewport().setAcceptDrops(True)

    @property
    def row_height_px(self) -> int:
        return self._delegate.row_height_px

    # For the sidebar

    @property
    def open_id(self) -> str | None:
        return self._open_id

    def show_open(self, thread_id: str | None) -> None:
        """Mark the open thread; it need not have been fetched yet."""
        if thread_id == self._open_id:
            return
        self._open_id = thread_id
        if self._marked:
            return
        self._show_selection()
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
        return self._open_id if thread is None else thread.id

    @property
    def marked_ids(self) -> tuple[str, ...]:
        """The marked threads; empty while nothing is marked, even though one is open."""
        return tuple(self._marked)

    def mark(self, thread_ids: Iterable[str]) -> None:
        """Mark exactly these; those that are not fetched yet are shown so when they come."""
        marked = dict.fromkeys(thread_ids)
        if marked == self._marked:
            return
        self._marked = marked
        self._show_selection()
        self.markedChanged.emit()

    def forget(self, thread_id: str) -> None:
        """Unmark a thread that left the list."""
        if thread_id in self._marked:
            del self._marked[thread_id]
            self.markedChanged.emit()
            if not self._marked:
                self._show_selection()

    def place(self) -> tuple[str, int] | None:
        """Return the thread at the top and where it begins; None at the very top."""
        if self.verticalScrollBar().value() == 0:
            return None
        row = self.indexAt(QPoint(1, 0)).row()
        for candidate in (row, row + 1):
            thread = self._threads.thread_at(self._threads.index(candidate))
            if thread is not None:
                return thread.id, self.top_of(candidate)
        return None

    def begin_at_top(self) -> None:
        """Show the next list from its beginning, because it is another one."""
        self._sought = None
        self._begins_at_top = True

    def return_to(self, thread_id: str, offset_px: int) -> None:
        """Go to a place of before, fetching what is above it first; a hand on the list ends that."""
        self._sought = (thread_id, offset_px, _MOST_PAGES_SOUGHT)
        self._seek_on()

    def begin_rename(self, thread_id: str) -> bool:
        index = self._threads.index_of(thread_id)
        if not index.isValid() or not index.flags() & Qt.ItemFlag.ItemIsEditable:
            return False
        self.setCurrentIndex(index)
        self.scrollTo(index)
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
        return _Flags.NoUpdate

    def event(self, event: QEvent) -> bool:
        # Esc ends marking and must not stop an answer then.
        if event.type() == QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent):
            is_ours = event.key() == Qt.Key.Key_Escape and self._marked
            if is_ours or (event.key() == Qt.Key.Key_A and event.modifiers() == _CTRL):
                event.accept()
                return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        self._sought = None
        self._ensure_current()
        thread = self._threads.thread_at(self.currentIndex())
        key = event.key()
        if self._marks_by_key(event) or self._steers_folder(event):
            self._has_key_focus = True
        elif thread is not None and key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.chosen.emit(thread.id)
        elif key == Qt.Key.Key_Delete and (thread is not None or self._marked):
            self.deletePressed.emit(self.marked_ids or (() if thread is None else (thread.id,)))
        elif thread is not None and key == Qt.Key.Key_F10 and event.modifiers() & _SHIFT:
            self._open_menu_of(self.currentIndex())
        elif thread is not None and key == Qt.Key.Key_F2:
            self.begin_rename(thread.id)
        elif thread is not None and key == Qt.Key.Key_Space and not self._is_typing():
            self.chosen.emit(thread.id)
        else:
            self._has_key_focus = True
            super().keyPressEvent(event)

    def keyboardSearch(self, search: str) -> None:
        """Type-ahead over titles; Qt's own asks the model for every row through Python. What no title begins with was
        not meant for the list and is told as ``written``, from its first letter on."""
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
        self._read_on()

    def wheelEvent(self, event: QWheelEvent) -> None:
        self._sought = None
        super().wheelEvent(event)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self._has_key_focus = False
        self._sought = None
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
            self._mark_range(thread.id, from_row=before.row())
            self._is_press_done = True
        elif event.modifiers() & _CTRL:
            self._toggle(thread.id)
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
            if thread is not None and thread.id not in self._marked:
                self.mark([thread.id])
            self._is_press_done = True
            self.dragStarted.emit()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        self._pressed = None
        super().mouseReleaseEvent(event)

    # Dropping threads on a folder

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if self._threads.has_folders and event.mimeData().hasFormat(THREADS_MIME):
            event.acceptProposedAction()
        else:
            event.ignore()

    def dragMoveEvent(self, event: QDragMoveEvent) -> None:
        self._set_under_drag(self._threads.folder_at(self.indexAt(event.position().toPoint())))
        if self._under_drag is None:
            event.ignore()
        else:
            event.acceptProposedAction()

    def dragLeaveEvent(self, _event: QDragLeaveEvent) -> None:
        self._set_under_drag(None)

    def dropEvent(self, event: QDropEvent) -> None:
        folder = self._threads.folder_at(self.indexAt(event.position().toPoint()))
        self._set_under_drag(None)
        if folder is None:
            event.ignore()
        else:
            event.acceptProposedAction()
            self.droppedOn.emit(folder.project_id)

    def _set_under_drag(self, folder: Folder | None) -> None:
        if folder is not self._under_drag:
            self._under_drag = folder
            self.viewport().update()

    def initViewItemOption(self, option: QStyleOptionViewItem) -> None:
        super().initViewItemOption(option)
        if self._has_key_focus:
            option.state |= QtWidgets.QStyle.StateFlag.State_KeyboardFocusChange

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
        if self._under_drag is not None:
            painter = QPainter(self.viewport())
            ring = QRectF(self.visualRect(self._threads.index_of_folder(self._under_drag)))
            paint_focus_ring(painter, ring, self._theme.tokens.radius.row, self._theme.colour("accent"))
            painter.end()
        if self._empty_text and not self.row_count():
            space = self._theme.tokens.space
            painter = QPainter(self.viewport())
            painter.setFont(self._theme.font("muted"))
            painter.setPen(self._theme.colour("muted"))
            area = self.viewport().rect().adjusted(space.s, space.m, -space.s, -space.m)
            flags = Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignLeft | Qt.TextFlag.TextWordWrap
            painter.drawText(QRect(area), int(flags), self._empty_text)
            painter.end()

    # Marking

    def _marks_by_key(self, event: QKeyEvent) -> bool:
        key, modifiers = event.key(), event.modifiers()
        moves = {
            Qt.Key.Key_Up: QAbstractItemView.CursorAction.MoveUp,
            Qt.Key.Key_Down: QAbstractItemView.CursorAction.MoveDown,
            Qt.Key.Key_PageUp: QAbstractItemView.CursorAction.MovePageUp,
            Qt.Key.Key_PageDown: QAbstractItemView.CursorAction.MovePageDown,
            Qt.Key.Key_Home: QAbstractItemView.CursorAction.MoveHome,
            Qt.Key.Key_End: QAbstractItemView.CursorAction.MoveEnd,
        }
        thread = self._threads.thread_at(self.currentIndex())
        if key == Qt.Key.Key_A and modifiers == _CTRL:
            self.mark_all()
        elif key == Qt.Key.Key_Escape and self._marked:
            self.mark(())
        elif key == Qt.Key.Key_Space and modifiers & _CTRL and thread is not None:
            self._toggle(thread.id)
        elif key in moves and modifiers & _SHIFT:
            before = self.currentIndex().row()
            index = self.moveCursor(moves[Qt.Key(key)], modifiers)
            self.setCurrentIndex(index)
            there = self._threads.thread_at(index)
            if there is not None:
                self._mark_range(there.id, from_row=before)
        else:
            if key in moves and not modifiers & _CTRL:
                self._range_from = None
                self.mark(())
            return False
        return True

    def _steers_folder(self, event: QKeyEvent) -> bool:
        """Enter, Space and the arrows to the sides, as in a tree; from a thread the arrow back leads to its folder."""
        if not self._threads.has_folders or event.modifiers() & (_CTRL | _SHIFT | Qt.KeyboardModifier.AltModifier):
            return False
        index, key = self.currentIndex(), event.key()
        folder = self._threads.folder_at(index)
        is_mirrored = self.layoutDirection() is Qt.LayoutDirection.RightToLeft
        inwards, outwards = Qt.Key.Key_Right, Qt.Key.Key_Left
        if is_mirrored:
            inwards, outwards = outwards, inwards
        if folder is None:
            above = self._threads.folder_of(index)
            if key != outwards or not above.isValid():
                return False
            self.setCurrentIndex(above)
            return True
        is_open = self._threads.is_folder_open(folder.project_id)
        toggles = key in (Qt.Key.Key_Return, Qt.Key.Key_Enter)
        toggles = toggles or (key == Qt.Key.Key_Space and not self._is_typing())
        if toggles or (key == inwards and not is_open) or (key == outwards and is_open):
            self._open_folder(folder.project_id, not is_open)
        elif key == inwards:
            self.setCurrentIndex(self.moveCursor(QAbstractItemView.CursorAction.MoveDown, event.modifiers()))
        elif key != outwards:
            return False
        return True

    def _open_folder(self, project_id: str, is_open: bool) -> None:
        self._threads.set_folder_open(project_id, is_open)
        if QtGui.QAccessible.isActive():
            changed = QtGui.QAccessible.State()
            changed.expanded = changed.collapsed = True
            event = QtGui.QAccessibleStateChangeEvent(self, changed)
            event.setChild(self._threads.index_of_project(project_id).row())
            QtGui.QAccessible.updateAccessibility(event)

    def mark_all(self) -> None:
        """Mark all fetched threads at once; ``allAsked`` asks for the rest."""
        self.mark(self._threads.ids_between(0, self.row_count() - 1))
        if not self._threads.is_at_end:
            self.allAsked.emit()

    def _toggle(self, thread_id: str) -> None:
        self._range_from = thread_id
        marked = dict(self._marked)
        if not marked and self._open_id is not None and self._threads.index_of(self._open_id).isValid():
            marked[self._open_id] = None
        if thread_id in marked:
            del marked[thread_id]
        else:
            marked[thread_id] = None
        self.mark(marked)

    def _mark_range(self, thread_id: str, *, from_row: int) -> None:
        if self._range_from is None or not self._threads.index_of(self._range_from).isValid():
            start = self._threads.thread_at(self._threads.index(from_row))
            self._range_from = thread_id if start is None else start.id
        first = self._threads.index_of(self._range_from).row()
        self.mark(self._threads.ids_between(first, self._threads.index_of(thread_id).row()))

    def _show_selection(self) -> None:
        """Selected rows, as runs: a long selection is a few of them."""
        shown: Sequence[str] = tuple(self._marked) or ((self._open_id,) if self._open_id is not None else ())
        rows = sorted(index.row() for index in map(self._threads.index_of, shown) if index.isValid())
        selection = QItemSelection()
        start = 0
        for place, row in enumerate(rows):
            if place + 1 == len(rows) or rows[place + 1] != row + 1:
                selection.select(self._threads.index(rows[start]), self._threads.index(row))
                start = place + 1
        self.selectionModel().select(selection, _Flags.ClearAndSelect)

    # Inside

    def _ensure_current(self) -> None:
        """The keys start at the open thread, or at the first one."""
        if self.currentIndex().isValid():
            return
        index = self._threads.index_of(self._open_id) if self._open_id is not None else QModelIndex()
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
            self._open_folder(folder.project_id, not self._threads.is_folder_open(folder.project_id))
        elif thread is not None:
            self._range_from = thread.id
            self.mark(())
            self.chosen.emit(thread.id)

    def _on_model_rows_inserted(self, _parent: QModelIndex, first: int, last: int) -> None:
        wanted = self._marked or ({} if self._open_id is None else {self._open_id: None})
        for thread_id in self._threads.ids_between(first, last):
            if thread_id in wanted:
                self.selectionModel().select(self._threads.index_of(thread_id), _Flags.Select)

    def _on_model_page_arrived(self) -> None:
        self._seek_on()
        self._read_on()

    def _read_on(self) -> None:
        """Fetch the rows of folders that are in sight or near below."""
        if self._sought is None and self._threads.has_folders:
            height, offset = self.viewport().height(), self.verticalScrollBar().value()
            last_px = offset + (1 + _PREFETCH_PAGES) * height
            self._threads.fetch_near(offset // self.row_height_px, last_px // self.row_height_px)

    def _seek_on(self) -> None:
        if self._sought is None or self._threads.is_fetching:
            return
        thread_id, offset_px, pages = self._sought
        index = self._threads.index_of(thread_id)
        if index.isValid():
            self._sought = None
            self._anchor = (QPersistentModelIndex(index), offset_px)
            self.scheduleDelayedItemsLayout()
        elif pages and not self._threads.is_at_end:
            self._sought = (thread_id, offset_px, pages - 1)
            self._threads.read_on()
        else:
            self._sought = None

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
        bar.setValue(anchor[0].row() * self.row_height_px - anchor[1])

    def _on_model_about_to_rebuild(self) -> None:
        current = self._threads.thread_at(self.currentIndex())
        self._kept_folder = self._threads.folder_at(self.currentIndex())
        top = self.place()
        self._kept = (None if current is None else current.id, *(top or (None, 0)))

    def _on_model_reset(self) -> None:
        self._anchor = None
        kept, self._kept = self._kept, None
        self._show_selection()
        is_new, self._begins_at_top = self._begins_at_top, False
        if is_new and self._threads.rowCount():
            self._anchor = (QPersistentModelIndex(self._threads.index(0)), 0)
        if kept is None:
            return
        current_id, top_id, offset = kept
        folder, self._kept_folder = self._kept_folder, None
        if current_id is not None or folder is not None:
            index = self._threads.index_of(current_id or "")
            if folder is not None:
                index = self._threads.index_of_project(folder.project_id)
            self.selectionModel().setCurrentIndex(index, _Flags.NoUpdate)
        top = QModelIndex() if top_id is None or is_new else self._threads.index_of(top_id)
        if top.isValid():
            self._anchor = (QPersistentModelIndex(top), offset)

    def _on_scrolled(self, value: int) -> None:
        if self._threads.has_folders:
            self._read_on()
            return
        bar = self.verticalScrollBar()
        if bar.maximum() - value < _PREFETCH_PAGES * self.viewport().height():
            self._threads.fetchMore()

    def _on_theme_changed(self) -> None:
        self.scheduleDelayedItemsLayout()
        self.viewport().update()


def _interface_of(view: Any) -> ViewInterface:
    from chatdesk.ui.sidebar.accessible_rows import RowsAccessible  # when somebody reads the screen

    return RowsAccessible(view, view.model(), view.press_row)
