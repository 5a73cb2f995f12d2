"""Paints the bars beside quotes: at the left, or at the right of text that reads from there."""

from __future__ import annotations

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QPainter

from chatdesk.core.rendering.blocks import Placement
from chatdesk.ui.transcript.drawing.transcript_style import LIST_INDENT_PX, QUOTE_INDENT_PX, TranscriptStyle

_MAX_BARS = 8
_BAR_PX = 3


def paint_quote_bars(
    painter: QPainter, style: TranscriptStyle, at: Placement, *, area: QRectF, above: float = 0.0, shared: int = 0
) -> None:
    """Paint one bar for each quote, or callout, around a block that fills ``area``.

    A quote in a list is as far in as the words of its item. The first ``shared`` quotes go on from the block
    before, so their bars begin ``above`` px higher, where that block ends.
    """
    painter.setPen(Qt.PenStyle.NoPen)
    for depth in range(min(at.quote_depth, _MAX_BARS)):
        lists = at.quoted_lists[depth] if at.quoted_lists else 0
        inset = style.px(depth * QUOTE_INDENT_PX + min(lists, _MAX_BARS) * LIST_INDENT_PX)
        x = area.right() - inset - _BAR_PX if at.is_right_to_left else area.x() + inset
        kind = at.callouts[depth] if depth < len(at.callouts) else ""
        painter.setBrush(style.callout(kind) if kind else style.colour("line"))
        top = area.y() - (above if depth < shared else 0.0)
        painter.drawRect(QRectF(x, top, _BAR_PX, area.bottom() - top))


def shared_quotes(one: Placement, other: Placement) -> int:
    """Return how many quotes two blocks have in common."""
    same = (mine == yours for mine, yours in zip(one.quotes, other.quotes, strict=False))
    return next((depth for depth, is_same in enumerate(same) if not is_same), min(len(one.quotes), len(other.quotes)))
