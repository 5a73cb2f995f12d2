"""Paints the rows of results: the found words are marked, and always visible, however narrow the list."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QFont, QFontMetricsF, QPainter, QTextCharFormat, QTextLayout, QTextOption
from PySide6.QtWidgets import QListView, QStyle, QStyledItemDelegate, QStyleOptionViewItem

from chatdesk.ui.theme.icons import paint_icon
from chatdesk.ui.theme.theme import Theme
from chatdesk.ui.theme.tokens import ICON_PX, FontRole
from chatdesk.ui.widgets.found.rows import FoundRow, Marks, RowKind
from chatdesk.ui.widgets.painting import mirrored, paint_box, read_by_letters

_ICON_GAP_PX: Final = 10
_ASIDE_GAP_PX: Final = 12
_ROW_PX, _HIGH_ROW_PX, _HEADING_PX = 34, 52, 30
_HEADING_DROP_PX: Final = 5  # a heading is nearer to the rows it names than to those above
_ASIDE_SHARE: Final = 0.4
_BEFORE_SHARE: Final = 0.4  # as a share of the width, for the text before the first found word
_WHOLE_SHARE: Final = 0.85  # as a share of the width: a found word within it needs no shift
_LONGEST: Final = 600  # characters that are laid out; no list shows more in one line
_NOTE_LINES: Final = 2

Index = QModelIndex | QPersistentModelIndex


class RowDelegate(QStyledItemDelegate):
    """Paints a row: an icon, a title with its place or keys at the end, and below it an excerpt. How high a row is
    depends on its kind alone, never on the width of the list, so that rows cannot overlap when a scroll bar comes."""

    def __init__(self, theme: Theme, view: QListView, *, side_px: int, radius: int = 0, has_icons: bool = True) -> None:
        super().__init__(view)
        self._theme = theme
        self._view = view
        self._side_px = side_px
        self._radius = radius
        self._has_icons = has_icons

    def sizeHint(self, _option: QStyleOptionViewItem, index: Index) -> QSize:
        return QSize(0, self.height_of(index.data(int(Qt.ItemDataRole.UserRole))))

    def height_of(self, row: FoundRow) -> int:
        """Return the height in pixels of a row in a list of any width."""
        if row.kind is RowKind.HEADING:
            return round(_HEADING_PX * self._scale)
        return self._theme.target_px(_HIGH_ROW_PX if row.below or row.kind is RowKind.NOTE else _ROW_PX)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        row: FoundRow = index.data(int(Qt.ItemDataRole.UserRole))
        rect = QRectF(option.rect)
        painter.save()
        painter.setClipRect(rect)
        read_by_letters(painter)
        theme, state = self._theme, option.state
        is_selected = bool(state & QStyle.StateFlag.State_Selected)
        if row.is_choosable and (is_selected or state & QStyle.StateFlag.State_MouseOver):
            paint_box(painter, rect, self._radius, fill=theme.colour("selected" if is_selected else "hover"))
            if is_selected and theme.is_contrast_high:
                paint_box(painter, rect.adjusted(2, 1, -2, -1), 4, border=theme.colour("accent"), border_px=2)
        if row.kind is RowKind.HEADING:
            inner = rect.adjusted(self._side_px, _HEADING_DROP_PX, -self._side_px, _HEADING_DROP_PX)
            self._paint_line(painter, inner, row.text, (), "group", "muted")
        elif row.kind is RowKind.NOTE:
            self._paint_note(painter, rect.adjusted(self._side_px, 0, -self._side_px, 0), row.text)
        else:
            self._paint_row(painter, rect, row)
        painter.restore()

    def _paint_row(self, painter: QPainter, rect: QRectF, row: FoundRow) -> None:
        theme, direction = self._theme, self._view.layoutDirection()
        left, right = rect.left() + self._side_px, rect.right() - self._side_px
        if self._has_icons and row.icon:
            side = ICON_PX * self._scale
            area = QRectF(left, rect.center().y() - side / 2, side, side)
            paint_icon(painter, mirrored(area, rect, direction), row.icon, theme.colour("text"))
            left += side + _ICON_GAP_PX
        upper, lower = theme.line_px("text"), theme.line_px("muted") if row.below else 0.0
        top = rect.center().y() - (upper + lower) / 2
        if row.below:
            area = mirrored(QRectF(left, top + upper, right - left, lower), rect, direction)
            self._paint_line(painter, area, row.below, row.below_marks, "muted", "muted")
        if row.aside:
            wanted = QFontMetricsF(theme.font("muted")).horizontalAdvance(row.aside) + 1
            width = min(wanted, rect.width() * _ASIDE_SHARE)
            area = mirrored(QRectF(right - width, top, width, upper), rect, direction)
            self._paint_line(painter, area, row.aside, (), "muted", "muted")
            right -= width + _ASIDE_GAP_PX
        area = mirrored(QRectF(left, top, max(0.0, right - left), upper), rect, direction)
        colour = "muted" if row.kind in (RowKind.MORE, RowKind.ALL) else "text"
        self._paint_line(painter, area, row.text, row.marks, "text", colour)

    def _paint_line(
        self, painter: QPainter, area: QRectF, text: str, marks: Marks, role: FontRole, colour: str
    ) -> None:
        """Paint one line with its marks in the colour of text and in bold, from the side where lines begin."""
        font = self._theme.font(role)
        text, marks = around_marks(text.replace("\n", " "), marks, font=font, width=area.width())
        layout = self._laid_out(text, marks, font, area.width(), lines=1)
        if layout.lineCount() == 0:
            return
        line = layout.lineAt(0)
        painter.setPen(self._theme.colour(colour))
        layout.draw(painter, QPointF(area.left(), area.center().y() - line.height() / 2))

    def _paint_note(self, painter: QPainter, area: QRectF, text: str) -> None:
        layout = self._laid_out(text, (), self._theme.font("muted"), area.width(), lines=_NOTE_LINES)
        last = layout.lineAt(layout.lineCount() - 1)
        painter.setPen(self._theme.colour("muted"))
        layout.draw(painter, QPointF(area.left(), area.center().y() - (last.y() + last.height()) / 2))

    def _laid_out(self, text: str, marks: Marks, font: QFont, width: float, *, lines: int) -> QTextLayout:
        """Return the text laid out in at most so many lines, with an ellipsis for the rest."""
        layout = self._layout_of(text, marks, font, width, lines)
        while 1 < (end := _end_of(layout, text)) < len(text):
            text = text[: end - 1].rstrip() + "…"
            layout = self._layout_of(text, _within(marks, len(text) - 1), font, width, lines)
        return layout

    def _layout_of(self, text: str, marks: Marks, font: QFont, width: float, lines: int) -> QTextLayout:
        layout = QTextLayout(text, font)
        option = QTextOption()
        modes = QTextOption.WrapMode
        option.setWrapMode(modes.WrapAnywhere if lines == 1 else modes.WrapAtWordBoundaryOrAnywhere)
        option.setTextDirection(Qt.LayoutDirection.LayoutDirectionAuto)  # the direction of its letters
        layout.setTextOption(option)
        is_mirrored = self._view.layoutDirection() is Qt.LayoutDirection.RightToLeft
        layout.setFormats([self._mark(text, start, end) for start, end in marks])
        layout.beginLayout()
        y = 0.0
        for _ in range(lines):
            line = layout.createLine()
            if not line.isValid():
                break
            line.setLineWidth(max(1.0, width))
            line.setPosition(QPointF(max(0.0, width - line.naturalTextWidth()) if is_mirrored else 0, y))
            y += line.height()
        layout.endLayout()
        return layout

    def _mark(self, text: str, start: int, end: int) -> QTextLayout.FormatRange:
        mark = QTextLayout.FormatRange()
        mark.start = _utf16(text, start)
        mark.length = _utf16(text, end) - mark.start
        form = QTextCharFormat()
        form.setForeground(self._theme.colour("text"))
        form.setFontWeight(self._theme.font("strong").weight())
        mark.format = form
        return mark

    @property
    def _scale(self) -> float:
        return max(1.0, self._theme.scale)


def around_marks(text: str, marks: Marks, *, font: QFont, width: float) -> tuple[str, Marks]:
    """Return the part of ``text`` that is shown in one line of this width, with its marks: from the beginning, or, if
    the first found word would be cut off, from a little before that word."""
    if not marks:
        return text[:_LONGEST], ()
    first, end = marks[0]
    metrics = QFontMetricsF(font)
    if end < _LONGEST and metrics.horizontalAdvance(text[:end]) < width * _WHOLE_SHARE:
        return text[:_LONGEST], _within(marks, _LONGEST)
    before = metrics.elidedText(text[:first][-_LONGEST:], Qt.TextElideMode.ElideLeft, width * _BEFORE_SHARE)
    moved = len(before) - first
    shown = (before + text[first:])[:_LONGEST]
    return shown, _within(tuple((start + moved, stop + moved) for start, stop in marks), len(shown))


def _within(marks: Marks, length: int) -> Marks:
    return tuple((start, min(stop, length)) for start, stop in marks if start < length)


def _end_of(layout: QTextLayout, text: str) -> int:
    """Return how much of ``text`` is in the lines of ``layout``."""
    count = layout.lineCount()
    last = layout.lineAt(count - 1) if count else None
    return len(text) if last is None else _code_points(text, last.textStart() + last.textLength())


def _utf16(text: str, offset: int) -> int:
    return len(text[:offset].encode("utf-16-le", "surrogatepass")) // 2


def _code_points(text: str, utf16: int) -> int:
    return len(text.encode("utf-16-le", "surrogatepass")[: 2 * utf16].decode("utf-16-le", "ignore"))
