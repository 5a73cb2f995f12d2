"""Controls *Import…*: opens the dialog, runs the import, reports its result. An export dropped on the window opens it,
too."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from PySide6.QtCore import QEvent, QMimeData, QObject, Signal
from PySide6.QtGui import QDropEvent, QGuiApplication

from chatdesk.core.chat.attachment_service import AttachmentService
from chatdesk.core.chat.library import LibraryService
from chatdesk.core.domain.imported import ImportedMemory, ImportedProject, ImportProgress
from chatdesk.core.errors import ChatDeskError, StorageError
from chatdesk.core.hidden_characters import visible_controls
from chatdesk.core.memory.memory_service import MemoryService
from chatdesk.core.texts import plural, shown, tr
from chatdesk.core.transfer.imports.import_service import ImportService
from chatdesk.core.transfer.imports.report import ImportReport
from chatdesk.ui.dialogs.form_panel import ConfirmDialog
from chatdesk.ui.features.library.project import names_told_apart
from chatdesk.ui.features.library.thread_list_binding import ThreadListBinding
from chatdesk.ui.features.transfer.import_dialog import ImportDialog
from chatdesk.ui.qt.async_tasks import in_task
from chatdesk.ui.widgets.local_files import only_path_in
from chatdesk.ui.window.window_context import Controller, WindowContext

_EXPORT_NAME = re.compile(
    r"(?:.*\.zip|.*\.chatdesk|(?:.*[-_ .])?(?:conversations?|chats?|chatdesk)[^/]*\.jsonl?|messages\.jsonl)\Z",
    re.IGNORECASE,
)


def looks_like_export(path: Path) -> bool:
    """Return whether a file is named like an export; nothing is opened before a person says so."""
    return _EXPORT_NAME.match(path.name) is not None


class ImportBinding(Controller):
    """The binding of imports, one at a time. The last report can be opened until the next import."""

    imported = Signal()

    def __init__(
        self,
        context: WindowContext,
        lists: ThreadListBinding,
        importer: Callable[[], ImportService],
        library: LibraryService,
        attachments: AttachmentService,
        memory: MemoryService,
        read_only_reason: Callable[[], StorageError | None],
    ) -> None:
        super().__init__(context)
        panes = context.panes
        self._lists = lists
        self._importer = importer
        self._library = library
        self._attachments = attachments
        self._memory = memory
        self._read_only_reason = read_only_reason
        self.dialog: ImportDialog | None = None
        self.progress: ImportProgress | None = None
        self.report: ImportReport | None = None
        self._new_memories: tuple[ImportedMemory, ...] = ()
        panes.commands.bind("app.import", self.open)
        panes.sidebar.importRequested.connect(self.open)
        panes.window.setAcceptDrops(True)
        panes.window.installEventFilter(self)

    def open(self, path: Path | None = None, *, program: str = "") -> None:
        """Show the dialog of a new or running import. ``program``: explain how to export from this program."""
        self._tasks.replace(self._open(path, program), "import dialog")

    def offer_before(self, attach: Callable[[Sequence[str]], None], *, unless: Callable[[Path], bool]) -> None:
        """Ask about a file offered to the composer that looks like an export; pass other files to ``attach``. A file
        for which ``unless`` returns true, because it handled it, is not attached."""

        def offer(paths: Sequence[str]) -> None:
            path = Path(paths[0]) if len(paths) == 1 else None
            if path is not None and unless(path):
                return
            if path is not None and looks_like_export(path):
                self.ask_about(path, lambda: attach(paths))
            else:
                attach(paths)

        offered = self._panes.composer.filesOffered
        offered.disconnect(attach)
        offered.connect(offer)

    def ask_about(self, path: Path, attach: Callable[[], None]) -> ConfirmDialog:
        """Ask whether to import or attach a dropped file that could be both."""
        dialog = ConfirmDialog(
            self._panes.theme,
            tr("Import or attach?"),
            tr(
                "“{name}” looks like an export of chats. Import its threads, or attach the file to your message?",
                name=visible_controls(path.name),
            ),
            yes_text=tr("Import"),
            no_text=tr("Attach"),
            parent=self._panes.window,
        )
        dialog.answered.connect(lambda is_import: self.open(path) if is_import else attach())
        dialog.open()
        return dialog

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Accept exports that are dropped on widgets that take no files; the composer and the transcript are asked
        first."""
        if event.type() in (QEvent.Type.DragEnter, QEvent.Type.DragMove, QEvent.Type.Drop):
            assert isinstance(event, QDropEvent)
            path = _dropped_export(event.mimeData())
            if path is not None:
                event.acceptProposedAction()
                if event.type() == QEvent.Type.Drop:
                    self.open(path)
                return True
        return super().eventFilter(watched, event)

    async def _open(self, path: Path | None, program: str = "") -> None:
        reason = self._read_only_reason()
        if reason is not None:
            raise reason
        if self.dialog is not None:
            if path is not None and not self._importer().is_running:
                self.dialog.set_path(path)
            return

        projects = await self._open_thread.stored_chat.projects.list()
        names = names_told_apart(projects, self._panes.sidebar.workspaces)
        dialog = self.dialog = ImportDialog(
            self._panes.theme,
            [(project.id, names[project.id]) for project in projects],
            path=path,
            program=program,
            parent=self._panes.window,
        )
        dialog.startRequested.connect(self.start)
        dialog.stopRequested.connect(self._importer().stop)
        dialog.showRequested.connect(self._show_threads)
        dialog.copyRequested.connect(self._copy)
        dialog.memoriesChosen.connect(self._remember_chosen)
        dialog.finished.connect(self._on_dialog_finished)
        if self._importer().is_running:
            dialog.show_progress(self.progress)
        dialog.open()

    def start(self, path: str, project: str | None) -> None:
        """Import a file; the window stays free."""
        self._tasks.start(self._run(Path(path), project), "import")

    async def _run(self, path: Path, project: str | None) -> None:
        self.progress = self.report = None
        try:
            wanted = None
            if project is not None:  # one that goes to the trash in the meantime is made again under its name
                wanted = ImportedProject(project, (await self._library.projects.get(project)).name)
            report = await self._importer().run(path, project=wanted, on_progress=self._on_progress)
        except ChatDeskError as error:
            if self.dialog is None:
                raise
            self.dialog.show_failure(shown(error.sentence))
            return
        self._new_memories = await self._memory.missing(report.memories)
        self.report = report
        self.imported.emit()
        self._attachments.read_soon()  # so that a search finds the text of imported files
        if self.dialog is not None:
            self._show_report(self.dialog)
        else:
            self._panes.window.show_toast(shown(report.summary), tr("Report"), partial(self.reopen, report))

    def _on_progress(self, progress: ImportProgress) -> None:
        self.progress = progress
        if self.dialog is not None:
            self.dialog.show_progress(progress)

    def _on_dialog_finished(self) -> None:
        self.dialog = None

    @in_task("import dialog", replaces=True)
    async def reopen(self, report: ImportReport) -> None:
        """Open the dialog with a report, unless another import has begun since."""
        await self._open(None)
        if self.dialog is not None and self.report is report:
            self._show_report(self.dialog)

    def _show_report(self, dialog: ImportDialog) -> None:
        assert self.report is not None
        has_threads = any(line.thread_id is not None for line in self.report.lines)
        dialog.show_report(shown(self.report.summary), self.report.lines, has_threads=has_threads)
        dialog.memories.show_memories(self._new_memories, is_on=self._memory.is_on)

    @in_task("imported memories")
    async def _remember_chosen(self, chosen: list[ImportedMemory]) -> None:
        if self.report is None:
            return
        count = await self._memory.add_imported(chosen, self.report.source)
        self._new_memories = await self._memory.missing(self._new_memories)
        self._panes.window.show_toast(plural("{count} memories are kept", "{count} memory is kept", count))
        if self.dialog is not None:
            self.dialog.memories.show_memories(self._new_memories, is_on=self._memory.is_on)

    def _copy(self) -> None:
        if self.report is not None:
            self._tasks.start(self._copy_report(self.report), "copy import report")

    async def _copy_report(self, report: ImportReport) -> None:
        QGuiApplication.clipboard().setText(await asyncio.to_thread(lambda: "\n".join(map(shown, report.texts()))))
        self._panes.window.show_toast(tr("The report is in the clipboard"))

    def _show_threads(self) -> None:
        """List the project that the threads went into, or all projects if there were several."""
        went_into = sorted(self.report.project_ids) if self.report is not None else []
        self._lists.show_project(went_into[0] if len(went_into) == 1 else None)


def _dropped_export(data: QMimeData | None) -> Path | None:
    path = only_path_in(data)
    return Path(path) if path and looks_like_export(Path(path)) else None
