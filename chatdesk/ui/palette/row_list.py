"""The list of rows in Qt: a model, and a delegate that paints marked words, the place and the keys."""

from __future__ import annotations

from typing import Any, Final

from PySide6.QtCore import (
    QAbstractListModel,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    QPointF,
    QRectF,
    QSize,
    Qt,
)
from PySide6.QtGui import QFontMetricsF, QPainter, QTextCharFormat, QTextLayout, QTextOption
from PySide6.QtWidgets import QListView, QStyle, QStyledItemDelegate, QStyleOptionViewItem

from chatdesk.ui.palette.rows import PaletteRow, RowKind
from chatdesk.ui.theme.icons import paint_icon
from chatdesk.ui.theme.theme import Theme
from chatdesk.ui.theme.tokens import ICON_PX
from chatdesk.ui.widgets.painting import mirrored, paint_box, read_by_letters

_SIDE_PX: Final = 18
_ICON_GAP_PX: Final = 10
_ASIDE_GAP_PX: Final = 14
_ROW_PX, _HEADING_PX = 38.0, 33.0
_PADDING_PX = 8.0
_MOST_LINES = 2
_MOST_HEIGHTS = 2_000
_ASIDE_SHARE = 0.4

Index = QModelIndex | QPersistentModelIndex


class RowModel(QAbstractListModel):
    """Rows change only where they differ, so that the list neither jumps nor forgets the current one."""

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._rows: list[PaletteRow] = []

    @property
    def rows(self) -> tuple[PaletteRow, ...]:
        return tuple(self._rows)

    def show(self, rows: list[PaletteRow]) -> None:
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

    def row(self, number: int) -> PaletteRow | None:
        return self._rows[number] if 0 <= number < len(self._rows) else None

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's own default
        return 0 if parent.isValid() else len(self._rows)

    def data(self, index: Index, role: int = int(Qt.ItemDataRole.DisplayRole)) -> Any:
        row = self.row(index.row())
        if row is None:
            return None
        if role == Qt.ItemDataRole.DisplayRole:
            return row.text
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return row.spoken or row.text
        if role == Qt.ItemDataRole.UserRole:
            return row
        return None

    def flags(self, index: Index) -> Qt.ItemFlag:
        row = self.row(index.row())
        if row is None or not row.is_choosable:
            return Qt.ItemFlag.ItemIsEnabled
        return Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable


