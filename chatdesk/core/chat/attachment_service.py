"""AttachmentService adds files, reads their text once, saves copies and deletes files that nothing refers to.

All methods are coroutines on one loop; the disk and the reading process are waited for on threads.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection
from dataclasses import replace
from pathlib import Path
from typing import Any

from chatdesk.core.attachments.attachment_limits import AttachmentLimits
from chatdesk.core.attachments.blob_store import BlobStore
from chatdesk.core.attachments.file_kinds import is_text
from chatdesk.core.attachments.file_reader import FileReader, SentImage
from chatdesk.core.attachments.intake import Intake
from chatdesk.core.attachments.origin_mark import mark_origin
from chatdesk.core.attachments.sandboxed_pages import SandboxedPages
from chatdesk.core.attachments.text_encodings import SAMPLE_BYTES, Readings, readings
from chatdesk.core.attachments.text_extraction import FileText
from chatdesk.core.chat.task_set import TaskSet
from chatdesk.core.clock import Clock
from chatdesk.core.domain.attachment import Attachment
from chatdesk.core.errors import AttachmentUnusable, NotPossible
from chatdesk.core.local_days import day_number, start_ms
from chatdesk.core.storage.chat.artifacts import ArtifactRepository
from chatdesk.core.system.background_import import import_beside
from chatdesk.core.system.file_writing import remove_abandoned, replacing
from chatdesk.core.system.system_errors import reason_text
from chatdesk.core.texts import Text

_log = logging.getLogger(__name__)

# A blob may be named a moment after it was made; a day is far more than any composer needs.
_KEPT_UNNAMED_S = 24 * 60 * 60
_COPY_PIECE_BYTES = 1024 * 1024
_AT_ONCE = 2
_UNREAD_AT_ONCE = 100
_PAUSE_S = 0.05

Progress = Callable[[int, int], None]


class AttachmentService:
    """The attachments of a data directory. Built once for a process and shared by all its front ends."""

    def __init__(
        self,
        blobs: BlobStore,
        artifacts: ArtifactRepository,
        *,
        reader: FileReader | None = None,
        limits: AttachmentLimits | None = None,
    ) -> None:
        self.blobs = blobs
        self._artifacts = artifacts
        self._reader = reader or FileReader()
        self._intake = Intake(blobs, self._reader)
        self.limits = limits or AttachmentLimits()
        self._clock = Clock()
        # Everybody shares the threads that wait; twenty files must not take them all.
        self._slots = asyncio.Semaphore(_AT_ONCE)
        self._tasks = TaskSet()
        self._reading: asyncio.Task[int] | None = None
        self._being_read: dict[str, asyncio.Task[FileText]] = {}
        self._pages: SandboxedPages | None = None

    @property
    def max_bytes(self) -> int:
        """The size in bytes of the largest file that may be attached."""
        return self.limits.file_bytes

    def use_limits(self, limits: AttachmentLimits) -> None:
        """Use other limits, from the next file on."""
        self.limits = limits

    def refuses(self, mime: str) -> bool:
        """Return whether files of a kind are kept out at present."""
        return self.limits.refuses(mime)

    # In

    async def add_file(self, path: Path, *, progress: Progress | None = None) -> Attachment:
        """Copy a file that a person chose into the store. ``progress`` is called on the loop with the bytes copied so
        far and the bytes in all. Raises ``AttachmentTooLarge``, ``AttachmentUnusable``, and ``InvalidInput`` where
        a day has had enough. Cancelling waits for the piece that is being copied."""
        loop = asyncio.get_running_loop()
        is_wanted = True

        def report(copied: int, total: int) -> None:
            if not is_wanted:
                raise AttachmentUnusable(Text("The copying was stopped."))
            if progress is not None:
                loop.call_soon_threadsafe(progress, copied, total)

        try:
            return await self._added(self._intake.add_file, path, limits=self.limits, progress=report)
        finally:
            is_wanted = False

    async def add_bytes(self, data: bytes, name: str) -> Attachment:
        """Store bytes that are in memory already, such as a pasted picture. Raises as ``add_file``."""
        return await self._added(self._intake.add_bytes, data, name, limits=self.limits)

    async def keep_bytes(self, data: bytes, name: str) -> Attachment:
        """Store bytes that a person did not attach, such as the result of a tool: they are no part of a day's. Raises
        as ``add_file``."""
        return await self._added(self._intake.add_bytes, data, name, limits=replace(self.limits, day_bytes=0))

    async def from_text(self, name: str, text: str) -> Attachment:
        """Make a text file of a text that is too large for a message. Raises as ``add_file``."""
        return await self.add_bytes(text.encode("utf-8", "replace"), name)

    async def attached(self, sha256: str, projects: Collection[str]) -> Attachment | None:
        """Return a file as a live message or a draft of these projects names it, of all projects where none is given;
        then also as an assistant does. None where nothing names it, or its bytes are gone."""
        found = await self._artifacts.attached(sha256, projects)
        return found if found is not None and await self.has(sha256) else None

    async def has(self, sha256: str) -> bool:
        """Return whether these bytes are in the store."""
        return await asyncio.to_thread(self.blobs.has, sha256)

    async def _added(self, add: Callable[..., Attachment], *values: object, **more: Any) -> Attachment:
        if self._artifacts.is_read_only:
            raise NotPossible(Text("Nothing can be attached here, because nothing can be written."))
        limits = more["limits"]
        async with self._slots:
            attachment = await asyncio.to_thread(add, *values, **more)
        if limits.day_bytes:
            before = await self._artifacts.bytes_since(start_ms(day_number(self._clock.now_ms())))
            limits.check_day(attachment.name, attachment.size_bytes, before_bytes=before)
        if not attachment.is_image:  # read while the person goes on writing
            self._tasks.start(self.text_of(attachment), f"read {attachment.sha256[:8]}")
        return attachment

    # What is in it

    async def readings(self, attachment: Attachment) -> Readings:
        """Return the possible readings of a text without a declared encoding; none for other files and for a
        missing one."""
        return await asyncio.to_thread(lambda: readings(self._beginning(attachment)))

    def _beginning(self, attachment: Attachment) -> bytes:
        """Return the first bytes of a text; none of other files, and of one that is gone."""
        if not is_text(attachment.mime):
            return b""
        try:
            with self.blobs.path(attachment.sha256).open("rb") as file:
                return file.read(SAMPLE_BYTES + 1)
        except OSError:
            return b""

    async def read_as(self, attachment: Attachment, encoding: str) -> Attachment:
        """Return the same text as a file in UTF-8, read in an encoding that a person chose. Raises as ``add_file``."""

        def work() -> bytes:
            data = self.blobs.read(attachment.sha256, max_bytes=attachment.size_bytes)
            return data.decode(encoding, "replace").encode()

        return await self.add_bytes(await asyncio.to_thread(work), attachment.name)

    async def text_of(self, attachment: Attachment) -> FileText:
        """Return the text in a file, or the reason why it cannot be read. A file is read once and its text kept; a bad
        file raises nothing."""
        if attachment.is_image:
            return FileText("")
        stored = await self._artifacts.text(attachment.sha256)
        if stored is not None:
            return FileText(stored.text, stored.problem)
        running = self._being_read.get(attachment.sha256)
        if running is None:
            running = self._tasks.start(self._read(attachment), f"extract {attachment.sha256[:8]}")
            self._being_read[attachment.sha256] = running
            running.add_done_callback(lambda _task: self._being_read.pop(attachment.sha256, None))
        try:
            return await asyncio.shield(running)
        except asyncio.CancelledError:
            current = asyncio.current_task()
            if running.cancelled() and current is not None and not current.cancelling():
                return FileText("", Text("ChatDesk was closing."))
            raise

    async def _read(self, attachment: Attachment) -> FileText:
        path = self.blobs.path(attachment.sha256)
        if not await asyncio.to_thread(path.is_file):
            return FileText("", Text("The file is no longer there."))  # not kept: it may come back with a backup
        async with self._slots:
            found = await asyncio.to_thread(self._reader.text, path, attachment.mime)
        await self._artifacts.store_text(attachment.sha256, found.text, found.problem)
        return found

    def read_soon(self) -> None:
        """Start ``read_unread`` in the background, unless it is running already."""
        if self._reading is None or self._reading.done():
            self._reading = self._tasks.start(self.read_unread(), "read what was not read yet")

    async def read_unread(self, *, pause_s: float = _PAUSE_S) -> int:
        """Read the files of messages that were never read, such as imported ones, so that search finds their text.
        Returns how many files were read. Pauses for ``pause_s`` seconds after each, because nobody waits for it."""
        count, before = 0, None
        while not self._artifacts.is_read_only:
            found = await self._artifacts.unread(before=before, limit=_UNREAD_AT_ONCE)
            for id_, mime, sha256 in found:
                before = id_
                await self.text_of(Attachment("", mime, sha256, 0))
                count += 1
                await asyncio.sleep(pause_s)
            if len(found) < _UNREAD_AT_ONCE:
                break
        return count

    async def sent_image(self, attachment: Attachment) -> SentImage:
        """Return a picture in the form that a model receives, or the reason why it cannot be sent."""
        path = self.blobs.path(attachment.sha256)
        if not await asyncio.to_thread(path.is_file):
            return SentImage(problem=Text("The file is no longer there."))
        try:
            await asyncio.to_thread(self.blobs.check, attachment.sha256)
        except AttachmentUnusable as error:
            return SentImage(problem=error.what)
        async with self._slots:
            return await asyncio.to_thread(self._reader.sent_image, path)

    # Out

    async def save_copy(self, attachment: Attachment, target: Path) -> None:
        """Write the bytes of an attachment to a path that the person chose, after a scan for viruses where there is a
        scanner. An existing file is replaced only by a complete one. Raises ``AttachmentUnusable``."""
        await asyncio.to_thread(self.blobs.check, attachment.sha256)
        await asyncio.to_thread(_copy, self.blobs.path(attachment.sha256), target)

    async def serve_page(self, text: str, title: str) -> str:
        """Return the address of this computer at which the person's own browser can read HTML once, soon, and without
        sending anything anywhere. Raises ``InvalidInput``, and ``AttachmentUnusable`` where no address can be had."""
        sandboxed_pages = await import_beside("chatdesk.core.attachments.sandboxed_pages")
        if self._pages is None:
            self._pages = sandboxed_pages.SandboxedPages()
        try:
            return await self._pages.serve(text, title)
        except OSError as error:
            raise AttachmentUnusable(
                Text("The page cannot be handed to your browser: {strerror}.", strerror=reason_text(error)),
                safe=Text("Nothing was opened."),
                next_step=Text("Save it as a file instead."),
            ) from error

    async def serve_file(self, attachment: Attachment) -> str:
        """Return the address of a stored web page, as ``serve_page`` does, after a scan for viruses where there is a
        scanner."""
        await asyncio.to_thread(self.blobs.check, attachment.sha256)
        data = await asyncio.to_thread(self.blobs.read, attachment.sha256, max_bytes=attachment.size_bytes)
        return await self.serve_page(data.decode("utf-8", "replace"), attachment.name)

    # Upkeep

    async def remove_unnamed(
        self,
        *,
        older_than_s: float = _KEPT_UNNAMED_S,
        named_elsewhere: Callable[[], Awaitable[set[str]]] | None = None,
    ) -> int:
        """Delete files that no message (trash included) and no draft refers to. Returns how many files were deleted.
        ``named_elsewhere`` returns the hashes that must stay as well, such as those that backups refer to; it is called
        before anything is deleted."""
        if self._artifacts.is_read_only:
            return 0
        await asyncio.to_thread(self.blobs.remove_unfinished, older_than_s=older_than_s)
        listed = await asyncio.to_thread(lambda: list(self.blobs.list()))
        old = [blob.sha256 for blob in listed if blob.age_s >= older_than_s]
        unnamed = await self._artifacts.unnamed(old) if old else []
        if unnamed and named_elsewhere is not None:
            kept = await named_elsewhere()
            unnamed = [sha256 for sha256 in unnamed if sha256 not in kept]
        for sha256 in unnamed:
            await asyncio.to_thread(self.blobs.remove, sha256)
        await self._artifacts.forget_texts(unnamed)
        if unnamed:
            _log.info("%d attached files that nothing names were removed", len(unnamed))
        return len(unnamed)

    async def close(self) -> None:
        """Stop reading files, and serving pages; unread files are read again when they are needed."""
        if self._pages is not None:
            self._pages.close()
        await asyncio.to_thread(self._reader.close)
        await self._tasks.close()


def _copy(source: Path, target: Path) -> None:
    remove_abandoned(target)
    try:
        with source.open("rb") as from_file, replacing(target) as to_file:
            while piece := from_file.read(_COPY_PIECE_BYTES):
                to_file.write(piece)
            mark_origin(to_file)
    except FileNotFoundError as error:
        raise AttachmentUnusable(
            Text("The attached file or the folder is no longer there."), next_step=Text("Choose another place.")
        ) from error
    except OSError as error:
        raise AttachmentUnusable(
            Text("The file could not be written: {strerror}.", strerror=reason_text(error)),
            safe=Text("The attached file is unchanged."),
            next_step=Text("Choose another place."),
        ) from error
