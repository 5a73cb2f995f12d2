"""Runs the life of the window: it is shown first, filled when the services are open, and stored when it closes."""

from __future__ import annotations

import asyncio
import gc
import logging
import sys
from collections.abc import Awaitable, Callable
from contextlib import ExitStack, aclosing
from signal import SIGINT
from types import ModuleType
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, QTimer
from PySide6.QtWidgets import QApplication

from chatdesk.core.errors import ChatDeskError
from chatdesk.core.paths import AppPaths
from chatdesk.core.settings.schema import Settings
from chatdesk.core.system.background_import import import_beside
from chatdesk.core.system.ending_signals import ASKING, handling_signals
from chatdesk.core.system.processes import share_malloc_arena
from chatdesk.core.texts import tr
from chatdesk.translation import translate_qt
from chatdesk.ui.application.failed_start import offer_ways_out, unforeseen_failure
from chatdesk.ui.application.failure_notices import FailureNotices
from chatdesk.ui.application.window_hooks import WindowHooks
from chatdesk.ui.commands.catalogue import CATALOGUE
from chatdesk.ui.commands.registry import CommandRegistry
from chatdesk.ui.composer.composer import Composer
from chatdesk.ui.qt.async_tasks import AsyncTasks, run_until_done
from chatdesk.ui.qt.garbage import collected_here
from chatdesk.ui.sidebar.sidebar import Sidebar
from chatdesk.ui.theme.icons import read_icons
from chatdesk.ui.theme.theme import Theme
from chatdesk.ui.widgets.empty_state import EmptyState
from chatdesk.ui.widgets.header.thread_header import ThreadHeader
from chatdesk.ui.window.main_window import MainWindow
from chatdesk.ui.window.window_context import Panes
from chatdesk.ui.window.window_state import WindowState, WindowStateFile

if TYPE_CHECKING:  # keeps the first paint fast
    from chatdesk.core.domain.thread import ThreadPage
    from chatdesk.core.rendering.client import RenderClient
    from chatdesk.services.services import Services
    from chatdesk.ui.application.bindings import Bindings
    from chatdesk.ui.application.open_chats import OpenChats
    from chatdesk.ui.features.chat.message_binding import MessageBinding
    from chatdesk.ui.features.chat.thread_binding import ThreadBinding

_log = logging.getLogger(__name__)
_AT_REST_MS = 1_000  # then deferred work begins
_LOOK_FOR_WINDOW_S = 0.2
_STATE_PAUSE_MS = 100
# The exit code that asks for a new start.
RESTART = 75


WindowScript = Callable[["WindowApplication"], Awaitable[int]]


def run(paths: AppPaths, settings: Settings, hooks: WindowHooks, *, script: WindowScript | None = None) -> int:
    """Show the window and run until it closes; the exit code. ``script`` plays in the shown window instead, which
    closes with it: the demonstration and the benchmarks are scripts."""
    found = QApplication.instance()
    # A style that Qt takes from the arguments is one that Python need not know.
    app = found or QApplication([*sys.argv[:1], "-style", "Fusion"])
    assert isinstance(app, QApplication)
    app.setApplicationName("ChatDesk")
    app.setDesktopFileName("chatdesk")
    translate_qt(app)
    state_file = WindowStateFile(paths.window_state)
    state = state_file.load()
    scheme: Any = settings.theme
    theme = Theme(app, preference=scheme, scale=settings.text_scale, has_style=found is None)
    theme.apply()

    async def main() -> int:
        application = WindowApplication(theme, hooks, state, state_file)
        return await application.run(script)

    return run_until_done(app, main)


