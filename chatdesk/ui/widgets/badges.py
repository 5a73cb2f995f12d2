"""Signs with letters: a disc with a person's initials, and a square in the colour of a project with the first letter of
its name. The name always is beside it, so that nothing is told by a colour alone."""

from __future__ import annotations

from zlib import crc32

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QFont, QPainter

from chatdesk.ui.theme.theme import Theme
from chatdesk.ui.theme.tokens import PROJECT_COLOURS, Tokens, contrast, ink_on

_GROUNDS = tuple(PROJECT_COLOURS.values())  # each at least 4.5:1 under white letters
_INK = "#FFFFFF"
_HIGHEST_CONTRAST = 20.0  # text on background of the looks for people who ask for more of it
_LETTER_SHARE = 0.46  # as a share of the disc's height
SQUARE_PX = 20


def initials(name: str) -> str:
    """Return at most two letters, of the first and the last word; a question mark for a name without any."""
    words = [word for word in ("".join(filter(str.isalnum, each)) for each in name.split()) if word]
    if not words:
        return "?"
    letters = words[0][0] + (words[-1][0] if len(words) > 1 else "")
    return letters.upper()[:2]


def badge_colours(key: str, tokens: Tokens) -> tuple[str, str]:
    """Return the colours (disc, letters) for the id ``key``: always the same for the same one, at least 4.5:1."""
    if contrast(tokens.text, tokens.background) > _HIGHEST_CONTRAST:
        return tokens.accent, tokens.on_accent
    return _GROUNDS[crc32(key.encode()) % len(_GROUNDS)], _INK


def paint_badge(painter: QPainter, area: QRectF, name: str, *, key: str, tokens: Tokens, font: QFont) -> None:
    """Paint a disc that fills ``area``, which is square; ``font`` gives the family of the letters."""
    ground, ink = badge_colours(key, tokens)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QColor(ground))
    painter.drawEllipse(area)
    letters = QFont(font)
    letters.setPixelSize(max(1, round(area.height() * _LETTER_SHARE)))
    letters.setWeight(QFont.Weight.DemiBold)
    painter.setFont(letters)
    painter.setPen(QColor(ink))
    painter.drawText(area, int(Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextSingleLine), initials(name))


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
