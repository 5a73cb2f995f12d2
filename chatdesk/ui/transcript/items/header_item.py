"""Draws the line above a message: the author of a question; or the model's name, the member who asked for an answer,
and the time it began."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QFont, QPainter

from chatdesk.core.texts import tr
from chatdesk.ui.transcript.drawing.item import Item, PaintState
from chatdesk.ui.transcript.drawing.transcript_style import TranscriptStyle
from chatdesk.ui.widgets.badges import paint_badge

_GAP_PX = 6


class AuthorItem(Item):
    """The name and badge of another member.

    Screen readers treat it as a header, because the message's name already says it.
    """

    kind = "header"
    gap = 2.0

    def __init__(self, name: str, member_id: str, *, tip: str = "") -> None:
        super().__init__()
        self.name = name[:_MAX_NAME]
        self._member_id = member_id
        self._tip = tip

    def guess(self, style: TranscriptStyle, width: float) -> float:
        return style.line_height("muted")

    def layout(self, style: TranscriptStyle, width: float) -> None:
        self.height = style.line_height("muted")
        self.natural_width = width

    def tip_at(self, point: QPointF) -> str:
        return self._tip

    def paint(self, painter: QPainter, state: PaintState) -> None:
        style = state.style
        paint_author(
            painter,
            style,
            QRectF(0, 0, self.natural_width, self.height),
            self.name,
            key=self._member_id,
            is_at_right=not style.is_mirrored,
        )


def paint_author(
    painter: QPainter,
    style: TranscriptStyle,
    area: QRectF,
    name: str,
    *,
    key: str,
    words: str = "",
    is_at_right: bool = False,
) -> float:
    """Paint a member's badge and ``words`` (else the name) along one side of ``area``; return the width in px.

    The badge is where one begins to read.
    """
    side = area.height()
    step = side + style.px(_GAP_PX)
    font = QFont(style.font("muted"))
    if not words:
        font.setWeight(QFont.Weight.DemiBold)
    painter.setFont(font)
    metrics = painter.fontMetrics()
    room = max(0, int(area.width() - step) - 1)
    shown = metrics.elidedText(words or name, Qt.TextElideMode.ElideRight, room)
    wide = step + metrics.horizontalAdvance(shown) + 1
    left = area.right() - wide if is_at_right else area.left()
    badge_x, text_x = (left + wide - side, left) if style.is_mirrored else (left, left + step)
    painter.setPen(style.colour("muted"))
    place = QRectF(text_x, area.top(), wide - step, area.height())
    painter.drawText(place, int(Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft), shown)
    badge = QRectF(badge_x, area.top(), side, side)
    paint_badge(painter, badge, name, key=key, tokens=style.tokens, font=font)
    return wide


_MAX_NAME = 120
_ASKED_GAP_PX = 10


class HeaderItem(Item):
    """The header of an answer; ``asked_by`` is (id, name) of the other member who asked for it."""

    kind = "header"
    gap = 0.0

    def __init__(self, name: str, aside: str = "", tip: str = "", asked_by: tuple[str, str] | None = None) -> None:
        super().__init__()
        self.name = name[:_MAX_NAME]
        self.asked_by = asked_by
        self.aside = aside
        self._tip = tip
        self._aside_area = QRectF()

    def guess(self, style: TranscriptStyle, width: float) -> float:
        return style.line_height("muted")

    def layout(self, style: TranscriptStyle, width: float) -> None:
        self.height = style.line_height("muted")
        self.natural_width = width
        wide = style.metrics("muted").horizontalAdvance(self.aside)
        self._aside_area = QRectF(0 if style.is_mirrored else width - wide, 0, wide, self.height)

    def tip_at(self, point: QPointF) -> str:
        return self._tip if self.aside and self._aside_area.contains(point) else ""

    def paint(self, painter: QPainter, state: PaintState) -> None:
        style = state.style
        font = QFont(style.font("muted"))
        font.setWeight(QFont.Weight.DemiBold)
        painter.setFont(font)
        painter.setPen(style.colour("muted"))
        area = QRectF(0, 0, self.natural_width, self.height)
        near, far = Qt.AlignmentFlag.AlignLeft, Qt.AlignmentFlag.AlignRight
        if style.is_mirrored:
            near, far = far, near
        painter.drawText(area, int(Qt.AlignmentFlag.AlignVCenter | near), self.name)
        if self.asked_by is not None:
            self._paint_asked_by(
                painter, style, *self.asked_by, taken=painter.fontMetrics().horizontalAdvance(self.name)
            )
        if self.aside and state.is_attended:
            painter.setFont(style.font("muted"))
            painter.drawText(area, int(Qt.AlignmentFlag.AlignVCenter | far), self.aside)

    def _paint_asked_by(self, painter: QPainter, style: TranscriptStyle, key: str, name: str, *, taken: int) -> None:
        start = taken + style.px(_ASKED_GAP_PX)
        room = self.natural_width - start - self._aside_area.width() - style.px(_ASKED_GAP_PX)
        left = self._aside_area.width() + style.px(_ASKED_GAP_PX) if style.is_mirrored else start
        area = QRectF(left, 0, max(0.0, room), self.height)
        words = tr("asked by {name}", name=name[:_MAX_NAME])
        paint_author(painter, style, area, name, key=key, words=words, is_at_right=style.is_mirrored)
