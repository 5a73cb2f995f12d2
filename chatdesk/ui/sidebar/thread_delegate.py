"""Paints one row of the thread list, and gives the field in which a title is changed in place."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from PySide6.QtCore import QAbstractItemModel, QEvent, QModelIndex, QPersistentModelIndex, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QFont, QFontMetrics, QPainter, QPen
from PySide6.QtWidgets import QLineEdit, QStyle, QStyledItemDelegate, QStyleOptionViewItem, QWidget

from chatdesk.ui.sidebar.thread_model import ThreadRole
from chatdesk.ui.theme.icons import paint_icon
from chatdesk.ui.theme.theme import Theme
from chatdesk.ui.theme.tokens import FOCUS_RING_PX, ICON_PX
from chatdesk.ui.widgets.painting import mirrored

ROW_HEIGHT_PX = 34
_DOT_PX = 7
_TAG_SHARE, _TAG_PADDING_PX = 0.4, 5  # of the room for a title
_HEADING_DROP_PX = 3  # a heading stands nearer to the rows it names than to those above
_MAX_TITLE = 500  # no title is measured past what any sidebar can show

_AnyIndex = QModelIndex | QPersistentModelIndex


class ThreadDelegate(QStyledItemDelegate):
    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self._theme = theme
        self._fonts: dict[str, tuple[QFont, QFontMetrics]] = {}
        theme.changed.connect(self._fonts.clear)

    @property
    def row_height_px(self) -> int:
        return round(ROW_HEIGHT_PX * max(1.0, self._theme.scale))

    def sizeHint(self, _option: QStyleOptionViewItem, _index: _AnyIndex) -> QSize:
        return QSize(0, self.row_height_px)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: _AnyIndex) -> None:
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        rect: QRect = option.rect
        state: QStyle.StateFlag = option.state
        if index.data(ThreadRole.IS_HEADING):
            self._paint_heading(painter, rect, str(index.data()), option.direction)
        else:
            self._paint_background(painter, rect, state)
            self._paint_thread(painter, rect, index, option.direction)
        painter.restore()

    def _paint_heading(self, painter: QPainter, rect: QRect, title: str, direction: Qt.LayoutDirection) -> None:
        font, metrics = self._font("group")
        space = self._theme.tokens.space
        area = rect.adjusted(space.s, _HEADING_DROP_PX, -space.s, _HEADING_DROP_PX)
        painter.setFont(font)
        painter.setPen(self._theme.colour("muted"))
        text = metrics.elidedText(title, Qt.TextElideMode.ElideRight, area.width())
        painter.drawText(area, _start(direction), text)

    def _paint_background(self, painter: QPainter, rect: QRect, state: QStyle.StateFlag) -> None:
        tokens = self._theme.tokens
        shape = QRectF(rect)
        flag = QStyle.StateFlag
        if state & (flag.State_Selected | flag.State_MouseOver):
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(self._theme.colour("selected" if state & flag.State_Selected else "hover"))
            painter.drawRoundedRect(shape, tokens.radius.row, tokens.radius.row)
        if state & flag.State_HasFocus and state & flag.State_KeyboardFocusChange:
            inset = FOCUS_RING_PX / 2
            painter.setPen(QPen(self._theme.colour("accent"), FOCUS_RING_PX))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(shape.adjusted(inset, inset, -inset, -inset), tokens.radius.row, tokens.radius.row)

    def _paint_thread(self, painter: QPainter, rect: QRect, index: _AnyIndex, direction: Qt.LayoutDirection) -> None:
        def place(left: float, top: float, width: float, height: float) -> QRectF:
            return mirrored(QRectF(left, top, width, height), QRectF(rect), direction)

        space = self._theme.tokens.space
        left, right = float(rect.left() + space.s), float(rect.right() + 1 - space.s)
        is_pinned = bool(index.data(ThreadRole.IS_PINNED))
        if is_pinned:
            side = round(ICON_PX * max(1.0, self._theme.scale))
            top = rect.top() + (rect.height() - side) / 2
            paint_icon(painter, place(left, top, side, side), "pin", self._theme.colour("text"))
            left += side + space.s
        else:
            text = str(index.data(ThreadRole.TIME))
            font, metrics = self._font("time")
            width = metrics.horizontalAdvance(text)
            painter.setFont(font)
            painter.setPen(self._theme.colour("muted"))
            painter.drawText(place(right - width, rect.top(), width + 1, rect.height()), _LEFT, text)
            right -= width + space.s
        if index.data(ThreadRole.IS_STREAMING):
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(self._theme.colour("accent"))
            painter.drawEllipse(place(right - _DOT_PX, rect.top() + (rect.height() - _DOT_PX) / 2, _DOT_PX, _DOT_PX))
            right -= _DOT_PX + space.s
        tags = index.data(ThreadRole.TAGS)
        if tags:
            right -= self._paint_tags(painter, rect, (left, right), tags, option_direction=direction) + space.s
        font, metrics = self._font("text")
        area = place(left, rect.top(), max(0, right - left), rect.height())
        painter.setFont(font)
        painter.setPen(self._theme.colour("text"))
        title = str(index.data())[:_MAX_TITLE].replace("\n", " ")
        shown = metrics.elidedText(title, Qt.TextElideMode.ElideRight, round(area.width()))
        painter.drawText(area, _start(direction), shown)

    def _paint_tags(
        self,
        painter: QPainter,
        rect: QRect,
        between: tuple[float, float],
        tags: Sequence[str],
        *,
        option_direction: Qt.LayoutDirection,
    ) -> float:
        """The first tag in a quiet frame, and how many more there are. Returns the width."""
        font, metrics = self._font("time")
        room = round((between[1] - between[0]) * _TAG_SHARE)
        text = tags[0][:_MAX_TITLE] if len(tags) == 1 else f"{tags[0][:_MAX_TITLE]} +{len(tags) - 1}"
        text = metrics.elidedText(text, Qt.TextElideMode.ElideRight, room - 2 * _TAG_PADDING_PX)
        width = metrics.horizontalAdvance(text) + 2 * _TAG_PADDING_PX
        height = metrics.height() + 2
        left, top = between[1] - width, rect.top() + (rect.height() - height) / 2
        area = mirrored(QRectF(left, top, width, height), QRectF(rect), option_direction)
        painter.setPen(self._theme.colour("line"))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        radius = self._theme.tokens.radius.inline_code
        painter.drawRoundedRect(area.adjusted(0.5, 0.5, -0.5, -0.5), radius, radius)
        painter.setFont(font)
        painter.setPen(self._theme.colour("muted"))
        painter.drawText(area, int(Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextSingleLine), text)
        return width

    def _font(self, role: str) -> tuple[QFont, QFontMetrics]:
        """Fonts are kept: making one and asking its metrics costs more than drawing the row."""
        found = self._fonts.get(role)
        if found is None:
            font = self._theme.font("group" if role in ("group", "time") else "text")
            if role == "time":
                font.setWeight(QFont.Weight.Normal)
            found = self._fonts[role] = (font, QFontMetrics(font))
        return found

    # Changing a title in place

    def createEditor(self, parent: QWidget, _option: QStyleOptionViewItem, _index: _AnyIndex) -> QWidget:
        editor = TitleField(parent)
        editor.setObjectName("threadTitleField")
        editor.setAccessibleName("Title of the thread")
        return editor

    def setEditorData(self, editor: QWidget, index: _AnyIndex) -> None:
        if isinstance(editor, QLineEdit):
            editor.setText(str(index.data(Qt.ItemDataRole.EditRole)))
            editor.selectAll()

    def setModelData(self, editor: QWidget, model: QAbstractItemModel, index: _AnyIndex) -> None:
        if isinstance(editor, QLineEdit):
            model.setData(index, editor.text(), Qt.ItemDataRole.EditRole)

    def updateEditorGeometry(self, editor: QWidget, option: QStyleOptionViewItem, _index: _AnyIndex) -> None:
        editor.setGeometry(option.rect)


class TitleField(QLineEdit):
    """Keeps Esc for itself: while a title is typed it gives up the change and must not stop an answer."""

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ShortcutOverride and _key(event) == Qt.Key.Key_Escape:
            event.accept()
            return True
        return super().event(event)


def _key(event: Any) -> int:
    return int(event.key())


def _start(direction: Qt.LayoutDirection) -> int:
    """Where a line of text begins."""
    start = QStyle.visualAlignment(direction, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
    return int(start | Qt.TextFlag.TextSingleLine)


_LEFT = int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter | Qt.TextFlag.TextSingleLine)
