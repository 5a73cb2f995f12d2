"""The page *Data* of the settings: backups, restoring, checking, repairing."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QUrl
from PySide6.QtGui import QDesktopServices

from chatdesk.core.errors import ChatDeskError, NotPossible
from chatdesk.core.plurals import counted

if TYPE_CHECKING:
    from chatdesk.core.domain.backup_contents import BackupContents
    from chatdesk.services.groups import DataServices
    from chatdesk.ui.features.settings.data_page import DataPage
    from chatdesk.ui.features.settings.restore import RestoreDialog
    from chatdesk.ui.window.window_context import WindowContext

#: Close the services, do this, and start anew.
RestartAfter = Callable[[Callable[[], Awaitable[object]]], None]
_MOST_NAMED = 10  # lines that fit on the page
_BUSY = {
    "backup": "Making a backup…",
    "check": "Checking… This reads everything and can take a while.",
    "repair": "Checking and repairing…",
    "zip": "Writing the zip…",
}
#: What has a dialog of its own.
_COMMANDS = {"report": "app.report", "import": "app.import", "export": "thread.export"}
_TITLES = {"check": "Checking the database", "repair": "Repairing the database"}


class DataBinding(QObject):
    """``restart_after`` is the window's way to close and come back."""

    def __init__(self, context: WindowContext, restart_after: RestartAfter, services: DataServices) -> None:
        super().__init__()
        self._panes = panes = context.panes
        self._services = services
        self._tasks = tasks = context.tasks
        self._restart_after = restart_after
        for name in ("backup", "check", "repair"):
            panes.commands.bind(f"app.{name}", partial(self._do_and_say, name))
        panes.commands.bind("app.restore", lambda: tasks.start(self._open_restore(), "restore"))

    def _do_and_say(self, name: str) -> None:
        """Run an action of the data page from anywhere and show its result in the window."""

        async def work() -> None:
            window = self._panes.window
            window.show_toast(_BUSY[name])
            lines = await self._done(name)
            if len(lines) == 1:
                window.show_toast(lines[0])
            else:
                window.show_notice(_TITLES[name], "\n".join(lines))

        self._tasks.start(work(), f"data {name}")

    def join(self, page: DataPage) -> None:
        """Do what ``page`` asks for."""
        page.requested.connect(lambda name: self._on_page_requested(page, name))

    def _on_page_requested(self, page: DataPage, name: str) -> None:
        if name == "folder":
            self._tasks.start(self._show_folder(), "backup folder")
        elif name == "restore":
            self._tasks.start(self._open_restore(), "restore")
        elif name in _COMMANDS:
            self._panes.commands.trigger(_COMMANDS[name])
        elif name == "zip":
            self._ask_for_zip(page)
        else:
            self._tasks.start(self._run(page, name, lambda: self._done(name)), f"data {name}")

    async def _run(self, page: DataPage, name: str, work: Callable[[], Awaitable[list[str]]]) -> None:
        shown = _Page(page)
        shown.show_busy(_BUSY[name])
        try:
            shown.show_result(await work())
        except ChatDeskError as error:
            shown.show_result([error.sentence])

    async def _done(self, name: str) -> list[str]:
        if self._services.has_other_owner or (self._services.read_only_reason is not None and name == "repair"):
            raise self._services.read_only_reason or NotPossible("Another window has this data directory open.")
        if name == "backup":
            return [f"The backup was made: {(await self._services.maintenance.back_up_now()).name}"]
        if name == "check":
            found = await self._services.repairs.check(with_index=False)
            return [f"{each.text[:1].upper()}{each.text[1:]}." for each in found] or ["Nothing is wrong."]
        return list((await self._services.repairs.repair()).lines)

    async def _show_folder(self) -> None:
        folder = self._services.backups.directory
        QDesktopServices.openUrl(QUrl.fromLocalFile(str(folder)))

    def _ask_for_zip(self, page: DataPage) -> None:
        from PySide6.QtWidgets import QFileDialog

        name = f"ChatDesk {datetime.now(UTC).astimezone():%Y-%m-%d}.zip"
        dialog = QFileDialog(self._panes.window, "Save everything as a zip", name, "Zip (*.zip)")
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setDefaultSuffix("zip")
        dialog.setObjectName("zipPlace")

        async def write(target: Path) -> list[str]:
            lost = await self._services.backups.make_zip(target)
            if not lost:
                return [f"Everything was saved to {target.name}."]
            files = counted(len(lost), "attachment")
            more = [f"and {len(lost) - _MOST_NAMED:,} more"] if len(lost) > _MOST_NAMED else []
            return [f"All but {files} was saved to {target.name}:", *lost[:_MOST_NAMED], *more]

        dialog.fileSelected.connect(
            lambda path: self._tasks.start(self._run(page, "zip", lambda: write(Path(path))), "data zip")
        )
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()

    # Restoring

    async def _open_restore(self) -> None:
        from chatdesk.ui.features.settings.restore import RestoreDialog

        if self._services.has_other_owner:
            raise NotPossible("Another process has this data directory open.", next_step="Restore in its window.")
        backups = [(str(path), _words(path)) for path in await self._services.backups.list()]
        dialog = RestoreDialog(self._panes.theme, backups, parent=self._panes.window)
        dialog.looked.connect(lambda path: self._tasks.replace(self._look(dialog, path), "look into backup"))
        dialog.otherRequested.connect(lambda: self._ask_for_file(dialog))
        dialog.chosen.connect(lambda path: self._tasks.start(self._restore(dialog, path), "restore"))
        # What is still read or unpacked when the dialog is closed has nobody to tell.
        dialog.rejected.connect(lambda: self._tasks.cancel("look into backup"))
        dialog.rejected.connect(lambda: self._tasks.cancel("restore"))
        dialog.open()
        if dialog.path:
            dialog.looked.emit(dialog.path)

    def _ask_for_file(self, dialog: RestoreDialog) -> None:
        from PySide6.QtWidgets import QFileDialog

        chooser = QFileDialog(dialog, "Choose a backup", "", "Backups (*.zip *.gz *.db);;All files (*)")
        chooser.setFileMode(QFileDialog.FileMode.ExistingFile)
        chooser.setObjectName("restorePlace")
        chooser.fileSelected.connect(lambda path: dialog.add_file(Path(path)))
        chooser.finished.connect(chooser.deleteLater)
        chooser.open()

    async def _look(self, dialog: RestoreDialog, path: str) -> None:
        try:
            contents = await self._services.backups.inspect_backup(Path(path))
        except ChatDeskError as error:
            dialog.show_contents(path, [error.sentence], can_restore=False)
            return
        dialog.show_contents(path, _lines(contents), can_restore=True)

    async def _restore(self, dialog: RestoreDialog, path: str) -> None:
        """Everything that can fail is done while the window is still whole; then only names change."""
        dialog.show_busy("Unpacking and checking the backup…")
        try:
            await self._services.backups.prepare(Path(path))
        except ChatDeskError as error:
            dialog.show_failure(error.sentence)
            return
        dialog.accept()
        self._restart_after(self._services.backups.put_in_place)


