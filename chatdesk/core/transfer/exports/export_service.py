"""Exports one thread, several, a project or everything, in one of the formats, on a thread of its own.

The use case knows the order of things (read, write beside, rename) and how to stop; the formats know how text looks.
"""

from __future__ import annotations

import asyncio
import errno
import io
import json
import subprocess
import threading
import time
import zipfile
from collections.abc import Callable, Sequence
from contextlib import closing, suppress
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO, TextIO, cast

from chatdesk.core.clock import Clock
from chatdesk.core.diagnostics.event_log import job
from chatdesk.core.domain.exports import Choice, ExportFormat, ExportProgress, ExportReport, Stopped
from chatdesk.core.errors import ChatDeskError, ExportFailed, ThreadNotFound
from chatdesk.core.moments import local_moment, utc_moment
from chatdesk.core.storage.transfer.export_reader import ExportReader, open_reader
from chatdesk.core.system import child_process
from chatdesk.core.system.file_writing import (
    filling_folder,
    own_folder,
    remove_abandoned,
    replacing,
    replacing_text,
    write_failure,
)
from chatdesk.core.system.thread_turns import short_turns
from chatdesk.core.texts import Text, language_tag, translations_of, unpacked
from chatdesk.core.transfer.exports.export_texts import all_texts
from chatdesk.core.transfer.exports.files import (
    StoredFiles,
    UniqueNames,
    safe_name,
)
from chatdesk.core.transfer.exports.thread_writer import ThreadExport, ThreadWriter
from chatdesk.core.transfer.exports.to_html import HtmlWriter
from chatdesk.core.transfer.exports.to_json import JsonWriter
from chatdesk.core.transfer.exports.to_markdown import MarkdownWriter
from chatdesk.core.transfer.exports.to_pdf import PdfWriter

_PROGRESS_EVERY_S = 0.1
_MOST_NAMED = 20  # limits the list of missing attachments
_ZIP_LEVEL = 4  # a quarter of the text's size; more effort takes three times as long for a twentieth of it


class ExportService:
    """Exports from the database at ``database``; writes nothing to it. One service serves any number of exports."""

    def __init__(self, database: Path | bytes, blobs: Path, clock: Clock, *, printing: Sequence[str]) -> None:
        """Set up without opening anything. ``database`` is a file, or the image of one in memory, which no other
        process gets. ``printing`` is the command of the process that makes pages; see ``to_pdf``."""
        self._database = database
        self._printing = tuple(printing)
        self._blobs = blobs
        self._clock = clock

    async def export(
        self,
        choice: Choice,
        kind: ExportFormat,
        target: Path,
        *,
        on_progress: Callable[[ExportProgress], None] | None = None,
        is_apart: bool = False,
    ) -> ExportReport:
        """Write ``choice``. ``target`` is the file to write, which is replaced when everything is written; for several
        threads in a format of a file each, the folder in which a new folder is made.

        ``is_apart``: in a process of its own, for whoever must not be held up by Python's lock. Cancelling leaves
        nothing behind; where everything was written already, the report is returned all the same. Raises
        ``ExportFailed``, ``StorageError``, ``ThreadNotFound``.
        """
        with job("export.ended", format=kind) as fields:
            report = await self._export(choice, kind, target, on_progress=on_progress, is_apart=is_apart)
            fields |= {"threads": report.threads, "messages": report.messages, "missing_files": report.missing}
        return report

    async def _export(
        self,
        choice: Choice,
        kind: ExportFormat,
        target: Path,
        *,
        on_progress: Callable[[ExportProgress], None] | None,
        is_apart: bool,
    ) -> ExportReport:
        loop = asyncio.get_running_loop()

        def report(progress: ExportProgress) -> None:
            if on_progress is not None:
                loop.call_soon_threadsafe(on_progress, progress)

        stop: Callable[[], None]
        if is_apart and isinstance(self._database, Path):
            process = await asyncio.to_thread(ExportProcess)
            request = self._request(choice, kind, target)
            stop, work = process.stop, asyncio.ensure_future(asyncio.to_thread(process.run, request, report))
        else:
            run = _Run(
                self._database,
                StoredFiles(self._blobs),
                choice,
                target,
                now_ms=self._clock.now_ms(),
                on_progress=report,
            )
            stop, work = run.stop.set, asyncio.ensure_future(asyncio.to_thread(run.work, kind, self._writer(kind)))
        try:
            return await asyncio.shield(work)
        except asyncio.CancelledError:
            stop()
            await asyncio.wait([work])
            if work.exception() is not None:  # the export reports that it was stopped
                raise
            # The file was complete before the request to stop arrived, so the export succeeded.
            if (task := asyncio.current_task()) is not None:
                task.uncancel()
            return work.result()

    def _request(self, choice: Choice, kind: ExportFormat, target: Path) -> dict[str, Any]:
        return {
            "database": str(self._database),
            "blobs": str(self._blobs),
            "printing": list(self._printing),
            "thread_ids": list(choice.thread_ids),
            "project_id": choice.project_id,
            "has_trash": choice.has_trash,
            "kind": kind.value,
            "target": str(target.absolute()),
            "language": language_tag(),
            "words": translations_of(all_texts()),
        }

    def _writer(self, kind: ExportFormat) -> Callable[[], ThreadWriter]:
        # Imported here: each format is needed only when it is chosen.
        if kind is ExportFormat.HTML:
            return HtmlWriter
        if kind is ExportFormat.PDF:
            return partial(PdfWriter, self._printing)

        return MarkdownWriter


