"""Binds the usage page and the spending limits to their services."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from PySide6.QtCore import Signal
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QVBoxLayout, QWidget
from shiboken6 import isValid

from chatdesk.core.domain.limits import LimitScope, ScopedRate, UsageLimit, parse_scoped_rates
from chatdesk.core.domain.waiting import WaitingAnswer
from chatdesk.core.errors import ChatDeskError
from chatdesk.core.events import LimitNear
from chatdesk.core.local_days import date_of
from chatdesk.core.moments import local_moment
from chatdesk.core.texts import plural, shown, tr
from chatdesk.core.usage.usage_service import UsageService
from chatdesk.services.services import Services
from chatdesk.ui.dialogs.file_dialogs import ask_where_to_save
from chatdesk.ui.features.settings.settings_binding import SettingsBinding
from chatdesk.ui.features.settings.settings_dialog import SettingsDialog
from chatdesk.ui.features.usage.limits import LimitsDialog, LimitTarget
from chatdesk.ui.features.usage.page import UsageDialog, UsagePage
from chatdesk.ui.local_forms import day_text, time_text
from chatdesk.ui.qt.async_tasks import in_task
from chatdesk.ui.window.window_context import Controller, WindowContext


class UsageBinding(Controller):
    """Opens the page of usage and the dialog of limits, and warns when a limit is near."""

    def __init__(
        self,
        context: WindowContext,
        settings: SettingsBinding,
        *,
        usage: UsageService,
        services: Services,
    ) -> None:
        super().__init__(context)
        panes = context.panes
        self._settings = settings
        self._usage = usage
        self._services = services
        self._near = ""  # the banner's sentence about a limit
        settings.dialogMade.connect(self._on_settings_dialog_made)
        panes.commands.bind("app.usage", self.open_usage)
        panes.commands.bind("app.limits", self.open_limits)
        context.events.subscribe(self, LimitNear, self._on_limit_near)

    # Usage

    @in_task("usage", replaces=True)
    async def open_usage(self) -> None:
        """Open the dialog of usage and costs."""
        page = await self.make_page()
        UsageDialog(self._panes.theme, page, parent=self._panes.window).open()

    def _on_settings_dialog_made(self, dialog: SettingsDialog) -> None:
        """Add the page of usage to the settings; it is filled when it is opened."""
        dialog.fill_page("Usage and limits", self._make_slot)

    def _make_slot(self) -> QWidget:
        slot = _Slot()
        slot.firstShown.connect(lambda: self._tasks.start(self._fill_slot(slot), "usage"))
        return slot

    async def _fill_slot(self, slot: _Slot) -> None:
        page = await self.make_page()
        await asyncio.sleep(0)  # making the page and showing it are steps of their own
        if isValid(slot):
            slot.column.addWidget(page)

    async def make_page(self) -> UsagePage:
        """Return a page of usage that is filled, with its buttons connected."""
        usage = self._usage
        first_day = await usage.first_day()
        page: UsagePage = UsagePage(self._panes.theme, today=usage.today(), first_day=first_day)
        page.daysRequested.connect(lambda first, last: self._tasks.start(self._fill(page, first, last), "usage"))
        page.csvRequested.connect(lambda first, last: self._ask_for_file(page, first, last))
        page.limitsRequested.connect(self.open_limits)
        page.pricesRequested.connect(self.open_prices)
        page.ask()
        return page

    async def _fill(self, page: UsagePage, first: int, last: int) -> None:
        cells = await self._usage.spent_on(first, last)
        if isValid(page):
            page.show_days(first, last, cells)

    def _ask_for_file(self, page: UsagePage, first: int, last: int) -> None:
        name = tr("ChatDesk usage {first} to {last}.csv", first=date_of(first), last=date_of(last))
        ask_where_to_save(
            page,
            tr("Export usage"),
            name,
            lambda path: self._tasks.start(self._write(path, first, last), "export usage"),
            kinds=tr("CSV (*.csv)"),
            suffix="csv",
            object_name="usageFile",
        )

    async def _write(self, path: Path, first: int, last: int) -> None:
        count = await self._usage.write_csv(path, first, last)
        self._panes.window.show_toast(
            shown(
                plural(
                    "{count} lines were written to {name}",
                    "{count} line was written to {name}",
                    count,
                    name=path.name,
                )
            )
        )

    def open_prices(self) -> None:
        """Open the page of the settings where the prices of models can be typed."""
        self._settings.open("Providers")

    # Limits

    @in_task("limits", replaces=True)
    async def open_limits(self) -> None:
        """Open the dialog of spending limits."""
        states = await self._open_thread.stored_chat.limits.states()
        projects = await self._open_thread.stored_chat.projects.list()
        targets = [
            *(
                LimitTarget(LimitScope.PROVIDER, each.name, shown(each.label))
                for each in self._services.providers.all()
            ),
            *(LimitTarget(LimitScope.PROJECT, each.id, tr("Project {name}", name=each.name)) for each in projects),
        ]
        known = [(state.limit, tr("{amount} used", amount=state.limit.amount_text(state.spent))) for state in states]
        dialog = LimitsDialog(self._panes.theme, known, targets, rates=self._rates(), parent=self._panes.window)
        dialog.saved.connect(lambda limits: self._tasks.start(self._save_limits(dialog, limits), "save limits"))
        dialog.open()

    def _rates(self) -> list[ScopedRate]:
        settings = self._settings.current
        everything = [ScopedRate(LimitScope.ALL, "", settings.rate_limit)] if settings.rate_limit else []
        return [*everything, *parse_scoped_rates(settings.scoped_rates)]

    def _keep_rates(self, rates: Sequence[ScopedRate]) -> None:
        scoped = {each.key: each.text for each in rates if each.scope is not LimitScope.ALL}
        everything = next((each.text for each in rates if each.scope is LimitScope.ALL), "")
        self._settings.change(replace(self._settings.current, rate_limit=everything, scoped_rates=scoped))

    async def _save_limits(self, dialog: LimitsDialog, limits: Sequence[UsageLimit]) -> None:
        chat = self._open_thread.chat
        try:
            await chat.limits.replace(limits)
        except ChatDeskError as error:
            if isValid(dialog):
                dialog.show_problem(shown(error.sentence))
            return
        chat.context.summaries.wake()
        for shown_chat in self._chats.listed():
            shown_chat.panes.pane.hide_banner(self._near)
        if isValid(dialog):
            self._keep_rates(dialog.rates())
            dialog.accept()

    def _on_limit_near(self, event: LimitNear) -> None:
        self._near = event.sentence
        self._panes.window.show_banner(
            self._near,
            is_danger=False,
            action_text=tr("Limits…"),
            run=lambda: self._panes.commands.trigger("app.limits"),
        )


class _Slot(QWidget):
    """Room on a page of the settings. ``firstShown`` comes once."""

    firstShown = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._was_shown = False
        self.column = QVBoxLayout(self)
        self.column.setContentsMargins(0, 12, 0, 0)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        if not self._was_shown:
            self._was_shown = True
            self.firstShown.emit()


def waiting_words(waiting: WaitingAnswer) -> str:
    """Return why an answer is not asked for yet, and until when."""
    reason = shown(waiting.reason) or tr("It is sent in a moment.")
    if waiting.sends_at is not None:
        clock = clock_words(waiting.sends_at)
        if waiting.before:
            when = tr("Waiting: sends at {clock}, {before} before it.", clock=clock, before=waiting.before)
        else:
            when = tr("Waiting: sends at {clock}.", clock=clock)
    elif waiting.before:
        when = tr("Waiting: it is sent automatically, {before} before it.", before=waiting.before)
    else:
        when = tr("Waiting: it is sent automatically.")
    return f"{reason} {when}"


def clock_words(moment_ms: int) -> str:
    """Return a moment as local time, with its day where that is another one; seconds where it is near."""
    moment = local_moment(moment_ms)
    now = datetime.now(tz=UTC).astimezone()
    if moment.date() != now.date():
        return tr("{time} on {day}", time=time_text(moment), day=day_text(moment, with_year=False))
    return time_text(moment, with_seconds=(moment - now).total_seconds() < 120)
