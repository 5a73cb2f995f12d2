"""Tables of texts that are walked by the arrow keys, each cell said with its heading; however many rows there are, only
those in view cost anything."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from PySide6.QtCore import QAbstractTableModel, QEvent, QModelIndex, QPersistentModelIndex, Qt, Signal
from PySide6.QtGui import QKeyEvent, QResizeEvent
from PySide6.QtWidgets import QAbstractItemView, QHBoxLayout, QHeaderView, QTableView, QWidget

from chatdesk.ui.accessibility.assistance import open_selected
from chatdesk.ui.dialogs.form_panel import push_button
from chatdesk.ui.theme.theme import Theme
from chatdesk.ui.theme.tokens import FOCUS_RING_PX
from chatdesk.ui.widgets.layouts import bare_column

_Index = QModelIndex | QPersistentModelIndex
_ROW_PX = 26
_MOST_ROWS_HIGH = 7
_MEASURED_ROWS = 12  # columns are as wide as the visible cells require


@dataclass(frozen=True, slots=True)
class TableRow:
    """One row of a table of members, devices or projects. ``action``: the label of the button below for this row; empty
    if there is no action."""

    key: str
    texts: tuple[str, ...]
    action: str = ""


class ActionTable(QWidget):
    """A table and, below it, a button about its current row; Enter and a double click do the same. ``actRequested`` has
    the row's key."""

    actRequested = Signal(str)

    def __init__(
        self,
        theme: Theme,
        headings: Sequence[str],
        *,
        name: str,
        object_name: str,
        action: str,
        wide: int = 0,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._action = action
        self._rows: tuple[TableRow, ...] = ()
        self.setObjectName(f"{object_name}Box")
        self.table = TextTable(theme, headings, name=name, object_name=object_name, wide=wide, parent=self)
        self.button = push_button(action, f"{object_name}Act", self._act)
        row = QHBoxLayout()
        row.addWidget(self.button)
        row.addStretch(1)
        column = bare_column(self, spacing_px=theme.tokens.space.s)
        column.addWidget(self.table)
        column.addLayout(row)
        self.table.doubleClicked.connect(lambda _index: self._act())
        self.table.entered_row.connect(self._act)
        open_selected(self.table)
        self.table.selectionModel().currentRowChanged.connect(lambda _new, _old: self._refresh())
        theme.changed.connect(self._fit)
        self._refresh()

    @property
    def current(self) -> TableRow | None:
        place = self.table.currentIndex().row()
        return self._rows[place] if 0 <= place < len(self._rows) else None

    def show_rows(self, rows: Sequence[TableRow]) -> None:
        """Replace all rows; the current row stays the one with the same key, else it is the first."""
        if tuple(rows) == self._rows:
            return
        current = self.current
        self._rows = tuple(rows)
        self.table.show_rows([each.texts for each in rows])
        self.select("" if current is None else current.key)
        self._fit()
        self._refresh()

    def select(self, key: str) -> None:
        place = next((number for number, row in enumerate(self._rows) if row.key == key), 0)
        self.table.setCurrentIndex(self.table.model().index(place, 0))

    def _refresh(self) -> None:
        current = self.current
        action = current.action if current is not None else ""
        self.button.setEnabled(bool(action))
        self.button.setText(action or self._action)
        name = self.button.text().rstrip("…")
        self.button.setAccessibleName(name if current is None else f"{name}: {current.texts[0]}")

    def _act(self) -> None:
        current = self.current
        if current is not None and current.action:
            self.actRequested.emit(current.key)

    def _fit(self) -> None:
        self.table.fit(len(self._rows))


class TextTable(QTableView):
    """A table of plain text. ``wide`` is the column that takes the room that is left. ``entered_row``: Enter was
    pressed."""

    entered_row = Signal()

    def __init__(
        self,
        theme: Theme,
        headings: Sequence[str],
        *,
        name: str,
        object_name: str,
        wide: int,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)  # at once: a table that gets its parent later is styled again
        self._theme = theme
        self._wanted: dict[int, int] = {}
        self._rows = _Rows(self, tuple(headings))
        self.setModel(self._rows)
        self.setObjectName(object_name)
        self.setAccessibleName(name)
        self.setFrameShape(QTableView.Shape.NoFrame)
        self.setShowGrid(False)
        self.setTabKeyNavigation(False)
        self.setWordWrap(False)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.verticalHeader().hide()
        header = self.horizontalHeader()
        header.setResizeContentsPrecision(_MEASURED_ROWS)
        header.setSectionsClickable(False)
        header.setHighlightSections(False)
        header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        header.setSectionResizeMode(wide, QHeaderView.ResizeMode.Stretch)
        header.setDefaultAlignment(Qt.AlignmentFlag.AlignLeading | Qt.AlignmentFlag.AlignVCenter)
        theme.changed.connect(self._dress)
        self._dress()

    def show_rows(self, rows: Sequence[Sequence[str]]) -> None:
        """Replace all rows; the current row stays where it was."""
        place = self.currentIndex()
        row, column = place.row(), place.column()
        self._wanted.clear()
        self._rows.show_rows(rows)
        if 0 <= row < len(rows):
            self.setCurrentIndex(self._rows.index(row, column))

    def texts(self) -> list[tuple[str, ...]]:
        return [tuple(row) for row in self._rows.rows]

    def show_text(self, row: int, column: int, text: str) -> None:
        """Replace the text of one cell."""
        self._wanted.clear()
        self._rows.show_text(row, column, text)

    def fit(self, rows: int, *, most: int = _MOST_ROWS_HIGH) -> None:
        """Make the table as high as that many rows, at most ``most``."""
        row = self.verticalHeader().defaultSectionSize()
        head = self.horizontalHeader().sizeHint().height()
        self.setFixedHeight(head + row * min(max(rows, 1), most) + 2 * FOCUS_RING_PX)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.entered_row.emit()  # and the dialog's default button is left alone
        else:
            super().keyPressEvent(event)

    def sizeHintForColumn(self, column: int) -> int:
        """Return the width of a column's contents, but no more than its share: a long name leaves room for the other
        columns."""
        if column not in self._wanted:  # asked for many times while a dialog is assembled
            self._wanted[column] = super().sizeHintForColumn(column)
        share = self.viewport().width() // max(1, self._rows.columnCount())
        return min(self._wanted[column], max(share, self.horizontalHeader().minimumSectionSize()))

    def changeEvent(self, event: QEvent) -> None:
        if event.type() in (QEvent.Type.FontChange, QEvent.Type.StyleChange):
            self._wanted.clear()
        super().changeEvent(event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if event.size().width() != event.oldSize().width():
            self.horizontalHeader().resizeSections()

    def _dress(self) -> None:
        theme, tokens = self._theme, self._theme.tokens
        self.verticalHeader().setDefaultSectionSize(theme.target_px(_ROW_PX))
        self.setFont(theme.font("muted"))
        self.horizontalHeader().setFont(theme.font("muted"))
        self.setStyleSheet(
            f"QTableView {{ background: transparent; color: {tokens.text}; outline: none; }}"
            f"QTableView:focus {{ border: {FOCUS_RING_PX}px solid {tokens.accent}; }}"
            "QTableView::item { padding: 0 3px; }"  # with the cell's own margin as far in as the heading
            f"QTableView::item:selected {{ background: {tokens.selected}; color: {tokens.text}; }}"
            f"QHeaderView::section {{ background: transparent; color: {tokens.muted}; border: none;"
            f" font-size: {theme.point_size('muted'):.2f}pt;"
            f" border-bottom: 1px solid {tokens.line}; padding: 2px 6px; }}"
            "QHeaderView { background: transparent; }"
        )


class _Rows(QAbstractTableModel):
    def __init__(self, parent: QWidget, headings: tuple[str, ...]) -> None:
        super().__init__(parent)
        self._headings = headings
        self.rows: list[Sequence[str]] = []

    def show_rows(self, rows: Sequence[Sequence[str]]) -> None:
        self.beginResetModel()
        self.rows = list(rows)
        self.endResetModel()

    def show_text(self, row: int, column: int, text: str) -> None:
        texts = list(self.rows[row])
        texts[column] = text
        self.rows[row] = texts
        place = self.index(row, column)
        self.dataChanged.emit(place, place)

    def rowCount(self, parent: _Index | None = None) -> int:
        return 0 if parent is not None and parent.isValid() else len(self.rows)

    def columnCount(self, parent: _Index | None = None) -> int:
        return 0 if parent is not None and parent.isValid() else len(self._headings)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        is_asked = role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole)
        return self._headings[section] if orientation is Qt.Orientation.Horizontal and is_asked else None

    def data(self, index: _Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if not index.isValid() or index.row() >= len(self.rows):
            return None
        text = self.rows[index.row()][index.column()]
        if role == Qt.ItemDataRole.DisplayRole:
            return text
        if role == Qt.ItemDataRole.ToolTipRole:
            return escape(text)  # the cell may be cut
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return f"{self._headings[index.column()]}: {text}"
        return None
