"""Runs the actions of the dialog about the state of sync: rounds, refused changes, checks."""

from __future__ import annotations

from collections.abc import Awaitable

from PySide6.QtGui import QGuiApplication
from shiboken6 import isValid

from chatdesk.core.domain.sharing.lost_changes import ACCEPTING, LostChanges
from chatdesk.core.domain.sharing.team import RefusedChange, SyncStatus
from chatdesk.core.texts import plural, shown, tr
from chatdesk.ui.features.team.pages.sync_details import SyncDetailsDialog
from chatdesk.ui.features.team.team_desk import TeamDesk

_MOST_ROUNDS = 200


class SyncDetails:
    """Runs the *Details* dialog of team sync."""

    def __init__(self, desk: TeamDesk) -> None:
        self._desk = desk
        self._team = desk.team
        self._dialog: SyncDetailsDialog | None = None
        self._said: tuple[object, ...] = ()

    def show_status(self, status: SyncStatus) -> None:
        """Show the changed sync state of a workspace."""
        if self._dialog is not None and isValid(self._dialog):
            self._dialog.show_status(status)
            news = (status.phase, status.synced_at, status.refused)
            if news != self._said:
                self._said = news
                self._desk.tasks.replace(self._fill(self._dialog), "team: details")

    async def sync_now(self) -> None:
        self._team.sync_now(None)
        self._desk.show_text(tr("Syncing."))

    async def open(self, workspace_id: str | None = None) -> None:
        workspaces = await self._team.records.workspaces()
        if not workspaces:
            self._desk.open_page("")
            return
        if self._dialog is not None and isValid(self._dialog) and self._dialog.isVisible():
            self._dialog.raise_()
            return
        dialog = self._dialog = SyncDetailsDialog(
            self._desk.theme, workspaces, chosen=workspace_id, parent=self._desk.parent()
        )
        dialog.workspaceChosen.connect(
            lambda _of: self._desk.tasks.replace(self._fill(dialog, is_new=True), "team: details")
        )
        dialog.syncRequested.connect(self._team.sync_now)
        dialog.checkRequested.connect(lambda of: self._desk.do(dialog, lambda: self._check(dialog, of), "check"))
        dialog.goOnRequested.connect(lambda lost: self._ask_to_go_on(dialog, lost))
        dialog.copyTextRequested.connect(lambda changes: self._copy_text(dialog, changes))
        dialog.retryRequested.connect(lambda changes: self._retry(dialog, changes))
        dialog.forgetRequested.connect(lambda changes: self._ask_to_forget(dialog, changes))
        await self._fill(dialog, is_new=True)
        if isValid(dialog):
            dialog.open()

    async def _fill(self, dialog: SyncDetailsDialog, *, is_new: bool = False) -> None:
        if not isValid(dialog):
            return
        workspace_id = dialog.workspace_id
        foreign = {each.project_id for each in await self._team.records.projects() if each.workspace_id != workspace_id}
        rounds = await self._team.records.rounds(workspace_id, _MOST_ROUNDS)
        refused = [each for each in await self._team.decisions.refused() if each.project_id not in foreign]
        if not isValid(dialog) or dialog.workspace_id != workspace_id:
            return
        if is_new:
            dialog.show_result("")
        dialog.show_status(self._team.status(workspace_id))
        dialog.show_rounds(rounds)
        dialog.show_refused(refused)

    async def _check(self, dialog: SyncDetailsDialog, workspace_id: str) -> None:
        result = await self._team.checks.check(workspace_id)
        if isValid(dialog):
            dialog.show_check(result)

    def _ask_to_go_on(self, dialog: SyncDetailsDialog, lost: LostChanges) -> None:
        words = (shown(lost.question), shown(ACCEPTING), tr("Go on without them"))
        self._desk.ask(
            words, lambda: self._desk.do(dialog, lambda: self._go_on(dialog, lost), "accept a loss"), parent=dialog
        )

    async def _go_on(self, dialog: SyncDetailsDialog, lost: LostChanges) -> None:
        await self._team.checks.accept(lost)
        if isValid(dialog):
            dialog.show_result(
                tr("“{project}” goes on without them. Every computer fetches it again.", project=lost.name)
            )

    def _copy_text(self, dialog: SyncDetailsDialog, changes: tuple[RefusedChange, ...]) -> None:
        QGuiApplication.clipboard().setText("\n\n".join(each.text for each in changes if each.text))
        dialog.show_result(
            shown(
                plural(
                    "The text of {count} changes is in the clipboard.",
                    "The text of {count} change is in the clipboard.",
                    len(changes),
                )
            )
        )

    def _retry(self, dialog: SyncDetailsDialog, changes: tuple[RefusedChange, ...]) -> None:
        retry = self._team.decisions.retry_refused
        self._desk.do(dialog, lambda: self._after(dialog, retry(_ids(changes))), "retry refused")

    def _ask_to_forget(self, dialog: SyncDetailsDialog, changes: tuple[RefusedChange, ...]) -> None:
        words = (
            shown(plural("Forget {count} refused changes?", "Forget {count} refused change?", len(changes))),
            tr(
                "What the server refused is no longer shown and cannot be sent again. Copy the text first if you need"
                " it."
            ),
            tr("Forget"),
        )
        forget = self._team.decisions.forget_refused
        self._desk.ask(
            words,
            lambda: self._desk.do(dialog, lambda: self._after(dialog, forget(_ids(changes))), "forget refused"),
            parent=dialog,
        )

    async def _after(self, dialog: SyncDetailsDialog, work: Awaitable[None]) -> None:
        await work
        await self._fill(dialog)


def _ids(changes: tuple[RefusedChange, ...]) -> list[str]:
    return [each.id for each in changes]
