"""Controls the files of the message being written: chosen, pasted or dropped, copied in the background, and described
before they are sent."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from pathlib import Path

from PySide6.QtCore import QBuffer, QByteArray, QEvent, QIODevice, QObject, Signal
from PySide6.QtGui import QDragEnterEvent, QDropEvent, QImage
from PySide6.QtWidgets import QMenu

from chatdesk.core.attachments.text_encodings import Reading
from chatdesk.core.chat.attachment_service import AttachmentService
from chatdesk.core.domain.attachment import Attachment, clean_name
from chatdesk.core.errors import AttachmentUnusable
from chatdesk.core.events import ProvidersChanged, ThreadChanged
from chatdesk.core.texts import Text, shown, tr
from chatdesk.services.services import Services
from chatdesk.ui.composer.attachment_chip import THUMBNAIL_PX
from chatdesk.ui.composer.attachments import AttachmentChips
from chatdesk.ui.dialogs.file_dialogs import ask_for_files
from chatdesk.ui.features.chat.drafts import DraftKeeper
from chatdesk.ui.features.chat.image_sight import ASK_OTHER, IS_BLIND, SEES, Sight, check_models
from chatdesk.ui.features.chat.message_binding import MessageBinding
from chatdesk.ui.features.chat.thread_binding import ThreadBinding
from chatdesk.ui.features.chat.transcript_files import TranscriptFiles
from chatdesk.ui.theme.compositing import round_corners
from chatdesk.ui.transcript.contract import Picture, PictureSource
from chatdesk.ui.window.window_context import Controller, WindowContext

# Returns the names and bytes of files, at least one. Raises errors of ChatDesk.
Fetch = Callable[[], Awaitable[Sequence[tuple[str, bytes]]]]

_PASTED_NAME = Text("Pasted image.png")
_STORED = Text("Files are stored on disk; a temporary chat is not.")
# Sharp on a screen with two dots a px, at twice the size of text.
_THUMBNAIL_DOTS = 4 * THUMBNAIL_PX
# How long a chat that is closed waits for files that are being copied.
_KEPT_WITHIN_S = 5.0
# Buttons below a text whose encoding was guessed.
_READ_AS, _IS_RIGHT = "readAs", "isRight"
_DRAGS = (QEvent.Type.DragEnter, QEvent.Type.DragMove, QEvent.Type.Drop)


class AttachmentBinding(Controller):
    """Attaches files to the message that is being written. A file belongs to the thread in which it was attached, also
    when another thread is open once it is copied. ``attached`` is emitted when a file is added to what is written."""

    attached = Signal()

    def __init__(
        self,
        context: WindowContext,
        threads: ThreadBinding,
        messages: MessageBinding,
        files: TranscriptFiles,
        drafts: DraftKeeper,
        *,
        attachments: AttachmentService,
        services: Services,
    ) -> None:
        super().__init__(context)
        panes = context.panes
        self._threads = threads
        self._messages = messages
        self._files = files
        self._drafts = drafts
        self._attachments = attachments
        self._services = services
        self._copying: dict[str, asyncio.Task[object]] = {}
        self._sight = Sight()
        self._guessed: Attachment | None = None  # a text whose encoding was guessed, which the note is about
        # the files read in an encoding that the person chose, by the id of the result
        self._chosen: dict[str, tuple[Attachment, Reading]] = {}
        composer = panes.composer
        panes.commands.bind("message.attach", self.choose, lambda: composer.can_write)
        messages.may_send = self._may_send
        composer.filesOffered.connect(self.attach)
        composer.imageOffered.connect(self.attach_image)
        composer.files.chipsMade.connect(self._on_composer_chips_made)
        threads.opened.connect(lambda _thread: self._describe_soon())
        panes.header.modelChosen.connect(lambda *_model: self._describe_soon())
        for place in (panes.transcript, panes.transcript.viewport(), panes.empty_state):
            place.setAcceptDrops(True)
            place.installEventFilter(self)
        context.events.subscribe(self, ThreadChanged, lambda _event: self._describe_soon())
        context.events.subscribe(self, ProvidersChanged, lambda _event: self._describe_soon())

    # In

    def choose(self) -> None:
        """Ask which files are to be attached."""
        if self._threads.offers_to_keep(shown(_STORED), self.choose):
            return
        dialog = ask_for_files(
            self._panes.window, tr("Attach files"), lambda paths: self.attach([str(path) for path in paths])
        )
        dialog.finished.connect(lambda _result: self._panes.composer.setFocus())

    def attach(self, paths: Sequence[str]) -> None:
        """Copy these files and attach them to the message."""
        if self._threads.offers_to_keep(shown(_STORED), partial(self.attach, tuple(paths))):
            return
        for path in self._as_many_as_fit(paths):
            name = clean_name(Path(path).name)
            key = self._panes.composer.files.chips.add(name)
            self._start(key, self._copy_file(key, Path(path), self._threads.thread_id))

    def attach_image(self, image: object) -> None:
        """Attach a picture from the clipboard, or one that was dropped."""
        if self._threads.offers_to_keep(shown(_STORED), partial(self.attach_image, image)):
            return
        if isinstance(image, QImage) and not image.isNull() and self._as_many_as_fit([shown(_PASTED_NAME)]):
            key = self._panes.composer.files.chips.add(shown(_PASTED_NAME), image)
            self._start(key, self._keep_image(key, image, self._threads.thread_id))

    def attach_bytes(self, name: str, data: bytes) -> None:
        """Attach a file whose bytes are in memory already."""

        async def fetch() -> Sequence[tuple[str, bytes]]:
            return [(name, data)]

        self.attach_fetched(name, fetch)

    def attach_fetched(self, name: str, fetch: Fetch) -> None:
        """Attach the file that ``fetch`` returns; until then a chip with this name stands for it."""
        if self._threads.offers_to_keep(shown(_STORED), partial(self.attach_fetched, name, fetch)):
            return
        if self._as_many_as_fit([name]):
            key = self._panes.composer.files.chips.add(clean_name(name))
            self._start(key, self._keep_fetched(key, fetch, self._threads.thread_id))

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() in _DRAGS and isinstance(event, QDropEvent):
            return self._handle_drag(event)
        return super().eventFilter(watched, event)

    def _handle_drag(self, event: QDropEvent) -> bool:
        editor = self._panes.composer.editor
        # files dragged out of the composer are not attached again
        if not editor.can_attach(event.mimeData()) or event.source() is not None:
            return False
        if isinstance(event, QDragEnterEvent) or event.type() is QEvent.Type.DragMove:
            event.acceptProposedAction()
        elif editor.attach_from(event.mimeData()):
            event.acceptProposedAction()
            self._panes.composer.setFocus()
        return True

    def _as_many_as_fit(self, paths: Sequence[str]) -> Sequence[str]:
        composer = self._panes.composer
        limits = self._attachments.limits
        room = limits.number - composer.files.count
        if len(paths) > room:
            composer.notice.show_passing(limits.left_out(len(paths) - max(room, 0)))
        return paths[: max(room, 0)]

    async def wait_until_kept(self) -> None:
        """Wait for files that are being copied, because the chat is closed; a disk that does not answer is left."""
        if self._copying:
            await asyncio.wait(tuple(self._copying.values()), timeout=_KEPT_WITHIN_S)

    def _start(self, key: str, work: object) -> None:
        self.attached.emit()
        task = self._tasks.start(work, f"attach {key}")  # type: ignore[arg-type]
        self._copying[key] = task
        task.add_done_callback(lambda _task: self._copying.pop(key, None))

    async def _copy_file(self, key: str, path: Path, thread_id: str | None) -> None:
        def show_progress(copied: int, total: int) -> None:
            self._panes.composer.files.chips.set_progress(key, copied, total)

        try:
            attachment = await self._attachments.add_file(path, progress=show_progress)
        except BaseException:
            self._panes.composer.files.chips.finish(key, None)
            raise
        await self._drafts.add_attachment(thread_id, key, attachment)

    async def _keep_image(self, key: str, image: QImage, thread_id: str | None) -> None:
        try:
            data = await asyncio.to_thread(_png, image)
            attachment = await self._attachments.add_bytes(data, shown(_PASTED_NAME))
        except BaseException:
            self._panes.composer.files.chips.finish(key, None)
            raise
        await self._drafts.add_attachment(thread_id, key, attachment)

    async def _keep_fetched(self, key: str, fetch: Fetch, thread_id: str | None) -> None:
        try:
            (name, data), *more = await fetch()
            attachment = await self._attachments.add_bytes(data, name)
        except BaseException:
            self._panes.composer.files.chips.finish(key, None)
            raise
        await self._drafts.add_attachment(thread_id, key, attachment)
        for name, data in more[: len(self._as_many_as_fit([name for name, _data in more]))]:
            await self._drafts.add_attachment(thread_id, "", await self._attachments.add_bytes(data, name))

    # Thumbnails and descriptions

    def _on_composer_chips_made(self, chips: AttachmentChips) -> None:
        chips.thumbnailWanted.connect(self._show_thumbnail)
        chips.changed.connect(self._describe_soon)
        chips.removed.connect(self._on_chips_removed)
        chips.noteActionRequested.connect(self._on_note_action_requested)

    def _on_chips_removed(self, key: str) -> None:
        task = self._copying.get(key)
        if task is not None:
            task.cancel()

    def _show_thumbnail(self, attachment: Attachment) -> None:
        pictures = self._files.pictures
        if pictures is None:
            return

        def show(picture: Picture) -> None:
            if picture.image is not None:
                self._panes.composer.files.chips.set_thumbnail(attachment.sha256, picture.image)

        most = (_THUMBNAIL_DOTS, _THUMBNAIL_DOTS)
        pictures.load(PictureSource(stored=attachment.blob_path, most=most), show)

    def _describe_soon(self) -> None:
        """Show before sending which attachments the model will not get: at once of images, so that no message is
        quicker, and of other files when they have been read."""
        composer = self._panes.composer
        if not composer.files.attached:
            return
        has_images = any(attachment.is_image for attachment in composer.files.attached)
        sight = (
            check_models(
                self._services, self._current_settings().image_model, self._asked_models(), self._panes.header.models
            )
            if has_images
            else Sight()
        )
        self._sight = sight
        if sight.sentence:
            composer.files.chips.set_note(shown(sight.sentence), sight.actions)
        self._tasks.replace(self._describe(has_note=bool(sight.sentence)), "describe attachments")

    async def _describe(self, *, has_note: bool) -> None:
        """Show the note about the files: the question about a text that may be read wrong comes first."""
        composer = self._panes.composer
        attached = composer.files.attached
        texts = [each for each in attached if not each.is_image]
        unsure = [each for each in texts if (await self._attachments.readings(each)).is_unsure]
        note, guess = "", None
        for attachment in unsure or (() if has_note else texts):
            note, guess = await self._note_of(attachment, asks=bool(unsure))
            if note:
                break
        if composer.files.attached == attached and (note or not has_note):
            self._guessed = guess
            actions = [(_READ_AS, tr("Read otherwise…"))] if guess else []
            composer.files.chips.set_note(note, [(_IS_RIGHT, tr("It is right")), *actions] if unsure else actions)

    async def _note_of(self, attachment: Attachment, *, asks: bool) -> tuple[str, Attachment | None]:
        """Return the note about a file, and the file if it can be read otherwise."""
        name = attachment.name
        original, chosen = self._chosen.get(attachment.sha256, (attachment, None))
        found = await self._attachments.text_of(attachment)
        readings = (await self._attachments.readings(original)).found
        guess = original if readings else None
        if asks and readings:
            return tr("Is “{sample}” in “{name}” read right?", sample=readings[0].sample, name=name), guess
        if chosen is not None:
            return tr("“{name}” is read as {encoding}: “{sample}”.", name=name, **_said(chosen)), guess
        if not found.text.strip():
            only = tr("Of “{name}” only the name is sent.", name=name)
            return f"{only} {shown(found.problem or '')}".strip(), None
        if found.problem:
            return tr("“{name}”: {problem}", name=name, problem=shown(found.problem)), guess
        return "", None

    async def _may_send(self, attached: Sequence[Attachment]) -> bool:
        """Return whether no text among these may well be read wrong; else the note asks."""
        for each in attached:
            if (await self._attachments.readings(each)).is_unsure:
                self._panes.composer.notice.show_passing(
                    tr("Not sent yet: say above your text whether “{name}” is read right.", name=each.name)
                )
                return False
        return True

    def _asked_models(self) -> Sequence[tuple[str | None, str | None]]:
        return self._messages.models.compared or (self._messages.models.answering,)

    def _on_note_action_requested(self, name: str) -> None:
        sight = self._sight
        if name in (_READ_AS, _IS_RIGHT):
            if self._guessed is not None:
                work = self._offer_readings if name == _READ_AS else self._confirm
                self._tasks.start(work(self._guessed), "read a file")
            return
        if name == ASK_OTHER and sight.other is not None:
            picker = self._panes.header.model_picker
            picker.set_current(*sight.other)
            picker.modelChosen.emit(*sight.other)
        elif name in (SEES, IS_BLIND):
            self._tasks.start(self._store_sight(sight.models, sees=name == SEES), "say what a model sees")
        self._panes.composer.setFocus()

    async def _offer_readings(self, attachment: Attachment) -> None:
        """Show how the text of a file can be read, and attach it as the person chooses."""
        chips = self._panes.composer.files.chips
        menu = QMenu(chips)
        menu.setObjectName("readings")
        round_corners(menu, self._panes.theme.tokens.radius.row)
        for reading in (await self._attachments.readings(attachment)).found:
            action = menu.addAction(f"{reading.name}: {reading.sample}".replace("&", "&&"))
            action.triggered.connect(partial(self._read_as, attachment, reading))
        menu.aboutToHide.connect(menu.deleteLater)
        menu.aboutToHide.connect(self._panes.composer.setFocus)
        menu.popup(chips.mapToGlobal(chips.rect().center()))

    async def _confirm(self, attachment: Attachment) -> None:
        """Read a text as it was shown."""
        readings = (await self._attachments.readings(attachment)).found
        if readings:
            self._read_as(attachment, readings[0])
        self._panes.composer.setFocus()

    def _read_as(self, attachment: Attachment, reading: Reading) -> None:
        self._tasks.start(self._attach_read(attachment, reading, self._threads.thread_id), "read a file as chosen")

    async def _attach_read(self, original: Attachment, reading: Reading, thread_id: str | None) -> None:
        """Replace the file, or an earlier reading of it, by its text in the chosen encoding."""
        chips = self._panes.composer.files.chips
        made = await self._attachments.read_as(original, reading.encoding)
        before = [key for key, (each, _reading) in self._chosen.items() if each == original]
        self._chosen[made.sha256] = (original, reading)
        if thread_id == self._threads.thread_id:
            for each in chips.attached:
                if each == original or each.sha256 in before:
                    chips.replace(each, made)
            self._describe_soon()

    async def _store_sight(self, models: Sequence[tuple[str, str]], *, sees: bool) -> None:
        """Store the person's word on whether these models see images; it applies from this message on."""
        service = self._services.provider_service
        for provider, model in models:
            await service.override(provider, model, sees_images=sees)
        self._describe_soon()


def _said(reading: Reading) -> dict[str, str]:
    return {"encoding": reading.name, "sample": reading.sample}


def _png(image: QImage) -> bytes:
    data = QByteArray()
    buffer = QBuffer(data)
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    if not image.save(buffer, "PNG"):  # type: ignore[call-overload]
        raise AttachmentUnusable(Text("The picture in the clipboard cannot be read."))
    return bytes(data.data())
