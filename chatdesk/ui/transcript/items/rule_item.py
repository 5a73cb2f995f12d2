"""A thematic break: a thin line between two parts of a text."""

from __future__ import annotations

from PySide6.QtCore import QPointF
from PySide6.QtGui import QPainter

from chatdesk.core.rendering.blocks import Rule
from chatdesk.ui.transcript.drawing.card import paint_hairline
from chatdesk.ui.transcript.drawing.item import Item, PaintState
from chatdesk.ui.transcript.drawing.transcript_style import TranscriptStyle


class RuleItem(Item):
    """A thin line between two parts of a text."""

    kind = "rule"
    gap = 16.0
    is_structure = True

    def __init__(self, block: Rule) -> None:
        super().__init__()
        self.at = block.at

    def guess(self, style: TranscriptStyle, width: float) -> float:
        return 9.0

    def layout(self, style: TranscriptStyle, width: float) -> None:
        self.height = 9.0
        self.natural_width = width

    def paint(self, painter: QPainter, state: PaintState) -> None:
        left, right = state.style.insets(self.at, self.natural_width)
        paint_hairline(painter, state.style, QPointF(left, 4), self.natural_width - left - right)
