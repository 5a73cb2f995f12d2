"""Draws a picture in the column: an empty place of its shape until it is loaded, the picture, or why there is none."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from PySide6.QtCore import QPointF, QRectF, QSizeF, Qt
from PySide6.QtGui import QImage, QPainter, QPainterPath, QPixmap

from chatdesk.core.texts import Text, shown
from chatdesk.ui.transcript.contract import Picture, PictureSource
from chatdesk.ui.transcript.drawing.card import AT_LEFT, paint_card
from chatdesk.ui.transcript.drawing.item import Item, PaintState
from chatdesk.ui.transcript.drawing.picture_loader import PictureLoader
from chatdesk.ui.transcript.drawing.transcript_style import TranscriptStyle

_MAX_HEIGHT_PX = 560
_CARD_PX = 44
_UNKNOWN_SHAPE = (16, 9)
_MAX_LABEL = 300
_PNG_HEAD = 24
_STATES = {
    "fetching": Text("This picture is being fetched from the team."),
    "missing": Text("This picture is missing on the team's server. ChatDesk tries again later."),
}


class PictureItem(Item):
    """A picture.

    ``shape`` is (width, height) in pixels, if it is known; ``zoom`` is the number of pixels in one px.
    """

    kind = "image"
    is_selectable = True

    def __init__(
        self, label: str, source: PictureSource | None, *, shape: tuple[int, int] | None = None, zoom: float = 1.0
    ) -> None:
        super().__init__()
        self.label = label[:_MAX_LABEL]
        self.source = source
        self.image: QImage | None = None
        self.failure = ""
        self._shape = shape
        self._zoom = zoom
        self._is_asked = False
        self._is_away = False
        self._most: tuple[int, int] | None = None
        self._area = QRectF()
        self._pixmap: QPixmap | None = None

    # Getting it

    def ask(self, loader: PictureLoader, on_change: Callable[[], None]) -> None:
        """Request the picture while the item is in view; ``on_change`` is called when it came."""
        if self.source is None or self._is_asked:
            return
        self._is_asked = True
        source = self.source

        def receive(picture: Picture) -> None:
            if self.source is source:
                self.set_picture(picture)
                on_change()

        loader.load(replace(source, most=self._most), receive)

    def set_picture(self, picture: Picture) -> None:
        self.image, self.failure = picture.image, shown(picture.failure)
        if picture.image is not None:
            self._shape = picture.size or (picture.image.width(), picture.image.height())
        self._pixmap = None
        self.invalidate()

    def update_file_state(self, state_of: Callable[[str], str]) -> bool:
        """Say that a team's picture is not here yet, and request it again when it is; return whether anything shown
        changed. Called while the item is in view."""
        if self.source is None or not self.source.stored or self.image is not None or not self._is_asked:
            return False
        words = shown(_STATES.get(state_of(self.source.stored.rpartition("/")[2]), ""))
        was_away, self._is_away = self._is_away, bool(words)
        if words:
            is_news, self.failure = self.failure != words, words
            if is_news:
                self.invalidate()
            return is_news
        if was_away:
            self.ask_again(self.source)
        return was_away

    def ask_again(self, source: PictureSource) -> None:
        self.source, self.failure, self._is_asked = source, "", False
        self.invalidate()

    @property
    def is_picture(self) -> bool:
        """True if the picture, or its empty place, is shown rather than a card with words."""
        return self.source is not None and not self.failure

    @property
    def picture_area(self) -> QRectF:
        """The place of the picture in the item, once it is laid out."""
        return self._area

    # Drawing it

    def guess(self, style: TranscriptStyle, width: float) -> float:
        return self._size(style, width).height() if self.is_picture else self.card_height(style)

    def layout(self, style: TranscriptStyle, width: float) -> None:
        self.natural_width = width
        self._most = (round(width * style.ratio), round(style.px(_MAX_HEIGHT_PX) * style.ratio))
        if self.is_picture:
            self._area = QRectF(QPointF(0, 0), self._size(style, width))
            self.height = self._area.height()
        else:
            self.height = self.card_height(style)
        self._pixmap = None

    def release(self) -> None:
        super().release()
        self._pixmap = None

    def card_height(self, style: TranscriptStyle) -> float:
        return style.px(_CARD_PX)

    def paint(self, painter: QPainter, state: PaintState) -> None:
        if not self.is_picture:
            self.paint_words(painter, state.style, self.failure or self.label)
        elif self.image is None:
            paint_card(painter, state.style, self._area, ground="code")
            self._paint_icon(painter, state.style, self._area.center().x() - 8, self._area.height())
        else:
            self._paint_picture(painter, state.style, self.image)
            if state.selected is not None:
                painter.fillRect(self._area, state.style.selection.background())

    def paint_words(self, painter: QPainter, style: TranscriptStyle, words: str, *, right: float | None = None) -> None:
        """Paint a card with words in place of the picture; ``right`` is where the words end."""
        card = QRectF(0, 0, self.natural_width, self.card_height(style))
        paint_card(painter, style, card, ground=None)
        self._paint_icon(painter, style, style.px(13), card.height())
        x = style.px(37)
        area = QRectF(x, 0, (self.natural_width - 12 if right is None else right) - x, card.height())
        painter.setFont(style.font("note"))
        painter.setPen(style.colour("muted"))
        elided = style.metrics("note").elidedText(words, Qt.TextElideMode.ElideRight, area.width())
        painter.drawText(area, int(AT_LEFT), elided)

    def _paint_icon(self, painter: QPainter, style: TranscriptStyle, x: float, height: float) -> None:
        pixmap = style.icon("image", "muted")
        side = pixmap.deviceIndependentSize().width()
        painter.drawPixmap(QPointF(round(x), round((height - side) / 2)), pixmap)

    def _paint_picture(self, painter: QPainter, style: TranscriptStyle, image: QImage) -> None:
        ratio = painter.device().devicePixelRatio()
        if self._pixmap is None:
            # The image has nearly the size of its place. It is fitted once, because fitting at each painting would cost
            # a frame.
            size = (self._area.size() * ratio).toSize()
            mode = Qt.TransformationMode.SmoothTransformation
            self._pixmap = QPixmap.fromImage(image.scaled(size, Qt.AspectRatioMode.IgnoreAspectRatio, mode))
            self._pixmap.setDevicePixelRatio(ratio)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        corners = QPainterPath()
        radius = style.tokens.radius.row
        corners.addRoundedRect(self._area, radius, radius)
        painter.setClipPath(corners, Qt.ClipOperation.IntersectClip)
        painter.drawPixmap(self._area.topLeft(), self._pixmap)
        painter.restore()

    def _size(self, style: TranscriptStyle, width: float) -> QSizeF:
        wide, high = self._shape or _UNKNOWN_SHAPE
        if self._shape is None:
            size = QSizeF(width, width * high / wide)
        else:
            size = QSizeF(max(1, wide), max(1, high)) / self._zoom
        bound = QSizeF(min(width, size.width()), min(style.px(_MAX_HEIGHT_PX), size.height()))
        size.scale(bound, Qt.AspectRatioMode.KeepAspectRatio)
        return QSizeF(max(1, round(size.width())), max(1, round(size.height())))

    # Text

    @property
    def text(self) -> str:
        return self.label

    @property
    def spoken(self) -> str:
        """The name of the picture for screen readers."""
        return self.label

    def copied(self, start: int, end: int) -> str:
        return self.label[start:end]

    def areas_of(self, start: int, end: int) -> list[QRectF]:
        area = self._area if self.is_picture else QRectF(0, 0, self.natural_width, self.height)
        return [area] if end > start else []


def png_shape(png: bytes) -> tuple[int, int] | None:
    """Return (width, height) from the head of a PNG, so that its place is right before it is decoded.

    None means that the bytes are no PNG.
    """
    if len(png) < _PNG_HEAD or not png.startswith(b"\x89PNG"):
        return None
    return int.from_bytes(png[16:20], "big"), int.from_bytes(png[20:24], "big")
