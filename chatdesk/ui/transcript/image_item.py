"""The place of an image that the text names. Nothing is fetched or opened; the card says where it would come from."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QPainter

from chatdesk.core.rendering.blocks import ImagePlaceholder
from chatdesk.ui.transcript.card import paint_card
from chatdesk.ui.transcript.item import Item, PaintState
from chatdesk.ui.transcript.looks import Looks

_HEIGHT_PX = 44


class ImageItem(Item):
    kind = "image"
    is_selectable = True

    def __init__(self, block: ImagePlaceholder) -> None:
        super().__init__()
        self.block = block
        where = f"from {block.host[:100]}" if block.host else "not shown"
        self._label = f"{block.alt[:200] or 'Image'} ({where})"

    def guess(self, looks: Looks, width: float) -> float:
        return looks.px(_HEIGHT_PX)

    def layout(self, looks: Looks, width: float) -> None:
        self.height = looks.px(_HEIGHT_PX)
        self.natural_width = width

    def paint(self, painter: QPainter, state: PaintState) -> None:
        looks = state.looks
        paint_card(painter, looks, QRectF(0, 0, self.natural_width, self.height), ground=None)
        pixmap = looks.icon("image", "muted")
        side = pixmap.deviceIndependentSize().width()
        painter.drawPixmap(QPointF(looks.px(13), round((self.height - side) / 2)), pixmap)
        x = looks.px(37)
        area = QRectF(x, 0, self.natural_width - x - 12, self.height)
        painter.setFont(looks.font("note"))
        painter.setPen(looks.colour("muted"))
        label = looks.metrics("note").elidedText(self._label, Qt.TextElideMode.ElideRight, area.width())
        painter.drawText(area, int(Qt.AlignmentFlag.AlignVCenter), label)

    @property
    def text(self) -> str:
        return self._label

    def copied(self, start: int, end: int) -> str:
        return f"![{self.block.alt}]({self.block.url})" if end > start else ""