class _Run:
    """A single export on its worker thread."""

    def __init__(
        self,
        database: Path | bytes,
        stored: StoredFiles,
        choice: Choice,
        target: Path,
        *,
        now_ms: int,
        on_progress: Callable[[ExportProgress], None],
    ) -> None:
        self.stop = threading.Event()
        self._database = database
        self._stored = stored
        self._choice = choice
        self._target = target
        self._now_ms = now_ms
        self._on_progress = on_progress
        self._told_at = 0.0
        self._messages = self._attachments = self._missing = 0
        self._of_messages = self._of_threads = 0

    def work(self, kind: ExportFormat, make_writer: Callable[[], ThreadWriter]) -> ExportReport:
        try:
            with short_turns(), open_reader(self._database) as reader:
                self._of_threads, self._of_messages = reader.counts(self._choice)
                if self._of_threads < len(set(self._choice.thread_ids)):
                    raise ThreadNotFound
                remove_abandoned(self._target)
                if kind is ExportFormat.JSON:
                    path = self._write_json(reader)
                else:
                    with closing(make_writer()) as writer:
                        path = self._write_texts(reader, writer)
        except OSError as error:
            raise write_failure(error, self._target) from error
        lost = self._stored.lost[:_MOST_NAMED]
        return ExportReport(path, self._of_threads, self._messages, self._attachments, self._missing, lost)

    def _write_texts(self, reader: ExportReader, writer: ThreadWriter) -> Path:
        ids = reader.thread_ids(self._choice)
        if len(self._choice.thread_ids) == 1:
            self._write_thread(reader, writer, ids[0], self._target)
            return self._target
        return self._write_folder(reader, writer, ids)

    # One file

    def _write_json(self, reader: ExportReader) -> Path:
        if self._target.suffix.lower() == ".zip":
            with replacing(self._target) as file:
                self._write_zip(reader, file)
        else:
            with replacing_text(self._target, errors="backslashreplace") as sink:
                self._copy_beside(self._write_document(reader, sink))
        return self._target

    def _write_zip(self, reader: ExportReader, file: BinaryIO) -> None:
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=_ZIP_LEVEL) as archive:
            moment = utc_moment(self._now_ms).timetuple()[:6]
            entry = zipfile.ZipInfo("chatdesk.json", moment)
            entry.compress_type = zipfile.ZIP_DEFLATED
            with (
                archive.open(entry, "w", force_zip64=True) as raw,
                io.TextIOWrapper(raw, encoding="utf-8", errors="backslashreplace", newline="\n") as sink,
            ):
                writer = self._write_document(reader, sink)
            for sha256 in sorted(writer.attachments):
                self._tick(0)
                if self._stored.path(sha256) is None:
                    continue
                entry = zipfile.ZipInfo(f"attachments/{sha256}", moment)
                with archive.open(entry, "w", force_zip64=True) as raw:
                    self._copy_whole(sha256, cast(BinaryIO, raw))
                self._attachments += 1

    def _copy_whole(self, sha256: str, sink: BinaryIO) -> None:
        if not self._stored.copy(sha256, sink):
            raise OSError(errno.EIO, "An attached file changed while it was copied", sha256)

    def _write_document(self, reader: ExportReader, sink: TextIO) -> JsonWriter:
        def has_file(sha256: str) -> bool:
            found = self._stored.path(sha256, writer.names.get(sha256, "")) is not None
            self._missing += not found
            return found

        writer = JsonWriter(sink, has_file=has_file, tick=self._tick)
        writer.write(reader, self._choice, now_ms=self._now_ms)
        return writer

    def _copy_beside(self, writer: JsonWriter) -> None:
        folder = self._target.with_name(f"{self._target.stem}-attachments")
        for sha256 in sorted(writer.attachments):
            self._tick(0)
            if self._stored.path(sha256) is None:
                continue
            own_folder(folder)
            if not (folder / sha256).exists():
                with replacing(folder / sha256) as file:
                    self._copy_whole(sha256, file)
            self._attachments += 1

    # A file for each thread

    def _write_folder(self, reader: ExportReader, writer: ThreadWriter, ids: list[str]) -> Path:
        moment = local_moment(self._now_ms)
        projects = {row["id"]: row["name"] for row in reader.projects(self._choice)}
        final = self._target / UniqueNames(self._target).unique(f"ChatDesk export {moment:%Y-%m-%d %H.%M}", "")
        with filling_folder(final) as folder:
            folders: dict[str, tuple[Path, UniqueNames]] = {}
            names = UniqueNames()
            for thread_id in ids:
                thread = reader.domain_thread(thread_id)
                if thread.project_id not in folders:
                    inner = folder
                    if len(projects) > 1:
                        project = safe_name(projects.get(thread.project_id, ""), otherwise="project")
                        inner = folder / names.unique(project, "")
                        inner.mkdir()
                    folders[thread.project_id] = inner, UniqueNames()
                inner, given = folders[thread.project_id]
                name = given.unique(safe_name(thread.title), writer.ending)
                self._write_thread(reader, writer, thread_id, inner / name)
        return final

    def _write_thread(self, reader: ExportReader, writer: ThreadWriter, thread_id: str, target: Path) -> None:
        written = writer.write(reader, ThreadExport(thread_id, target, self._stored), self._tick)
        self._attachments += written.attachments
        self._missing += written.missing

    def _tick(self, messages: int) -> None:
        if self.stop.is_set():
            raise Stopped
        self._messages += messages
        now = time.monotonic()
        if now - self._told_at >= _PROGRESS_EVERY_S:
            self._told_at = now
            self._on_progress(ExportProgress(self._messages, self._of_messages))


