"""Shows the main window: the list of threads, and one chat or two beside it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QSplitter, QWidget

from chatdesk.core.texts import tr
from chatdesk.ui.accessibility.assistance import announce
from chatdesk.ui.commands.registry import CommandRegistry
from chatdesk.ui.sidebar.sidebar import Sidebar
from chatdesk.ui.sidebar.sidebar_place import SidebarPlace
from chatdesk.ui.theme.theme import Theme
from chatdesk.ui.theme.tokens import SIDEBAR_OVERLAY_BELOW_PX
from chatdesk.ui.widgets.header.thread_header import ThreadHeader
from chatdesk.ui.widgets.layouts import bare_row
from chatdesk.ui.window.chat_pair import ChatPair
from chatdesk.ui.window.chat_pane import ChatPane
from chatdesk.ui.window.chat_window import ChatWindow, place_window, placed_as
from chatdesk.ui.window.pane_toasts import MOST_UNSEEN, ToastMessage
from chatdesk.ui.window.window_state import WindowState

_SIDEBAR_STEP_PX = 24
_BESIDE_PX = 380  # the least width of a second chat


class MainWindow(ChatWindow):
    """The window that ChatDesk starts with. ``pane`` is the left one, which always exists. Its notices concern the
    whole program: they appear in the window that the person sees, warnings in all windows."""

    def __init__(
        self,
        theme: Theme,
        sidebar: Sidebar,
        header: ThreadHeader,
        empty_state: QWidget,
        composer: QWidget,
    ) -> None:
        super().__init__(theme)
        # All windows with chats, the one that had the focus last first.
        self.all_windows: Callable[[], Sequence[ChatWindow]] = lambda: (self,)
        self._unseen: list[ToastMessage] = []
        self._show_danger_in: Callable[[ChatPane], None] | None = None
        self._banner_text = ""
        self.sidebar = sidebar
        self.setObjectName("mainWindow")
        self._lay_out(header, empty_state, composer)
        self.place = SidebarPlace(self._body, self._splitter, sidebar, theme)
        self._connect()
        self._on_place_changed()

    def panes(self) -> Sequence[ChatPane]:
        return self.chats.panes()

    # Updates from the controllers

    def show_toast(self, text: str, action_text: str | None = None, run: Callable[[], object] | None = None) -> None:
        """Show a short message where a person sees it. While they see no window, it waits for the next one."""
        window = self._seen_window()
        if window is None:
            self._unseen = [*self._unseen, ToastMessage(text, action_text, run)][-MOST_UNSEEN:]
        else:
            window.active_pane.show_toast(text, action_text, run)

    def show_failure(self, text: str) -> None:
        """Show why an action failed, where a person sees it."""
        window = self._seen_window()
        if window is None:
            self.show_toast(text)
        else:
            window.active_pane.toasts.show_failure(text)

    def keep_unseen(self, pane: ChatPane) -> None:
        """Show the unseen messages of a closed chat where a person sees them, now or later. Their buttons are dropped,
        because their handlers ended with the chat."""
        for message in pane.toasts.remove_unseen():
            self.show_toast(message.text)

    def show_banner(
        self, text: str, *, is_danger: bool, action_text: str | None = None, run: Callable[[], object] | None = None
    ) -> None:
        """Show a danger in all windows until ``hide_banner``, any other message where a person sees it; while there is
        a danger, that is a short message, because the banner must not go away for less."""
        if self._show_danger_in is not None and not is_danger:
            self.show_toast(text, action_text, run)
            return

        def show_in(pane: ChatPane) -> None:
            pane.show_banner(text, is_danger=is_danger, action_text=action_text, run=run)

        self._banner_text = text
        self._show_danger_in = show_in if is_danger else None
        for window in self.all_windows() if is_danger else (self._seen_window() or self,):
            show_in(window.pane)

    def hide_banner(self) -> None:
        self._show_danger_in = None
        for window in self.all_windows():
            window.pane.hide_banner(self._banner_text)

    def join(self, window: ChatWindow) -> None:
        """Show in a new window the notices that all windows show, and those that wait for a window that a person
        sees."""
        window.seen.connect(self._on_window_seen)
        if self._show_danger_in is not None:
            self._show_danger_in(window.pane)

    def show_notice(self, title: str, text: str, *, file: Path | None = None) -> None:
        window = self._seen_window() or self
        if window is self:
            super().show_notice(title, text, file=file)
        else:
            window.show_notice(title, text, file=file)

    def _seen_window(self) -> ChatWindow | None:
        return next((each for each in self.all_windows() if each.is_seen), None)

    def _on_window_seen(self) -> None:
        window = self._seen_window()
        if window is not None and self._unseen:
            unseen, self._unseen = self._unseen, []
            window.active_pane.toasts.add_unseen(unseen)

    # Two chats

    def add_pane(self, pane: ChatPane, *, share: float) -> None:
        """Show another chat at the right of the first one."""
        self.chats.add(pane, share=share)
        pane.partsChanged.connect(self._on_pane_parts_changed)
        self._on_pane_parts_changed()
        self.stateChanged.emit()

    def remove_pane(self, pane: ChatPane) -> None:
        """Show the first chat alone again."""
        pane.hide()
        pane.setParent(None)
        self.activate(self.pane)
        self._on_pane_parts_changed()
        self.stateChanged.emit()

    def activate(self, pane: ChatPane) -> None:
        """Make a chat the active one, on which commands act. A narrow window shows only the active chat."""
        self.active_pane = pane
        self._place_inspectors()

    def _parts(self) -> Sequence[QWidget]:
        return (self.sidebar, *super()._parts())

    # How it was left

    def restore(self, state: WindowState) -> None:
        """Restore size, place and sidebar; a place that no screen shows any more is given up."""
        place_window(self, state)
        self.place.restore(state.sidebar_width, is_collapsed=state.is_sidebar_collapsed)
        if state.is_maximised:
            self.setWindowState(self.windowState() | Qt.WindowState.WindowMaximized)

    def state(self) -> WindowState:
        """Return the window's own fields as they are now; the others have their defaults."""
        return replace(placed_as(self), sidebar_width=self.place.width, is_sidebar_collapsed=self.place.is_collapsed)

    # Focus

    def focus_search(self) -> None:
        self.place.reveal()
        self.sidebar.focus_search()

    def _focus_part(self, part: QWidget) -> None:
        if part is self.sidebar:
            self.sidebar.thread_list.setFocus(Qt.FocusReason.ShortcutFocusReason)
        else:
            super()._focus_part(part)

    # Qt's questions

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.place.apply_width()

    # Building

    def _lay_out(self, header: ThreadHeader, empty_state: QWidget, composer: QWidget) -> None:
        # From the outside in: a widget that gets another parent is dressed again, with all that it holds.
        self._body = QWidget(self)
        self._body.setObjectName("body")
        self.setCentralWidget(self._body)
        columns = bare_row(self._body, spacing_px=0)
        self._splitter = QSplitter(Qt.Orientation.Horizontal, self._body)
        self._splitter.setObjectName("splitter")
        self._splitter.setHandleWidth(1)
        self._splitter.setChildrenCollapsible(False)
        columns.addWidget(self._splitter, 1)
        self.chats = ChatPair(self.theme, self._splitter)
        self._set_first_pane(ChatPane(self.theme, header, empty_state, composer, self.chats.splitter))

    def _connect(self) -> None:
        self.seen.connect(self._on_window_seen)
        self.sidebar.thread_list.written.connect(self._on_thread_list_written)
        self.pane.header.sidebarRequested.connect(self.place.toggle)
        self.place.changed.connect(self._on_place_changed)
        self.place.overlayClosed.connect(self.focus_composer)
        self.chats.moved.connect(self.stateChanged)
        self.sidebar.thread_list.chosen.connect(self.place.close_overlay)
        self.sidebar.commandChosen.connect(self.place.close_overlay)

    def _bind_own_commands(self, commands: CommandRegistry) -> None:
        super()._bind_own_commands(commands)
        commands.bind("go.filter", self.focus_search)
        commands.bind("view.sidebar", self._toggle_sidebar)
        commands.describe(
            "view.sidebar", title=lambda: tr("Hide the sidebar") if self.place.is_shown else tr("Show the sidebar")
        )
        commands.bind("view.sidebar_wider", lambda: self.place.widen(_SIDEBAR_STEP_PX))
        commands.bind("view.sidebar_narrower", lambda: self.place.widen(-_SIDEBAR_STEP_PX))

    def _toggle_sidebar(self) -> None:
        self.place.toggle()
        announce(self, tr("The sidebar is shown") if self.place.is_shown else tr("The sidebar is hidden"))

    # Reactions

    def _place_inspectors(self) -> None:
        panes, room_px = self.panes(), self.width()
        if len(panes) < 2:
            taken_px = self.pane.place_inspector(room_px, least_px=SIDEBAR_OVERLAY_BELOW_PX)
            is_switched = False
        else:
            is_switched = self.chats.needs_switch(room_px)
            for pane in panes:
                pane.place_inspector(room_px if is_switched else pane.width())
            taken_px = 0 if is_switched else round(_BESIDE_PX * max(1.0, self.theme.scale))
        self.place.make_room(taken_px)
        self.chats.arrange(self.active_pane, is_switched=is_switched)

    def _on_thread_list_written(self, text: str) -> None:
        self.active_pane.write_in_composer(text)

    def _on_place_changed(self) -> None:
        self.pane.header.set_sidebar_collapsed(not self.place.is_shown)
        if self.place.is_overlay or self.place.is_shown:
            self._order.set_later()
        if self.place.is_overlay and self.place.is_shown:
            self.sidebar.thread_list.setFocus(Qt.FocusReason.OtherFocusReason)
        self.stateChanged.emit()

    def _on_header_menu_about_to_show(self) -> None:
        # The menu acts on the open thread; with the focus in the list its commands would act on the selected row.
        if self.sidebar.thread_list.has_keys:
            self.focus_composer()
