"""Shows failures of the whole program in the window: a crash, unsaved text, how the data was opened."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any
from weakref import WeakSet

from PySide6.QtCore import QObject

from chatdesk.core.errors import ChatDeskError
from chatdesk.core.texts import Sentences, plural, tr
from chatdesk.ui.features.chat.unsaved import Unsaved
from chatdesk.ui.window.error_display import ErrorDisplay
from chatdesk.ui.window.window_context import Panes

if TYPE_CHECKING:  # keeps the first paint fast
    from chatdesk.core.diagnostics.crashes import CrashReport, CrashReporter
    from chatdesk.services.services import Services


class FailureNotices(QObject):
    """The notices of one window. ``watch_crashes`` makes the reporter of crashes; ``deliver`` runs a call in the
    window's thread, whichever thread an error came from."""

    def __init__(
        self,
        panes: Panes,
        watch_crashes: Callable[[Callable[[CrashReport], None]], CrashReporter],
        deliver: Callable[[Callable[[], None]], None],
    ) -> None:
        super().__init__()
        self._panes = panes
        self._unsaved: WeakSet[Unsaved] = WeakSet()  # one for each shown chat
        self._is_answer_unsaved = False
        self._errors = ErrorDisplay(panes.window)
        self._watch_crashes = watch_crashes
        self._deliver = deliver

    @cached_property
    def _crashes(self) -> CrashReporter:
        """Return the surface for crashes, built when start-up is over or fails."""
        return self._watch_crashes(lambda report: self._deliver(partial(self._show_crash, report)))

    def show(self, error: Exception) -> None:
        """Show the error of a task, and report an unexpected one as a crash."""
        if isinstance(error, ChatDeskError):
            self._errors.show(error)
        elif not self._crashes.report(error, where="window", is_of_action=True):
            self._errors.show_crash(is_of_action=True)  # the same again: there is a report of it already

    def report_loop_error(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """Report an error that reached the loop; this is its exception handler."""
        self._crashes.handle_loop_exception(loop, context)

    def show_lasting(self, sentence: str, *, retry: Callable[[], object] | None = None) -> None:
        """Show a failure until everything is saved again."""
        self._errors.show_lasting(sentence, retry=retry)

    def follow(self, unsaved: Unsaved) -> None:
        """Show when the text of a chat cannot be saved, with a way to try again."""
        self._unsaved.add(unsaved)
        unsaved.failed.connect(self._on_unsaved_failed)
        unsaved.recovered.connect(self._show_saved_again)

    def _on_unsaved_failed(self, sentence: str) -> None:
        self.show_not_saved(sentence, retry=self._try_again)

    def _try_again(self) -> None:
        for unsaved in tuple(self._unsaved):
            unsaved.try_again()

    def show_not_saved(self, sentence: str, *, retry: Callable[[], object] | None = None) -> None:
        self.show_lasting(sentence, retry=retry)
        self._panes.sidebar.notices.set_status(tr("Not saved"), is_error=True)

    def show_answer_not_saved(self, sentence: str) -> None:
        """Show that answers are not saved until ``show_answers_saved``."""
        self._is_answer_unsaved = True
        self.show_not_saved(sentence)

    def show_answers_saved(self) -> None:
        """Show that answers are saved again, or that the data can be written again."""
        self._is_answer_unsaved = False
        self._show_saved_again()

    def _show_saved_again(self) -> None:
        if self._is_answer_unsaved or any(each.is_waiting for each in self._unsaved):
            return
        self._errors.clear_lasting()
        self._panes.composer.set_enabled(True)  # a read-only start had disabled it
        self._panes.sidebar.notices.set_status(tr("All changes saved"))

    def show_not_opened(self, error: ChatDeskError) -> None:
        """Show that the data could not be opened, and disable the panes."""
        self._panes.disable()
        self._panes.sidebar.notices.set_status(tr("Not opened"), is_error=True)
        self.show_lasting(error.sentence)

    def show_opening(self, services: Services) -> None:
        """Show notices about the opening of the data, such as that it is read-only."""
        report, reason = services.report, services.read_only_reason
        window, notices = self._panes.window, self._panes.sidebar.notices
        if reason is not None:
            self._panes.composer.set_enabled(False)
            self.show_lasting(Sentences.of(reason.sentence, report.warning or ""))
            notices.set_status(tr("Read only"), is_error=True)
            return
        if report.warning:
            self.show_lasting(report.warning)
            services.database.forget_loss()
        elif report.upgraded_from is not None:
            window.show_toast(tr("The database was upgraded; a backup of the old one is kept."))
        elif report.recovered_turns:
            interrupted = plural(
                "{count} answers were interrupted last time. The text is kept; Continue goes on.",
                "An answer was interrupted last time. The text is kept; Continue goes on.",
                report.recovered_turns,
            )
            window.show_toast(interrupted)
        if self._crashes.install():
            window.show_toast(tr("ChatDesk ended unexpectedly last time. Your messages are kept."))
        notices.set_status(tr("All changes saved"))

    def end(self) -> None:
        """Stop watching for crashes."""
        self._crashes.uninstall()

    def _show_crash(self, report: CrashReport) -> None:
        self._errors.show_crash(str(report.path) if report.path else None, is_of_action=report.is_of_action)
