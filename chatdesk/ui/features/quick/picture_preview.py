"""Shows a picture that is about to be sent, sharp on every screen."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QImage, QPainter, QPaintEvent, QPixmap
from PySide6.QtWidgets import QSizePolicy, QWidget

from chatdesk.core.texts import tr
from chatdesk.ui.theme.theme import Theme
from chatdesk.ui.widgets.painting import paint_box

_MOST_PX: Final = 150


class PicturePreview(QWidget):
    """A picture in a frame, as large as there is room and never larger than it is."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._image: QImage | None = None
        self._scaled: QPixmap | None = None
        self.setObjectName("picturePreview")
        self.setAccessibleName(tr("The picture that is sent with the question"))
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.hide()

    def show_picture(self, image: QImage | None) -> None:
        """Show a picture; None: none."""
        self._image, self._scaled = image, None
        self.setVisible(image is not None)
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(_MOST_PX, round(_MOST_PX * self._theme.scale))

    def paintEvent(self, _event: QPaintEvent) -> None:
        if self._image is None:
            return
        ratio = self.devicePixelRatioF()
        room = self.size() * ratio
        wanted = self._image.size().scaled(room, Qt.AspectRatioMode.KeepAspectRatio).boundedTo(self._image.size())
        if self._scaled is None or self._scaled.size() != wanted or self._scaled.devicePixelRatio() != ratio:
            smooth = Qt.TransformationMode.SmoothTransformation
            self._scaled = QPixmap.fromImage(self._image.scaled(wanted, Qt.AspectRatioMode.IgnoreAspectRatio, smooth))
            self._scaled.setDevicePixelRatio(ratio)
        painter = QPainter(self)
        place = QRectF(0, 0, wanted.width() / ratio, wanted.height() / ratio)
        if self.layoutDirection() is Qt.LayoutDirection.RightToLeft:
            place.moveRight(self.width())
        place.moveTop((self.height() - place.height()) / 2)
        painter.drawPixmap(place.topLeft(), self._scaled)
        paint_box(painter, place, 0, border=self._theme.colour("line"))
