"""Shows a list of one-line rows in the inspector: only the visible ones are painted, however many there are. Their
previews omit the marks of Markdown."""

from __future__ import annotations

import re
from collections.abc import Sequence
from enum import IntEnum
from typing import Final, Generic, TypeVar

from PySide6.QtCore import QAbstractListModel, QModelIndex, QPersistentModelIndex, QRectF, Qt
from PySide6.QtGui import QFocusEvent, QFont, QKeyEvent, QPainter
from PySide6.QtWidgets import QLabel, QListView, QStyle, QStyleOptionViewItem, QWidget

from chatdesk.core.texts import plural, shown
from chatdesk.ui.accessibility.pressed_rows import offer_press
from chatdesk.ui.qt.mirroring import align_to_start
from chatdesk.ui.theme.icons import paint_icon
from chatdesk.ui.theme.theme import Theme
from chatdesk.ui.theme.tokens import FontRole
from chatdesk.ui.widgets.focus_ring import frame_when_empty, note_keyboard
from chatdesk.ui.widgets.layouts import FlowRow
from chatdesk.ui.widgets.painting import draw_line, mirrored, paint_box, paint_focus_ring
from chatdesk.ui.widgets.stray_keys import begins_writing
from chatdesk.ui.widgets.uniform_row_delegate import UniformRowDelegate

_ROW_PX = 30
_INDENT_PX = 14
_MOST_INDENT = 8
_ICON_PX = 14
_BUTTON_GAP_PX = 6

_AnyIndex = QModelIndex | QPersistentModelIndex
T = TypeVar("T")
# A preview is one line, so what began a line may be within it.
_FIRST_MARKS: Final = re.compile(r"^(?:#{1,6}\s+|>\s?|[-*+]\s+(?:\[[ xX]\]\s+)?)")
_INNER_MARKS: Final = re.compile(r"(?<!\S)(?:#{2,6}\s+|(?:```+|~~~+)\w*\s?)")
_LINK: Final = re.compile(r"!?\[([^\]\n]{0,200})\]\([^()\s]{0,500}\)")
_PAIRS: Final = re.compile(r"(\*\*|~~|`)(?=\S)([^\n]{1,300}?)(?<=\S)\1")


class RowRole(IntEnum):
    """The data roles of a row besides its text (``DisplayRole``) and its words (``AccessibleTextRole``)."""

    INDENT = Qt.ItemDataRole.UserRole + 1
    ICON = Qt.ItemDataRole.UserRole + 2
    NOTE = Qt.ItemDataRole.UserRole + 3
    IS_QUIET = Qt.ItemDataRole.UserRole + 4
    IS_STRUCK = Qt.ItemDataRole.UserRole + 5


class ItemListModel(QAbstractListModel, Generic[T]):
    """Models the fetched items of a ``RowList``; subclasses implement ``data``."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._items: list[T] = []

    def show_items(self, items: Sequence[T]) -> None:
        self.beginResetModel()
        self._items = list(items)
        self.endResetModel()

    def add_items(self, items: Sequence[T]) -> None:
        """Add items at the end."""
        if items:
            count = len(self._items)
            self.beginInsertRows(QModelIndex(), count, count + len(items) - 1)
            self._items += items
            self.endInsertRows()

    def item(self, place: int) -> T | None:
        return self._items[place] if 0 <= place < len(self._items) else None

    def rowCount(self, parent: _AnyIndex | None = None) -> int:
        return 0 if parent is not None and parent.isValid() else len(self._items)


class RowList(QListView):
    def __init__(self, theme: Theme, *, name: str, object_name: str) -> None:
        super().__init__()
        offer_press(RowList)
        self.setObjectName(object_name)
        self.setAccessibleName(name)
        self.setUniformItemSizes(True)
        self.setFrameShape(QListView.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollMode(QListView.ScrollMode.ScrollPerPixel)
        self.setMouseTracking(True)
        self.viewport().setAutoFillBackground(False)
        self.setItemDelegate(_RowDelegate(theme, _ROW_PX, self))
        frame_when_empty(theme, self)
        theme.changed.connect(self._on_theme_changed)

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        note_keyboard(self, event.reason())

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Pass letters on to the composer: these rows have no type-ahead."""
        if begins_writing(event):
            event.ignore()
        else:
            super().keyPressEvent(event)

    def _on_theme_changed(self) -> None:
        self.scheduleDelayedItemsLayout()
        self.viewport().update()