class RowDelegate(QStyledItemDelegate):
    """Paints a row: an icon, text with its marks on at most two lines, and its place or keys at the end."""

    def __init__(self, theme: Theme, view: QListView) -> None:
        super().__init__(view)
        self._theme = theme
        self._view = view
        self._heights: dict[tuple[str, str, str, int, int], int] = {}

    def sizeHint(self, _option: QStyleOptionViewItem, index: Index) -> QSize:
        row: PaletteRow = index.data(int(Qt.ItemDataRole.UserRole))
        width = self._view.viewport().width()
        if row.kind is RowKind.HEADING:
            return QSize(width, round(_HEADING_PX * self._scale))
        return QSize(width, self._height(row, width))

    def _height(self, row: PaletteRow, width: int) -> int:
        # The list asks again for every row whenever one of them changes.
        least = self._theme.target_px(round(_ROW_PX))
        asked = (row.key, row.text, row.aside, width, least)
        known = self._heights.get(asked)
        if known is None:
            if len(self._heights) > _MOST_HEIGHTS:
                self._heights.clear()
            layout, lines = self._laid_out(row, self._text_width(row, width))
            known = round(max(least, _height_of(layout, lines) + 2 * _PADDING_PX))
            self._heights[asked] = known
        return known

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        row: PaletteRow = index.data(int(Qt.ItemDataRole.UserRole))
        rect = QRectF(option.rect)
        painter.save()
        read_by_letters(painter)
        if option.state & QStyle.StateFlag.State_Selected and row.is_choosable:
            paint_box(painter, rect, 0, fill=self._theme.colour("selected"))
            if self._theme.is_contrast_high:
                paint_box(painter, rect.adjusted(2, 1, -2, -1), 4, border=self._theme.colour("accent"), border_px=2)
        if row.kind is RowKind.HEADING:
            self._paint_heading(painter, rect, row)
        else:
            self._paint_row(painter, rect, row)
        painter.restore()

    def _paint_heading(self, painter: QPainter, rect: QRectF, row: PaletteRow) -> None:
        painter.setFont(self._theme.font("group"))
        painter.setPen(self._theme.colour("muted"))
        inner = rect.adjusted(_SIDE_PX, 0, -_SIDE_PX, -5)
        flags = Qt.AlignmentFlag.AlignBottom | Qt.AlignmentFlag.AlignLeading | Qt.TextFlag.TextSingleLine
        painter.drawText(inner, int(self._visual(flags)), row.text)

    def _paint_row(self, painter: QPainter, rect: QRectF, row: PaletteRow) -> None:
        theme, direction = self._theme, self._view.layoutDirection()
        side = ICON_PX * self._scale
        if row.icon:
            area = QRectF(rect.left() + _SIDE_PX, rect.center().y() - side / 2, side, side)
            paint_icon(painter, mirrored(area, rect, direction), row.icon, theme.colour("text"))
        width = self._text_width(row, rect.width())
        layout, lines = self._laid_out(row, width)
        height = _height_of(layout, lines)
        left = rect.left() + self._text_left(row)
        area = mirrored(QRectF(left, rect.center().y() - height / 2, width, height), rect, direction)
        painter.setPen(theme.colour("muted" if row.kind in (RowKind.NOTE, RowKind.MORE) else "text"))
        painter.setClipRect(area)
        layout.draw(painter, QPointF(area.topLeft()))
        painter.setClipping(False)
        if row.aside:
            self._paint_aside(painter, rect, row)

    def _paint_aside(self, painter: QPainter, rect: QRectF, row: PaletteRow) -> None:
        painter.setFont(self._theme.font("muted"))
        painter.setPen(self._theme.colour("muted"))
        width = self._aside_width(row, rect.width())
        area = QRectF(rect.right() - _SIDE_PX - width, rect.top(), width, rect.height())
        text = painter.fontMetrics().elidedText(row.aside, Qt.TextElideMode.ElideMiddle, int(width) + 1)
        flags = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignTrailing | Qt.TextFlag.TextSingleLine
        painter.drawText(mirrored(area, rect, self._view.layoutDirection()), int(self._visual(flags)), text)

    def _laid_out(self, row: PaletteRow, width: float) -> tuple[QTextLayout, int]:
        """Return the text laid out in at most two lines, with an ellipsis for the rest."""
        layout = self._layout_of(row.text, row.marks, width)
        if layout.lineCount() <= _MOST_LINES:
            return layout, layout.lineCount()
        end = layout.lineAt(_MOST_LINES - 1).textStart() + layout.lineAt(_MOST_LINES - 1).textLength()
        head = row.text[: _code_points(row.text, end)].rstrip()[:-1].rstrip() + "…"
        marks = tuple((start, min(stop, len(head) - 1)) for start, stop in row.marks if start < len(head) - 1)
        layout = self._layout_of(head, marks, width)
        return layout, min(_MOST_LINES, layout.lineCount())

    def _layout_of(self, text: str, marks: tuple[tuple[int, int], ...], width: float) -> QTextLayout:
        layout = QTextLayout(text, self._theme.font("text"))
        option = QTextOption()
        option.setWrapMode(QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere)
        option.setTextDirection(Qt.LayoutDirection.LayoutDirectionAuto)  # the direction of its letters
        layout.setTextOption(option)
        is_mirrored = self._view.layoutDirection() is Qt.LayoutDirection.RightToLeft
        layout.setFormats([self._mark(text, start, end) for start, end in marks])
        layout.beginLayout()
        y = 0.0
        for _ in range(_MOST_LINES + 1):
            line = layout.createLine()
            if not line.isValid():
                break
            line.setLineWidth(width)
            line.setPosition(QPointF(max(0.0, width - line.naturalTextWidth()) if is_mirrored else 0, y))
            y += max(line.height(), self._theme.line_px("text"))
        layout.endLayout()
        return layout

    def _mark(self, text: str, start: int, end: int) -> QTextLayout.FormatRange:
        mark = QTextLayout.FormatRange()
        mark.start = _utf16(text, start)
        mark.length = _utf16(text, end) - mark.start
        form = QTextCharFormat()
        form.setForeground(self._theme.colour("accent"))
        form.setFontWeight(self._theme.font("strong").weight())
        mark.format = form
        return mark

    def _text_left(self, row: PaletteRow) -> float:
        return _SIDE_PX + (ICON_PX * self._scale + _ICON_GAP_PX if row.icon else 0)

    def _text_width(self, row: PaletteRow, width: float) -> float:
        aside = self._aside_width(row, width) + _ASIDE_GAP_PX if row.aside else 0
        return max(40.0, width - self._text_left(row) - _SIDE_PX - aside)

    def _aside_width(self, row: PaletteRow, width: float) -> float:
        wanted = QFontMetricsF(self._theme.font("muted")).horizontalAdvance(row.aside) + 1
        return min(wanted, width * _ASIDE_SHARE)

    def _visual(self, flags: Qt.AlignmentFlag | Qt.TextFlag) -> int:
        """Return leading and trailing as left and right of this window; the painter mirrors no more."""
        is_mirrored = self._view.layoutDirection() is Qt.LayoutDirection.RightToLeft
        left, right = int(Qt.AlignmentFlag.AlignLeft), int(Qt.AlignmentFlag.AlignRight)
        value = int(flags)
        if is_mirrored and value & (left | right):
            value ^= left | right
        return value | int(Qt.AlignmentFlag.AlignAbsolute)

    @property
    def _scale(self) -> float:
        return max(1.0, self._theme.scale)


def _height_of(layout: QTextLayout, lines: int) -> float:
    if lines == 0:
        return 0.0
    last = layout.lineAt(lines - 1)
    return last.position().y() + last.height()


def _utf16(text: str, offset: int) -> int:
    return len(text[:offset].encode("utf-16-le", "surrogatepass")) // 2


def _code_points(text: str, utf16: int) -> int:
    return len(text.encode("utf-16-le", "surrogatepass")[: 2 * utf16].decode("utf-16-le", "ignore"))
