"""Draws an image that the text names, which is fetched only when the reader presses the button that names its host."""

from __future__ import annotations

from PySide6.QtCore import QRectF
from PySide6.QtGui import QPainter

from chatdesk.core.rendering.blocks import ImagePlaceholder
from chatdesk.core.rendering.picture_data import picture_url
from chatdesk.core.rendering.safety import is_safe_link
from chatdesk.core.texts import shown, tr
from chatdesk.ui.qt.unread_guard import UnreadMoment
from chatdesk.ui.transcript.contract import Picture, PictureSource
from chatdesk.ui.transcript.drawing.item import Button, Outcome, PaintState, paint_button
from chatdesk.ui.transcript.drawing.transcript_style import TranscriptStyle
from chatdesk.ui.transcript.items.picture_item import PictureItem, png_shape

_BUTTON_PX = 32
_MAX_HOST = 60
_MAX_ALT = 200


class ImageItem(PictureItem):
    """An image of a message, or a card that offers to load it."""

    is_indented = True

    def __init__(self, block: ImagePlaceholder) -> None:
        inside = PictureSource(data=block.data) if block.data else None
        super().__init__(_label_of(block), inside, shape=png_shape(block.data))
        self.block = block
        self.at = block.at
        self._url = block.url if block.host and is_safe_link(block.url) else ""
        self._host = block.host
        self._is_near = False
        self._style: TranscriptStyle | None = None
        self.unread = UnreadMoment()

    def layout(self, style: TranscriptStyle, width: float) -> None:
        super().layout(style, width)
        self._style = style

    def set_picture(self, picture: Picture) -> None:
        super().set_picture(picture)
        if picture.elsewhere:  # a redirection, which needs consent as well
            self._url, self._host, self._is_near = picture.elsewhere, picture.host, picture.is_near

    def paint(self, painter: QPainter, state: PaintState) -> None:
        if self.is_picture:
            super().paint(painter, state)
            return
        buttons = self.buttons()
        words = f"{self.failure} ({self.label})" if self.failure else self.label
        self.paint_words(painter, state.style, words, right=buttons[0].area.x() - 8 if buttons else None)
        for button in buttons:
            paint_button(painter, button, state)

    def buttons(self) -> tuple[Button, ...]:
        style = self._style
        if style is None or self.is_picture or not self._url:
            return ()
        host = self._host[:_MAX_HOST]
        label = tr("Load image from {host}", host=host)
        if self._is_near:
            label = tr("Load image from {host} in your own network", host=host)
        words, room = label, self.natural_width / 2
        if self._width_of(label, style) > room:
            words = tr("Load it anyway") if self._is_near else tr("Load image")
        wide = min(self._width_of(words, style), room)
        height = style.px(_BUTTON_PX)
        area = QRectF(self.natural_width - wide - 6, (self.height - height) / 2, wide, height)
        return (Button("load-image", label, area, text=words, is_framed=True, acts=True),)

    @staticmethod
    def _width_of(words: str, style: TranscriptStyle) -> float:
        return style.metrics("muted").horizontalAdvance(words) + style.px(26)

    def press(self, action: str) -> Outcome | None:
        if action != "load-image":
            return None
        self.ask_again(PictureSource(url=self._url, is_agreed=self._is_near))
        return Outcome(is_resized=True)

    def copied(self, start: int, end: int) -> str:
        url = picture_url(self.block.data) if self.block.data else self.block.url
        return f"![{self.block.alt}]({url})" if end > start else ""


def _label_of(block: ImagePlaceholder) -> str:
    if block.data:
        return block.alt[:_MAX_ALT] or tr("Image")
    where = tr("from {host}", host=block.host[:_MAX_ALT]) if block.host else shown(block.remark) or tr("not shown")
    return f"{block.alt[:_MAX_ALT] or 'Image'} ({where})"
