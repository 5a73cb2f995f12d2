"""Drags contents out of the transcript: a code card by its header, a picture, the selected text.

The modules for the data of a drag are imported with the first drag, so that the program starts without them.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property

from PySide6.QtCore import QMimeData, QObject, QPointF, Qt
from PySide6.QtGui import QDrag, QImage, QPixmap
from PySide6.QtWidgets import QApplication, QWidget

from chatdesk.core.rendering.code_names import suggested_name
from chatdesk.ui.transcript.copying.clipboard import shapes_of
from chatdesk.ui.transcript.copying.excerpt import excerpts
from chatdesk.ui.transcript.copying.selection import Selection
from chatdesk.ui.transcript.input.dragged_file import DragFolder, FileOnDemand
from chatdesk.ui.transcript.input.pointer import Hit, Pointer
from chatdesk.ui.transcript.items.code_item import CodeItem
from chatdesk.ui.transcript.items.picture_item import PictureItem
from chatdesk.ui.transcript.layout.viewport_layout import ViewportLayout

_PICTURE_NAME = "picture.png"
_THUMB_PX = 160


class Dragging(QObject):
    """A press that may become a drag; ``start`` carries the drag out and returns when it is over."""

    def __init__(
        self,
        view: QWidget,
        viewport_layout: ViewportLayout,
        *,
        pointer: Pointer,
        selection: Selection,
    ) -> None:
        super().__init__(view)
        self.start: Callable[[QDrag], object] = lambda drag: drag.exec(Qt.DropAction.CopyAction)
        self._view = view
        self._viewport_layout = viewport_layout
        self._pointer = pointer
        self._selection = selection
        self._hit: Hit | None = None
        self._from = QPointF()

    @cached_property
    def folder(self) -> DragFolder:
        return DragFolder(self)

    @property
    def is_pending(self) -> bool:
        """True while the button is down on something that may be dragged."""
        return self._hit is not None

    def press(self, point: QPointF) -> bool:
        """Return whether the press may become a drag.

        Such a press does nothing else until the mouse has moved or the button is released.
        """
        hit = self._pointer.hit(point)
        is_free = hit is not None and hit.button is None and hit.link is None
        self._hit = hit if hit is not None and is_free and self._has_load(hit) else None
        self._from = point
        return self.is_pending

    def move(self, point: QPointF) -> bool:
        """Start a drag once the mouse has moved far enough; return whether the movement belongs to a drag."""
        hit = self._hit
        if hit is None:
            return False
        if (point - self._from).manhattanLength() >= QApplication.startDragDistance():
            self._hit = None
            data = self._data(hit)
            if data is not None:
                from PySide6.QtGui import QDrag

                drag = QDrag(self._view)
                drag.setMimeData(data)
                if isinstance(hit.item, PictureItem) and hit.item.image is not None:
                    drag.setPixmap(_thumb(hit.item.image))
                self.start(drag)
        return True

    def release(self) -> bool:
        """End the press, and return whether it stayed a click."""
        was_pending = self._hit is not None
        self._hit = None
        return was_pending

    def _has_load(self, hit: Hit) -> bool:
        if self._is_selected(hit):
            return True
        if isinstance(hit.item, CodeItem):
            return hit.inside.y() < hit.item.header_height
        return isinstance(hit.item, PictureItem) and hit.item.image is not None

    def _is_selected(self, hit: Hit) -> bool:
        selected = self._selection.range()
        found = selected.of(hit.entry, hit.placed.index) if selected is not None else None
        if found is None:
            return False
        return any(area.contains(hit.inside) for area in hit.item.areas_of(*found))

    def _data(self, hit: Hit) -> QMimeData | None:
        if self._is_selected(hit):
            return self._selected()
        item = hit.item
        if isinstance(item, CodeItem):
            text = item.block.source
            data = FileOnDemand(self.folder, suggested_name(item.block.language), text.encode)
            data.setText(text)
            return data
        if isinstance(item, PictureItem) and item.image is not None:
            image = item.image
            picture = FileOnDemand(self.folder, _PICTURE_NAME, lambda: _png(image))
            picture.setImageData(image)
            return picture
        return None

    def _selected(self) -> QMimeData | None:
        """Return the selected text of the loaded messages; a drag cannot wait for the others."""
        made = excerpts(self._viewport_layout.layout.entries, self._selection.range())
        if not made:
            return None
        from PySide6.QtCore import QMimeData

        text, formats = shapes_of(made)
        data = QMimeData()
        data.setText(text)
        for kind, content in formats.items():
            data.setData(kind, content.encode())
        return data


def _png(image: QImage) -> bytes:
    from PySide6.QtCore import QBuffer, QByteArray, QIODevice

    content = QByteArray()
    buffer = QBuffer(content)
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    # The stubs ask for bytes, which crash.
    image.save(buffer, "PNG")  # type: ignore[call-overload]
    return bytes(content.data())


def _thumb(image: QImage) -> QPixmap:
    from PySide6.QtGui import QPixmap

    return QPixmap.fromImage(image.scaled(_THUMB_PX, _THUMB_PX, Qt.AspectRatioMode.KeepAspectRatio))