def tokens_text(count: int) -> str:
    return shown(plural("{count} tokens", "{count} token", count))


def about_tokens(count: int) -> str:
    """Return a number of tokens that is an estimate."""
    return shown(plural("about {count} tokens", "about {count} token", count))


def button_row(*buttons: QWidget) -> FlowRow:
    """Return the buttons in a row that wraps where there is no room for all."""
    row = FlowRow(_BUTTON_GAP_PX)
    for button in buttons:
        row.addWidget(button)
    return row


def plain_label(text: str, role: FontRole) -> QLabel:
    """Return a label that shows the words as they are."""
    label = QLabel(shown(text))
    label.setTextFormat(Qt.TextFormat.PlainText)
    align_to_start(label)
    label.setProperty("textRole", role)
    label.setWordWrap(True)
    return label


class _RowDelegate(UniformRowDelegate):
    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: _AnyIndex) -> None:
        theme, flag = self._theme, QStyle.StateFlag
        area, state = QRectF(option.rect), option.state
        painter.save()
        if state & (flag.State_Selected | flag.State_MouseOver):
            fill = theme.colour("selected" if state & flag.State_Selected else "hover")
            paint_box(painter, area, theme.tokens.radius.row, fill=fill)
        if state & flag.State_HasFocus and state & flag.State_KeyboardFocusChange:
            paint_focus_ring(painter, area, theme.tokens.radius.row, theme.colour("accent"))
        self._paint_row(painter, area, index, option.direction)
        painter.restore()

    def _paint_row(self, painter: QPainter, area: QRectF, index: _AnyIndex, direction: Qt.LayoutDirection) -> None:
        theme, scale = self._theme, max(1.0, self._theme.scale)
        indent = min(int(index.data(RowRole.INDENT) or 0), _MOST_INDENT) * _INDENT_PX * scale
        side = _ICON_PX * scale
        ink = theme.colour("muted" if index.data(RowRole.IS_QUIET) else "text")
        left = area.left() + 6 + indent
        icon = QRectF(left, area.center().y() - side / 2, side, side)
        paint_icon(painter, mirrored(icon, area, direction), str(index.data(RowRole.ICON)), theme.colour("muted"))
        painter.setFont(theme.font("muted"))
        note = str(index.data(RowRole.NOTE) or "")
        note_px = painter.fontMetrics().horizontalAdvance(note)
        note_area = QRectF(area.right() - 6 - note_px, area.top(), note_px + 1, area.height())
        painter.setPen(theme.colour("muted"))
        painter.drawText(mirrored(note_area, area, direction), int(Qt.AlignmentFlag.AlignVCenter), note)
        font = QFont(theme.font("table"))
        font.setStrikeOut(bool(index.data(RowRole.IS_STRUCK)))
        painter.setFont(font)
        painter.setPen(ink)
        words = QRectF(left + side + 6, area.top(), 0, area.height())
        words.setRight(note_area.left() - 8)
        text = painter.fontMetrics().elidedText(str(index.data()), Qt.TextElideMode.ElideRight, int(words.width()))
        draw_line(painter, mirrored(words, area, direction), text, direction)


def plain_preview(text: str) -> str:
    """Return ``text`` without Markdown marks; other uses of their characters, such as ``2 * 3``, stay."""
    plain = _LINK.sub(r"\1", _INNER_MARKS.sub("", _FIRST_MARKS.sub("", text.strip())))
    return _PAIRS.sub(r"\2", plain).strip() or text.strip()
