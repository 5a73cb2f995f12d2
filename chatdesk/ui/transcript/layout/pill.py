"""Shows the button that leads back to the newest message, while the reader is elsewhere."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QPushButton, QWidget

from chatdesk.core.texts import plural, shown, tr
from chatdesk.ui.transcript.drawing.transcript_style import TranscriptStyle

_HEIGHT_PX = 32
_PAD_PX = 14
_GAP_PX = 8
_MARGIN_PX = 16
ROOM_PX = _HEIGHT_PX + _MARGIN_PX  # from the lower edge up, at scale 1


class JumpPill(QPushButton):
    """A button that is painted by hand, because it is drawn again with every step of a scroll."""

    def __init__(self, parent: QWidget, style: TranscriptStyle) -> None:
        super().__init__(parent)
        self.setObjectName("jumpToNewest")
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self._style = style
        self._count = -1
        self.is_wanted = True
        self.set_style(style)
        self.set_count(0)
        self.hide()

    def set_count(self, count: int) -> None:
        """Show that ``count`` messages came since the reader left the end."""
        if count == self._count:
            return
        self._count = count
        new = shown(plural("{count} new messages", "{count} new message", count))
        self.setText(new if count else tr("Jump to newest"))
        self.setAccessibleName(tr("Jump to newest, {new}", new=new) if count else tr("Jump to newest"))
        self.resize(self.sizeHint())

    def set_style(self, style: TranscriptStyle) -> None:
        self._style = style
        self.resize(self.sizeHint())
        self.update()

    def sizeHint(self) -> QSize:
        style = self._style
        icon = style.icon("arrow-down", "text").deviceIndependentSize().width()
        wide = style.metrics("muted").horizontalAdvance(self.text())
        return QSize(round(wide + icon + style.px(2 * _PAD_PX + _GAP_PX)), round(style.px(_HEIGHT_PX)))

    def place(self, width: int, height: int) -> None:
        """Move the button to the middle of the lower edge of a view of this size."""
        self.move((width - self.width()) // 2, height - self.height() - _MARGIN_PX)

    def paintEvent(self, event: QPaintEvent) -> None:
        style = self._style
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        width = 2.0 if self.hasFocus() else 1.0
        painter.setPen(QPen(style.colour("accent" if self.hasFocus() else "field_line"), width))
        painter.setBrush(style.colour("hover" if self.underMouse() else "floating"))
        area = QRectF(self.rect()).adjusted(width / 2, width / 2, -width / 2, -width / 2)
        painter.drawRoundedRect(area, area.height() / 2, area.height() / 2)
        icon = style.icon("arrow-down", "text")
        side = icon.deviceIndependentSize().width()
        x = style.px(_PAD_PX)
        painter.drawPixmap(QPointF(x, round((self.height() - side) / 2)), icon)
        painter.setPen(style.colour("text"))
        painter.setFont(style.font("muted"))
        left = x + side + style.px(_GAP_PX)
        room = QRectF(left, 0, self.width() - left, self.height())
        painter.drawText(room, int(Qt.AlignmentFlag.AlignVCenter), self.text())
        painter.end()
