"""Runs *Export*: the dialog, its progress and its result."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Final

from PySide6.QtGui import QGuiApplication

from chatdesk.core.domain.exports import Choice, ExportFormat, ExportProgress
from chatdesk.core.texts import Text, plural, shown, tr
from chatdesk.core.transfer.exports.export import thread_to_markdown
from chatdesk.core.transfer.exports.export_service import ExportService
from chatdesk.core.transfer.exports.files import safe_name
from chatdesk.ui.dialogs.file_dialogs import ask_for_folder, ask_where_to_save
from chatdesk.ui.features.chat.thread_binding import ThreadBinding
from chatdesk.ui.features.transfer.export_dialog import ExportDialog, ProgressDialog
from chatdesk.ui.window.window_context import Controller, Panes, WindowContext

_FILTERS: Final = {
    "md": Text("Markdown (*.md)"),
    "html": Text("Web page (*.html)"),
    "pdf": Text("PDF (*.pdf)"),
    "json": Text("ChatDesk's JSON with attachments (*.zip);;ChatDesk's JSON (*.json)"),
}
_PAGE, _MOST_COPIED = 200, 2_000
_SHOWN_AFTER_S: Final = 0.4  # a quicker export shows no progress bar


class ExportBinding(Controller):
    """Writes threads to places that the person names."""

    def __init__(
        self,
        context: WindowContext,
        threads: ThreadBinding,
        exports_of: Callable[[Sequence[str]], Awaitable[ExportService]],
    ) -> None:
        super().__init__(context)
        panes = context.panes
        self._threads = threads
        self._exports_of = exports_of
        commands = panes.commands
        commands.bind("thread.export_markdown", lambda: self._ask_one("md"), lambda: threads.thread_id is not None)
        commands.bind("thread.export_json", lambda: self._ask_one("json"), lambda: threads.thread_id is not None)
        commands.bind("thread.export", lambda: self.open(self._marked()))
        commands.bind("thread.copy", self._copy, lambda: threads.thread_id is not None)

    def open(self, thread_ids: Sequence[str] = ()) -> None:
        """Open the dialog that chooses the scope and the format of an export: these threads, their project or
        everything."""
        scopes = [("project", tr("The project")), ("everything", tr("Everything"))]
        if thread_ids:
            words = shown(plural("These {count} threads", "This thread", len(thread_ids)))
            scopes.insert(0, ("threads", words))
        dialog = ExportDialog(self._panes.theme, scopes, parent=self._panes.window)
        ids = tuple(thread_ids)
        dialog.chosen.connect(
            lambda scope, kind, has_trash: self._tasks.start(self._choose_place(ids, scope, kind, has_trash), "export")
        )
        dialog.open()

    def _marked(self) -> tuple[str, ...]:
        has_list = self._panes.window is self._panes.main_window
        marked = self._panes.sidebar.selected_ids() if has_list else ()
        return marked or (() if self._threads.thread_id is None else (self._threads.thread_id,))

    def _ask_one(self, kind: str) -> None:
        if self._threads.thread_id is not None:
            self._tasks.start(self._choose_place((self._threads.thread_id,), "threads", kind, False), "export")

    def _copy(self) -> None:
        if self._threads.thread_id is not None:
            self._tasks.replace(self._copy_thread(self._threads.thread_id), "copy thread")

    async def _copy_thread(self, thread_id: str) -> None:
        """Copy the shown path of a thread to the clipboard as Markdown, from the first message to the last."""
        chat = self._open_thread.chat_of(thread_id)
        thread = await chat.get_thread(thread_id)
        if thread.message_count > _MOST_COPIED:
            self._panes.pane.show_toast(
                shown(
                    plural(
                        "The thread has {count} messages, too many for the clipboard. Export it instead.",
                        "The thread has {count} message, too many for the clipboard. Export it instead.",
                        thread.message_count,
                    )
                ),
                tr("Export…"),
                lambda: self.open((thread_id,)),
            )
            return
        pages = [await chat.reader.get_thread_messages(thread_id, _PAGE)]
        while pages[0].has_older:
            pages.insert(0, await chat.reader.get_thread_messages(thread_id, _PAGE, pages[0].messages[0].id))
        messages = [message for page in pages for message in page.messages]
        QGuiApplication.clipboard().setText(await asyncio.to_thread(thread_to_markdown, thread, messages))
        self._panes.pane.show_toast(tr("The thread is in the clipboard, as Markdown"))

    async def _choose_place(self, thread_ids: tuple[str, ...], scope: str, kind: str, has_trash: bool) -> None:
        chat = self._open_thread.chat_of(thread_ids[0] if thread_ids else self._threads.thread_id)
        title = "ChatDesk"
        if scope == "threads":
            choice = Choice(thread_ids=thread_ids, has_trash=has_trash)
            title = (await chat.get_thread(thread_ids[0])).title
        elif scope == "project":
            thread = await chat.get_thread(thread_ids[0]) if thread_ids else self._threads.open_thread
            new = self._threads.new_project_id or (await chat.projects.default()).id
            project = new if thread is None else thread.project_id
            choice = Choice(project_id=project, has_trash=has_trash)
        else:
            choice = Choice(has_trash=has_trash)
        is_file = kind == "json" or len(choice.thread_ids) == 1

        def write(place: Path) -> None:
            self._tasks.start(self.export(choice, kind, place), "export")

        if is_file:
            ask_where_to_save(
                self._panes.window,
                tr("Export"),
                safe_name(title),
                write,
                kinds=shown(_FILTERS[kind]),
                suffix="zip" if kind == "json" else kind,
                object_name="exportPlace",
            )
        else:
            ask_for_folder(self._panes.window, tr("Folder to export into"), write, object_name="exportPlace")

    async def export(self, choice: Choice, kind: str, target: Path) -> None:
        """Write ``choice`` to ``target``; a longer export is shown with a button to cancel it."""
        exports = await self._exports_of(choice.thread_ids)
        progress = _ShownProgress(self._panes)
        work = asyncio.ensure_future(
            exports.export(choice, ExportFormat(kind), target, on_progress=progress.show, is_apart=True)
        )
        progress.stop = work.cancel
        try:
            await asyncio.wait([work], timeout=_SHOWN_AFTER_S)
            if not work.done():
                progress.open()
            report = await work
        except asyncio.CancelledError:
            if not progress.is_stopped:
                work.cancel()
                await asyncio.wait([work])
                raise
            self._panes.pane.show_toast(tr("The export was cancelled; nothing was left behind."))
            return
        finally:
            progress.end()
        self._panes.pane.show_toast(shown(report.sentence))


class _ShownProgress:
    """The progress of an export, shown in a dialog once that is open."""

    def __init__(self, panes: Panes) -> None:
        self._panes = panes
        self._dialog: ProgressDialog | None = None
        self._last: ExportProgress | None = None
        self.is_stopped = False
        self.stop = lambda: False

    def open(self) -> None:
        dialog = ProgressDialog(self._panes.theme, tr("Exporting"), tr("Reading…"), parent=self._panes.window)
        dialog.stopped.connect(self._on_dialog_stopped)
        self._dialog = dialog
        dialog.open()
        if self._last is not None:
            self.show(self._last)

    def show(self, progress: ExportProgress) -> None:
        self._last = progress
        if self._dialog is not None:
            self._dialog.show_text(
                shown(
                    plural(
                        "{done} of {count} messages",
                        "{done} of {count} message",
                        progress.of_messages,
                        done=progress.messages,
                    )
                )
            )
            self._dialog.show_share(progress.messages, progress.of_messages)

    def end(self) -> None:
        dialog, self._dialog = self._dialog, None
        if dialog is not None and not self.is_stopped:
            dialog.end()

    def _on_dialog_stopped(self) -> None:
        self.is_stopped = True
        self.stop()
