"""Shows a list of projects that narrows during typing: in the switcher, in the choice of a target for threads, under a
drag."""

from __future__ import annotations

import html
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from PySide6.QtCore import QEvent, QModelIndex, QObject, QPersistentModelIndex, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QDragEnterEvent, QDragMoveEvent, QDropEvent, QKeyEvent, QPainter
from PySide6.QtWidgets import (
    QFrame,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QVBoxLayout,
    QWidget,
)

from chatdesk.core.texts import tr
from chatdesk.ui.accessibility.assistance import announce, named
from chatdesk.ui.accessibility.pressed_rows import offer_press
from chatdesk.ui.theme.icons import paint_icon
from chatdesk.ui.theme.theme import Theme
from chatdesk.ui.theme.tokens import ICON_PX
from chatdesk.ui.widgets.badges import SQUARE_PX, paint_project_square
from chatdesk.ui.widgets.painting import draw_line, mirrored, paint_box
from chatdesk.ui.widgets.words import with_commas

Kind = Literal["heading", "project", "command"]
_ROW_PX, _HEADING_PX = 32, 26
_ENTRY_ROLE = int(Qt.ItemDataRole.UserRole)


@dataclass(frozen=True, slots=True)
class ChooserEntry:
    """A row of the chooser. A ``project`` has a colour, and ``key`` is its id; a ``command`` has an icon, and ``key``
    says which. A heading cannot be chosen. Only projects take threads that are dropped. ``shared`` is the text about a
    team's project."""

    kind: Kind
    text: str
    key: str = ""
    colour: str = ""
    icon_name: str = ""
    hint: str = ""
    is_current: bool = False
    shared: str = ""


