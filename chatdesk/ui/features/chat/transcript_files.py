"""Joins the transcript with files: pictures come from the data directory and from where the reader asked, code and
attached files are saved where the person says, and opened only if that cannot run anything."""

from __future__ import annotations

import asyncio
from pathlib import Path
from tempfile import TemporaryDirectory

from PySide6.QtGui import QImage

from chatdesk.core.attachments.file_kinds import HTML, can_open, safe_ending
from chatdesk.core.attachments.remote_image import ImageFetcher
from chatdesk.core.attachments.sandboxed_page import page_in
from chatdesk.core.chat.attachment_service import AttachmentService
from chatdesk.core.domain.attachment import Attachment
from chatdesk.core.errors import ChatDeskError
from chatdesk.core.system.file_writing import write_text
from chatdesk.core.system.system_errors import reason_text
from chatdesk.core.texts import Text, tr
from chatdesk.ui.dialogs.file_dialogs import ask_where_to_save
from chatdesk.ui.qt.async_tasks import in_task
from chatdesk.ui.transcript.drawing.picture_loader import NotAPicture, PictureLoader, decode
from chatdesk.ui.transcript.view import TranscriptView
from chatdesk.ui.widgets.outside import open_outside
from chatdesk.ui.window.window_context import Controller, WindowContext

_STORED = "blobs"


class TranscriptFiles(Controller):
    """The files and pictures of a window's transcripts. Call ``open_pictures`` once the data directory is known."""

    def __init__(self, context: WindowContext, attachments: AttachmentService) -> None:
        super().__init__(context)
        self._context = context
        panes = context.panes
        self._attachments = attachments
        self._pictures: PictureLoader | None = None
        self._opened: OpenedFiles | None = None
        actions = panes.transcript.parts.actions
        actions.saveRequested.connect(self._on_actions_save_requested)
        actions.fileRequested.connect(self.request)
        actions.pageRequested.connect(lambda text: self._tasks.start(self.show_page(text), "open page"))
        panes.message_handlers.bind("open-page", self._on_open_page)

    @property
    def pictures(self) -> PictureLoader | None:
        """The reader of stored pictures; None until the data directory is known."""
        return self._pictures

    def open_pictures(self, data_dir: Path) -> None:
        self._pictures = PictureLoader(fetcher=ImageFetcher(), folder=data_dir / _STORED, parent=self)
        self._panes.transcript.set_pictures(self._pictures)

    def with_pictures(self, view: TranscriptView) -> TranscriptView:
        """Make another transcript of the window show pictures and save as the first one does, and return it."""
        view.parts.actions.fileRequested.connect(self.request)
        view.parts.actions.saveRequested.connect(self._on_actions_save_requested)
        if self._pictures is not None:
            view.set_pictures(self._pictures)
        return view

    def close(self) -> None:
        if self._pictures is not None:
            self._pictures.close()
        if self._opened is not None:
            self._opened.close()

    def _on_actions_save_requested(self, text: str, file_name: str) -> None:
        ask_where_to_save(
            self._panes.window,
            tr("Save code"),
            file_name,
            lambda path: self._tasks.start(self.save(text, path), "save code"),
        )

    def request(self, what: str, attachment: Attachment) -> None:
        """Carry out an action that the card of a file offers: file-open, -save, -folder or -copy."""
        if what == "file-save" or (what == "file-open" and not can_open(attachment.mime)):
            self._ask_where(attachment)
        elif what == "file-open" and attachment.mime == HTML:
            self._tasks.start(self._show_file(attachment), "open attached page")
        else:
            self._tasks.start(self.use(what, attachment), "use attached file")

    def _ask_where(self, attachment: Attachment) -> None:
        ask_where_to_save(
            self._panes.window,
            tr("Save a copy"),
            attachment.name,
            lambda path: self._tasks.start(self.save_copy(attachment, path), "save attached file"),
        )

    @in_task("open page of a message")
    async def _on_open_page(self, message_id: str) -> None:
        message = await self._context.open_thread.chat.reader.get_message(message_id)
        await self.show_page_in(message.text)

    async def show_page_in(self, text: str) -> None:
        """Show the last block of HTML in a Markdown text as ``show_page`` does."""
        await self.show_page(await asyncio.to_thread(page_in, text))

    async def show_page(self, text: str) -> None:
        """Show HTML in the person's own browser, where it runs no script and sends nothing."""
        self._browse(await self._attachments.serve_page(text, tr("Page of an answer")))

    async def _show_file(self, attachment: Attachment) -> None:
        self._browse(await self._attachments.serve_file(attachment))

    def _browse(self, address: str) -> None:
        if open_outside(address):
            raise ChatDeskError(
                Text("No browser could be opened."),
                safe=Text("Nothing was changed."),
                next_step=Text("Choose a browser in the settings of your system, or save the page as a file."),
            )
        self._panes.pane.show_toast(tr("Opened in your browser"))

    async def save_copy(self, attachment: Attachment, target: Path) -> None:
        """Write the attached file to ``target``."""
        await self._attachments.save_copy(attachment, target)
        self._panes.pane.show_toast(tr("Saved to {name}", name=target.name))

    async def use(self, what: str, attachment: Attachment) -> None:
        """Open the file, show where it is, or put it on the clipboard."""
        from PySide6.QtCore import QMimeData, QUrl
        from PySide6.QtGui import QGuiApplication

        if what == "file-folder":
            self._open(self._attachments.blobs.path(attachment.sha256).parent)
            return
        if self._opened is None:
            self._opened = OpenedFiles()
        copy = await self._opened.copy_of(self._attachments, attachment)
        if what == "file-open":
            self._open(copy)
            return
        data = QMimeData()
        data.setUrls([QUrl.fromLocalFile(str(copy))])
        if attachment.is_image and (image := await asyncio.to_thread(_image_in, copy)) is not None:
            data.setImageData(image)
        QGuiApplication.clipboard().setMimeData(data)
        self._panes.pane.show_toast(tr("Copied"))

    def _open(self, path: Path) -> None:
        if problem := open_outside(path):
            self._panes.pane.toasts.show_failure(problem)

    async def save(self, text: str, target: Path) -> None:
        """Write ``text``; the target is replaced only by a whole file."""
        try:
            await asyncio.to_thread(write_text, target, text, errors="replace")
        except OSError as error:
            raise ChatDeskError(
                Text("The file could not be written: {strerror}.", strerror=reason_text(error)),
                safe=Text("The message is unchanged."),
                next_step=Text("Choose another place."),
            ) from error
        self._panes.pane.show_toast(tr("Saved to {name}", name=target.name))


