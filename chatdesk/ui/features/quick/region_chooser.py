"""Shows a picture of a whole screen, and lets a person choose a part of it, with the mouse or with keys."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import QPoint, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QFocusEvent, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen, QPixmap, QScreen
from PySide6.QtWidgets import QWidget

from chatdesk.core.texts import tr
from chatdesk.ui.accessibility.assistance import announce

_STEP_PX: Final = 20
_FINE_PX: Final = 1
_LEAST_PX: Final = 8
_DIM: Final = QColor(0, 0, 0, 120)
_LINE: Final = QColor(255, 255, 255)
_HINT_PAD_PX: Final = 12
_HINT_FROM_TOP_PX: Final = 24
_STEPS: Final = {
    Qt.Key.Key_Left: (-1, 0),
    Qt.Key.Key_Right: (1, 0),
    Qt.Key.Key_Up: (0, -1),
    Qt.Key.Key_Down: (0, 1),
}


class RegionChooser(QWidget):
    """A widget that chooses a part of a screenshot. ``finished`` carries the chosen part as a ``QPixmap`` in the pixels
    of the screen, or None. At first all of it is chosen, so that Enter takes the whole screen."""

    finished = Signal(object)

    def __init__(self, screen: QScreen, picture: QPixmap) -> None:
        super().__init__(None, Qt.WindowType.FramelessWindowHint | Qt.WindowType.WindowStaysOnTopHint)
        self._picture = picture
        self._from: QPoint | None = None
        self._is_over = False
        self.setObjectName("regionChooser")
        self.setWindowTitle(tr("Choose a part of the screen"))
        self.setAccessibleName(self.windowTitle())
        self._hint = tr(
            "Drag over a part, or press Enter for what is framed. Arrows move the frame, Shift+arrows change its size, "
            "Alt makes small steps, Esc leaves."
        )
        self.setAccessibleDescription(self._hint)
        self.setAttribute(Qt.WidgetAttribute.WA_QuitOnClose, False)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setCursor(Qt.CursorShape.CrossCursor)
        self.setScreen(screen)
        self.setGeometry(screen.geometry())
        self.region = QRect(QPoint(), screen.geometry().size())  # in the widget's own pixels

    def start(self) -> None:
        """Show the picture over its whole screen, with the keys."""
        self.showFullScreen()
        self.raise_()
        self.activateWindow()
        self.setFocus(Qt.FocusReason.ActiveWindowFocusReason)
        announce(self, self._hint)

    # Qt's questions

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.drawPixmap(self.rect(), self._picture)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(_DIM)
        for part in _around(self.rect(), self.region):
            painter.drawRect(part)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(QPen(_LINE, 2))
        painter.drawRect(self.region.adjusted(1, 1, -1, -1))
        if self._from is None:
            self._paint_hint(painter)

    def _paint_hint(self, painter: QPainter) -> None:
        flags = int(Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap)
        room = QRectF(self.rect()).adjusted(_HINT_PAD_PX * 2, _HINT_FROM_TOP_PX, -_HINT_PAD_PX * 2, 0)
        words = painter.boundingRect(room, int(flags & ~Qt.AlignmentFlag.AlignVCenter), self._hint)
        box = words.adjusted(-_HINT_PAD_PX, -_HINT_PAD_PX / 2, _HINT_PAD_PX, _HINT_PAD_PX / 2)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(0, 0, 0, 210))
        painter.drawRoundedRect(box, 8, 8)
        painter.setPen(_LINE)
        painter.drawText(box, flags, self._hint)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            self._from = event.position().toPoint()
        elif event.button() == Qt.MouseButton.RightButton:
            self._finish(None)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._from is not None:
            self._choose(QRect(self._from, event.position().toPoint()).normalized())

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if event.button() != Qt.MouseButton.LeftButton or self._from is None:
            return
        began, self._from = self._from, None
        drawn = QRect(began, event.position().toPoint()).normalized()
        if min(drawn.width(), drawn.height()) >= _LEAST_PX:
            self._choose(drawn)
            self._crop()
        else:
            self._choose(self.rect())  # a click alone draws nothing

    def keyPressEvent(self, event: QKeyEvent) -> None:
        step = _STEPS.get(Qt.Key(event.key()))
        if event.key() == Qt.Key.Key_Escape:
            self._finish(None)
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space):
            self._crop()
        elif step is not None:
            modifiers = event.modifiers()
            size = _FINE_PX if modifiers & Qt.KeyboardModifier.AltModifier else _STEP_PX
            across, down = step[0] * size, step[1] * size
            if modifiers & Qt.KeyboardModifier.ShiftModifier:
                self._choose(self.region.adjusted(0, 0, across, down))
            else:
                self._choose(self._moved(across, down))
            announce(self, f"{self.region.x()}, {self.region.y()}, {self.region.width()} × {self.region.height()}")
        else:
            super().keyPressEvent(event)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        if event.reason() == Qt.FocusReason.ActiveWindowFocusReason and self.isVisible():
            self._finish(None)  # the person went to another program

    def _moved(self, across: int, down: int) -> QRect:
        most = self.rect().bottomRight() - QPoint(self.region.width() - 1, self.region.height() - 1)
        corner = self.region.topLeft() + QPoint(across, down)
        return QRect(QPoint(max(0, min(corner.x(), most.x())), max(0, min(corner.y(), most.y()))), self.region.size())

    def _choose(self, region: QRect) -> None:
        least = QSize(_LEAST_PX, _LEAST_PX)
        self.region = QRect(region.topLeft(), region.size().expandedTo(least)) & self.rect()
        self.update()

    def _crop(self) -> None:
        ratio = self._picture.devicePixelRatio()
        region = self.region
        corner = QPoint(round(region.x() * ratio), round(region.y() * ratio))
        end = QPoint(round((region.right() + 1) * ratio), round((region.bottom() + 1) * ratio))
        self._finish(self._picture.copy(QRect(corner, end - QPoint(1, 1))))

    def _finish(self, chosen: QPixmap | None) -> None:
        if not self._is_over:
            self._is_over = True
            self.finished.emit(chosen)


def _around(whole: QRect, hole: QRect) -> tuple[QRect, ...]:
    """Return the four rectangles of ``whole`` around ``hole``."""
    return (
        QRect(whole.left(), whole.top(), whole.width(), hole.top() - whole.top()),
        QRect(whole.left(), hole.bottom() + 1, whole.width(), whole.bottom() - hole.bottom()),
        QRect(whole.left(), hole.top(), hole.left() - whole.left(), hole.height()),
        QRect(hole.right() + 1, hole.top(), whole.right() - hole.right(), hole.height()),
    )
