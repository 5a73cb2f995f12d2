"""Draws a small icon with words above a message: its place in the context, that it is a note, or who edited it."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QPainter

from chatdesk.core.domain.message import ContextMark, Message
from chatdesk.core.texts import Text, shown, tr
from chatdesk.ui.transcript.drawing.item import Item, PaintState
from chatdesk.ui.transcript.drawing.transcript_style import TranscriptStyle

_WORDS: Final = {
    ContextMark.PINNED: ("pin", Text("Pinned into the context")),
    ContextMark.EXCLUDED: ("eye-off", Text("Excluded from the context")),
}
_NOTE_WORDS: Final = {
    ContextMark.NONE: Text("Note, which the model sees"),
    ContextMark.PINNED: Text("Note, pinned into the context"),
    ContextMark.EXCLUDED: Text("Note, not sent to the model"),
}
_ICON_PX = 13
_MAX_NAME = 120


def mark_of(message: Message, person: str) -> tuple[str, str] | None:
    """Return the icon and words above a message, or None when there is nothing to say.

    ``person`` is the other member who wrote the message, empty for the reader.
    """
    mark = message.context_mark
    if message.is_note:
        return "pencil", shown(_NOTE_WORDS[mark])
    found = _WORDS.get(mark)
    if not message.is_edited_answer:
        return None if found is None else (found[0], shown(found[1]))
    who = person[:_MAX_NAME] or tr("you")
    match mark:
        case ContextMark.PINNED:
            return "pencil", tr("Edited by {person}, pinned into the context", person=who)
        case ContextMark.EXCLUDED:
            return "pencil", tr("Edited by {person}, excluded from the context", person=who)
    return "pencil", tr("Edited by {person}", person=who)


class MarkItem(Item):
    """The mark above a message: an icon and words.

    ``is_beside_end`` puts the mark at the side where questions are.
    """

    kind = "mark"
    gap = 2.0

    def __init__(self, mark: tuple[str, str], *, is_beside_end: bool) -> None:
        super().__init__()
        self.icon, self.words = mark
        self._is_beside_end = is_beside_end

    def guess(self, style: TranscriptStyle, width: float) -> float:
        return style.line_height("muted")

    def layout(self, style: TranscriptStyle, width: float) -> None:
        self.height = style.line_height("muted")
        self.natural_width = width

    def paint(self, painter: QPainter, state: PaintState) -> None:
        style = state.style
        pixmap = style.icon(self.icon, "muted", _ICON_PX)
        side = pixmap.deviceIndependentSize().width()
        step = side + style.px(6)
        wide = step + style.metrics("muted").horizontalAdvance(self.words) + 1
        is_right = self._is_beside_end != style.is_mirrored
        left = max(0.0, self.natural_width - wide) if is_right else 0.0
        # Mirrored, the icon still is where one begins to read.
        icon_x = left + wide - side if style.is_mirrored else left
        text_x = left if style.is_mirrored else left + step
        painter.drawPixmap(QPointF(round(icon_x), round((self.height - side) / 2)), pixmap)
        painter.setFont(style.font("muted"))
        painter.setPen(style.colour("muted"))
        area = QRectF(text_x, 0, wide - step, self.height)
        painter.drawText(area, int(Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft), self.words)
