"""Draws a picture that is stored as a file, of a question or of an answer, with buttons to open, save and copy it."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QPainter

from chatdesk.core.domain.attachment import Attachment, SentShare
from chatdesk.core.texts import shown
from chatdesk.ui.qt.unread_guard import UnreadMoment
from chatdesk.ui.transcript.contract import PictureSource
from chatdesk.ui.transcript.drawing.card import paint_card, paint_text_line
from chatdesk.ui.transcript.drawing.item import OPEN_ACTION, ArtifactSource, Button, Outcome, PaintState, paint_button
from chatdesk.ui.transcript.drawing.transcript_style import TranscriptStyle
from chatdesk.ui.transcript.items.file_item import EXTERNAL, file_action_name, share_words
from chatdesk.ui.transcript.items.picture_item import PictureItem
from chatdesk.ui.widgets.words import with_commas

_BUTTON_PX = 28
_VERBS = (
    ("file-open", "external-link"),
    ("file-save", "download"),
    ("file-copy", "copy"),
    (OPEN_ACTION, "panel-right"),
)


class AttachedPictureItem(ArtifactSource, PictureItem):
    """A picture; its buttons are seen while the message is hovered or has the focus, and only request an action."""

    def __init__(self, attachment: Attachment, *, shape: tuple[int, int] | None) -> None:
        super().__init__(attachment.name, PictureSource(stored=attachment.blob_path), shape=shape)
        self.attachment = attachment
        self.unread = UnreadMoment()
        self._style: TranscriptStyle | None = None
        self._sent: SentShare | None = None

    def update_share(self, sent: SentShare | None) -> bool:
        """Show whether the model was sent the picture, and return whether anything shown changed."""
        before, self._sent = share_words(self._sent), sent
        if share_words(sent) == before:
            return False
        self.revision += 1
        return True

    @property
    def spoken(self) -> str:
        return with_commas(filter(None, (self.label, share_words(self._sent))))

    def tip_at(self, point: QPointF) -> str:
        return "" if self._sent is None else shown(self._sent.reason)

    def layout(self, style: TranscriptStyle, width: float) -> None:
        super().layout(style, width)
        self._style = style
        if self.is_picture:  # the buttons of a small picture must not cover the next block
            self.height = max(self.height, style.px(_BUTTON_PX) + 2 * style.px(4))

    def buttons(self) -> tuple[Button, ...]:
        style = self._style
        if style is None or not self.is_picture:
            return ()
        side, gap = style.px(_BUTTON_PX), style.px(4)
        area = self.picture_area
        verbs = [verb for verb in _VERBS if not (self.is_alone and verb[0] == OPEN_ACTION)]
        left = max(area.left() + gap, area.right() - len(verbs) * (side + gap))
        return tuple(
            Button(
                action,
                file_action_name(action, self.attachment.name),
                QRectF(left + place * (side + gap), area.top() + gap, side, side),
                icon=icon,
                acts=action in EXTERNAL,
                is_framed=True,
            )
            for place, (action, icon) in enumerate(verbs)
        )

    @property
    def artifact(self) -> Attachment:
        return self.attachment

    def press(self, action: str) -> Outcome | None:
        if action == OPEN_ACTION:
            return Outcome(artifact=self.attachment)
        return Outcome(file=(action, self.attachment)) if action in {verb[0] for verb in _VERBS} else None

    def paint(self, painter: QPainter, state: PaintState) -> None:
        super().paint(painter, state)
        words = share_words(self._sent)
        if words and self.is_picture:
            self._paint_mark(painter, state.style, words)
        if state.is_attended:
            for button in self.buttons():
                paint_button(painter, button, state)

    def _paint_mark(self, painter: QPainter, style: TranscriptStyle, words: str) -> None:
        """Paint words on a small card in the lower corner of the picture."""
        gap, area = style.px(4), self.picture_area
        height = style.px(24)
        room = area.width() if area.width() > 4 * height else self.natural_width - area.left()
        width = min(style.metrics("muted").horizontalAdvance(words) + 2 * style.px(8), room - 2 * gap)
        card = QRectF(area.left() + gap, max(gap, area.bottom() - gap - height), width, height)
        paint_card(painter, style, card, ground="card")
        inner = card.adjusted(style.px(8), 0, -style.px(7), 0)
        paint_text_line(painter, style, inner, words, role="muted", colour="text")
