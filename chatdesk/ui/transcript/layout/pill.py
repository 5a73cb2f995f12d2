"""The button that leads back to the newest message, shown while the reader is elsewhere."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QPushButton, QWidget

from chatdesk.ui.transcript.drawing.looks import Looks

_HEIGHT_PX = 32
_PAD_PX = 14
_GAP_PX = 8
_MARGIN_PX = 16


class JumpPill(QPushButton):
    """A button that is painted by hand, because it is drawn again with every step of a scroll."""

    def __init__(self, parent: QWidget, looks: Looks) -> None:
        super().__init__(parent)
        self.setObjectName("jumpToNewest")
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self._looks = looks
        self._count = -1
        self.set_looks(looks)
        self.set_count(0)
        self.hide()

    def set_count(self, count: int) -> None:
        """Show that ``count`` messages came since the reader left the end."""
        if count == self._count:
            return
        self._count = count
        noun = "message" if count == 1 else "messages"
        self.setText(f"{count:,} new {noun}" if count else "Jump to newest")
        self.setAccessibleName(f"Jump to newest, {count:,} new {noun}" if count else "Jump to newest")
        self.resize(self.sizeHint())

    def set_looks(self, looks: Looks) -> None:
        self._looks = looks
        self.resize(self.sizeHint())
        self.update()

    def sizeHint(self) -> QSize:
        looks = self._looks
        icon = looks.icon("arrow-down", "text").deviceIndependentSize().width()
        wide = looks.metrics("muted").horizontalAdvance(self.text())
        return QSize(round(wide + icon + looks.px(2 * _PAD_PX + _GAP_PX)), round(looks.px(_HEIGHT_PX)))

    def place(self, width: int, height: int) -> None:
        """Move the button to the middle of the lower edge of a view of this size."""
        self.move((width - self.width()) // 2, height - self.height() - _MARGIN_PX)

    def paintEvent(self, event: QPaintEvent) -> None:
        looks = self._looks
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        width = 2.0 if self.hasFocus() else 1.0
        painter.setPen(QPen(looks.colour("accent" if self.hasFocus() else "line"), width))
        painter.setBrush(looks.colour("hover" if self.underMouse() else "card"))
        area = QRectF(self.rect()).adjusted(width / 2, width / 2, -width / 2, -width / 2)
        painter.drawRoundedRect(area, area.height() / 2, area.height() / 2)
        icon = looks.icon("arrow-down", "text")
        side = icon.deviceIndependentSize().width()
        x = looks.px(_PAD_PX)
        painter.drawPixmap(QPointF(x, round((self.height() - side) / 2)), icon)
        painter.setPen(looks.colour("text"))
        painter.setFont(looks.font("muted"))
        left = x + side + looks.px(_GAP_PX)
        room = QRectF(left, 0, self.width() - left, self.height())
        painter.drawText(room, int(Qt.AlignmentFlag.AlignVCenter), self.text())
        painter.end()
