"""Shows the list of results. The keys of the field above it, which keeps the focus, walk through it."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QAbstractListModel, QModelIndex, QObject, QPersistentModelIndex, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QFrame, QListView, QWidget

from chatdesk.core.texts import tr
from chatdesk.ui.accessibility.assistance import announce
from chatdesk.ui.accessibility.pressed_rows import offer_press
from chatdesk.ui.theme.theme import Theme
from chatdesk.ui.widgets.elided_label import plain_tooltip
from chatdesk.ui.widgets.found.row_delegate import RowDelegate
from chatdesk.ui.widgets.found.rows import FoundRow, RowKind

_PAGE = 7

Index = QModelIndex | QPersistentModelIndex


class RowModel(QAbstractListModel):
    """Rows change only where they differ, so that the list neither jumps nor forgets the current one."""

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._rows: list[FoundRow] = []

    @property
    def rows(self) -> tuple[FoundRow, ...]:
        return tuple(self._rows)

    def show(self, rows: list[FoundRow]) -> None:
        if rows == self._rows:
            return
        same = 0
        while same < min(len(rows), len(self._rows)) and rows[same] == self._rows[same]:
            same += 1
        if same < len(self._rows):
            self.beginRemoveRows(QModelIndex(), same, len(self._rows) - 1)
            del self._rows[same:]
            self.endRemoveRows()
        if same < len(rows):
            self.beginInsertRows(QModelIndex(), same, len(rows) - 1)
            self._rows.extend(rows[same:])
            self.endInsertRows()

    def row(self, number: int) -> FoundRow | None:
        return self._rows[number] if 0 <= number < len(self._rows) else None

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's own default
        return 0 if parent.isValid() else len(self._rows)

    def data(self, index: Index, role: int = int(Qt.ItemDataRole.DisplayRole)) -> Any:
        row = self.row(index.row())
        if row is None:
            return None
        match role:
            case Qt.ItemDataRole.DisplayRole:
                return row.text
            case Qt.ItemDataRole.AccessibleTextRole:
                return row.spoken or row.text
            case Qt.ItemDataRole.ToolTipRole:
                return plain_tooltip(row.text) if row.kind is RowKind.NOTE else None
            case Qt.ItemDataRole.UserRole:
                return row
        return None

    def flags(self, index: Index) -> Qt.ItemFlag:
        row = self.row(index.row())
        if row is None or not row.is_choosable:
            return Qt.ItemFlag.NoItemFlags
        return Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable


class FoundList(QListView):
    """A list of rows whose keys come from ``field``, where each row is also spoken. ``chosen`` carries the row that was
    clicked or entered."""

    chosen = Signal(object)

    def __init__(
        self,
        theme: Theme,
        field: QWidget,
        *,
        object_name: str,
        side_px: int,
        radius: int = 0,
        has_icons: bool = True,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        offer_press(FoundList)
        self._field = field
        self._is_choice_kept = False
        self._found = RowModel(self)
        self._delegate = RowDelegate(theme, self, side_px=side_px, radius=radius, has_icons=has_icons)
        self.setObjectName(object_name)
        self.setAccessibleName(tr("Results"))
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setMouseTracking(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollMode(QListView.ScrollMode.ScrollPerPixel)
        self.setModel(self._found)
        self.setItemDelegate(self._delegate)
        self.clicked.connect(lambda index: self._choose(self._found.row(index.row())))
        theme.changed.connect(self.scheduleDelayedItemsLayout)

    @property
    def rows(self) -> tuple[FoundRow, ...]:
        return self._found.rows

    @property
    def current(self) -> FoundRow | None:
        return self._found.row(self.currentIndex().row())

    @property
    def rows_height_px(self) -> int:
        """The height of all rows."""
        return sum(map(self._delegate.height_of, self._found.rows))

    def forget_choice(self) -> None:
        """Let the next rows begin at the first one again, because another text is searched for."""
        self._is_choice_kept = False

    def show_rows(self, rows: list[FoundRow], *, begins_at_first: bool = True) -> None:
        """Show other rows. A row that was chosen with a key stays chosen; before that the first one is current, or none
        while the rows are still those of another text."""
        kept = self.current.key if self._is_choice_kept and self.current is not None else None
        self._found.show(rows)
        choosable = self._choosable()
        number = next((each for each in choosable if self._found.rows[each].key == kept), None)
        if number is None:
            number = choosable[0] if choosable and begins_at_first else -1
            self._is_choice_kept = False
        index = self._found.index(number, 0)
        if index != self.currentIndex():
            self.setCurrentIndex(index)
        if not self._is_choice_kept:
            self.scrollToTop()

    def use_key(self, event: QKeyEvent) -> bool:
        """Walk the rows or choose one with a key of the field; return whether it was one of these keys."""
        keys = Qt.Key
        key = Qt.Key(event.key())
        if key in (keys.Key_Return, keys.Key_Enter):
            return self._choose(self.current)
        if key in (keys.Key_Down, keys.Key_Up):
            self._step(1 if key == keys.Key_Down else -1)
        elif key in (keys.Key_PageDown, keys.Key_PageUp):
            for _ in range(_PAGE):
                self._step(1 if key == keys.Key_PageDown else -1, is_round=False)
        elif key in (keys.Key_Home, keys.Key_End) and event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            choosable = self._choosable()
            if choosable:
                self._set_current(choosable[0] if key == keys.Key_Home else choosable[-1])
        else:
            return False
        self._announce_current()
        return True

    def announce_found(self, found: str) -> None:
        """Speak how much was found, and the row that Enter chooses unless a key has chosen, and spoken, it."""
        row = "" if self._is_choice_kept else self._current_words()
        #: Spoken after a search: how much was found, and the first result, which Enter opens.
        announce(self._field, tr("{found}. First: {row}", found=found, row=row) if row else found)

    def step_group(self, step: int) -> None:
        """Move to the first row below the next heading, wrapping at the ends."""
        firsts = [
            number
            for number in self._choosable()
            if number == 0 or not (before := self._found.row(number - 1)) or before.kind is RowKind.HEADING
        ]
        if not firsts:
            return
        here = self.currentIndex().row()
        own = max((place for place, first in enumerate(firsts) if first <= here), default=-1)
        self._set_current(firsts[(own + step) % len(firsts)])
        self._announce_current()

    def _step(self, step: int, *, is_round: bool = True) -> None:
        choosable = self._choosable()
        if not choosable:
            return
        here = self.currentIndex().row()
        last = len(choosable) - 1
        place = choosable.index(here) + step if here in choosable else (0 if step > 0 else last)
        self._set_current(choosable[place % (last + 1) if is_round else max(0, min(last, place))])

    def _choosable(self) -> list[int]:
        return [number for number, row in enumerate(self._found.rows) if row.is_choosable]

    def _set_current(self, number: int) -> None:
        self._is_choice_kept = True
        self.setCurrentIndex(self._found.index(number, 0))
        above = self._found.row(number - 1)
        if above is not None and above.kind is RowKind.HEADING:
            self.scrollTo(self._found.index(number - 1, 0))
        self.scrollTo(self._found.index(number, 0))

    def _choose(self, row: FoundRow | None) -> bool:
        if row is None or not row.is_choosable:
            return False
        self.chosen.emit(row)
        return True

    def _announce_current(self) -> None:
        announce(self._field, self._current_words())

    def _current_words(self) -> str:
        """Return how the current row is spoken; the first of a group comes after its heading."""
        row, above = self.current, self._found.row(self.currentIndex().row() - 1)
        if row is None:
            return ""
        heading = "" if above is None or above.kind is not RowKind.HEADING else f"{above.text}: "
        return heading + (row.spoken or row.text)