# Runs an export in a process of its own (``exports.process``), so that the window does not feel it: a thread beside the
# window would make the two take turns in Python.

_PATIENCE_S = 15.0


def default_command() -> list[str]:
    """Return the command that starts the process."""
    return child_process.command_of("--export-worker")


class ExportProcess:
    """A running export. ``run`` waits for its end, so call it on a thread that may wait; ``stop`` cancels from any
    thread."""

    def __init__(self, command: Sequence[str] | None = None) -> None:
        self._process = child_process.start(command or default_command())

    def run(self, request: dict[str, Any], on_progress: Callable[[ExportProgress], None]) -> ExportReport:
        """Export and return the report. Raises the export's exceptions, and ``Stopped`` when it was cancelled."""
        process = self._process
        assert process.stdin is not None
        assert process.stdout is not None
        last: dict[str, Any] = {}
        try:
            with suppress(OSError, ValueError):  # it ended, or was cancelled before it began
                process.stdin.write(json.dumps(request).encode() + b"\n")
                process.stdin.flush()
            for line in process.stdout:
                last = json.loads(line)
                if "progress" in last:
                    on_progress(ExportProgress(**last["progress"]))
        finally:
            self._end()
        if "report" in last:
            report = last["report"]
            return ExportReport(**report | {"path": Path(report["path"]), "lost": tuple(report["lost"])})
        if "stopped" in last:
            raise Stopped
        raise _error(last.get("error"))

    def stop(self) -> None:
        with suppress(OSError):
            assert self._process.stdin is not None
            self._process.stdin.close()

    def _end(self) -> None:
        self.stop()
        try:
            self._process.wait(_PATIENCE_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        assert self._process.stdout is not None
        self._process.stdout.close()


def _error(data: dict[str, Any] | None) -> ChatDeskError:
    if data is None:
        return ExportFailed(Text("The export ended unexpectedly."), next_step=Text("Try again, or another format."))
    what, safe, next_step = map(unpacked, data["sentences"])
    error = ChatDeskError(what, safe=safe, next_step=next_step)
    error.code = data["code"]
    return error
