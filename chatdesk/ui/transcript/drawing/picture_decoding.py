"""Decodes pictures of a few safe formats within bounds of size; its functions may run on any thread."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QBuffer, QByteArray, QIODevice, QSize, Qt
from PySide6.QtGui import QImage, QImageReader

from chatdesk.core.texts import Text
from chatdesk.ui.transcript.contract import Picture

FORMATS = ("png", "jpeg", "jpg", "gif", "webp", "bmp")
MAX_FILE_BYTES = 32 * 1024 * 1024
MAX_SIDE_PX = 2_880  # twice the widest column at 200 %
_MAX_ALLOCATION_MB = 64
_MAX_PIXELS = 64_000_000


class NotAPicture(Exception):
    """The bytes are no picture that can be shown; ``sentence`` tells a person why."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence


def decode(data: bytes, most: tuple[int, int] | None = None) -> Picture:
    """Return the picture, no larger than ``most`` pixels; raises ``NotAPicture``."""
    QImageReader.setAllocationLimit(_MAX_ALLOCATION_MB)
    buffer = QBuffer()
    buffer.setData(QByteArray(data))
    buffer.open(QIODevice.OpenModeFlag.ReadOnly)
    reader = QImageReader(buffer)
    reader.setDecideFormatFromContent(True)
    reader.setAutoTransform(True)
    if bytes(reader.format().data()).decode("ascii", "replace").lower() not in FORMATS:
        raise NotAPicture(Text("It is not an image that can be shown."))
    size = reader.size()
    if size.isValid():
        if size.width() * size.height() > _MAX_PIXELS:
            raise NotAPicture(Text("It has too many pixels."))
        if max(size.width(), size.height()) > MAX_SIDE_PX:
            bound = QSize(MAX_SIDE_PX, MAX_SIDE_PX)
            reader.setScaledSize(size.scaled(bound, Qt.AspectRatioMode.KeepAspectRatio).expandedTo(QSize(1, 1)))
    image = reader.read()
    if image.isNull():
        raise NotAPicture(Text("It is damaged or too large."))
    own = (image.width(), image.height())
    if most is not None and (image.width() > most[0] or image.height() > most[1]):
        bound = QSize(*most)
        image = image.scaled(bound, Qt.AspectRatioMode.KeepAspectRatio, Qt.TransformationMode.SmoothTransformation)
    return Picture(image.convertToFormat(QImage.Format.Format_ARGB32_Premultiplied), size=own)


def read_stored(folder: Path, name: str) -> bytes:
    """Return the bytes of a stored file; raises ``NotAPicture`` if there is none or it is too large.

    ``name`` comes from a message's parts and may not lead out of ``folder``.
    """
    path = (folder / name).resolve()
    if not name or not path.is_relative_to(folder.resolve()) or not path.is_file():
        raise NotAPicture(Text("The file is not there."))
    if path.stat().st_size > MAX_FILE_BYTES:
        raise NotAPicture(Text("It is larger than {limit} MB.", limit=MAX_FILE_BYTES // 1024 // 1024))
    return path.read_bytes()
