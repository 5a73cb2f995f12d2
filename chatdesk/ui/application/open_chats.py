"""Keeps all open chats: the first one of the main window, one beside it, and those in windows of their own."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from functools import partial
from typing import cast

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QApplication, QWidget

from chatdesk.core.errors import ChatDeskError
from chatdesk.core.texts import tr
from chatdesk.ui.accessibility.assistance import announce
from chatdesk.ui.application.bindings import Bindings
from chatdesk.ui.application.chat_maker import ChatMaker, ExtraChat, forward
from chatdesk.ui.application.failure_notices import FailureNotices
from chatdesk.ui.application.left_state import is_there, state_of
from chatdesk.ui.application.pane_bindings import PaneBindings
from chatdesk.ui.commands.catalogue import CATALOGUE
from chatdesk.ui.commands.registry import CommandRegistry, PaneCommands
from chatdesk.ui.features.chat.thread_binding import shown_title
from chatdesk.ui.window.chat_pane import ChatPane
from chatdesk.ui.window.chat_window import ChatWindow, ThreadWindow
from chatdesk.ui.window.window_state import MAX_WINDOWS, SavedWindow, WindowState

_log = logging.getLogger(__name__)


class OpenChats(QObject):
    """The open chats. ``changed``: another thread is shown, another chat is active, or a window was opened, moved or
    closed."""

    changed = Signal()

    def __init__(self, main: Bindings, notices: FailureNotices) -> None:
        super().__init__(main.panes.window)
        self._main = main
        self._panes = panes = main.panes
        self._tasks = main.tasks
        self._maker = ChatMaker(main, notices, opened=self._on_thread_opened)
        self._beside: ExtraChat | None = None
        self._changing_beside = asyncio.Lock()
        self._windows: list[ExtraChat] = []
        self._opening_windows = 0
        self._active: PaneBindings = main
        self._is_restored = False
        self._is_watching = False
        self._stays_in_tray = panes.window.hides_on_close
        panes.window.hides_on_close = self._hides_on_close
        main.active = main.shown_chats.active = lambda: self._active
        main.all_chats = main.shown_chats.listed = self.shown
        main.shown_chats.activate = self._on_pane_chosen
        panes.main_window.chats.chosen.connect(self._on_pane_chosen)
        panes.main_window.chats.moved.connect(self.changed)
        panes.header.closeRequested.connect(self._close_first)
        panes.sidebar.windowRequested.connect(self.open_window)
        panes.sidebar.besideRequested.connect(self.open_beside)
        main.threads.opened.connect(self._on_thread_opened)
        self._bind(panes.commands)

    @property
    def beside(self) -> PaneBindings | None:
        """The controllers of the second chat of the main window."""
        return None if self._beside is None else self._beside.bindings

    @property
    def windows(self) -> tuple[PaneBindings, ...]:
        """The controllers of the chats in windows of their own."""
        return tuple(chat.bindings for chat in self._windows)

    def shown(self) -> list[PaneBindings]:
        """Return the controllers of all chats."""
        return [self._main, *(chat.bindings for chat in self._all())]

    def _all(self) -> list[ExtraChat]:
        return [*self._windows, *(() if self._beside is None else (self._beside,))]

    # Opening

    def open_window(self, thread_id: str | None) -> None:
        """Open a thread in a new window; None: a new chat."""
        if not self._has_room():
            self._panes.window.show_toast(tr("Close a window first: {count} are open.", count=MAX_WINDOWS))
            return
        self._opening_windows += 1
        self._tasks.start(self._open_window(thread_id, None), "open window")

    def open_beside(self, thread_id: str | None) -> None:
        """Open a thread beside the first chat of the main window, in place of any chat already there."""
        self._tasks.start_once(self._open_beside(thread_id, 0.5), "open beside")

    def _has_room(self) -> bool:
        return len(self._windows) + self._opening_windows < MAX_WINDOWS

    async def _open_window(self, thread_id: str | None, saved: SavedWindow | None) -> None:
        """Open a window that counts among those that are being opened already."""
        try:
            chat = await self._filled_window(thread_id, saved)
        finally:
            self._opening_windows -= 1
        self._windows.append(chat)
        _window_of(chat).appear(takes_keys=saved is None)
        if saved is None:
            self._activate(chat.bindings)
        self._watch_focus()
        self._on_thread_opened(None)

    async def _filled_window(self, thread_id: str | None, saved: SavedWindow | None) -> ExtraChat:
        """Return a chat in a window of its own, with the thread in it, that is not shown yet."""
        header, empty_state, composer = await self._maker.parts()
        window = ThreadWindow(self._panes.theme, header, empty_state, composer)
        registry = CommandRegistry(window, CATALOGUE)
        chat = await self._maker.build(window, window.pane, registry)
        self._bind(registry)
        forward(registry, self._panes.registry, self._open_main)
        window.set_commands(registry)
        self._panes.registry.keys.changed.connect(chat.use_keys)
        chat.use_keys()
        window.restore(saved, self._active.panes.window)
        window.may_close = partial(self._may_close, chat)
        window.stateChanged.connect(self.changed)
        await self._maker.fill(chat, thread_id)
        return chat

    async def _open_beside(self, thread_id: str | None, share: float, *, is_restored: bool = False) -> None:
        async with self._changing_beside:
            if is_restored and self._beside is not None:
                return  # the person opened another one while ChatDesk started
            chat = await self._shown_beside(thread_id, share, takes_focus=not is_restored)
            if not is_restored:
                if self._panes.main_window is not self._active.panes.window:
                    self._panes.main_window.come_to_front()
                chat.panes.pane.focus_composer()
                self._activate(chat.bindings)
        self._on_thread_opened(None)

    async def _shown_beside(self, thread_id: str | None, share: float, *, takes_focus: bool) -> ExtraChat:
        """Return the second chat of the main window, which shows the thread."""
        if self._beside is not None:
            await self._beside.bindings.threads.open(thread_id, takes_focus=takes_focus)
            return self._beside
        main = self._panes.main_window
        header, empty_state, composer = await self._maker.parts()
        pane = ChatPane(self._panes.theme, header, empty_state, composer, main.chats.splitter)
        pane.hide()
        pane.is_marked_in_list = False  # until it is the active one
        chat = await self._maker.build(main, pane, PaneCommands(self._panes.registry))
        main.add_menu(header)
        header.closeRequested.connect(self.close_beside)
        await self._maker.fill(chat, thread_id, takes_focus=takes_focus)
        self._beside = chat
        main.add_pane(pane, share=share)
        self._watch_focus()
        return chat

    def _bind(self, commands: CommandRegistry | PaneCommands) -> None:
        """Bind the commands that open and close chats, in one of the windows."""
        for command_id, run, is_enabled in (
            ("thread.open_window", lambda: self._with_thread(self.open_window), None),
            ("thread.open_beside", lambda: self._with_thread(self.open_beside), None),
            ("view.close_chat", self._close_active, self._can_close_active),
            ("go.chat_left", lambda: self._go(0), self._has_two),
            ("go.chat_right", lambda: self._go(-1), self._has_two),
        ):
            commands.bind(command_id, run, is_enabled)

    def _open_main(self) -> None:
        self._panes.window.come_to_front()
        self._activate(self._of_pane(self._panes.main_window.active_pane))

    # What a person does

    def _with_thread(self, run: Callable[[str | None], None]) -> None:
        """Act on the thread of the list that has the keyboard focus, else on the open one."""
        active, thread_list = self._active, self._panes.sidebar.thread_list
        if active.threads.is_temporary:
            active.panes.window.show_toast(tr("A temporary chat stays in its place. Keep it to open it elsewhere."))
            return
        in_list = active.panes.window is self._panes.window and thread_list.has_keys
        run(thread_list.keyboard_id() if in_list else active.threads.stored_id)

    def _has_two(self) -> bool:
        return self._beside is not None and self._active.panes.window is self._panes.window

    def _go(self, place: int) -> None:
        self._on_pane_chosen(self._panes.main_window.panes()[place])
        announce(self._panes.main_window, shown_title(self._active.threads))

    def _can_close_active(self) -> bool:
        return self._active.panes.window is not self._panes.window or self._beside is not None

    def _close_active(self) -> None:
        if self._active.panes.window is not self._panes.window:
            self._active.panes.window.close()
        elif self._beside is not None and self._active is self._beside.bindings:
            self.close_beside()
        elif self._beside is not None:
            self._close_first()

    # Closing

    def close_beside(self) -> None:
        """Close the second chat; its draft stays with its thread."""
        if self._beside is not None:
            self._tasks.start_once(self._close_beside(self._beside), "close chat")

    def _close_first(self) -> None:
        """Close the chat at the left: the other one takes its place."""
        if self._beside is not None:
            self._tasks.start_once(self._move_to_first(self._beside), "close chat")

    async def _move_to_first(self, chat: ExtraChat) -> None:
        async with self._changing_beside:
            threads, thread_id = self._main.threads, chat.bindings.threads.thread_id
            threads.restore_anchors(chat.bindings.threads.anchors())
            if self._beside is chat and await self._maker.save(chat):
                await threads.open(thread_id)
                await self._end_beside(chat)

    async def _close_beside(self, chat: ExtraChat) -> None:
        async with self._changing_beside:
            if self._beside is chat:
                await self._end_beside(chat)

    async def _end_beside(self, chat: ExtraChat) -> None:
        if not await self._maker.save(chat):
            return
        self._beside = None
        self._panes.main_window.remove_pane(chat.panes.pane)
        self._activate(self._main)
        self._main.panes.pane.focus_composer()
        self.changed.emit()
        await self._maker.end(chat)
        chat.panes.pane.deleteLater()

    def _may_close(self, chat: ExtraChat) -> bool:
        """Return whether a window's text is stored. When the session ends, the program stores all."""
        if _is_session_ending():
            return True
        if not chat.is_closing:
            chat.is_closing = True
            self._tasks.start(self._close_window(chat), "close window")
        return False

    async def _close_window(self, chat: ExtraChat) -> None:
        if not await self._maker.save(chat):
            chat.is_closing = False
            return
        self._windows.remove(chat)
        window = chat.panes.window
        window.may_close = None
        window.close()
        if self._active is chat.bindings:
            self._activate(self._of_pane(self._panes.main_window.active_pane))
        self.changed.emit()
        await self._maker.end(chat)
        window.deleteLater()
        self._quit_after_last_window()

    def _quit_after_last_window(self) -> None:
        """Quit after the last window was closed, unless the program goes on in the tray."""
        window = self._panes.window
        if self._windows or window.isVisible() or (self._stays_in_tray is not None and self._stays_in_tray()):
            return
        self._panes.close_for_good()

    def _hides_on_close(self) -> bool:
        """Return whether closing the main window only hides it: while others are open, and once the person has decided
        about a temporary chat."""
        if self._stays_in_tray is not None and self._stays_in_tray():
            return True
        has_temporary = self._panes.registry.is_enabled("thread.keep")
        return bool(self._windows) and not has_temporary and not _is_session_ending()

    # The end of the program

    async def save_all(self) -> None:
        """Store the unsent text of all chats; a failure is logged. A chat that closes meanwhile stores its own."""
        for bindings in filter(lambda each: each in self.shown(), self.shown()):
            try:
                await bindings.save()
            except ChatDeskError as error:
                _log.error("what was typed could not be saved at the end: %s", error.code)

    async def wait_until_sent(self) -> None:
        """Wait until the texts that are being sent in the chats are stored as messages."""
        for bindings in filter(lambda each: each in self.shown(), self.shown()):
            await bindings.messages.wait_until_sent()

    def set_windows_visible(self, is_visible: bool) -> None:
        """Hide the other windows with the main one, or show them again."""
        for chat in self._windows:
            chat.panes.window.setVisible(is_visible)

    async def end(self) -> None:
        """End all chats but the first."""
        for chat in self._all():
            await self._maker.end(chat)
            chat.panes.window.hide()
        for chat in self._windows:
            chat.panes.window.deleteLater()
        self._windows.clear()
        self._beside = None

    # How it was left

    def state_now(self, before: WindowState) -> WindowState:
        """Return the state to keep for the next start; parts that are not restored yet are as in ``before``."""
        return state_of(self._main, self.windows, self.beside, before, is_restored=self._is_restored)

    async def restore(self, state: WindowState) -> None:
        """Open the chats that were shown when the program ended; those of threads that are gone stay closed."""
        chat = self._main.shared.services.chat
        try:
            if state.beside is not None and await is_there(chat, state.beside.thread_id):
                await self._open_beside(state.beside.thread_id, state.beside.share, is_restored=True)
                if self._beside is not None and state.beside.is_active and not self._panes.window.has_just_acted:
                    self._on_pane_chosen(self._beside.panes.pane)
            opened = {each.threads.stored_id for each in self.windows} - {None}  # while ChatDesk started
            for saved in state.windows:
                if saved.thread_id not in opened and await is_there(chat, saved.thread_id) and self._has_room():
                    self._opening_windows += 1
                    await self._open_window(saved.thread_id, saved)
            for each in (self._main, *self.windows, *([] if self.beside is None else [self.beside])):
                await each.messages.edit.bring_back(state.edited_ids)
                await each.comparison.bring_back(state.compared_ids)
        finally:
            self._is_restored = True
            self.changed.emit()

    # The active chat

    def _watch_focus(self) -> None:
        """Follow the focus from the second chat on; with one there is nothing to follow."""
        application = QApplication.instance()
        assert isinstance(application, QApplication)
        if not self._is_watching:
            self._is_watching = True
            application.focusChanged.connect(self._on_focus_changed)

    def _on_focus_changed(self, _before: QWidget | None, now: QWidget | None) -> None:
        if now is not None and isinstance(window := now.window(), ChatWindow):
            pane = next((each for each in window.panes() if each.isAncestorOf(now)), window.active_pane)
            self._activate(self._of_pane(pane))

    def _of_pane(self, pane: ChatPane) -> PaneBindings:
        return next((chat.bindings for chat in self._all() if chat.panes.pane is pane), self._main)

    def _on_pane_chosen(self, pane: ChatPane) -> None:
        """Make a chat the active one, with the focus in it: else that would make the one before active again."""
        self._activate(self._of_pane(pane))
        pane.focus_composer()

    def _activate(self, bindings: PaneBindings) -> None:
        if bindings is self._active:
            return
        self._active = bindings
        panes, main = bindings.panes, self._panes.main_window
        if panes.window is main:
            is_beside = isinstance(panes.commands, PaneCommands)
            panes.registry.active = panes.commands if is_beside else None
            self._panes.pane.is_marked_in_list = not is_beside
            if self._beside is not None:
                self._beside.panes.pane.is_marked_in_list = is_beside
            self._panes.sidebar.thread_list.show_open(bindings.threads.stored_id)
            main.activate(panes.pane)
        panes.registry.refresh()
        self._show_titles()
        if self._main.team_window is not None:
            self._main.team_window.place.publish()
        self.changed.emit()

    def _on_thread_opened(self, _thread: object) -> None:
        self._show_titles()
        self.changed.emit()

    def _show_titles(self) -> None:
        """Show the title of each window's active chat as that of the window, and those of two chats on their tabs."""
        main = self._panes.main_window
        for window in (main, *map(_window_of, self._windows)):
            window.show_title(shown_title(self._of_pane(window.active_pane).threads))
        if self._beside is not None:
            main.chats.show_titles([shown_title(each.threads) for each in (self._main, self._beside.bindings)])


def _window_of(chat: ExtraChat) -> ThreadWindow:
    return cast("ThreadWindow", chat.panes.window)


def _is_session_ending() -> bool:
    return QGuiApplication.instance().isSavingSession()  # type: ignore[union-attr]
