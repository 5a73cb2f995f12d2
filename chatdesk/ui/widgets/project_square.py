"""A project's sign: a square in its colour with the first letter of its name."""

from __future__ import annotations

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QFont, QPainter

from chatdesk.ui.theme.theme import Theme
from chatdesk.ui.theme.tokens import ink_on

SQUARE_PX = 20


def paint_project_square(painter: QPainter, square: QRectF, name: str, *, colour: str, theme: Theme) -> None:
    """Paint a square in ``colour``, which is ``#RRGGBB``; anything else means the accent."""
    own = QColor.fromString(colour) if colour.startswith("#") else QColor()
    fill = own if own.isValid() else theme.colour("accent")
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(fill)
    radius = theme.tokens.radius.inline_code
    painter.drawRoundedRect(square, radius, radius)
    letter = theme.font("group")
    letter.setWeight(QFont.Weight.DemiBold)
    painter.setFont(letter)
    painter.setPen(QColor(ink_on(fill.name())) if own.isValid() else QColor(theme.tokens.on_accent))
    painter.drawText(square, Qt.AlignmentFlag.AlignCenter, name.strip()[:1].upper())
