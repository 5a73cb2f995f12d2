"""The bars at the left of what is quoted."""

from __future__ import annotations

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QPainter

from chatdesk.core.rendering.blocks import Placement
from chatdesk.ui.transcript.looks import LIST_INDENT_PX, QUOTE_INDENT_PX, Looks

_MAX_BARS = 8
_BAR_PX = 3


def paint_quote_bars(painter: QPainter, looks: Looks, at: Placement, *, height: float) -> None:
    """One bar a quote; a quote in a list stands as far to the right as the words of its item."""
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(looks.colour("line"))
    for depth in range(min(at.quote_depth, _MAX_BARS)):
        lists = at.quoted_lists[depth] if at.quoted_lists else 0
        left = looks.px(depth * QUOTE_INDENT_PX + min(lists, _MAX_BARS) * LIST_INDENT_PX)
        painter.drawRect(QRectF(left, 0, _BAR_PX, height))
