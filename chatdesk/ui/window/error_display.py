"""Shows failures: lasting ones as a banner, those of an action as a toast, unexpected ones once as a dialog.

It decides how loud, the window how it looks.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path

from chatdesk.core.errors import ChatDeskError
from chatdesk.core.texts import Text, tr
from chatdesk.ui.window.chat_window import ChatWindow

_log = logging.getLogger(__name__)

_CRASH_TITLE = Text("An unexpected failure")
_CRASH_NOTE = Text("Something went wrong in ChatDesk. Your messages are kept.")
_CRASH_TEXT = Text(
    "Something went wrong in ChatDesk. Your messages are kept, and you can go on. A report was written, without your "
    "messages. To send it to the developers, choose “Report a problem…” in the menu: you see everything first."
)


class ErrorDisplay:
    """Shows failures in a window. Used from the GUI thread only."""

    def __init__(self, window: ChatWindow) -> None:
        self._window = window
        self._has_noted_crash = False
        self._has_opened_crash = False
        self._lasting: str | None = None

    def show(self, error: BaseException) -> None:
        """Show a failure that answers something a person did."""
        if not isinstance(error, ChatDeskError):
            self.show_crash(is_of_action=True)
        else:
            self._window.show_failure(error.sentence)

    def show_lasting(self, sentence: str, *, retry: Callable[[], object] | None = None) -> None:
        """Show a failure that stays until ``clear_lasting``: saving fails, the file is gone."""
        if sentence != self._lasting:
            self._lasting = sentence
            self._window.show_banner(
                sentence, is_danger=True, action_text=None if retry is None else tr("Try again"), run=retry
            )

    def clear_lasting(self) -> None:
        if self._lasting is not None:
            self._lasting = None
            self._window.hide_banner()

    def show_crash(self, report_path: str | None = None, *, is_of_action: bool = False) -> None:
        """Show an unexpected error. One that answers an action opens a dialog, unless one did before or it would be
        over what is typed; the next time it is a note, for who pressed something must see that it failed. All else is a
        note, once a run: a fault that repeats must not bury the window under them."""

        def open_details() -> None:
            self._window.show_notice(_CRASH_TITLE, _CRASH_TEXT, file=Path(report_path) if report_path else None)

        if is_of_action and not self._has_opened_crash and self._window.may_interrupt:
            self._has_opened_crash = self._has_noted_crash = True
            open_details()
        elif not self._has_noted_crash or (is_of_action and self._window.has_just_acted):
            self._has_noted_crash = True
            self._window.show_banner(_CRASH_NOTE, is_danger=False, action_text=tr("Details…"), run=open_details)
        else:
            _log.info("another failure was not shown")
