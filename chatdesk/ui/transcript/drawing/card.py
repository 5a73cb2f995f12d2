"""Paints the parts that cards share: the frame, a hairline, a line of text."""

from __future__ import annotations

from typing import Literal

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QPainter, QPen

from chatdesk.ui.theme.tokens import FontRole
from chatdesk.ui.transcript.drawing.transcript_style import TranscriptStyle

# At the left in a right-to-left window, too, whose painter would mirror the alignment.
AT_LEFT = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignAbsolute


def paint_card(
    painter: QPainter,
    style: TranscriptStyle,
    area: QRectF,
    *,
    ground: str | None,
    border: str = "line",
    half: Literal["", "upper", "lower"] = "",
) -> None:
    """Paint a rounded rectangle with a hairline border, filled with the colour ``ground`` if there is one. ``half``: it
    is one card with what lies below or above it."""
    radius = style.tokens.radius.code
    painter.save()
    if half:
        painter.setClipRect(area, Qt.ClipOperation.IntersectClip)
        area = area.adjusted(0, -radius if half == "lower" else 0, 0, radius if half == "upper" else 0)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(QPen(style.colour(border), 1))
    painter.setBrush(style.colour(ground) if ground else Qt.BrushStyle.NoBrush)
    painter.drawRoundedRect(area.adjusted(0.5, 0.5, -0.5, -0.5), radius, radius)
    painter.restore()


def paint_hairline(painter: QPainter, style: TranscriptStyle, start: QPointF, length: float) -> None:
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
    painter.fillRect(QRectF(round(start.x()), round(start.y()), length, 1), style.colour("line"))


def paint_text_line(
    painter: QPainter, style: TranscriptStyle, area: QRectF, text: str, *, role: FontRole, colour: str
) -> None:
    """Paint a text on one line, with its middle elided if it is too long."""
    painter.setFont(style.font(role))
    painter.setPen(style.colour(colour))
    shown = style.metrics(role).elidedText(text, Qt.TextElideMode.ElideMiddle, max(0.0, area.width()))
    painter.drawText(area, int(AT_LEFT), shown)