def _image_in(path: Path) -> QImage | None:
    """Return a picture for the clipboard; None where it is copied as a file alone. Waits for the disk."""
    try:
        return decode(path.read_bytes()).image
    except (NotAPicture, OSError):
        return None


# Copies of attached files for other programs, under their names, until the window closes.  The copy's ending follows
# its content, never its name: the desktop starts programs by endings.


class OpenedFiles:
    """The temporary copies of attached files that a window has opened. ``close`` deletes all copies."""

    def __init__(self) -> None:
        self._folder = TemporaryDirectory(prefix="chatdesk-", ignore_cleanup_errors=True)

    async def copy_of(self, attachments: AttachmentService, attachment: Attachment) -> Path:
        """Return a copy that cannot be executed. Raises ``AttachmentUnusable`` if the bytes are missing."""
        folder = Path(self._folder.name) / attachment.sha256[:16]
        target = folder / _file_name(attachment)
        await asyncio.to_thread(folder.mkdir, mode=0o700, exist_ok=True)
        await attachments.save_copy(attachment, target)
        await asyncio.to_thread(target.chmod, 0o600)
        return target

    def close(self) -> None:
        self._folder.cleanup()


def _file_name(attachment: Attachment) -> str:
    ending = safe_ending(attachment.mime)
    if ending is None or attachment.name.lower().endswith(ending):
        return attachment.name
    return f"{attachment.name}{ending}"