class ProjectChooser(QWidget):
    """A list of projects with a search field. ``chosen(entry)`` by click or Enter, ``dropped(project id)`` when
    ``mime`` is dropped on a project."""

    chosen = Signal(object)
    dropped = Signal(str)

    def __init__(
        self,
        theme: Theme,
        entries: Sequence[ChooserEntry],
        *,
        mime: str = "",
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._theme = theme
        self._entries = tuple(entries)
        self.setObjectName("projectChooser")
        self.field = named(QLineEdit(self), "projectField", tr("Find a project"))
        self.field.setProperty("isSearch", True)
        self.field.setPlaceholderText(tr("Find a project"))
        self.field.setFrame(False)
        self.list = named(_DropList(mime, self), "projectList", tr("Projects"))
        self.list.setFrameShape(QFrame.Shape.NoFrame)
        self.list.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.list.setMouseTracking(True)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.setItemDelegate(_ChooserDelegate(theme, self.list))
        line = QFrame(self)
        line.setFixedHeight(1)
        line.setStyleSheet(f"background: {theme.tokens.field_line};")
        column = QVBoxLayout(self)
        column.setContentsMargins(1, 6, 1, 6)
        column.setSpacing(4)
        column.addWidget(self.field)
        column.addWidget(line)
        column.addWidget(self.list, 1)
        self.setStyleSheet(
            "#projectField { border: none; background: transparent; padding: 6px 12px; }"
            "#projectList { background: transparent; border: none; }"
        )
        self.setFocusProxy(self.field)
        self.field.textChanged.connect(self._fill)
        self.field.installEventFilter(self)
        self.list.itemClicked.connect(self._choose)
        self.list.droppedOn.connect(self.dropped)
        self._fill("")

    def wanted_height(self) -> int:
        """Return the height in pixels that shows every entry."""
        scale, row_px = max(1.0, self._theme.scale), self._theme.target_px(_ROW_PX)
        rows_px = sum(round(_HEADING_PX * scale) if entry.kind == "heading" else row_px for entry in self._entries)
        return rows_px + row_px + round(30 * scale)

    def shown(self) -> list[ChooserEntry]:
        return [self.list.item(row).data(_ENTRY_ROLE) for row in range(self.list.count())]

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if watched is self.field and event.type() == QEvent.Type.KeyPress and isinstance(event, QKeyEvent):
            key = event.key()
            if key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
                self._choose(self.list.currentItem())
                return True
            step = {
                Qt.Key.Key_Down: 1,
                Qt.Key.Key_Up: -1,
                Qt.Key.Key_PageDown: 8,
                Qt.Key.Key_PageUp: -8,
            }.get(Qt.Key(key))
            if step is not None:
                self._move(step)
                return True
        return super().eventFilter(watched, event)

    def _move(self, step: int) -> None:
        rows = [row for row, entry in enumerate(self.shown()) if entry.kind != "heading"]
        if not rows:
            return
        here = self.list.currentRow()
        place = rows.index(here) if here in rows else -1
        there = (place + step) % len(rows) if abs(step) == 1 else max(0, min(len(rows) - 1, place + step))
        self.list.setCurrentRow(rows[there])
        # The focus stays in the field, so the current row is announced here.
        announce(self.field, str(self.list.currentItem().data(Qt.ItemDataRole.AccessibleTextRole)))

    def _fill(self, text: str) -> None:
        words = text.casefold().split()
        self.list.clear()
        current = -1
        for entry in self._matching(words):
            item = QListWidgetItem(entry.text, self.list)
            item.setData(_ENTRY_ROLE, entry)
            spoken = with_commas((entry.text, entry.shared, entry.hint, tr("open") if entry.is_current else ""))
            item.setData(Qt.ItemDataRole.AccessibleTextRole, spoken)
            if entry.shared:
                item.setToolTip(f"{html.escape(entry.text)} · {html.escape(entry.shared)}")
            if entry.kind == "heading":
                item.setFlags(Qt.ItemFlag.NoItemFlags)
            elif current < 0 or (entry.is_current and not words):
                current = self.list.count() - 1
        if current >= 0:
            self.list.setCurrentRow(current)
        else:
            item = QListWidgetItem(tr("No project matches."), self.list)
            item.setData(_ENTRY_ROLE, ChooserEntry("heading", item.text()))
            item.setFlags(Qt.ItemFlag.NoItemFlags)

    def _matching(self, words: list[str]) -> list[ChooserEntry]:
        """Return the matching entries, with a heading only above entries that are left."""
        found: list[ChooserEntry] = []
        heading: ChooserEntry | None = None
        for entry in self._entries:
            if entry.kind == "heading":
                heading = entry
            elif all(word in entry.text.casefold() for word in words):
                if heading is not None:
                    found.append(heading)
                    heading = None
                found.append(entry)
        return found

    def _choose(self, item: QListWidgetItem | None) -> None:
        entry = None if item is None else item.data(_ENTRY_ROLE)
        if isinstance(entry, ChooserEntry) and entry.kind != "heading":
            self.chosen.emit(entry)


class _DropList(QListWidget):
    """A list that takes a drop only over a project."""

    droppedOn = Signal(str)

    def __init__(self, mime: str, parent: QWidget) -> None:
        super().__init__(parent)
        offer_press(_DropList)
        self._mime = mime
        self.setAcceptDrops(bool(mime))

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if event.mimeData().hasFormat(self._mime):
            event.acceptProposedAction()

    def dragMoveEvent(self, event: QDragMoveEvent) -> None:
        item = self.itemAt(event.position().toPoint())
        if item is not None and self._project(item):
            self.setCurrentItem(item)
            event.acceptProposedAction()
        else:
            event.ignore()

    def dropEvent(self, event: QDropEvent) -> None:
        project_id = self._project(self.itemAt(event.position().toPoint()))
        if project_id and event.mimeData().hasFormat(self._mime):
            event.acceptProposedAction()
            self.droppedOn.emit(project_id)

    @staticmethod
    def _project(item: QListWidgetItem | None) -> str:
        entry = None if item is None else item.data(_ENTRY_ROLE)
        return entry.key if isinstance(entry, ChooserEntry) and entry.kind == "project" else ""


class _ChooserDelegate(QStyledItemDelegate):
    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self._theme = theme

    def sizeHint(self, _option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> QSize:
        entry = index.data(_ENTRY_ROLE)
        is_heading = isinstance(entry, ChooserEntry) and entry.kind == "heading"
        if is_heading:
            return QSize(0, round(_HEADING_PX * max(1.0, self._theme.scale)))
        return QSize(0, self._theme.target_px(_ROW_PX))

    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        entry = index.data(_ENTRY_ROLE)
        if not isinstance(entry, ChooserEntry):
            return
        theme, whole, direction = self._theme, QRectF(option.rect), option.direction
        painter.save()
        state: QStyle.StateFlag = option.state
        if entry.kind != "heading" and state & (QStyle.StateFlag.State_Selected | QStyle.StateFlag.State_MouseOver):
            is_selected = bool(state & QStyle.StateFlag.State_Selected)
            shape = whole.adjusted(5, 1, -5, -1)
            paint_box(
                painter, shape, theme.tokens.radius.row, fill=theme.colour("selected" if is_selected else "hover")
            )
        left, right = whole.left() + 12, whole.right() - 12
        scale = max(1.0, theme.scale)

        def place(x: float, width: float, height: float) -> QRectF:
            return mirrored(QRectF(x, whole.center().y() - height / 2, width, height), whole, direction)

        if entry.kind != "heading":
            side = SQUARE_PX * scale
            self._paint_sign(painter, entry, place(left, side, side))
            left += side + theme.tokens.space.s
        if entry.is_current:
            side = ICON_PX * scale
            paint_icon(painter, place(right - side, side, side), "check", theme.colour("accent"))
            right -= side + theme.tokens.space.s
        if entry.shared:
            side = ICON_PX * scale
            paint_icon(painter, place(right - side, side, side), "users", theme.colour("muted"))
            right -= side + theme.tokens.space.s
        if entry.hint:
            painter.setFont(theme.font("muted"))
            width = painter.fontMetrics().horizontalAdvance(entry.hint) + 1
            painter.setPen(theme.colour("muted"))
            draw_line(painter, place(right - width, width, whole.height()), entry.hint, direction)
            right -= width + theme.tokens.space.s
        is_heading = entry.kind == "heading"
        painter.setFont(theme.font("group" if is_heading else "text"))
        painter.setPen(theme.colour("muted" if is_heading else "text"))
        room = max(0.0, right - left)
        text = painter.fontMetrics().elidedText(entry.text, Qt.TextElideMode.ElideRight, int(room))
        draw_line(painter, place(left, room, whole.height()), text, direction)
        painter.restore()

    def _paint_sign(self, painter: QPainter, entry: ChooserEntry, area: QRectF) -> None:
        if entry.kind == "project":
            paint_project_square(painter, area, entry.text, colour=entry.colour, theme=self._theme)
        elif entry.icon_name:
            side = ICON_PX * max(1.0, self._theme.scale)
            middle = area.center()
            box = QRectF(middle.x() - side / 2, middle.y() - side / 2, side, side)
            paint_icon(painter, box, entry.icon_name, self._theme.colour("muted"))
