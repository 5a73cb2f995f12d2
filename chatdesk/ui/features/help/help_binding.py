"""Opens the pages of *Help* that came with ChatDesk; for *Report a problem…*, collects the report, shows it, and saves
it where the person chooses."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from shiboken6 import Shiboken

from chatdesk.core.diagnostics import bundle
from chatdesk.core.errors import ChatDeskError
from chatdesk.core.paths import help_page
from chatdesk.core.texts import tr
from chatdesk.ui.dialogs.file_dialogs import ask_where_to_save
from chatdesk.ui.features.help.bug_report import BugReportDialog
from chatdesk.ui.qt.async_tasks import AsyncTasks
from chatdesk.ui.widgets.outside import open_outside
from chatdesk.ui.window.window_context import Panes

if TYPE_CHECKING:  # help comes before the services, and without them
    from chatdesk.services.services import Services

# The services are None where the database could not be opened: then it is needed most.
CollectReport = Callable[["Services | None"], Awaitable[Sequence[bundle.ReportFile]]]


class HelpBinding:
    """The commands ``app.help`` and ``app.report``, also where the database could not be opened."""

    def __init__(
        self, panes: Panes, tasks: AsyncTasks, services: Callable[[], Services | None], collect: CollectReport
    ) -> None:
        self._panes = panes
        self._tasks = tasks
        self._services = services
        self._collect = collect
        panes.commands.bind("app.help", self._open_help)
        panes.commands.bind("app.report", lambda: tasks.start_once(self._open(), "report a problem"))

    def _open_help(self) -> None:
        page = help_page()
        if page is None:
            self._panes.window.show_notice(
                tr("Help"), tr("The pages of help are not in this installation of ChatDesk.")
            )
        elif problem := open_outside(page):
            self._panes.window.show_notice(tr("Help"), problem, file=page)
        else:  # ``openUrl`` reports success even without a browser
            self._panes.window.show_toast(
                tr("The pages of help open outside of ChatDesk. They are in {page}.", page=page)
            )

    async def _open(self) -> None:
        dialog = BugReportDialog(self._panes.theme, parent=self._panes.window)
        dialog.saveRequested.connect(lambda: self._ask_for_place(dialog))
        dialog.finished.connect(lambda _result: self._tasks.cancel("report a problem"))
        dialog.open()
        dialog.show_files(await self._collect(self._services()))

    def _ask_for_place(self, dialog: BugReportDialog) -> None:
        name = f"ChatDesk report {datetime.now(UTC).astimezone():%Y-%m-%d}.zip"
        ask_where_to_save(
            dialog,
            tr("Save the report"),
            name,
            lambda path: self._tasks.start_once(self._save(dialog, path), "save the report"),
            kinds=tr("Zip (*.zip)"),
            suffix="zip",
            object_name="bugReportPlace",
        )

    async def _save(self, dialog: BugReportDialog, target: Path) -> None:
        files = dialog.files
        try:
            await asyncio.to_thread(bundle.write, target, files)
            said = tr("Saved as {name}.", name=target.name)
        except ChatDeskError as error:
            said = error.sentence
        if Shiboken.isValid(dialog):
            dialog.show_state(said)
        else:  # closed in the meantime
            self._panes.window.show_toast(said)
