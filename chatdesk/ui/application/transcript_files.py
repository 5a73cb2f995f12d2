"""The transcript and files: pictures come from the data directory and from where the reader asked, code is saved where
the person says."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject

from chatdesk.core.errors import ChatDeskError
from chatdesk.ui.async_tasks import AsyncTasks

if TYPE_CHECKING:
    from chatdesk.ui.application.panes import Panes
    from chatdesk.ui.transcript.picture_loader import PictureLoader
    from chatdesk.ui.transcript.view import TranscriptView

_STORED = "blobs"


class TranscriptFiles(QObject):
    """One for a window; ``open_pictures`` once the data directory is known."""

    def __init__(self, panes: Panes, tasks: AsyncTasks) -> None:
        super().__init__()
        self._panes = panes
        self._tasks = tasks
        self._pictures: PictureLoader | None = None
        panes.transcript.saveRequested.connect(self._on_transcript_save_requested)

    def open_pictures(self, data_dir: Path) -> None:
        from chatdesk.ui.transcript.picture_loader import PictureLoader  # the first paint does without

        self._pictures = PictureLoader(fetch=_fetch, folder=data_dir / _STORED, parent=self)
        self._panes.transcript.set_pictures(self._pictures)

    def with_pictures(self, view: TranscriptView) -> TranscriptView:
        """Another transcript of the window, which shows pictures as the first one does."""
        if self._pictures is not None:
            view.set_pictures(self._pictures)
        return view

    def close(self) -> None:
        if self._pictures is not None:
            self._pictures.close()

    def _on_transcript_save_requested(self, text: str, file_name: str) -> None:
        from PySide6.QtWidgets import QFileDialog

        dialog = QFileDialog(self._panes.window, "Save code", file_name)
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.fileSelected.connect(lambda name: self._tasks.start(self.save(text, Path(name)), "save code"))
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()

    async def save(self, text: str, target: Path) -> None:
        """Write ``text``; the target is replaced only by a whole file."""

        def write() -> None:
            temporary = target.with_name(target.name + ".part")
            temporary.write_text(text, encoding="utf-8", errors="replace")
            temporary.replace(target)

        try:
            await asyncio.to_thread(write)
        except OSError as error:
            raise ChatDeskError(
                f"The file could not be written: {error.strerror}.",
                safe="The message is unchanged.",
                next_step="Choose another place.",
            ) from error
        self._panes.window.show_toast(f"Saved to {target.name}")


def _fetch(url: str) -> bytes:
    # Late: the network's modules are not needed for the first paint, and mostly not at all.
    from chatdesk.core.attachments.remote_image import fetch_image

    return fetch_image(url)
