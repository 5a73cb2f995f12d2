"""Loads pictures for the transcript on threads of its own, and keeps the ones seen lately. Pictures of a few safe
formats are decoded, within bounds of size."""

from __future__ import annotations

import logging
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QBuffer, QByteArray, QIODevice, QObject, QRunnable, QSize, Qt, QThreadPool, Signal
from PySide6.QtGui import QImage, QImageReader

from chatdesk.core.attachments.remote_image import ImageFetcher
from chatdesk.core.errors import ChatDeskError
from chatdesk.core.texts import Text, tr
from chatdesk.ui.transcript.contract import Picture, PictureSource

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


_log = logging.getLogger(__name__)

_THREADS = 2
_MAX_KEPT_BYTES = 48 * 1024 * 1024


class PictureTicket:
    """A request for a picture that can be cancelled."""

    def __init__(self, callbacks: list[Callable[[Picture], None]], callback: Callable[[Picture], None]) -> None:
        self._callbacks, self._callback = callbacks, callback

    def cancel(self) -> None:
        if self._callback in self._callbacks:
            self._callbacks.remove(self._callback)


class PictureLoader(QObject):
    """A loader of pictures; ``fetcher`` gets those from elsewhere, and ``folder`` holds stored files."""

    _finished = Signal(object, object)

    def __init__(self, *, fetcher: ImageFetcher, folder: Path, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._fetcher = fetcher
        self._folder = folder
        self._pool = QThreadPool(self)
        self._pool.setMaxThreadCount(_THREADS)
        self._kept: OrderedDict[PictureSource, Picture] = OrderedDict()
        self._bytes = 0
        self._waiting: dict[PictureSource, list[Callable[[Picture], None]]] = {}
        self._finished.connect(self._on_finished, Qt.ConnectionType.QueuedConnection)

    def load(self, source: PictureSource, on_done: Callable[[Picture], None]) -> PictureTicket:
        """Load a picture; ``on_done`` is called later in the GUI thread, also when the picture is known already."""
        callbacks = self._waiting.get(source)
        if callbacks is None:
            callbacks = self._waiting[source] = []
            known = self._kept.get(source)
            if known is not None:
                self._kept.move_to_end(source)
                self._finished.emit(source, known)
            else:
                self._pool.start(_Job(self._picture_of, source, self._finished))
        callbacks.append(on_done)
        return PictureTicket(callbacks, on_done)

    def close(self) -> None:
        """Drop all callbacks, cancel fetches, and wait for pictures that are being decoded."""
        self._waiting.clear()
        self._pool.clear()
        self._fetcher.close()
        self._pool.waitForDone()

    def _picture_of(self, source: PictureSource) -> Picture:
        try:
            return decode(self._bytes_of(source), source.most)
        except ChatDeskError as error:
            is_near = error.code == "image_in_own_network"
            url, host = getattr(error, "url", ""), getattr(error, "host", "")
            return Picture(None, error.sentence, url, host, is_near=is_near)
        except NotAPicture as error:
            return Picture(None, error.sentence)
        except OSError as error:
            _log.warning("a stored picture cannot be read: %s", type(error).__name__)
            return Picture(None, tr("The file cannot be read."))

    def _bytes_of(self, source: PictureSource) -> bytes:
        if source.url:
            return self._fetcher.fetch(source.url, is_agreed=source.is_agreed)
        return source.data or read_stored(self._folder, source.stored)

    def _on_finished(self, source: PictureSource, picture: Picture) -> None:
        if picture.image is not None and source not in self._kept:
            self._keep(source, picture, picture.image)
        for callback in self._waiting.pop(source, []):
            callback(picture)

    def _keep(self, source: PictureSource, picture: Picture, image: QImage) -> None:
        self._kept[source] = picture
        self._bytes += image.sizeInBytes()
        while self._bytes > _MAX_KEPT_BYTES and len(self._kept) > 1:
            _, gone = self._kept.popitem(last=False)
            self._bytes -= gone.image.sizeInBytes() if gone.image is not None else 0


class _Job(QRunnable):
    def __init__(self, work: Callable[[PictureSource], Picture], source: PictureSource, finished: object) -> None:
        super().__init__()
        self._work, self._source, self._finished = work, source, finished

    def run(self) -> None:
        self._finished.emit(self._source, self._work(self._source))  # type: ignore[attr-defined]
