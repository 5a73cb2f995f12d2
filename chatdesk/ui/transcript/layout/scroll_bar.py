"""Paints the scroll bar by hand, because a style takes longer for it than the transcript for its text, and computes the
sizes that it needs for a partly loaded thread."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, QRectF, Qt
from PySide6.QtGui import QEnterEvent, QPainter, QPaintEvent, QShowEvent
from PySide6.QtWidgets import QScrollBar, QStyle, QStyleOptionSlider, QWidget

from chatdesk.core.domain.message import ThreadSizes
from chatdesk.ui.transcript.contract import SizesFetcher
from chatdesk.ui.transcript.drawing.transcript_style import TranscriptStyle
from chatdesk.ui.transcript.layout.conversation import Conversation
from chatdesk.ui.transcript.layout.scrolling import Scrolling
from chatdesk.ui.transcript.layout.viewport_layout import ViewportLayout

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


class ScrollBarSizes(QObject):
    """A request for the sizes, made once each time a thread is shown."""

    def __init__(
        self, viewport_layout: ViewportLayout, conversation: Conversation, scrolling: Scrolling, fetch: SizesFetcher
    ) -> None:
        super().__init__(viewport_layout)
        self._layout = viewport_layout.layout
        self._conversation = conversation
        self._scrolling = scrolling
        self._fetch = fetch
        self._asked: str | None = None
        conversation.changed.connect(self._on_conversation_changed)
        conversation.cleared.connect(self._on_conversation_cleared)

    def _on_conversation_cleared(self) -> None:
        self._asked = None

    def _on_conversation_changed(self) -> None:
        thread_id = self._conversation.thread_id
        if thread_id is None or thread_id == self._asked or self._layout.is_whole:
            return
        self._asked = thread_id

        def receive(sizes: ThreadSizes) -> None:
            if self._asked == thread_id:
                self._layout.scale.set_sizes(sizes)
                self._scrolling.sync_bar()

        self._fetch(thread_id, receive)
