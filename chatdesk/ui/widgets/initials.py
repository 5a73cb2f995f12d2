"""A disc with a person's initials. The name always is beside it, so that nothing is told by a colour alone."""

from __future__ import annotations

from zlib import crc32

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QFont, QPainter

from chatdesk.ui.theme.tokens import PROJECT_COLOURS, Tokens, contrast

_GROUNDS = tuple(PROJECT_COLOURS.values())  # each at least 4.5:1 under white letters
_INK = "#FFFFFF"
_HIGHEST_CONTRAST = 20.0  # text on background of the looks for people who ask for more of it
_LETTER_SHARE = 0.46  # of the disc's height


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
