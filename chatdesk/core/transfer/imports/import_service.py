"""Imports an export: reads it on a thread of its own and stores its threads in short steps, so that a question asked in
the meantime does not wait. Stopping keeps complete threads; the next import of the same file continues."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any, Final, TypeVar

from chatdesk.core.attachments.blob_store import BlobStore
from chatdesk.core.clock import Clock
from chatdesk.core.diagnostics.event_log import job
from chatdesk.core.domain.attachment import Attachment
from chatdesk.core.domain.imported import (
    ImportedExtras,
    ImportedProject,
    ImportedThread,
    ImportLine,
    ImportOutcome,
    ImportProgress,
    WithFiles,
)
from chatdesk.core.errors import AttachmentUnusable, ImportRefused, NotPossible
from chatdesk.core.events import EventBus, PathChanged, ProjectCreated, TagsChanged, ThreadsChanged
from chatdesk.core.storage.transfer.import_rows import KnownThread, Step, ThreadRows, make_rows
from chatdesk.core.storage.transfer.importing import ImportRepository
from chatdesk.core.system.thread_turns import short_turns
from chatdesk.core.texts import Text, plural
from chatdesk.core.transfer.imports.files import FileKeeper
from chatdesk.core.transfer.imports.formats import LABELS
from chatdesk.core.transfer.imports.report import ImportReport
from chatdesk.core.transfer.imports.source import ExportFile, ImportCancelled

T = TypeVar("T")
_MOST: Final = 2_000  # messages that are read at once
_STEP: Final = 128  # usual messages of one thread
_READ_AHEAD_BYTES = 2 * 1024 * 1024
_MOST_PUBLISHED = 500
_LONGEST_PAUSE_S, _LOOK_EVERY_S = 0.2, 0.001

Progress = Callable[[ImportProgress], None]


_REASONS = {
    ImportOutcome.IN_TRASH: Text("It is in the trash. Restore it and import again to have what is new."),
    ImportOutcome.DELETED: Text("It was deleted for good."),
}


class ImportService:
    """Runs one import at a time. Coroutines and ``stop`` belong to the loop's thread."""

    def __init__(
        self,
        repository: ImportRepository,
        blobs: BlobStore,
        clock: Clock,
        bus: EventBus,
        *,
        is_refused: Callable[[str], bool] = lambda _mime: False,
    ) -> None:
        """Create the service over the storage that imports write to; ``is_refused`` says which kinds of files are kept
        out."""
        self._is_refused = is_refused
        self._repository = repository
        self._blobs = blobs
        self._clock = clock
        self._bus = bus
        self._stop: threading.Event | None = None

    @property
    def is_running(self) -> bool:
        return self._stop is not None

    def stop(self) -> None:
        """End the running import after the step it is at; its report comes as usual."""
        if self._stop is not None:
            self._stop.set()

    async def run(
        self,
        path: Path,
        *,
        project: str | ImportedProject | None = None,
        is_dry_run: bool = False,
        on_progress: Progress | None = None,
    ) -> ImportReport:
        """Import a file into a project: the oldest of a name, or the one of an id; without ``project`` into one
        named after the program that wrote the file, and ChatDesk's own threads into the projects they were in.
        Raises ``ImportRefused`` when nothing in the file is known, and ``StorageError``."""
        if self._stop is not None:
            raise NotPossible(Text("An import is running already."), next_step=Text("Wait for it or stop it first."))
        stop = self._stop = threading.Event()
        try:
            run = _Run(self._repository, self._blobs, self._clock, self._bus, stop, self._is_refused)
            # The thread that reads is busy all the time: others would wait for their turn as long each time.
            with short_turns(), job("import.ended", is_dry_run=is_dry_run) as fields:
                report = await run.to_end(path, project, is_dry_run=is_dry_run, on_progress=on_progress)
                fields |= {
                    "source": report.source or None,
                    "threads": report.counts[ImportOutcome.NEW],
                    "extended": report.counts[ImportOutcome.EXTENDED],
                    "messages": report.messages,
                    "missing_files": report.missing_files,
                    "is_whole": report.is_whole,
                }
            return report
        except BaseException:
            stop.set()  # ends the thread that reads ahead
            raise
        finally:
            self._stop = None


@dataclass(slots=True)
class _Work:
    """Threads that are ready to be written, and the keys of all that were looked up with them."""

    waiting: list[tuple[ThreadRows, str]] = field(default_factory=list)
    keys: set[tuple[str, str]] = field(default_factory=set)


