"""Shows the quick window at keys of the whole desktop: asks its portal for them, and says how it went. Nothing of this
is imported before a person sets keys."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from enum import Enum, auto

from PySide6.QtCore import QObject, Signal

from chatdesk.core.chat.task_set import uninterruptible
from chatdesk.core.texts import tr
from chatdesk.ui.features.desktop.portal_keys import KeysDenied, NoKeys, PortalKeys, trigger_of
from chatdesk.ui.qt.async_tasks import AsyncTasks
from chatdesk.ui.theme.session_bus import has_session_bus

_log = logging.getLogger(__name__)
_AGAIN_S = 1.0
_MOST_LOSSES = 5  # after which a person has to ask again


class KeysState(Enum):
    """The outcomes of asking a desktop for keys."""

    OFF = auto()
    ASKING = auto()
    WORKING = auto()
    DENIED = auto()
    UNKNOWN = auto()
    NO_WAY = auto()


@dataclass(frozen=True, slots=True)
class KeysReport:
    """The outcome of asking the desktop for keys. ``name`` is what the desktop calls the keys that it really gave,
    where these are others."""

    state: KeysState
    name: str = ""


class QuickKeys(QObject):
    """The desktop-wide keys of the quick window. ``pressed`` is emitted when the keys are pressed, in whatever program;
    ``changed`` when ``report`` has."""

    pressed = Signal()
    changed = Signal()

    def __init__(self, tasks: AsyncTasks) -> None:
        super().__init__()
        self._tasks = tasks
        self._wanted = ""
        self._bound: PortalKeys | None = None
        self.report = KeysReport(KeysState.OFF)
        self._again: asyncio.TimerHandle | None = None
        self._losses = 0

    def use(self, keys: str) -> None:
        """Bind these keys to the quick window; none if empty."""
        if keys != self._wanted:
            self._wanted = keys
            self.ask_again()

    def ask_again(self) -> None:
        """Ask for the keys again, because they were freed, or the desktop's part came back."""
        self._losses = 0
        self._start()

    @uninterruptible  # a connection that is being closed is closed
    async def end(self) -> None:
        """Release the keys, because the window closes."""
        if self._again is not None:
            self._again.cancel()
        bound, self._bound = self._bound, None
        if bound is not None:
            await bound.close()

    def _start(self) -> None:
        self._tasks.replace(self._ask(self._wanted), "keys of the desktop")

    def _on_lost(self, is_for_good: bool) -> None:
        """Ask again, unless a person removed the keys, or the desktop loses them again and again."""
        self._losses += 1
        if is_for_good or self._losses > _MOST_LOSSES:
            self._show(KeysReport(KeysState.DENIED))
        else:
            self._again = asyncio.get_running_loop().call_later(_AGAIN_S, self._start)

    async def _ask(self, keys: str) -> None:
        await self.end()
        if not keys:
            self._show(KeysReport(KeysState.OFF))
            return
        trigger = trigger_of(keys)
        if trigger is None or not has_session_bus():
            self._show(KeysReport(KeysState.UNKNOWN if trigger is None else KeysState.NO_WAY))
            return
        self._show(KeysReport(KeysState.ASKING))
        self._bound = PortalKeys(self.pressed.emit, self._on_lost, tr("Quick question"))
        try:
            self._show(KeysReport(KeysState.WORKING, await self._bound.bind(trigger)))
        except NoKeys as error:
            _log.info("no keys of the desktop: %s", error)
            await self.end()
            self._show(KeysReport(KeysState.DENIED if isinstance(error, KeysDenied) else KeysState.NO_WAY))

    def _show(self, report: KeysReport) -> None:
        self.report = report
        self.changed.emit()