class _Page:
    """The page, as long as its dialog is open: what is done goes on when it is closed."""

    def __init__(self, page: DataPage) -> None:
        self._page: DataPage | None = page
        page.destroyed.connect(self._on_page_destroyed)

    def show_busy(self, text: str) -> None:
        if self._page is not None:
            self._page.show_busy(text)

    def show_result(self, lines: list[str]) -> None:
        if self._page is not None:
            self._page.show_result(lines)

    def _on_page_destroyed(self) -> None:
        self._page = None


def _words(path: Path) -> str:
    made = datetime.fromtimestamp(path.stat().st_mtime, UTC).astimezone()
    why = "before a restore" if path.name.startswith("before-restore") else ""
    why = why or ("before a repair" if path.name.startswith("before-repair") else "")
    why = why or ("before an upgrade" if "-pre-" in path.name else "daily")
    return f"{made:%Y-%m-%d %H:%M}, {why}"


def _lines(contents: BackupContents) -> list[str]:
    lines = [f"{counted(contents.threads, 'thread')}, {counted(contents.messages, 'message')}"]
    if contents.newest_at is not None:
        newest = datetime.fromtimestamp(contents.newest_at / 1000, UTC).astimezone()
        lines.append(f"Newest message: {newest:%Y-%m-%d %H:%M}")
    lines += contents.consequences
    if contents.titles:
        lines += ["", "Newest threads:", *(f"• {' '.join(title.split())[:60]}" for title in contents.titles)]
    return lines
