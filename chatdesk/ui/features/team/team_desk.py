"""Opens and closes a team's dialogs, runs their work and shows its outcome."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

from PySide6.QtWidgets import QWidget
from shiboken6 import isValid

from chatdesk.core.domain.sharing.team import Workspace
from chatdesk.core.errors import ChatDeskError, NotPossible
from chatdesk.core.sync.team_service import TeamService
from chatdesk.core.texts import Text, shown, tr
from chatdesk.services.services import Services
from chatdesk.ui.dialogs.form_panel import ConfirmDialog
from chatdesk.ui.dialogs.task_panel import TaskPanel
from chatdesk.ui.features.library.project import names_told_apart
from chatdesk.ui.features.settings.settings_dialog import SettingsDialog
from chatdesk.ui.features.team.pages.team_page import TeamPage
from chatdesk.ui.window.window_context import WindowContext

Work = Callable[[], Awaitable[None]]


class TeamDesk:
    """The window, the services and the team for the actions behind dialogs. ``page`` and ``settings`` return the page
    of team sync and the settings where these exist, ``open_page`` opens that page with a text on it."""

    def __init__(
        self,
        context: WindowContext,
        services: Services,
        team: TeamService,
        *,
        page: Callable[[], TeamPage | None],
        settings: Callable[[], SettingsDialog | None],
        open_page: Callable[[str], None],
    ) -> None:
        self.panes = context.panes
        self.tasks = context.tasks
        self.theme = context.panes.theme
        self.services = services
        self.team = team
        self.page = page
        self.open_page = open_page
        self._settings = settings

    def parent(self) -> QWidget:
        """Return the widget over which a dialog opens now: the settings if open, else the window."""
        settings = self._settings()
        return settings if settings is not None and settings.isVisible() else self.panes.window

    def show_text(self, text: str) -> None:
        """Show a text on the team page where that is open, else for a moment in the window."""
        page = self.page()
        if page is not None and page.isVisible():
            page.show_result(text)
        else:
            self.panes.window.show_toast(text)

    def finish(self, dialog: TaskPanel, text: str) -> None:
        """Close a dialog whose work is done, and show its result."""
        if isValid(dialog):
            dialog.accept()
        self.show_text(text)

    async def run(self, work: Awaitable[None]) -> None:
        """Run work that has no dialog of its own. A failure is shown on the team page where that is open, since the
        window is dimmed then; otherwise it is raised."""
        try:
            await work
        except ChatDeskError as error:
            page = self.page()
            if page is None or not page.isVisible():
                raise
            page.show_result(sentence_of(error))

    def do(self, dialog: TaskPanel, work: Work, name: str, *, on_failure: Work | None = None) -> None:
        """Run the work of a dialog, which shows a failure."""
        self.tasks.start(run_in_dialog(dialog, work, on_failure), f"team: {name}")

    def do_busy(self, dialog: TaskPanel, work: Work, words: str) -> None:
        """Run work for a dialog that shows ``words`` meanwhile; do nothing if it was closed."""
        if isValid(dialog):
            dialog.show_busy(words)
            self.do(dialog, work, words)

    def ask(self, words: tuple[str, str, str], run: Callable[[], object], *, parent: QWidget | None = None) -> None:
        """Ask before something that cannot be undone. ``words``: question, text and the button that agrees."""
        question, text, yes = words
        parent = self.parent() if parent is None else parent
        confirm = ConfirmDialog(self.theme, question, text, yes_text=yes, is_dangerous=True, parent=parent)
        confirm.answered.connect(lambda is_yes: run() if is_yes else None)
        confirm.open()

    async def workspace(self, workspace_id: str) -> Workspace:
        """Return a workspace, for an empty id the first one. Raises ``NotPossible``."""
        found = [each for each in await self.team.records.workspaces() if workspace_id in ("", each.id)]
        if not found:
            raise NotPossible(
                Text("This computer is in no workspace."),
                safe=Text("Nothing was changed."),
                next_step=Text("Create or join one in Settings, Team sync."),
            )
        return found[0]

    async def project_names(self) -> Mapping[str, str]:
        """Return the names of all projects by id, those in use told apart."""
        projects = await self.services.library.projects.list(deleted_too=True)
        here = [each for each in projects if each.deleted_at is None]
        return {each.id: each.name for each in projects} | names_told_apart(here, self.panes.sidebar.workspaces)


async def run_in_dialog(dialog: TaskPanel, work: Work, on_failure: Work | None = None) -> None:
    """Run ``work``; an error is shown in the dialog, or in the window when it is closed by then."""
    try:
        await work()
    except ChatDeskError as error:
        if on_failure is not None:
            await on_failure()
        if not isValid(dialog) or not dialog.isVisible():
            raise
        dialog.show_problem(sentence_of(error))
    except Exception:
        if isValid(dialog):
            dialog.end_busy()  # the window says that something failed; here one can go on
        raise


def sentence_of(error: ChatDeskError) -> str:
    """Return the error's sentence for an action a person asked for, which is not tried again automatically."""
    again = tr("ChatDesk tries again by itself.")
    return shown(error.sentence).replace(again, tr("Try again in a while."))