class _Run:
    """An import from its first byte to its report: the next threads are read while the last ones are written."""

    def __init__(
        self,
        repository: ImportRepository,
        blobs: BlobStore,
        clock: Clock,
        bus: EventBus,
        stop: threading.Event,
        is_refused: Callable[[str], bool],
    ) -> None:
        self._is_refused = is_refused
        self._repository = repository
        self._blobs = blobs
        self._clock = clock
        self._bus = bus
        self._stop = stop
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="import-reader")
        self._report = ImportReport()
        self._projects: dict[str, str] = {}
        self._rest: list[ImportedThread | ImportLine] = []
        self._seen = 0
        self._wanted_project: str | ImportedProject | None = None

    async def to_end(
        self, path: Path, project: str | ImportedProject | None, *, is_dry_run: bool, on_progress: Progress | None
    ) -> ImportReport:
        self._report.is_dry_run = is_dry_run
        self._wanted_project = project
        try:
            try:
                export = await self._on_reader(lambda: ExportFile(path, now_ms=self._clock.now_ms(), stop=self._stop))
            except ImportCancelled:  # while zips in the zip were opened
                self._report.is_whole = False
                return self._report
            try:
                if not is_dry_run:
                    await self._repository.prepare()
                await self._go(export, on_progress)
            finally:
                await asyncio.shield(self._on_reader(export.close))
                if not is_dry_run:
                    await asyncio.shield(self._repository.finish())
                    self._publish_changes()
        finally:
            self._pool.shutdown(wait=False)
        self._report.source = LABELS.get(export.source or "", "")
        if export.has_foreign_bytes:
            self._report.notes.append(Text("Some characters could not be read and are shown as �."))
        self._report.memories = tuple(export.memories)
        self._report.memories_left_out = export.memories.left_out
        self._report.is_whole = not self._stop.is_set()
        return self._report

    def _publish_changes(self) -> None:
        """Publish that lists, tags and the threads that grew have changed."""
        if self._report.messages or self._report.counts[ImportOutcome.NEW]:
            self._bus.publish(ThreadsChanged(None))
            self._bus.publish(TagsChanged())
        grown = [line.thread_id for line in self._report.lines if line.outcome is ImportOutcome.EXTENDED]
        for thread_id in grown[:_MOST_PUBLISHED]:
            if thread_id is not None:
                self._bus.publish(PathChanged(thread_id, None))

    async def _go(self, export: ExportFile, on_progress: Progress | None) -> None:
        found = export.threads()
        keeper = FileKeeper(export, self._blobs, self._is_refused)
        try:
            await self._work_through(found, export, keeper, on_progress)
            if not self._stop.is_set() and not self._report.is_dry_run:
                await self._add_extras(export.extras, keeper)
            for name in keeper.infected:
                reason = Text("The virus scanner found something in this file, so it was kept out.")
                self._report.add(ImportLine(ImportOutcome.SKIPPED, name, reason=reason))
        finally:
            keeper.close()

    async def _add_extras(self, extras: ImportedExtras, keeper: FileKeeper) -> None:
        """Store prompts and drafts, after the threads that drafts belong to."""
        if not extras.prompts and not extras.drafts:
            return

        def keep(rows: Sequence[WithFiles]) -> list[tuple[Mapping[str, Any], list[Attachment]]]:
            return [
                (row, [kept for file in files if (kept := keeper.keep(file, {})) is not None]) for row, files in rows
            ]

        prompts, drafts = await self._repository.add_extras(
            *await self._on_reader(lambda: (keep(extras.prompts), keep(extras.drafts)))
        )
        if prompts:
            self._report.notes.append(
                plural("{count} prompts were imported, too.", "{count} prompt was imported, too.", prompts)
            )
        if drafts:
            self._report.notes.append(
                plural("{count} drafts were imported, too.", "{count} draft was imported, too.", drafts)
            )

    async def _work_through(
        self,
        found: Iterator[ImportedThread | ImportLine],
        export: ExportFile,
        keeper: FileKeeper,
        on_progress: Progress | None,
    ) -> None:
        work = await self._next(found, export, keeper, set())
        while work is not None:
            following, written = await asyncio.gather(
                self._next(found, export, keeper, work.keys), self._write(work.waiting), return_exceptions=True
            )
            for outcome in (written, following):
                if isinstance(outcome, BaseException):
                    raise outcome
            if on_progress is not None:
                on_progress(ImportProgress(export.done_bytes, export.total_bytes, self._seen, self._report.messages))
            work = following if isinstance(following, _Work) else None

    async def _next(
        self,
        found: Iterator[ImportedThread | ImportLine],
        export: ExportFile,
        keeper: FileKeeper,
        being_written: set[tuple[str, str]],
    ) -> _Work | None:
        """Return the next threads with their rows; None at the end. A thread that is in the file twice waits
        until its first half is written."""
        if not self._rest and not self._stop.is_set():
            with suppress(ImportCancelled):
                self._rest = await self._on_reader(lambda: self._some(found, export))
        if not self._rest or self._stop.is_set():
            return None
        work = _Work()
        taken: list[ImportedThread | ImportLine] = []
        for each in self._rest:
            if isinstance(each, ImportedThread):
                key = each.source, each.key
                if key in work.keys or key in being_written:
                    break
                work.keys.add(key)
            taken.append(each)
        self._rest = self._rest[len(taken) :]
        await self._prepare(taken, work, keeper)
        return work

    async def _prepare(self, read: Sequence[ImportedThread | ImportLine], work: _Work, keeper: FileKeeper) -> None:
        """Look threads up, make rows of new ones, and add their lines to the report in the order of the file."""
        threads = [each for each in read if isinstance(each, ImportedThread)]
        known = await self._repository.look_up(threads)
        keep = keeper.keep if not self._report.is_dry_run else lambda _file, _content: None

        def make() -> list[ThreadRows | None]:
            made: list[ThreadRows | None] = []
            for thread, found in zip(threads, known, strict=True):
                self._give_way()
                is_written = found.outcome in _WRITTEN
                made.append(make_rows(thread, found, self._repository.origin, keep) if is_written else None)
            return made

        try:
            made = iter(zip(known, await self._on_reader(make), strict=True))
        except AttachmentUnusable as error:
            raise ImportRefused(error.what, safe=_SAFE, next_step=error.next_step) from error
        for each in read:
            self._seen += 1
            if isinstance(each, ImportLine):
                self._report.add(each)
            else:
                await self._account(each, *next(made), work)

    async def _account(self, thread: ImportedThread, found: KnownThread, rows: ThreadRows | None, work: _Work) -> None:
        if rows is None:
            self._add(thread, found.outcome, found.thread_id, 0)
            return
        is_dry_run = self._report.is_dry_run
        outcome = found.outcome if rows.messages or rows.is_new else ImportOutcome.UNCHANGED
        self._report.left_out += thread.left_out if rows.is_new else 0
        self._report.marks_left_out += thread.marks_left_out if rows.is_new else 0
        if not is_dry_run:
            self._report.missing_files += rows.missing_files
            work.waiting.append((rows, await self._project_of(thread)))
        self._add(thread, outcome, None if is_dry_run and rows.is_new else rows.thread_id, len(rows.messages))

    def _add(self, thread: ImportedThread, outcome: ImportOutcome, thread_id: str | None, messages: int) -> None:
        self._report.add(ImportLine(outcome, thread.title, messages, _REASONS.get(outcome, ""), thread_id))

    async def _project_of(self, thread: ImportedThread) -> str:
        wanted = self._wanted_project or thread.project or LABELS.get(thread.source, "Imported")
        key = wanted.key if isinstance(wanted, ImportedProject) else f"name {wanted}"
        if key not in self._projects:
            project, is_new = await self._repository.project(wanted)
            self._projects[key] = project.id
            self._report.project_ids.add(project.id)
            if is_new:
                self._bus.publish(ProjectCreated(project))
        return self._projects[key]

    async def _write(self, waiting: Sequence[tuple[ThreadRows, str]]) -> None:
        steps = [step for rows, project_id in waiting for step in _steps(rows, project_id)]
        while steps:
            steps = steps[await self._repository.write(steps) :]

    def _some(
        self, found: Iterator[ImportedThread | ImportLine], export: ExportFile
    ) -> list[ImportedThread | ImportLine]:
        """Return the next threads, as many as a few steps write. Runs on the thread that reads."""
        began = export.done_bytes
        read: list[ImportedThread | ImportLine] = []
        count = 0
        for each in found:
            read.append(each)
            count += len(each.messages) if isinstance(each, ImportedThread) else 1
            if count >= _MOST or len(read) >= _MOST or export.done_bytes - began >= _READ_AHEAD_BYTES:
                break
            self._give_way()
        return read

    def _give_way(self) -> None:
        """Pause the reading thread while a task waits for the database: the writing thread has to wait for its turn of
        Python after each statement, and finishes four times as fast alone."""
        until = time.monotonic() + _LONGEST_PAUSE_S
        while self._repository.is_waited_for and not self._stop.is_set() and time.monotonic() < until:
            time.sleep(_LOOK_EVERY_S)

    async def _on_reader(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._pool, work)


_WRITTEN = frozenset((ImportOutcome.NEW, ImportOutcome.EXTENDED))
_SAFE = Text("What was imported so far is complete. Import the same file again to continue.")


def _steps(rows: ThreadRows, project_id: str) -> Iterator[Step]:
    """Yield the steps that write a thread, several if it is long."""
    cuts, size = [0], 0
    for place, message in enumerate(rows.messages):
        if size >= _STEP:
            cuts.append(place)
            size = 0
        size += message.weight
    for start, end in pairwise((*cuts, len(rows.messages))):
        yield Step(
            rows=rows,
            project_id=project_id,
            messages=rows.messages[start:end],
            is_first=start == 0,
            is_last=end == len(rows.messages),
        )
