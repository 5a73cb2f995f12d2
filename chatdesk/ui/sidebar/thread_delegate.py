"""Paints one row of the thread list, and gives the field in which a title is changed in place."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from PySide6.QtCore import (
    QAbstractItemModel,
    QEvent,
    QModelIndex,
    QPersistentModelIndex,
    QPointF,
    QRect,
    QRectF,
    QSize,
    Qt,
)
from PySide6.QtGui import QColor, QFont, QFontMetrics, QHelpEvent, QPainter, QPen
from PySide6.QtWidgets import (
    QAbstractItemView,
    QLineEdit,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QToolTip,
    QWidget,
)

from chatdesk.core.texts import tr
from chatdesk.ui.accessibility.assistance import named
from chatdesk.ui.sidebar.grouping import PaintedFolder
from chatdesk.ui.sidebar.row_display import PaintedRow, ThreadRole
from chatdesk.ui.theme.icons import paint_icon
from chatdesk.ui.theme.theme import Theme
from chatdesk.ui.theme.tokens import FOCUS_RING_PX, ICON_PX, Tokens
from chatdesk.ui.widgets.painting import line_start, mirrored, read_by_letters

ROW_HEIGHT_PX = 34
_DOT_PX, _DOT_GAP_PX = 7, 4
_TAG_SHARE, _TAG_PADDING_PX = 0.4, 5  # the share is of the room for a title
_HEADING_DROP_PX = 3  # a heading is nearer to the rows it names than to those above
_MOST_COUNTED = 99
_MAX_TITLE = 500  # no title is measured past what any sidebar can show

_AnyIndex = QModelIndex | QPersistentModelIndex


class _Look(NamedTuple):
    """The values of the theme, read once for each look and not for every row: that took a third of the painting."""

    tokens: Tokens
    text: QColor
    muted: QColor
    line: QColor
    accent: QColor
    selected: QColor
    hover: QColor
    icon_px: int


class ThreadDelegate(QStyledItemDelegate):
    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self._theme = theme
        self._fonts: dict[str, tuple[QFont, QFontMetrics]] = {}
        self._look: _Look | None = None
        self._starts: dict[Qt.LayoutDirection, int] = {}
        self._cut: set[int] = set()  # rows whose titles were cut off when they were last painted
        theme.changed.connect(self._on_theme_changed)

    @property
    def row_height_px(self) -> int:
        return self._theme.target_px(ROW_HEIGHT_PX)

    def sizeHint(self, _option: QStyleOptionViewItem, _index: _AnyIndex) -> QSize:
        return QSize(0, self.row_height_px)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: _AnyIndex) -> None:
        painter.save()
        read_by_letters(painter)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        rect: QRect = option.rect
        row = index.data(ThreadRole.PAINTED)
        if isinstance(row, PaintedFolder):
            self._paint_background(painter, rect, option.state.value)
            is_cut = self._paint_folder(painter, rect, row, option.direction)
        elif not isinstance(row, PaintedRow):
            is_cut = self._paint_heading(painter, rect, str(index.data()), option.direction)
        else:
            state: int = option.state.value  # as a number, because each test of a Qt flag costs a call in Python
            self._paint_background(painter, rect, state)
            is_cut = self._paint_thread(painter, rect, row, direction=option.direction, has_menu=_shows_menu(state))
        (self._cut.add if is_cut else self._cut.discard)(index.row())
        painter.restore()

    def helpEvent(
        self, event: QHelpEvent, view: QAbstractItemView, option: QStyleOptionViewItem, index: _AnyIndex
    ) -> bool:
        """Show the title of a row that has no room for all of it; elsewhere it would only cover the next row."""
        if event.type() == QEvent.Type.ToolTip and index.row() not in self._cut:
            QToolTip.hideText()
            return True
        return super().helpEvent(event, view, option, index)

    def _paint_heading(self, painter: QPainter, rect: QRect, title: str, direction: Qt.LayoutDirection) -> bool:
        font, metrics = self._font("group")
        look = self._looks()
        space = look.tokens.space
        area = rect.adjusted(space.s, _HEADING_DROP_PX, -space.s, _HEADING_DROP_PX)
        painter.setFont(font)
        painter.setPen(look.muted)
        text = metrics.elidedText(title, Qt.TextElideMode.ElideRight, area.width())
        painter.drawText(area, self._start(direction), text)
        return text != title

    def _paint_folder(self, painter: QPainter, rect: QRect, row: PaintedFolder, direction: Qt.LayoutDirection) -> bool:
        whole, look = QRectF(rect), self._looks()
        gap, side, high = look.tokens.space.s, look.icon_px, rect.height()
        font, metrics = self._font("time")
        width = metrics.horizontalAdvance(row.threads) + 1
        left, right = rect.left() + gap, rect.right() + 1 - gap
        mark = mirrored(QRectF(left, rect.top() + (high - side) / 2, side, side), whole, direction)
        closed = "chevron-left" if direction is Qt.LayoutDirection.RightToLeft else "chevron-right"
        paint_icon(painter, mark, "chevron-down" if row.is_open else closed, look.muted)
        painter.setFont(font)
        painter.setPen(look.muted)
        painter.drawText(mirrored(QRectF(right - width, rect.top(), width, high), whole, direction), _LEFT, row.threads)
        left += side + gap
        font, metrics = self._font("text")
        area = mirrored(QRectF(left, rect.top(), max(0.0, right - width - gap - left), high), whole, direction)
        painter.setFont(font)
        painter.setPen(look.text)
        title = metrics.elidedText(row.title[:_MAX_TITLE], Qt.TextElideMode.ElideRight, round(area.width()))
        painter.drawText(area, self._start(direction), title)
        return title != row.title

    def _paint_background(self, painter: QPainter, rect: QRect, state: int) -> None:
        if not state & (_LIT | _FOCUSED):
            return
        look = self._looks()
        radius = look.tokens.radius.row
        shape = QRectF(rect)
        if state & _LIT:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(look.selected if state & _SELECTED else look.hover)
            painter.drawRoundedRect(shape, radius, radius)
        if state & _FOCUSED and state & _BY_KEYS:
            inset = FOCUS_RING_PX / 2
            painter.setPen(QPen(look.accent, FOCUS_RING_PX))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(shape.adjusted(inset, inset, -inset, -inset), radius, radius)

    def menu_area(self, rect: QRect, direction: Qt.LayoutDirection) -> QRect:
        """Return the rectangle of the menu button in a row that shows one."""
        side = rect.height()
        return mirrored(QRectF(rect.right() + 1 - side, rect.top(), side, side), QRectF(rect), direction).toRect()

    def _paint_thread(
        self, painter: QPainter, rect: QRect, row: PaintedRow, *, direction: Qt.LayoutDirection, has_menu: bool
    ) -> bool:
        whole = QRectF(rect)

        def place(left: float, top: float, width: float, height: float) -> QRectF:
            return mirrored(QRectF(left, top, width, height), whole, direction)

        look = self._looks()
        gap, high = look.tokens.space.s, rect.height()
        top, left, right = rect.top(), float(rect.left() + gap), float(rect.right() + 1 - gap)
        side = look.icon_px
        if row.is_in_folder:
            left += side + gap
        if row.icon:
            paint_icon(painter, place(left, top + (high - side) / 2, side, side), row.icon, look.text)
            left += side + gap
        if has_menu:
            area = QRectF(self.menu_area(rect, direction))
            corner = area.center() - QPointF(side / 2, side / 2)
            paint_icon(painter, QRectF(corner.x(), corner.y(), side, side), "ellipsis", look.text)
            right -= high - gap
        if has_menu or row.has_time_always:
            font, metrics = self._font("time")
            width = metrics.horizontalAdvance(row.time)
            painter.setFont(font)
            painter.setPen(look.muted)
            painter.drawText(place(right - width, top, width + 1, high), _LEFT, row.time)
            right -= width + gap
        if row.is_streaming:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(look.accent)
            painter.drawEllipse(place(right - _DOT_PX, top + (high - _DOT_PX) / 2, _DOT_PX, _DOT_PX))
            right -= _DOT_PX + gap
        if row.unread:
            right -= self._paint_unread(painter, whole, row.unread, right=right, direction=direction) + gap
        if row.tags:
            right -= self._paint_tags(painter, whole, row.tags, between=(left, right), direction=direction) + gap
        font, metrics = self._font("strong" if row.unread else "text")
        area = place(left, top, max(0.0, right - left), high)
        painter.setFont(font)
        painter.setPen(look.text)
        title = row.title[:_MAX_TITLE].replace("\n", " ")
        shown = metrics.elidedText(title, Qt.TextElideMode.ElideRight, round(area.width()))
        painter.drawText(area, self._start(direction), shown)
        return shown != title

    def _paint_unread(
        self, painter: QPainter, whole: QRectF, count: int, *, right: float, direction: Qt.LayoutDirection
    ) -> float:
        """Paint a dot and the number of unread messages, ending at ``right``. Returns the width."""
        look = self._looks()
        font, metrics = self._font("time")
        text = f"{count}" if count <= _MOST_COUNTED else f"{_MOST_COUNTED}+"
        words = metrics.horizontalAdvance(text) + 1
        width = words + _DOT_PX + _DOT_GAP_PX
        left, top = right - width, whole.top()
        dot = QRectF(left, top + (whole.height() - _DOT_PX) / 2, _DOT_PX, _DOT_PX)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(look.accent)
        painter.drawEllipse(mirrored(dot, whole, direction))
        painter.setFont(font)
        painter.setPen(look.text)
        area = QRectF(left + _DOT_PX + _DOT_GAP_PX, top, words, whole.height())
        painter.drawText(mirrored(area, whole, direction), _LEFT, text)
        return width

    def _paint_tags(
        self,
        painter: QPainter,
        whole: QRectF,
        tags: Sequence[str],
        *,
        between: tuple[float, float],
        direction: Qt.LayoutDirection,
    ) -> float:
        """Paint the first tag in a quiet frame, and the number of further tags. Returns the width."""
        look = self._looks()
        font, metrics = self._font("time")
        room = round((between[1] - between[0]) * _TAG_SHARE)
        text = tags[0][:_MAX_TITLE] if len(tags) == 1 else f"{tags[0][:_MAX_TITLE]} +{len(tags) - 1}"
        text = metrics.elidedText(text, Qt.TextElideMode.ElideRight, room - 2 * _TAG_PADDING_PX)
        width = metrics.horizontalAdvance(text) + 2 * _TAG_PADDING_PX
        height = metrics.height() + 2
        left, top = between[1] - width, whole.top() + (whole.height() - height) / 2
        area = mirrored(QRectF(left, top, width, height), whole, direction)
        painter.setPen(look.line)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        radius = look.tokens.radius.inline_code
        painter.drawRoundedRect(area.adjusted(0.5, 0.5, -0.5, -0.5), radius, radius)
        painter.setFont(font)
        painter.setPen(look.muted)
        painter.drawText(area, int(Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextSingleLine), text)
        return width

    def _looks(self) -> _Look:
        if self._look is None:
            colour, scale = self._theme.colour, max(1.0, self._theme.scale)
            self._look = _Look(
                self._theme.tokens,
                text=colour("text"),
                muted=colour("muted"),
                line=colour("line"),
                accent=colour("accent"),
                selected=colour("selected"),
                hover=colour("hover"),
                icon_px=round(ICON_PX * scale),
            )
        return self._look

    def _start(self, direction: Qt.LayoutDirection) -> int:
        """Return the x position where a line of text begins."""
        found = self._starts.get(direction)
        if found is None:
            found = self._starts[direction] = line_start(direction)
        return found

    def _on_theme_changed(self) -> None:
        self._fonts.clear()
        self._look = None

    def _font(self, role: str) -> tuple[QFont, QFontMetrics]:
        """Fonts are kept: making one and asking its metrics costs more than drawing the row."""
        found = self._fonts.get(role)
        if found is None:
            font = self._theme.font("group" if role in ("group", "time") else "strong" if role == "strong" else "text")
            if role == "time":
                font.setWeight(QFont.Weight.Normal)
            found = self._fonts[role] = (font, QFontMetrics(font))
        return found

    # Changing a title in place

    def createEditor(self, parent: QWidget, _option: QStyleOptionViewItem, _index: _AnyIndex) -> QWidget:
        return named(TitleField(parent), "threadTitleField", tr("Title of the thread"))

    def setEditorData(self, editor: QWidget, index: _AnyIndex) -> None:
        if isinstance(editor, QLineEdit):
            editor.setText(str(index.data(Qt.ItemDataRole.EditRole)))
            editor.selectAll()

    def setModelData(self, editor: QWidget, model: QAbstractItemModel, index: _AnyIndex) -> None:
        if isinstance(editor, QLineEdit):
            model.setData(index, editor.text(), Qt.ItemDataRole.EditRole)

    def updateEditorGeometry(self, editor: QWidget, option: QStyleOptionViewItem, _index: _AnyIndex) -> None:
        editor.setGeometry(option.rect)


def _shows_menu(state: int) -> bool:
    """Return whether a row shows the button of its menu: under the pointer, and where the keyboard focus is."""
    return bool(state & _UNDER_POINTER or (state & _FOCUSED and state & _BY_KEYS))


class TitleField(QLineEdit):
    """Keeps Esc for itself: while a title is typed it gives up the change and must not stop an answer."""

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ShortcutOverride and _key(event) == Qt.Key.Key_Escape:
            event.accept()
            return True
        return super().event(event)


def _key(event: Any) -> int:
    return int(event.key())


_LEFT = int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter | Qt.TextFlag.TextSingleLine)
# The values of Qt's QStyle::StateFlag, which take 4 ms of the start when Python asks for them.
_FOCUSED: Final = 0x100  # State_HasFocus
_UNDER_POINTER: Final = 0x2000  # State_MouseOver
_SELECTED: Final = 0x8000  # State_Selected
_BY_KEYS: Final = 0x800000  # State_KeyboardFocusChange
_LIT: Final = _SELECTED | _UNDER_POINTER
