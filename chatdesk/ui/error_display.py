"""Shows failures: what is lasting as a banner, what answers an action as a toast or a dialog, a crash once.

It decides how loud, the window how it looks; so it knows neither banner nor dialog, only these three ways.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Protocol

from chatdesk.core.errors import ChatDeskError

_log = logging.getLogger(__name__)

_CRASH_TEXT = (
    "Something in ChatDesk failed that should not. Your messages are kept and the window goes on. "
    "A report was written; if this happens again, please send it."
)


class ErrorSurface(Protocol):
    """The window's ways to say something; every text is plain text."""

    def show_banner(
        self, text: str, *, is_danger: bool, action_text: str | None = None, run: Callable[[], object] | None = None
    ) -> None: ...

    def hide_banner(self) -> None: ...

    def show_notice(self, title: str, text: str) -> None:
        """A dialog that is opened, not waited for."""
        ...


class ErrorDisplay:
    """Used from the GUI thread only."""

    def __init__(self, surface: ErrorSurface) -> None:
        self._surface = surface
        self._has_shown_crash = False
        self._lasting: str | None = None

    def show(self, error: BaseException) -> None:
        """A failure that answers something a person did."""
        if isinstance(error, ChatDeskError):
            self._surface.show_banner(error.sentence, is_danger=False)
        else:
            self.show_crash()

    def show_in_dialog(self, error: ChatDeskError) -> None:
        """A failure that stands in the way of everything else, such as a database that cannot be opened."""
        self._surface.show_notice(error.what, " ".join(filter(None, (error.safe, error.next_step))))

    def show_lasting(self, sentence: str, *, retry: Callable[[], object] | None = None) -> None:
        """Stays until ``clear_lasting``: saving fails, the file is gone."""
        if sentence != self._lasting:
            self._lasting = sentence
            self._surface.show_banner(
                sentence, is_danger=True, action_text=None if retry is None else "Try again", run=retry
            )

    def clear_lasting(self) -> None:
        if self._lasting is not None:
            self._lasting = None
            self._surface.hide_banner()

    def show_crash(self, report_path: str | None = None) -> None:
        """Once a run: a fault that repeats must not bury the window under notices."""
        if self._has_shown_crash:
            _log.info("another failure was not shown")
            return
        self._has_shown_crash = True
        place = f" It is in {report_path}." if report_path else ""
        self._surface.show_notice("An unexpected failure", _CRASH_TEXT + place)
