"""Changes that could not be stored: kept in the window, reported, and tried again until they can be."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from typing import Final

from PySide6.QtCore import QObject, QTimer, Signal

from chatdesk.core.errors import ChatDeskError, StorageError
from chatdesk.core.texts import Text, plural, shown
from chatdesk.ui.qt.async_tasks import AsyncTasks
from chatdesk.ui.widgets.words import listed, with_capital

_log = logging.getLogger(__name__)

_FIRST_MS: Final = 2_000
_LONGEST_MS: Final = 30_000
_NAMES: Final = {"question": Text("your question"), "draft": Text("your draft"), "artifact": Text("your artifact")}

Retry = Callable[[], Awaitable[object]]


class Unsaved(QObject):
    """The writes that failed, with ways to try them again. ``failed`` has the sentence to show until ``recovered``.
    Whoever keeps something still holds it itself; here are only the ways to try again."""

    failed = Signal(str)
    recovered = Signal()

    def __init__(self, tasks: AsyncTasks, *, first_ms: int = _FIRST_MS) -> None:
        super().__init__()
        self._tasks = tasks
        self._waiting: dict[str, Retry] = {}
        self._first_ms = first_ms
        self._timer = QTimer(self, singleShot=True, interval=first_ms)
        self._timer.timeout.connect(self.try_again)

    def retry_later(self, name: str, error: StorageError, retry: Retry) -> None:
        """Retry a write later, until it succeeds. ``name`` describes the unsaved thing, a key of ``_NAMES``; a later
        entry replaces an earlier one of that name."""
        _log.warning("not saved yet: %s, %s", name, error.code)
        self._waiting[name] = retry
        names = listed(_NAMES[each] for each in self._waiting)
        sentence = shown(
            plural(
                "{names} are not saved yet, but kept here. ChatDesk tries again.",
                "{names} is not saved yet, but kept here. ChatDesk tries again.",
                len(self._waiting),
                names=with_capital(names),
            )
        )
        self.failed.emit(" ".join(filter(None, (shown(error.what), sentence, shown(error.next_step)))))
        if not self._timer.isActive():
            self._timer.start()

    @property
    def is_waiting(self) -> bool:
        """Return whether something is not saved yet."""
        return bool(self._waiting)

    def try_again(self) -> None:
        """Try to store the changes at once, without waiting for the timer."""
        self._timer.stop()
        if self._waiting:
            self._tasks.start_once(self._try(), "save what is unsaved")

    def end(self) -> None:
        """Stop trying, because the window closed."""
        self._timer.timeout.disconnect(self.try_again)
        self._timer.stop()

    async def _try(self) -> None:
        try:
            for name, retry in tuple(self._waiting.items()):
                try:
                    await retry()
                except StorageError as error:
                    _log.info("still not saved: %s, %s", name, error.code)
                    self._timer.setInterval(min(_LONGEST_MS, 2 * self._timer.interval()))
                    return
                except ChatDeskError:
                    self._forget(name, retry)
                    raise
                self._forget(name, retry)
        finally:
            if self._waiting:  # still, or since this was begun
                self._timer.start()

    def _forget(self, name: str, retry: Retry) -> None:
        if self._waiting.get(name) is retry:
            del self._waiting[name]
        if not self._waiting:
            self._timer.setInterval(self._first_ms)
            self.recovered.emit()
