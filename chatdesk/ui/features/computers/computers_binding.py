"""Connects the page *My computers* with the service of a person's own computers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeVar

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QWidget
from shiboken6 import isValid

from chatdesk.core.clock import Clock
from chatdesk.core.domain.sharing.team import SyncPhase, SyncStatus
from chatdesk.core.errors import ChatDeskError, NotPossible
from chatdesk.core.events import SyncStatusChanged, TeamChanged
from chatdesk.core.hidden_characters import visible_controls
from chatdesk.core.settings.providers_store import KeyPlace
from chatdesk.core.system.file_writing import write_text
from chatdesk.core.system.system_errors import reason_text
from chatdesk.core.texts import Sentences, Text, plural, shown, size_text, tr
from chatdesk.services.services import Services
from chatdesk.ui.dialogs.form_panel import ConfirmDialog
from chatdesk.ui.dialogs.task_panel import TaskPanel
from chatdesk.ui.features.computers.computers_dialogs import (
    JoinComputersDialog,
    PhraseBox,
    RemoveComputerDialog,
    StartComputersDialog,
)
from chatdesk.ui.features.computers.computers_page import ComputerLine, ComputersPage, ComputersView
from chatdesk.ui.features.settings.settings_binding import SettingsBinding
from chatdesk.ui.features.settings.settings_dialog import SettingsDialog
from chatdesk.ui.features.team.sync_status_text import status_icon, status_words
from chatdesk.ui.local_forms import time_of
from chatdesk.ui.qt.async_tasks import in_task
from chatdesk.ui.window.window_context import Controller, WindowContext

if TYPE_CHECKING:  # imported only with a team or a folder
    from chatdesk.core.sync.computers.looking import FoundLibrary
    from chatdesk.core.sync.computers.own_computers import ComputersState, OwnComputers
    from chatdesk.core.sync.team_service import TeamService

_PAGE: Final = "My computers"
_TOGETHER_MS: Final = 100
_READ_LAST_S: Final = 60.0
_PAUSED: Final = Text("Paused: nothing is read or written in the folder. What you write waits on this computer.")
_RESTORED: Final = Text(
    "This profile was restored, or a copy of it is in use, so it does not exchange anything. All chats are kept. Join"
    " again with the recovery phrase, or forget the folder."
)
_SAFE: Final = Text("Everything you wrote is kept on this computer.")

T = TypeVar("T")
Dialog = StartComputersDialog | JoinComputersDialog | RemoveComputerDialog


class ComputersBinding(Controller):
    """Controller of the page."""

    def __init__(self, context: WindowContext, settings: SettingsBinding, services: Services) -> None:
        super().__init__(context)
        self._services = services
        self._page: ComputersPage | None = None
        self._settings_dialog: SettingsDialog | None = None
        self._soon = QTimer(self, singleShot=True, interval=_TOGETHER_MS)
        self._soon.timeout.connect(self._refresh)
        settings.dialogMade.connect(self._on_settings_dialog_made)
        for event in (TeamChanged, SyncStatusChanged):
            context.events.subscribe(context.panes.window, event, lambda _event: self._refresh_soon())

    # The page

    def _on_settings_dialog_made(self, dialog: SettingsDialog) -> None:
        self._settings_dialog = dialog
        dialog.fill_page(_PAGE, self._make_page)

    def _make_page(self) -> ComputersPage:
        page = self._page = ComputersPage(self._panes.theme)
        for signal, run in (
            (page.cameInView, self._refresh),
            (page.startRequested, self._start),
            (page.joinRequested, self._join),
            (page.syncRequested, self._sync),
            (page.pauseRequested, self._pause),
            (page.removeRequested, self._remove),
            (page.forgetRequested, self._forget),
        ):
            signal.connect(run)
        return page

    @property
    def _shown(self) -> ComputersPage | None:
        return self._page if self._page is not None and isValid(self._page) else None

    def _refresh_soon(self) -> None:
        if self._shown is not None and self._shown.isVisible():  # the folder is measured each time
            self._soon.start()

    @in_task("show the computers", replaces=True)
    async def _refresh(self) -> None:
        view = None
        if await self._services.team_is_joined():
            view = await self._view(await self._services.load_team())
        if self._shown is not None:
            self._shown.show_view(view)

    async def _view(self, team: TeamService) -> ComputersView | None:
        workspace = await team.computers.joined()
        if workspace is None:
            if not await team.computers.is_parked():
                return None
            folder = (await team.computers.to_leave()).place
            return ComputersView(folder, shown(_RESTORED), ("circle-alert", "danger"), is_ended=True)
        state = await team.computers.state(workspace)
        words, mark = _words(state, team.status(workspace.id))
        lines = tuple(
            ComputerLine(
                each.id, each.name, each.at, each.is_this, each.waiting, each.size, is_rolled_back=each.is_rolled_back
            )
            for each in state.computers
        )
        return ComputersView(
            state.folder, words, mark, lines, is_paused=workspace.is_paused, is_ended=state.removed is not None
        )

    # Starting and joining

    @in_task("start with own computers", is_once=True)
    async def _start(self) -> None:
        computers = await self._computers()
        dialog = StartComputersDialog(self._panes.theme, computers.new_phrase(), self._parent())

        async def check(folder: Path) -> None:
            checks = await computers.examine(folder, is_start=True)
            if isValid(dialog):
                dialog.show_checks(checks)

        async def start(folder: Path, phrase: str) -> None:
            async with self._keeping(dialog):
                await computers.start(folder, phrase)
            self._finish(dialog, tr("Your chats are being written into the folder. Join it on your other computers."))

        dialog.checkRequested.connect(lambda *of: self._do(dialog, partial(check, *of)))
        dialog.startRequested.connect(lambda *of: self._do(dialog, partial(start, *of)))
        self._open(dialog, dialog.phrase)

    @in_task("join own computers", is_once=True)
    async def _join(self) -> None:
        computers = await self._computers()
        workspace = await computers.joined()
        known = "" if workspace is None else (await computers.state(workspace)).folder
        dialog = JoinComputersDialog(self._panes.theme, folder=known, parent=self._parent())

        async def look(folder: Path, phrase: str) -> None:
            checks = await computers.examine(folder, is_start=False)
            if isValid(dialog):
                dialog.place.show_checks(checks)
            found = await computers.look(folder, phrase)
            if isValid(dialog):
                dialog.show_found(_found_words(found))

        async def join(folder: Path, phrase: str) -> None:
            async with self._keeping(dialog):
                await computers.join(folder, phrase)
            self._finish(dialog, tr("This computer has joined. What the others have comes in now."))

        dialog.lookRequested.connect(lambda *of: self._do(dialog, partial(look, *of)))
        dialog.joinRequested.connect(lambda *of: self._do(dialog, partial(join, *of)))
        self._open(dialog)

    # With the folder

    @in_task("sync own computers", is_once=True)
    async def _sync(self) -> None:
        team = await self._services.load_team()
        workspace = await team.computers.joined()
        if workspace is not None:
            await team.computers.fetch_again(workspace.id)
            team.sync_now(workspace.id)
            self._say(tr("Syncing."))

    @in_task("pause own computers", is_once=True)
    async def _pause(self, is_paused: bool) -> None:
        team = await self._services.load_team()
        await self._run_on_page(team.computers.pause(is_paused=is_paused))
        self._refresh()

    @in_task("remove a computer", is_once=True)
    async def _remove(self, computer: str) -> None:
        team = await self._services.load_team()
        found = await self._run_on_page(team.computers.to_remove(computer))
        if found is None:
            return
        workspace, gone, _ = found
        dialog = RemoveComputerDialog(self._panes.theme, gone.name, team.computers.new_phrase(), self._parent())

        async def remove(phrase: str) -> None:
            from chatdesk.core.sync.sending import wait_until_sent

            # What it has written until now is taken in, as nobody reads it afterwards.
            sent = await wait_until_sent(team, workspace.id, Clock(), timeout_s=_READ_LAST_S)
            if not sent.is_done:
                raise NotPossible(
                    sent.problem or Text("Not everything is in the folder yet."),
                    next_step=Text("Try again in a while."),
                )
            async with self._keeping(dialog):
                await team.computers.remove(gone.id, phrase)
            words = tr("{name} was removed. Join again with the new phrase on your other computers.", name=gone.name)
            self._finish(dialog, words)

        dialog.removeRequested.connect(lambda phrase: self._do(dialog, partial(remove, phrase)))
        self._open(dialog, dialog.phrase)

    @in_task("forget the folder", is_once=True)
    async def _forget(self) -> None:
        computers = await self._computers()
        workspace = await self._run_on_page(computers.to_leave())
        if workspace is None:
            return
        state = await computers.state(workspace)
        self._say("")
        words = tr(
            "All chats stay here. The folder stays as it is, for your other computers; nobody can read it without the"
            " phrase, with which you can join again."
        )
        if state.waiting:
            unsent = plural(
                "{count} changes are not in the folder yet. Your other computers do not get them.",
                "{count} change is not in the folder yet. Your other computers do not get it.",
                state.waiting,
            )
            words = Sentences.of(words, unsent)
        confirm = ConfirmDialog(
            self._panes.theme,
            tr("Forget the folder?"),
            shown(words),
            yes_text=tr("Forget it"),
            is_dangerous=True,
            parent=self._parent(),
        )
        if await confirm.ask() and await self._run_on_page(computers.leave()) is not None:
            self._say(tr("This computer has left {folder}. All chats are kept.", folder=visible_controls(state.folder)))
            self._refresh()

    # What the dialogs need

    async def _computers(self) -> OwnComputers:
        if self._services.read_only_reason is not None:
            raise self._services.read_only_reason
        return (await self._services.load_team()).computers

    def _parent(self) -> QWidget:
        settings = self._settings_dialog
        return settings if settings is not None and isValid(settings) and settings.isVisible() else self._panes.window

    def _open(self, dialog: Dialog, box: PhraseBox | None = None) -> None:
        dialog.keep.given.connect(lambda text: self._keep_in_file(dialog, text))
        if box is not None:
            box.saveRequested.connect(lambda *of: self._do(dialog, partial(_save, box, *of)))
        dialog.open()

    def _do(self, dialog: TaskPanel, work: Callable[[], Awaitable[None]]) -> None:
        async def run() -> None:
            with dialog.saying_failure():
                await work()

        self._tasks.start(run(), "own computers")

    @asynccontextmanager
    async def _keeping(self, dialog: Dialog) -> AsyncIterator[None]:
        """Let the dialog offer the encrypted file where the key cannot be kept for lack of a keyring."""
        from chatdesk.core.sync.computers.keys import KeyNotKept

        try:
            yield
        except KeyNotKept:
            state = await self._services.provider_service.keys.state()
            if isValid(dialog):
                dialog.keep.offer(has_file=state.has_file)
            raise

    def _keep_in_file(self, dialog: Dialog, passphrase: str) -> None:
        async def work() -> None:
            await self._services.provider_service.keys.choose_place(KeyPlace.FILE, passphrase=passphrase)
            if isValid(dialog):
                dialog.go_on()

        dialog.show_busy(tr("Opening the file of keys…"))
        self._do(dialog, work)

    def _finish(self, dialog: Dialog, words: str) -> None:
        if isValid(dialog):
            dialog.accept()
        self._say(words)
        self._refresh()

    def _say(self, words: str) -> None:
        page = self._shown
        if page is not None and page.isVisible():
            page.show_result(words)
        elif words:
            self._panes.window.show_toast(words)

    async def _run_on_page(self, work: Awaitable[T]) -> T | None:
        """Run work that has no dialog of its own; the page says why it failed."""
        try:
            return await work
        except ChatDeskError as error:
            self._say(shown(error.sentence))
            return None


def _words(state: ComputersState, status: SyncStatus) -> tuple[str, tuple[str, str]]:
    if state.was_removed is not None:
        return shown(state.was_removed.sentence), ("circle-alert", "danger")
    if state.workspace.is_paused:
        return shown(_PAUSED), ("circle-alert", "muted")
    words = [status_words(status)]
    if status.phase in (SyncPhase.OFFLINE, SyncPhase.REFUSED):
        words.append(shown(_SAFE))
    if state.unreadable:
        broken = plural(
            "{count} files in the folder are incomplete, or were changed. What they bring waits.",
            "{count} file in the folder is incomplete, or was changed. What it brings waits.",
            len(state.unreadable),
        )
        words.append(shown(broken))
    if state.files:
        words.append(tr("Attached files are on their way."))
    return " ".join(words), status_icon(status)


def _found_words(found: FoundLibrary) -> str:
    names = ", ".join(f"{each.name} ({time_of(each.at)})" for each in found.computers)
    used = tr("The folder has {size} and is used by: {computers}.", size=size_text(found.size), computers=names)
    merged = tr("Its chats and those of this computer are merged when you join; nothing is lost.")
    return f"{used} {merged}"


async def _save(box: PhraseBox, path: str, text: str) -> None:
    try:
        await asyncio.to_thread(write_text, Path(path), text)
    except OSError as error:
        raise NotPossible(
            Text("The file could not be written: {why}.", why=reason_text(error)),
            safe=Text("The phrase is still shown here."),
            next_step=Text("Choose another folder, or copy the phrase."),
        ) from error
    if isValid(box):
        name = visible_controls(Path(path).name)
        box.show_result(tr("Saved as {name}. Print it, or keep it where only you can read it.", name=name))
