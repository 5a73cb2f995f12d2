"""The place of an answer that is waited for: the caret and, after a moment, the model's name and the seconds."""

from __future__ import annotations

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QPainter

from chatdesk.core.clock import SystemClock
from chatdesk.core.rendering.blocks import Span
from chatdesk.core.texts import tr
from chatdesk.ui.transcript.drawing.item import PaintState
from chatdesk.ui.transcript.drawing.moments import duration_of
from chatdesk.ui.transcript.items.text_item import TextItem

_SAID_AFTER_MS = 2_000
_CARET_ROOM_PX = 22


class WaitingItem(TextItem):
    """The caret and the waiting time in place of an answer.

    The item is as high as the first line of the answer will be, so that nothing moves when it comes. The words are
    drawn but not read: a screen reader hears once that an answer is coming, and not every second.
    """

    ticks = True

    def __init__(self, who: str, since_ms: int) -> None:
        super().__init__((Span(""),))
        self.who = who
        self.since_ms = since_ms
        self.words = ""
        self.tick(SystemClock().now_ms())

    def tick(self, now_ms: int) -> bool:
        waited_ms = now_ms - self.since_ms
        words = (
            tr("Waiting for {who}, {duration}", who=self.who, duration=duration_of(waited_ms))
            if waited_ms >= _SAID_AFTER_MS
            else ""
        )
        if words == self.words:
            return False
        self.words = words
        self.revision += 1
        return True

    def tip_at(self, _point: object) -> str:
        return self.words

    def paint(self, painter: QPainter, state: PaintState) -> None:
        super().paint(painter, state)
        style = state.style
        left = style.px(_CARET_ROOM_PX)
        area = QRectF(left, 0, max(0.0, self._width - left), self.height)
        painter.setFont(style.font("note"))
        painter.setPen(style.colour("muted"))
        words = style.metrics("note").elidedText(self.words, Qt.TextElideMode.ElideMiddle, area.width())
        painter.drawText(area, int(Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft), words)
