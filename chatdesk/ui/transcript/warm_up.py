"""Draws one item of each common kind off the screen, before the first thread is opened.

The first drawing loads fonts, shapes letters and reads icons, which would take a third of the time in which the first
thread opens.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from PySide6.QtCore import QObject, QRectF, QTimer
from PySide6.QtGui import QImage, QPainter

from chatdesk.core.domain.message import Message, Part, PartType, Role, Status
from chatdesk.core.rendering.blocks import CodeBlock, CodeRun, Heading, Paragraph, Span
from chatdesk.ui.transcript.drawing.item import Item, PaintState
from chatdesk.ui.transcript.drawing.transcript_style import TranscriptStyle
from chatdesk.ui.transcript.items.items_from_blocks import items_for
from chatdesk.ui.transcript.messages.entry import MessageEntry

_WIDTH_PX, _HEIGHT_PX = 480, 96
_LETTERS = "The quick brown fox jumps over the lazy dog: 0123456789 (SPHINX OF BLACK QUARTZ, JUDGE MY VOW)."


class WarmUp(QObject):
    """A timer that draws one sample item in each turn of the event loop, so that nothing waits for it."""

    def __init__(self, style: Callable[[], TranscriptStyle], parent: QObject) -> None:
        super().__init__(parent)
        self._style = style
        self._steps: Iterator[None] | None = None
        self._timer = QTimer(self, interval=0)
        self._timer.timeout.connect(self._on_timer_timeout)

    def start(self) -> None:
        """Start drawing the samples; later calls do nothing."""
        if self._steps is None:
            self._steps = _drawn(self._style())
            self._timer.start()

    def _on_timer_timeout(self) -> None:
        assert self._steps is not None
        if next(self._steps, self) is self:
            self._timer.stop()


def _drawn(style: TranscriptStyle) -> Iterator[None]:
    image = QImage(_WIDTH_PX, _HEIGHT_PX, QImage.Format.Format_RGB32)
    for item in _samples():
        item.ensure_layout(style, float(_WIDTH_PX))
        painter = QPainter(image)
        item.paint(painter, PaintState(style, QRectF(image.rect()), is_active=True, is_attended=True))
        painter.end()
        yield


def _samples() -> Iterator[Item]:
    for role in (Role.USER, Role.ASSISTANT):
        parts = (Part("", "", 0, PartType.TEXT, {"text": _LETTERS}),)
        message = Message("", "", None, role, Status.COMPLETE, created_at=0, position=0, parts=parts)
        yield from MessageEntry(message).items
    runs = [Span(_LETTERS, is_bold=True), Span(_LETTERS, is_italic=True), Span("code", is_code=True)]
    yield from items_for(Paragraph(tuple(runs)))
    yield from items_for(Heading(2, (Span(_LETTERS),)))
    yield from items_for(CodeBlock("python", "pass", (CodeRun(4, "keyword"),)))
