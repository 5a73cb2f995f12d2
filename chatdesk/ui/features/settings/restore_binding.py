"""Controls *Restore a backup…*: lists the backups, shows the content of one, and restores it after the window has
closed.

It needs no open database, so the window also offers it after a failed start.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

from chatdesk.core.domain.backup_contents import BackupContents
from chatdesk.core.errors import ChatDeskError
from chatdesk.core.moments import local_moment, moment_text
from chatdesk.core.texts import plural, shown, tr
from chatdesk.services.parts import GetBackups
from chatdesk.ui.dialogs.file_dialogs import ask_for_file
from chatdesk.ui.features.settings.restore import RestoreDialog
from chatdesk.ui.local_forms import date_time_text
from chatdesk.ui.qt.async_tasks import AsyncTasks, in_task
from chatdesk.ui.widgets.words import with_commas
from chatdesk.ui.window.window_context import Panes

# Close the services, do this, and restart.
RestartAfter = Callable[[Callable[[], Awaitable[object]]], None]


class RestoreBinding:
    """The command ``app.restore``. ``restart_after`` is the window's way to close and come back; ``get_backups`` raises
    ``ChatDeskError`` where this process may not restore one."""

    def __init__(
        self, panes: Panes, tasks: AsyncTasks, restart_after: RestartAfter, *, get_backups: GetBackups
    ) -> None:
        self._panes = panes
        self._tasks = tasks
        self._restart_after = restart_after
        self._get_backups = get_backups
        panes.commands.bind("app.restore", self.open)

    @in_task("restore")
    async def open(self) -> None:
        """Open the dialog, once the backups are listed."""
        listed = self._get_backups()
        paths = await listed.list()
        backups = await asyncio.to_thread(lambda: [(str(path), _words(path, listed.fault_of(path))) for path in paths])
        dialog = RestoreDialog(self._panes.theme, backups, parent=self._panes.window)
        dialog.inspectRequested.connect(lambda path: self._tasks.replace(self._inspect(dialog, path), "inspect backup"))
        dialog.otherRequested.connect(lambda: _ask_for_file(dialog))
        dialog.chosen.connect(lambda path: self._tasks.start(self._restore(dialog, path), "restore"))
        # Closing the dialog stops the reading and unpacking that it started.
        dialog.rejected.connect(lambda: self._tasks.cancel("inspect backup"))
        dialog.rejected.connect(lambda: self._tasks.cancel("restore"))
        dialog.open()
        if dialog.path:
            dialog.inspectRequested.emit(dialog.path)

    async def _inspect(self, dialog: RestoreDialog, path: str) -> None:
        try:
            contents = await self._get_backups().inspect_backup(Path(path))
        except ChatDeskError as error:
            dialog.show_contents(path, [shown(error.sentence)], can_restore=False)
            return
        dialog.show_contents(path, _lines(contents), can_restore=True)

    async def _restore(self, dialog: RestoreDialog, path: str) -> None:
        """Prepare the restore and close the window. All that can fail happens while the window is still open; after
        that, files are only renamed."""
        dialog.show_busy(tr("Unpacking and checking the backup…"))
        try:
            await self._get_backups().prepare(Path(path))
        except ChatDeskError as error:
            dialog.show_failure(shown(error.sentence))
            return
        dialog.accept()
        self._restart_after(self._get_backups().restore_prepared)


def _ask_for_file(dialog: RestoreDialog) -> None:
    kinds = tr("Backups (*.zip *.gz *.db);;All files (*)")
    ask_for_file(dialog, tr("Choose a backup"), dialog.add_file, kinds=kinds, object_name="restorePlace")


def _words(path: Path, fault: str) -> str:
    made = local_moment(path.stat().st_mtime_ns // 1_000_000)
    why = tr("before a restore") if path.name.startswith("before-restore") else ""
    why = why or (tr("before a repair") if path.name.startswith("before-repair") else "")
    why = why or (tr("before an upgrade") if "-pre-" in path.name else tr("daily"))
    return with_commas((date_time_text(made), why, *([shown(fault)] if fault else [])))


def _lines(contents: BackupContents) -> list[str]:
    lines = [
        with_commas(
            (
                plural("{count} threads", "{count} thread", contents.threads),
                plural("{count} messages", "{count} message", contents.messages),
            )
        )
    ]
    if contents.newest_at is not None:
        newest = moment_text(contents.newest_at, date_time_text)
        lines.append(tr("Newest message: {newest}", newest=newest))
    lines += map(shown, contents.consequences)
    if contents.titles:
        lines += ["", tr("Newest threads:"), *(f"• {' '.join(title.split())[:60]}" for title in contents.titles)]
    return lines
