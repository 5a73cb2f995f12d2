"""The scroll bar, painted by hand because a style takes longer for it than the transcript takes for its text."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QRectF, Qt
from PySide6.QtGui import QEnterEvent, QPainter, QPaintEvent, QShowEvent
from PySide6.QtWidgets import QScrollBar, QStyle, QStyleOptionSlider, QWidget

from chatdesk.ui.transcript.drawing.transcript_style import TranscriptStyle

_INSET_PX = 3.0


class ThreadScrollBar(QScrollBar):
    """A scroll bar with its own painting; the style decides where the thumb is and what a click does."""

    def __init__(self, style: TranscriptStyle, parent: QWidget) -> None:
        super().__init__(Qt.Orientation.Vertical, parent)
        self._style = style
        self._is_hovered = False

    def set_style(self, style: TranscriptStyle) -> None:
        self._style = style
        self.update()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._stay_opaque()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() is QEvent.Type.StyleChange:
            self._stay_opaque()

    def enterEvent(self, event: QEnterEvent) -> None:
        super().enterEvent(event)
        self._is_hovered = True
        self.update()

    def leaveEvent(self, event: QEvent) -> None:
        super().leaveEvent(event)
        self._is_hovered = False
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.fillRect(self.rect(), self._style.colour("background"))
        if self.maximum() > self.minimum():
            option = QStyleOptionSlider()
            self.initStyleOption(option)
            thumb = self.style().subControlRect(
                QStyle.ComplexControl.CC_ScrollBar, option, QStyle.SubControl.SC_ScrollBarSlider, self
            )
            is_active = self._is_hovered or self.isSliderDown()
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(self._style.colour("muted" if is_active else "line"))
            area = QRectF(thumb).adjusted(_INSET_PX, 1, -_INSET_PX, -1)
            radius = area.width() / 2
            painter.drawRoundedRect(area, radius, radius)
        painter.end()

    def _stay_opaque(self) -> None:
        """Tell Qt that nothing below the bar shows through, so that nothing below it is painted first.

        A stylesheet resets this attribute.
        """
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