class WindowApplication(QObject):
    """The application: one window over one data directory."""

    def __init__(self, theme: Theme, hooks: WindowHooks, state: WindowState, state_file: WindowStateFile) -> None:
        super().__init__()
        self._hooks = hooks
        self._state = state
        self._state_file = state_file
        self._services: Services | None = None
        self._failure: ChatDeskError | None = None
        self._closing: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.started: asyncio.Task[None]
        self._last_work: Callable[[], Awaitable[object]] | None = None
        self._stop_listening: Callable[[], Awaitable[None]] | None = None
        self._bindings: Bindings | None = None
        self._chats: OpenChats | None = None
        self._is_over = False
        self._is_told_to_end = False
        loop = self._loop = asyncio.get_running_loop()
        self._renderer: RenderClient | None = None
        self.panes = self._build_panes(theme)
        window = self.panes.main_window
        self._notices = FailureNotices(self.panes, hooks.watch_crashes, self._deliver)
        self._tasks = AsyncTasks(self._notices.show)
        loop.set_exception_handler(self._notices.report_loop_error)
        self.panes.commands.bind("app.quit", self.panes.close_for_good)
        window.closing.connect(self._on_window_closing)
        self._state_timer = QTimer(window, interval=_STATE_PAUSE_MS, singleShot=True)
        self._state_timer.timeout.connect(self._save_state)
        window.stateChanged.connect(self._save_state_soon)
        window.restore(state)
        self._early_question: str | None = None
        self._hold = self.panes.composer.sendRequested.connect(self._on_early_send_requested)

    def _build_panes(self, theme: Theme) -> Panes:
        def fetch_threads(cursor: str | None, deliver: Callable[[ThreadPage], None]) -> None:
            if self._bindings is not None:  # else the list is filled once the services are ready
                self._bindings.lists.fetch_threads(cursor, deliver)

        sidebar, header, empty_state, composer = (
            Sidebar(fetch_threads, theme),
            ThreadHeader(theme),
            EmptyState(theme),
            Composer(theme),
        )
        composer.set_placeholder(tr("Type a message"))
        header.show_loading()
        empty_state.show_loading()
        window = MainWindow(theme, sidebar=sidebar, header=header, empty_state=empty_state, composer=composer)
        commands = CommandRegistry(window, CATALOGUE)
        commands.hold()  # what is pressed before the services are open waits for them
        sidebar.commandChosen.connect(commands.trigger)
        return Panes(window, window, window.pane, commands, sidebar, header, empty_state, composer, theme)

    def _deliver(self, call: Callable[[], None]) -> None:
        self._loop.call_soon_threadsafe(call)

    @property
    def bindings(self) -> Bindings:
        """There once the services are open; ``services()`` waits for them."""
        assert self._bindings is not None
        return self._bindings

    @property
    def chats(self) -> OpenChats:
        """All chats that are shown; there once the services are open."""
        assert self._chats is not None
        return self._chats

    @property
    def threads(self) -> ThreadBinding:
        return self.bindings.threads

    @property
    def messages(self) -> MessageBinding:
        return self.bindings.messages

    async def services(self) -> Services:
        """Return the services once start-up is complete. Raises the error of a start that failed."""
        await self.started
        if self._failure is not None:
            raise self._failure
        assert self._services is not None
        return self._services

    # Life

    async def run(self, script: WindowScript | None = None) -> int:
        """Run until the window is closed, or until ``script`` ends; return the exit code."""
        self.panes.window.show()
        self.panes.composer.setFocus()
        await asyncio.sleep(0)  # the first paint comes before anything that can wait
        code = 0
        with collected_here(), ExitStack() as handled:
            self.started = self._tasks.start(self._start(handled, () if script else (SIGINT,)), "start")
            try:
                if script is not None:
                    code = await script(self)
                else:
                    await self.closed()
            finally:
                await self._shut_down()
        return code if self._last_work is None else RESTART

    async def closed(self) -> None:
        """Wait until the window is closed for good. Where the setting says so, answers that are being written are
        finished first without a window; starting ChatDesk again in the meantime brings the window back."""
        while True:
            await self._closing
            services = self._services
            if services is None or self._bindings is None or self._last_work is not None:
                return
            await self.chats.wait_until_sent()
            is_finished_first = self._bindings.settings.current.answers_on_close == "finish"
            if self._is_told_to_end or not is_finished_first or not services.chat.is_writing:
                return
            window = self.panes.window
            self._closing = asyncio.get_running_loop().create_future()
            window.hide()
            self.chats.set_windows_visible(False)
            answers = asyncio.ensure_future(services.chat.turns.wait_for_all())
            try:
                while not answers.done() and not window.isVisible() and not self._is_told_to_end:
                    await asyncio.wait([answers], timeout=_LOOK_FOR_WINDOW_S)
            finally:
                answers.cancel()
            if not window.isVisible():
                return
            self.chats.set_windows_visible(True)

    async def _start(self, handled: ExitStack, more_signals: tuple[int, ...]) -> None:
        # Heeding signals makes asyncio load modules of Python, for which the first key does not wait.
        for numbers in (ASKING, more_signals):
            handled.enter_context(handling_signals(self._on_ending_signal, numbers=numbers))
        panes = self.panes
        panes.theme.load_other_fonts()
        share_malloc_arena()  # before there are threads that would get their own
        QTimer.singleShot(_AT_REST_MS, panes.theme, panes.theme.motion.follow_system)
        # Modules and widgets live as long as the window: a collection that walks them is a pause for nothing.
        gc.freeze()
        services, module = await asyncio.gather(self._built(), self._prepare())
        if services is None:
            panes.registry.release()
            offer_ways_out(panes, self._tasks, self.restart_after, get_backups=self._hooks.backups())
            return
        bindings = self._build_bindings(module, services)
        panes.window.set_commands(panes.registry)  # menus offer the commands that are bound
        self._services = services
        bindings.messages.models.remember(self._state.chosen_model)
        bindings.first_screen.is_ended = self._state.is_way_in_ended
        bindings.files.open_pictures(services.paths.data_dir)
        self._stop_listening = await self._hooks.listen(services, bindings.links.show)
        left = self._state  # later events change the current state
        try:
            await bindings.lists.start(self._state)
            await bindings.messages.ask_early()  # needs the chosen model of the last run
            shared = bindings.shared
            shared.next_questions.restore(left.next_questions, has=shared.services.providers.has)
            await bindings.threads.open_first(left.open_thread_id)
        except BaseException:
            panes.empty_state.end_loading()
            raise
        finally:
            bindings.messages.start()
        bindings.first_screen.refresh()
        panes.empty_state.end_loading()
        bindings.network.start()
        bindings.updates.start()
        bindings.settings.apply()
        bindings.models.fill()
        self._notices.show_opening(services)
        gc.freeze()
        await self.chats.restore(left)
        panes.registry.release()
        bindings.links.open(self._hooks.target)
        self._tasks.start(self._run_upkeep(services), "upkeep")

    async def _built(self) -> Services | None:
        """Return the services, or None if the data cannot be opened; the window then shows why."""
        try:
            return await self._hooks.build()
        except ChatDeskError as error:
            reason = error
        except Exception:  # noqa: BLE001 - whoever waits for the services must be told, whatever it was
            _log.exception("the services could not be built")
            reason = unforeseen_failure()
        self._failure = reason
        self._notices.show_not_opened(reason)
        return None

    async def _prepare(self) -> ModuleType:
        """Import and read, on a thread, everything that is not needed to type, and add the transcript."""
        await import_beside("chatdesk.ui.application.open_chats", "chatdesk.ui.features.help.help_binding")
        module = await import_beside("chatdesk.ui.application.bindings")
        await asyncio.to_thread(read_icons)
        is_wanted = bool(self._state.open_thread_id or self._early_question is not None)
        self._renderer = module.add_transcript(self.panes, self._deliver, lambda: self.threads, is_wanted)
        from chatdesk.ui.features.help.help_binding import HelpBinding  # after the first paint

        self._help = HelpBinding(self.panes, self._tasks, lambda: self._services, self._hooks.collect_report)
        return module

    def _build_bindings(self, module: ModuleType, services: Services) -> Bindings:
        """Join the widgets with the services."""
        from chatdesk.ui.application.open_chats import OpenChats  # after the first paint

        bindings: Bindings = module.Bindings(
            self.panes,
            self._tasks,
            services,
            store=self._hooks.settings_store,
            renderer=self._renderer,
            restart_after=self.restart_after,
        )
        self._bindings = bindings
        notices = self._notices
        self._chats = OpenChats(bindings, notices)
        bindings.report_storage(notices)
        bindings.restore(self._state)
        bindings.messages.edit.changed.connect(self._save_state_soon)
        changes = bindings.messages.models.changed, bindings.first_screen.ended, bindings.lists.changed
        chosen, compared = bindings.shared.next_questions.changed, bindings.comparison.changed
        for changed in (
            *changes,
            chosen,
            compared,
            bindings.messages.edit.changed,
            self._chats.changed,
            bindings.threads.opened,
            self.panes.transcript.anchorChanged,
        ):
            changed.connect(self._save_state_soon)
        self.panes.composer.sendRequested.disconnect(self._hold)
        if self._early_question is not None:
            self.panes.composer.sendRequested.emit(self._early_question)
        return bindings

    async def _run_upkeep(self, services: Services) -> None:
        async with aclosing(self._hooks.upkeep(services)) as problems:
            async for problem in problems:
                self._notices.show_lasting(problem.sentence)

    def restart_after(self, work: Callable[[], Awaitable[object]]) -> None:
        """Close the window, call ``work`` when the services are closed, and restart the program."""
        self._last_work = work
        self.panes.close_for_good()

    async def _do_last_work(self) -> None:
        """Run the last work. If it fails nothing has changed; the error is shown until the window closes for good."""
        assert self._last_work is not None
        try:
            await self._last_work()
        except ChatDeskError as error:
            _log.error("the last work before leaving failed: %s", error.code)
            self._last_work = None
            self._closing = asyncio.get_running_loop().create_future()
            self._notices.show_lasting(error.sentence)
            await self._closing

    def _on_early_send_requested(self, text: str) -> None:
        self._early_question = text

    def _on_ending_signal(self, number: int) -> None:
        """Quit because the session ends or the process was told to end; no answer is waited for."""
        _log.info("signal %d: closing", number)
        self._is_told_to_end = True
        self.panes.window.may_close = None  # without a person to ask
        self.panes.close_for_good()

    def _on_window_closing(self) -> None:
        if not self._closing.done():
            self._closing.set_result(None)

    async def _shut_down(self) -> None:
        """Save the text that is being sent and the drafts; then end running answers, then everything else."""
        self._save_state()
        self._is_over = True
        bindings, services = self._bindings, self._services
        if bindings is not None:
            bindings.stop_filling()  # bindings have services
            await self.chats.save_all()
        if self._stop_listening is not None:
            await self._stop_listening()
        if bindings is not None:
            await self.chats.end()
            await bindings.end()
        self.panes.stop_timers()
        await self._tasks.close()
        if bindings is not None:
            bindings.release()
        if services is not None:
            await services.close()
        if self._last_work is not None:
            await self._do_last_work()
        if bindings is not None:
            bindings.subscriptions.close()
        if self._renderer is not None:
            self._renderer.close()
        self._notices.end()
        self.panes.window.hide()
        self._state_file.close()

    # State

    def _save_state_soon(self) -> None:
        """Save the state a moment later: while a window is resized, it changes with every frame."""
        if not self._state_timer.isActive():
            self._state_timer.start()

    def _save_state(self) -> None:
        self._state_timer.stop()
        if self._services is None or self._bindings is None or self._is_over:
            return
        self._state = self.chats.state_now(self._state)
        self._state_file.save_soon(self._state)
