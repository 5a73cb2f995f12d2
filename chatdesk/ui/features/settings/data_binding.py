"""Controls the page *Data* of the settings: backups, restoring, checking, repairing."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from chatdesk.core.errors import ChatDeskError, NotPossible
from chatdesk.core.texts import Text, plural, shown, tr
from chatdesk.services.services import Services
from chatdesk.ui.dialogs.file_dialogs import ask_where_to_save
from chatdesk.ui.features.settings.data_page import DataPage
from chatdesk.ui.features.settings.restore_binding import RestoreBinding
from chatdesk.ui.widgets.outside import open_outside
from chatdesk.ui.window.window_context import Controller, WindowContext

_MOST_NAMED = 10  # lines that fit on the page
_BUSY = {
    "backup": Text("Making a backup…"),
    "check": Text("Checking… This reads everything and can take a while."),
    "repair": Text("Checking and repairing…"),
    "zip": Text("Writing the zip…"),
}
# Rows with their own dialogs, by command.
_COMMANDS = {"report": "app.report", "import": "app.import", "export": "thread.export"}
_TITLES = {"check": Text("Checking the database"), "repair": Text("Repairing the database")}


class DataBinding(Controller):
    """Controller of the *Data* settings page. ``restoring`` opens the dialog of its own that restores a backup."""

    def __init__(self, context: WindowContext, restoring: RestoreBinding, services: Services) -> None:
        super().__init__(context)
        panes = context.panes
        self._services = services
        self._restoring = restoring
        for name in ("backup", "check", "repair"):
            panes.commands.bind(f"app.{name}", partial(self._do_and_say, name))

    def _do_and_say(self, name: str) -> None:
        """Run an action of the data page from anywhere and show its result in the window."""

        async def work() -> None:
            window = self._panes.window
            window.show_toast(shown(_BUSY[name]))
            lines = await self._done(name)
            if len(lines) == 1:
                window.show_toast(lines[0])
            else:
                window.show_notice(shown(_TITLES[name]), "\n".join(lines))

        self._tasks.start(work(), f"data {name}")

    def join(self, page: DataPage) -> None:
        """Connect the requests of ``page``."""
        page.requested.connect(lambda name: self._on_page_requested(page, name))

    def _on_page_requested(self, page: DataPage, name: str) -> None:
        if name == "folder":
            if problem := open_outside(self._services.backups.directory):
                page.show_result([problem])
        elif name == "restore":
            self._restoring.open()
        elif name in _COMMANDS:
            self._panes.commands.trigger(_COMMANDS[name])
        elif name == "zip":
            self._ask_for_zip(page)
        else:
            self._tasks.start(self._run(page, name, lambda: self._done(name)), f"data {name}")

    async def _run(self, page: DataPage, name: str, work: Callable[[], Awaitable[list[str]]]) -> None:
        place = _Page(page)
        place.show_busy(shown(_BUSY[name]))
        try:
            place.show_result(await work())
        except ChatDeskError as error:
            place.show_result([shown(error.sentence)])

    async def _done(self, name: str) -> list[str]:
        if self._services.has_other_owner or (self._services.read_only_reason is not None and name == "repair"):
            raise self._services.read_only_reason or NotPossible(Text("Another window has this data directory open."))
        if name == "backup":
            return [tr("The backup was made: {name}", name=(await self._services.maintenance.back_up_now()).name)]
        if name == "check":
            found = await self._services.repairs.check(with_index=False)
            return [shown(each.text) for each in found] or [tr("Nothing is wrong.")]
        return [shown(each) for each in (await self._services.repairs.repair()).lines]

    def _ask_for_zip(self, page: DataPage) -> None:
        name = f"ChatDesk {datetime.now(UTC).astimezone():%Y-%m-%d}.zip"

        async def write(target: Path) -> list[str]:
            lost = await self._services.backups.make_zip(target)
            if not lost:
                return [tr("Everything was saved to {name}.", name=target.name)]
            more = [tr("and {lost} more", lost=len(lost) - _MOST_NAMED)] if len(lost) > _MOST_NAMED else []
            return [
                shown(
                    plural(
                        "All but {count} attachments were saved to {name}:",
                        "All but {count} attachment was saved to {name}:",
                        len(lost),
                        name=target.name,
                    )
                ),
                *lost[:_MOST_NAMED],
                *more,
            ]

        ask_where_to_save(
            self._panes.window,
            tr("Save everything as a zip"),
            name,
            lambda path: self._tasks.start(self._run(page, "zip", lambda: write(path)), "data zip"),
            kinds=tr("Zip (*.zip)"),
            suffix="zip",
            object_name="zipPlace",
        )


class _Page:
    """The page, as long as its dialog is open; running work continues when it is closed."""

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
