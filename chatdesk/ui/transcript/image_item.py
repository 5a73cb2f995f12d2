"""An image that the text names. Nothing is fetched until the reader presses the button that names the host."""

from __future__ import annotations

from PySide6.QtCore import QRectF
from PySide6.QtGui import QPainter

from chatdesk.core.rendering.blocks import ImagePlaceholder
from chatdesk.core.rendering.safety import is_safe_link
from chatdesk.ui.transcript.contract import Picture, PictureSource
from chatdesk.ui.transcript.item import Button, Outcome, PaintState, paint_button
from chatdesk.ui.transcript.looks import Looks
from chatdesk.ui.transcript.picture_item import PictureItem

_BUTTON_PX = 32
_MAX_HOST = 60
_MAX_ALT = 200


class ImageItem(PictureItem):
    def __init__(self, block: ImagePlaceholder) -> None:
        super().__init__(_label_of(block), None)
        self.block = block
        self._url = block.url if block.host and is_safe_link(block.url) else ""
        self._host = block.host
        self._looks: Looks | None = None

    def indent(self, looks: Looks, room: float) -> float:
        return looks.indent(self.block.at, room)

    def layout(self, looks: Looks, width: float) -> None:
        super().layout(looks, width)
        self._looks = looks

    def take(self, picture: Picture) -> None:
        super().take(picture)
        if picture.elsewhere:  # to be asked for as well
            self._url, self._host = picture.elsewhere, picture.host

    def paint(self, painter: QPainter, state: PaintState) -> None:
        if self.is_picture:
            super().paint(painter, state)
            return
        buttons = self.buttons()
        words = f"{self.failure} ({self.label})" if self.failure else self.label
        self.paint_words(painter, state.looks, words, right=buttons[0].area.x() - 8 if buttons else None)
        for button in buttons:
            paint_button(painter, button, state)

    def buttons(self) -> tuple[Button, ...]:
        looks = self._looks
        if looks is None or self.is_picture or not self._url:
            return ()
        label = f"Load image from {self._host[:_MAX_HOST]}"
        wide = min(looks.metrics("muted").horizontalAdvance(label) + looks.px(26), self.natural_width / 2)
        height = looks.px(_BUTTON_PX)
        area = QRectF(self.natural_width - wide - 6, (self.height - height) / 2, wide, height)
        shown = label if wide < self.natural_width / 2 else "Load image"
        return (Button("load-image", label, area, text=shown, is_framed=True),)

    def press(self, action: str) -> Outcome | None:
        if action != "load-image":
            return None
        self.ask_again(PictureSource(url=self._url))
        return Outcome(is_resized=True)

    def copied(self, start: int, end: int) -> str:
        return f"![{self.block.alt}]({self.block.url})" if end > start else ""


def _label_of(block: ImagePlaceholder) -> str:
    where = f"from {block.host[:_MAX_ALT]}" if block.host else "not shown"
    return f"{block.alt[:_MAX_ALT] or 'Image'} ({where})"
