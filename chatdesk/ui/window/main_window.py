"""The window: places the panes and knows nothing of what they show."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QCoreApplication, QEvent, Qt, Signal
from PySide6.QtGui import QCloseEvent, QKeyEvent, QKeySequence, QMoveEvent, QResizeEvent, QShowEvent
from PySide6.QtWidgets import QHBoxLayout, QMainWindow, QMenu, QSplitter, QWidget

from chatdesk.ui.commands.catalogue import THREAD_MENU
from chatdesk.ui.commands.registry import CommandRegistry
from chatdesk.ui.sidebar.sidebar import Sidebar
from chatdesk.ui.sidebar.sidebar_place import SidebarPlace
from chatdesk.ui.theme.compositing import round_corners
from chatdesk.ui.theme.theme import Theme
from chatdesk.ui.theme.tokens import (
    INSPECTOR_WIDTH_PX,
    SIDEBAR_OVERLAY_BELOW_PX,
    THREAD_LEAST_PX,
)
from chatdesk.ui.widgets.banner import Banner
from chatdesk.ui.widgets.header.thread_header import ThreadHeader
from chatdesk.ui.widgets.last_action import LastAction
from chatdesk.ui.widgets.stray_keys import LoneAlt, begins_writing, press_focused
from chatdesk.ui.window.pane_order import PaneOrder, focusable
from chatdesk.ui.window.thread_area import ThreadArea
from chatdesk.ui.window.window_place import DEFAULT_SIZE, MIN_SIZE, place_window, placed_as
from chatdesk.ui.window.window_state import WindowState

if TYPE_CHECKING:
    from chatdesk.ui.inspector.inspector import Inspector

_SIDEBAR_STEP_PX = 24


class MainWindow(QMainWindow):
    """``closing`` comes once, when the window goes away; ``stateChanged`` whenever ``state()`` would differ."""

    closing = Signal()
    stateChanged = Signal()

    def __init__(
        self,
        theme: Theme,
        sidebar: Sidebar,
        header: ThreadHeader,
        empty_state: QWidget,
        composer: QWidget,
    ) -> None:
        super().__init__()
        self.theme = theme
        self.sidebar = sidebar
        self.header = header
        self.transcript: QWidget | None = None
        self.empty_state = empty_state
        self.composer = composer
        self._commands: CommandRegistry | None = None
        self._inspector: Inspector | None = None
        self._alt = LoneAlt(self)
        self._is_handing_over = False
        self._pane_order = PaneOrder(sidebar, self._panes)
        self.note: Banner | None = None
        self._run_note: Callable[[], object] | None = None
        self._last_action = LastAction(self)
        #: Whether the window may go now; who says no closes it later, or asks.
        self.may_close: Callable[[], bool] | None = None
        #: Whether closing the window only hides it, as where it goes on in the tray.
        self.hides_on_close: Callable[[], bool] | None = None
        self.setObjectName("mainWindow")
        self.setWindowTitle("ChatDesk")
        self.setMinimumSize(MIN_SIZE)
        self.resize(DEFAULT_SIZE)
        self._lay_out()
        self.place = SidebarPlace(self._body, self._splitter, sidebar, theme)
        self._connect()
        self._on_place_changed()

    # What the controller says

    def set_transcript(self, transcript: QWidget) -> None:
        """Set the transcript, once; until then the empty state stands in its place."""
        self.transcript = transcript
        self._thread_area.add_pane(transcript)
        self._pane_order.set_later()

    def show_transcript(self, is_transcript: bool) -> None:
        """Show the transcript, or the empty state in its place."""
        self._thread_area.show_pane(self.transcript if is_transcript and self.transcript else self.empty_state)

    def show_pane(self, pane: QWidget) -> None:
        """Show another view in the transcript's place, until ``show_transcript``."""
        if self._thread_area.show_pane(pane):
            self._pane_order.set_later()

    def show_inspector(self, inspector: Inspector) -> None:
        """Show the inspector at the right of the thread, or in the thread's place when the window is narrow."""
        if self._inspector is None:
            self._inspector = inspector
            self._columns.addWidget(inspector)
            self._pane_order.set_later()
        inspector.setVisible(True)
        self._place_inspector()

    def hide_inspector(self) -> None:
        if self._inspector is not None:
            self._inspector.setVisible(False)
            self._place_inspector()

    def show_toast(self, text: str, action_text: str | None = None, run: Callable[[], object] | None = None) -> None:
        """Show a short message with at most one button; it replaces the one before."""
        self._thread_area.show_toast(text, action_text, run)

    def show_banner(
        self, text: str, *, is_danger: bool, action_text: str | None = None, run: Callable[[], object] | None = None
    ) -> None:
        self._thread_area.show_banner(text, is_danger=is_danger, action_text=action_text, run=run)

    def hide_banner(self) -> None:
        self.banner.setVisible(False)

    def show_note(self, text: str, on_closed: Callable[[], object]) -> None:
        """Show a notice about the open thread above it, until it is closed or another thread is shown."""
        if self.note is None:
            self.note = Banner(self.theme)
            self.note.setObjectName("threadNote")
            self.note.closed.connect(self._on_note_closed)
            self.put_beside_thread(self.note)
        self._run_note = on_closed
        if not self.note.isVisible() or self.note.text != text:
            self.note.show_message(text, kind="info")

    def put_beside_thread(self, bar: QWidget, *, is_below: bool = False) -> None:
        """Give ``bar`` a place above or below the messages; it shows and hides itself."""
        self._thread_area.put_beside(bar, is_below=is_below)
        self._pane_order.set_later()

    def hide_note(self) -> None:
        if self.note is not None:
            self.note.setVisible(False)

    @property
    def may_interrupt(self) -> bool:
        """Return whether a dialog may open by itself: the person pressed something just now and is not typing."""
        return self._last_action.may_interrupt

    @property
    def has_just_acted(self) -> bool:
        """Return whether the person pressed something just now."""
        return self._last_action.is_recent

    def show_notice(self, title: str, text: str, *, file: Path | None = None) -> None:
        from chatdesk.ui.dialogs.notice import NoticeDialog

        NoticeDialog(self.theme, title, text, file=file, parent=self).open()

    def set_commands(self, commands: CommandRegistry) -> None:
        """Set the commands once everything else is bound: this adds what only the window can do (its own panes,
        palette, help), and makes the header's menu and, where the system has one, the menu bar."""
        self._commands = commands
        self._bind_own_commands(commands)
        menu = QMenu(self)
        menu.setObjectName("threadMenu")
        round_corners(menu, self.theme.tokens.radius.row)
        # Before the commands are asked whether they make sense, because it moves the focus.
        menu.aboutToShow.connect(self._on_header_menu_about_to_show)
        self.header.set_menu(commands.fill_menu(menu, THREAD_MENU))
        if sys.platform == "darwin":
            commands.fill_menu_bar(self.menuBar())

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

    def come_to_front(self) -> None:
        """Show the window above the others, also when it was minimised or hidden."""
        self.setWindowState(self.windowState() & ~self.windowState().WindowMinimized)
        self.show()
        self.raise_()
        self.activateWindow()

    def focus_composer(self) -> None:
        self._composer_field().setFocus(Qt.FocusReason.ShortcutFocusReason)

    def write_in_composer(self, text: str) -> None:
        """Type ``text`` there for somebody who began elsewhere."""
        if self._focus_writable_field():
            for letter in text:
                QCoreApplication.sendEvent(self._composer_field(), _key_press(letter))

    def _hand_to_composer(self, event: QKeyEvent) -> None:
        if not self._is_handing_over and self._focus_writable_field():
            self._is_handing_over = True  # what the field does not want comes back here
            QCoreApplication.sendEvent(self._composer_field(), event)
            self._is_handing_over = False

    def _focus_writable_field(self) -> bool:
        """Move the focus to the composer's field, where it can be written in. Return whether that is so."""
        field = self._composer_field()
        if not field.isEnabled() or field.property("readOnly"):
            return False
        field.setFocus(Qt.FocusReason.OtherFocusReason)
        return True

    def _composer_field(self) -> QWidget:
        return self.composer.findChild(QWidget, "composer") or next(focusable(self.composer), self.composer)

    def focus_search(self) -> None:
        self.place.reveal()
        self.sidebar.focus_search()

    def move_between_panes(self, step: int) -> None:
        """F6: to the next part of the window that can take the focus, around the end."""
        pane = self._pane_order.pane_beside(self.focusWidget(), step)
        if pane is self.composer:
            self.focus_composer()
        elif pane is self.sidebar:
            self.sidebar.thread_list.setFocus(Qt.FocusReason.ShortcutFocusReason)
        elif pane is not None:
            next(focusable(pane)).setFocus(Qt.FocusReason.ShortcutFocusReason)

    def toggle_menu_bar(self) -> None:
        """Show or hide the menu bar, which is hidden until F10 or Alt asks for it; on macOS the system shows it."""
        bar = self.menuBar()
        if bar.isNativeMenuBar() or self._commands is None:
            return
        if not bar.actions():
            bar.setAccessibleName("Menu bar")
            self._commands.fill_menu_bar(bar)
            bar.setVisible(False)
        is_wanted = bar.isHidden()
        bar.setVisible(is_wanted)
        if is_wanted:
            bar.setFocus(Qt.FocusReason.MenuBarFocusReason)
            bar.setActiveAction(bar.actions()[0])

    # Qt's questions

    def closeEvent(self, event: QCloseEvent) -> None:
        if self.hides_on_close is not None and self.hides_on_close():
            event.ignore()
            self.hide()
            return
        if self.may_close is not None and not self.may_close():
            event.ignore()
            return
        event.accept()
        self.closing.emit()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.place.settle()

    def focusNextPrevChild(self, is_next: bool) -> bool:
        self._pane_order.set_now()
        return super().focusNextPrevChild(is_next)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._place_inspector()
        self.stateChanged.emit()

    def moveEvent(self, event: QMoveEvent) -> None:
        super().moveEvent(event)
        self.stateChanged.emit()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.WindowStateChange:
            self.stateChanged.emit()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Handle keys that no widget wanted. Letters and *Paste* go to the composer, wherever the focus was."""
        if event.key() == Qt.Key.Key_Alt:
            self._alt.watch()
        if press_focused(self, event):
            return
        if begins_writing(event) or event.matches(QKeySequence.StandardKey.Paste):
            self._hand_to_composer(event)
        else:
            super().keyPressEvent(event)

    # Building

    def _lay_out(self) -> None:
        # From the outside in: a widget that gets another parent is dressed anew, with all that it holds.
        self._body = QWidget(self)
        self._body.setObjectName("body")
        self.setCentralWidget(self._body)
        self._columns = QHBoxLayout(self._body)
        self._columns.setContentsMargins(0, 0, 0, 0)
        self._columns.setSpacing(0)
        self._splitter = QSplitter(Qt.Orientation.Horizontal, self._body)
        self._splitter.setObjectName("splitter")
        self._splitter.setHandleWidth(1)
        self._splitter.setChildrenCollapsible(False)
        self._columns.addWidget(self._splitter, 1)
        self._thread_area = ThreadArea(self.theme, self.header, self.empty_state, self.composer, self._splitter)
        self.banner, self.toast = self._thread_area.banner, self._thread_area.toast

    def _connect(self) -> None:
        self.theme.changed.connect(self._place_inspector)
        self._alt.released.connect(self.toggle_menu_bar)
        self.sidebar.thread_list.written.connect(self.write_in_composer)
        self.header.sidebarRequested.connect(self.place.toggle)
        self.place.changed.connect(self._on_place_changed)
        self.place.overlayClosed.connect(self.focus_composer)
        self.sidebar.threadChosen.connect(self.place.close_overlay)
        self.sidebar.newThreadRequested.connect(self.place.close_overlay)

    def _bind_own_commands(self, commands: CommandRegistry) -> None:
        commands.bind("go.filter", self.focus_search)
        commands.bind("go.composer", self.focus_composer)
        commands.bind("go.next_pane", lambda: self.move_between_panes(1))
        commands.bind("go.previous_pane", lambda: self.move_between_panes(-1))
        commands.bind("view.sidebar", self.place.toggle)
        commands.describe(
            "view.sidebar", title=lambda: "Hide the sidebar" if self.place.is_shown else "Show the sidebar"
        )
        commands.bind("view.sidebar_wider", lambda: self.place.widen(_SIDEBAR_STEP_PX))
        commands.bind("view.sidebar_narrower", lambda: self.place.widen(-_SIDEBAR_STEP_PX))
        commands.bind("view.menu_bar", self.toggle_menu_bar)
        commands.describe(
            "view.menu_bar", title=lambda: "Show the menu bar" if self.menuBar().isHidden() else "Hide the menu bar"
        )
        commands.bind("app.shortcuts", lambda: self._open_shortcuts(commands))
        commands.bind("app.about", self._open_about)

    def _open_shortcuts(self, commands: CommandRegistry) -> None:
        from chatdesk.ui.dialogs.shortcuts import ShortcutsDialog

        ShortcutsDialog(self.theme, commands, parent=self).open()

    def _open_about(self) -> None:
        from chatdesk.ui.dialogs.notice import AboutDialog

        AboutDialog(self.theme, parent=self).open()

    def _panes(self) -> tuple[QWidget, ...]:
        panes = (self.sidebar, *self._thread_area.panes())
        return panes if self._inspector is None else (*panes, self._inspector)

    # Reactions

    def _on_place_changed(self) -> None:
        self.header.set_sidebar_collapsed(not self.place.is_shown)
        if self.place.is_overlay or self.place.is_shown:
            self._pane_order.set_later()
        if self.place.is_overlay and self.place.is_shown:
            self.sidebar.thread_list.setFocus(Qt.FocusReason.OtherFocusReason)
        self.stateChanged.emit()

    def _on_note_closed(self) -> None:
        self.focus_composer()
        if self._run_note is not None:
            self._run_note()

    def _on_header_menu_about_to_show(self) -> None:
        # It is about the open thread; where the keys are in the list, the commands would be about that row.
        if self.sidebar.thread_list.has_keys:
            self.focus_composer()

    def _place_inspector(self) -> None:
        if self._inspector is None:
            return
        is_shown = not self._inspector.isHidden()
        both_px = (INSPECTOR_WIDTH_PX + THREAD_LEAST_PX) * max(1.0, self.theme.scale)
        is_alone = is_shown and self.width() < max(SIDEBAR_OVERLAY_BELOW_PX, both_px)
        self._inspector.set_filling(is_alone, window_px=self.width())
        self._splitter.setVisible(not is_alone)
        self.place.make_room(self._inspector.minimumWidth() if is_shown and not is_alone else 0)


def _key_press(letter: str) -> QKeyEvent:
    return QKeyEvent(QEvent.Type.KeyPress, 0, Qt.KeyboardModifier.NoModifier, letter)
