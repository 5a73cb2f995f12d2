"""Shows the quick window at keys of the whole desktop: asks for them in the way that the desktop has, and says how it
went. Nothing of this is imported before a person sets keys."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, auto

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QGuiApplication

from chatdesk.core.background_import import import_beside
from chatdesk.core.chat.uninterruptible import uninterruptible
from chatdesk.ui.async_tasks import AsyncTasks
from chatdesk.ui.features.desktop.keys_backend import KeysBackend, KeysDenied, KeysTaken, NoKeys
from chatdesk.ui.features.desktop.keysyms import desktop_key
from chatdesk.ui.theme.session_bus import has_session_bus

_log = logging.getLogger(__name__)
_AGAIN_S = 1.0
_MOST_LOSSES = 5  # after which a person has to ask again


class KeysState(Enum):
    """The outcomes of asking a desktop for keys."""

    OFF = auto()
    ASKING = auto()
    WORKING = auto()
    TAKEN = auto()
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
        self._backend: KeysBackend | None = None
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
        backend, self._backend = self._backend, None
        if backend is not None:
            await backend.close()

    def _start(self) -> None:
        self._tasks.replace(self._ask(self._wanted), "keys of the desktop")

    def _on_lost(self, is_for_good: bool) -> None:
        """Ask again, unless somebody took the keys away, or the desktop loses them again and again."""
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
        key = desktop_key(keys)
        way = way_to_keys(os.environ)
        if key is None or way is None:
            self._show(KeysReport(KeysState.NO_WAY if way is None else KeysState.UNKNOWN))
            return
        self._show(KeysReport(KeysState.ASKING))
        module = await import_beside(f"chatdesk.ui.features.desktop.{way}")
        backend: KeysBackend = module.open_backend(self.pressed.emit, self._on_lost)
        self._backend = backend
        try:
            self._show(KeysReport(KeysState.WORKING, await backend.bind(key)))
        except NoKeys as error:
            _log.info("no keys of the desktop: %s", error)
            await self.end()
            self._show(KeysReport(_state_of(error)))

    def _show(self, report: KeysReport) -> None:
        self.report = report
        self.changed.emit()


def way_to_keys(environment: Mapping[str, str]) -> str | None:
    """Return the module of the backend for this desktop; None where there is no way. On X11 keys can be taken at once;
    with Wayland only windows of X11 would see them there, and the portal asks the person."""
    if QGuiApplication.platformName() == "xcb" and not environment.get("WAYLAND_DISPLAY"):
        return "x11_keys"
    return "portal_keys" if has_session_bus() else None


def _state_of(error: NoKeys) -> KeysState:
    if isinstance(error, KeysTaken):
        return KeysState.TAKEN
    return KeysState.DENIED if isinstance(error, KeysDenied) else KeysState.NO_WAY
