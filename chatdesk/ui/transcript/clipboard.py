"""Copying: what is selected, else a message."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from PySide6.QtCore import QMimeData, QObject, Signal
from PySide6.QtGui import QGuiApplication

from chatdesk.ui.transcript.entry import MessageEntry
from chatdesk.ui.transcript.selection import Selection


class Clipboard(QObject):
    """``copied`` carries the text that was put on the clipboard."""

    copied = Signal(str)

    def __init__(self, selection: Selection, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._selection = selection

    def copy(self, entry: MessageEntry | None) -> None:
        """The selection; without one the whole of ``entry``."""
        self.put_text(self._selection.text() or (entry.text if entry is not None else ""))

    def put_text(self, text: str, formats: Mapping[str, str] = MappingProxyType({})) -> None:
        """``formats`` are other shapes of the same by their MIME types."""
        if not text:
            return
        data = QMimeData()
        data.setText(text)
        for kind, content in formats.items():
            data.setData(kind, content.encode())
        QGuiApplication.clipboard().setMimeData(data)
        self.copied.emit(text)
