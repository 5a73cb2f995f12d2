"""Defines a window with one or two chats, the base of every window of ChatDesk, and the window with one chat alone."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import QCoreApplication, QEvent, QRect, QSize, Qt, Signal
from PySide6.QtGui import QCloseEvent, QGuiApplication, QKeyEvent, QKeySequence, QMoveEvent, QResizeEvent, QShowEvent
from PySide6.QtWidgets import QApplication, QMainWindow, QWidget

from chatdesk.core.hidden_characters import clean_line
from chatdesk.core.texts import tr
from chatdesk.ui.commands.catalogue import THREAD_MENU
from chatdesk.ui.commands.registry import CommandRegistry
from chatdesk.ui.dialogs.notice import AboutDialog, NoticeDialog
from chatdesk.ui.qt.unread_guard import LastAction
from chatdesk.ui.theme.compositing import round_corners
from chatdesk.ui.theme.theme import Theme
from chatdesk.ui.widgets.danger_menu import DangerMenu
from chatdesk.ui.widgets.header.thread_header import ThreadHeader
from chatdesk.ui.widgets.stray_keys import LoneAlt, begins_writing, press_focused
from chatdesk.ui.window.chat_pane import ChatPane, PaneOrder, focusable
from chatdesk.ui.window.window_state import SavedWindow, WindowState

_WIDTH_PX, _HEIGHT_PX = 760, 760
_OFFSET_PX = 36  # from the window that it was opened in


class ChatWindow(QMainWindow):
    """The base of all windows with chats. ``closing`` comes once, when the window goes away; ``seen`` when it appears,
    also after it was minimised; ``stateChanged`` whenever ``state()`` would differ. Messages to the person appear in
    the active pane."""

    closing = Signal()
    seen = Signal()
    stateChanged = Signal()

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.theme = theme
        self.commands: CommandRegistry | None = None
        self._alt = LoneAlt(self)
        self._is_handing_over = False
        self._last_action = LastAction(self)
        # Returns whether the window may close now. A callback that returns false closes it later, or asks.
        self.may_close: Callable[[], bool] | None = None
        # Whether closing the window only hides it, as where it goes on in the tray.
        self.hides_on_close: Callable[[], bool] | None = None
        self.setWindowTitle("ChatDesk")
        self.setMinimumSize(MIN_SIZE)
        self.resize(DEFAULT_SIZE)
        theme.changed.connect(self._place_inspectors)
        self._alt.released.connect(self.toggle_menu_bar)

    def _set_first_pane(self, pane: ChatPane) -> None:
        """Set the first pane, which is the active one."""
        self.pane = self.active_pane = pane
        self._order = PaneOrder(self._parts)
        pane.partsChanged.connect(self._on_pane_parts_changed)

    def panes(self) -> Sequence[ChatPane]:
        """Return the panes from left to right."""
        return (self.pane,)

    def _parts(self) -> Sequence[QWidget]:
        """Return the widgets that can have the focus, in the order of Tab."""
        return tuple(part for pane in self.panes() for part in pane.parts())

    @property
    def is_seen(self) -> bool:
        """Return whether a person can see the window: it is neither hidden nor minimised."""
        return self.isVisible() and not self.isMinimized()

    # Updates from the controller

    def show_title(self, title: str) -> None:
        """Show the title of the active chat's thread as that of the window."""
        words = clean_line(title)[:_LONGEST_TITLE]
        self.setWindowTitle(tr("{title} – ChatDesk", title=words) if words else "ChatDesk")

    def show_toast(self, text: str, action_text: str | None = None, run: Callable[[], object] | None = None) -> None:
        """Show a short message with at most one button; it replaces the one before."""
        self.active_pane.show_toast(text, action_text, run)

    def show_failure(self, text: str) -> None:
        """Show why an action failed."""
        self.active_pane.toasts.show_failure(text)

    def show_banner(
        self, text: str, *, is_danger: bool, action_text: str | None = None, run: Callable[[], object] | None = None
    ) -> None:
        self.pane.show_banner(text, is_danger=is_danger, action_text=action_text, run=run)

    def hide_banner(self) -> None:
        self.pane.banner.setVisible(False)

    @property
    def may_interrupt(self) -> bool:
        """Return whether a dialog may open by itself: the person pressed something just now and is not typing."""
        return self._last_action.may_interrupt

    @property
    def has_just_acted(self) -> bool:
        """Return whether the person pressed something just now."""
        return self._last_action.is_recent

    def show_notice(self, title: str, text: str, *, file: Path | None = None) -> None:
        NoticeDialog(self.theme, title, text, file=file, parent=self).open()

    def set_commands(self, commands: CommandRegistry) -> None:
        """Set the commands once everything else is bound: this adds what only the window can do (its own panes,
        palette, help), and makes the header's menu and, where the system has one, the menu bar."""
        self.commands = commands
        self._bind_own_commands(commands)
        self.add_menu(self.pane.header)
        if sys.platform == "darwin":
            commands.fill_menu_bar(self.menuBar())

    def add_menu(self, header: ThreadHeader) -> None:
        """Give a header its menu about the open thread."""
        assert self.commands is not None
        menu = DangerMenu(self.theme.colour, header)
        menu.setObjectName("threadMenu")
        round_corners(menu, self.theme.tokens.radius.row)
        # Before the commands are asked whether they make sense, because it moves the focus.
        menu.aboutToShow.connect(self._on_header_menu_about_to_show)
        header.set_menu(self.commands.fill_menu(menu, THREAD_MENU))
        by_id = {each.id: each for each in self.commands.commands()}
        for action in menu.actions():
            if (command := by_id.get(action.objectName())) is not None and command.is_danger:
                menu.mark_danger(action)
        menu.aboutToShow.connect(lambda: self._show_icons(menu))
        menu.aboutToHide.connect(menu.remove_icons)

    def _show_icons(self, menu: DangerMenu) -> None:
        """Give the rows of a menu their icons while it is open: the same actions are in the menu bar, without."""
        assert self.commands is not None
        by_id = {each.id: each for each in self.commands.commands()}
        for action in menu.actions():
            command = by_id.get(action.objectName())
            if command is not None and command.icon:
                menu.set_icon(action, command.icon)
        menu.make_room()

    # Focus

    def come_to_front(self) -> None:
        """Show the window above the others, also when it was minimised or hidden."""
        self.setWindowState(self.windowState() & ~self.windowState().WindowMinimized)
        self.show()
        self.raise_()
        self.activateWindow()

    def focus_composer(self) -> None:
        self.active_pane.focus_composer()

    def move_between_panes(self, step: int) -> None:
        """Focus the next part of the window that can take the focus (F6), and after the last one the first."""
        part = self._order.pane_beside(self.focusWidget(), step)
        composers = {pane.composer: pane for pane in self.panes()}
        if part in composers:
            composers[part].focus_composer()
        elif part is not None:
            self._focus_part(part)

    def _focus_part(self, part: QWidget) -> None:
        """Give the focus to the first widget of a part that takes it."""
        next(focusable(part)).setFocus(Qt.FocusReason.ShortcutFocusReason)

    def toggle_menu_bar(self) -> None:
        """Show or hide the menu bar, which is hidden until F10 or Alt asks for it; on macOS the system shows it."""
        bar = self.menuBar()
        if bar.isNativeMenuBar() or self.commands is None:
            return
        if not bar.actions():
            bar.setAccessibleName(tr("Menu bar"))
            self.commands.fill_menu_bar(bar)
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

    def focusNextPrevChild(self, is_next: bool) -> bool:
        self._order.set_now()
        return super().focusNextPrevChild(is_next)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        if self.is_seen:
            self.seen.emit()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._place_inspectors()
        self.stateChanged.emit()

    def moveEvent(self, event: QMoveEvent) -> None:
        super().moveEvent(event)
        self.stateChanged.emit()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.WindowStateChange:
            self.stateChanged.emit()
            if self.is_seen:
                self.seen.emit()

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

    # Inside

    def _place_inspectors(self) -> None:
        """Give the inspectors their place in the room that there is now."""
        self.pane.place_inspector(self.width())

    def _go_to_composer(self) -> None:
        self.active_pane.uncover_composer()
        self.focus_composer()

    def _hand_to_composer(self, event: QKeyEvent) -> None:
        if not self._is_handing_over and self.active_pane.focus_writable_field():
            self._is_handing_over = True  # a key that the field ignores comes back here
            QCoreApplication.sendEvent(self.active_pane.composer_field(), event)
            self._is_handing_over = False

    def _bind_own_commands(self, commands: CommandRegistry) -> None:
        commands.bind("go.composer", self._go_to_composer)
        commands.bind("go.next_pane", lambda: self.move_between_panes(1))
        commands.bind("go.previous_pane", lambda: self.move_between_panes(-1))
        commands.bind("view.menu_bar", self.toggle_menu_bar)
        commands.describe(
            "view.menu_bar",
            title=lambda: tr("Show the menu bar") if self.menuBar().isHidden() else tr("Hide the menu bar"),
        )
        commands.bind("app.about", self._open_about)

    def _open_about(self) -> None:
        AboutDialog(self.theme, parent=self).open()

    def _on_header_menu_about_to_show(self) -> None:
        """Do nothing: the menu of the header needs no preparation in every kind of window."""

    def _on_pane_parts_changed(self) -> None:
        self._order.set_later()
        self._place_inspectors()


# The size and place of the window on the screens, from one start to the next.

MIN_SIZE = QSize(420, 360)
DEFAULT_SIZE = QSize(1280, 820)
_LONGEST_TITLE = 80
_SUPPOSED_SCREEN = QRect(0, 0, 1920, 1080)


def place_window(window: QWidget, state: WindowState | SavedWindow) -> None:
    """Give the window its remembered size and place, as far as a screen shows them."""
    size = QSize(state.width, state.height).expandedTo(MIN_SIZE)
    area = _area_for(window, state, size)
    window.resize(size.boundedTo(area.size()).expandedTo(MIN_SIZE))
    if state.x is not None and state.y is not None:
        right, bottom = area.right() - window.width() + 1, area.bottom() - window.height() + 1
        window.move(max(area.left(), min(state.x, right)), max(area.top(), min(state.y, bottom)))


def placed_as(window: QWidget) -> WindowState:
    """Return the size and place that the window has when it is not maximised; the other fields have their defaults."""
    is_maximised = window.isMaximized() or window.isFullScreen()
    normal = window.normalGeometry() if is_maximised else QRect(window.pos(), window.size())
    if not normal.isValid():
        normal = QRect(window.pos(), DEFAULT_SIZE)
    return WindowState(
        x=normal.x(), y=normal.y(), width=normal.width(), height=normal.height(), is_maximised=is_maximised
    )


def _area_for(window: QWidget, state: WindowState | SavedWindow, size: QSize) -> QRect:
    """Return the usable part of the screen that shows most of the remembered rectangle, else of the window's screen."""
    wanted = QRect(state.x or 0, state.y or 0, size.width(), size.height())

    def overlap(area: QRect) -> int:
        common = area.intersected(wanted)
        return common.width() * common.height() if common.isValid() else 0

    areas = [screen.availableGeometry() for screen in QGuiApplication.screens()]
    best = max(areas, key=overlap, default=_SUPPOSED_SCREEN)
    return best if overlap(best) else window.screen().availableGeometry()


class ThreadWindow(ChatWindow):
    """One of the windows beside the main one."""

    def __init__(self, theme: Theme, header: ThreadHeader, empty_state: QWidget, composer: QWidget) -> None:
        super().__init__(theme)
        self.setObjectName("threadWindow")
        pane = ChatPane(theme, header, empty_state, composer, self)
        pane.is_marked_in_list = False
        self.setCentralWidget(pane)
        self._set_first_pane(pane)

    def appear(self, *, takes_keys: bool) -> None:
        """Show the window for the first time, in front and with the keys, or so that they stay where they are."""
        self.setAttribute(Qt.WidgetAttribute.WA_ShowWithoutActivating, not takes_keys)
        has_keys = QApplication.activeWindow()
        self.show()
        if takes_keys:
            self.come_to_front()
            self.focus_composer()
        elif has_keys is not None:
            has_keys.activateWindow()  # not every desktop leaves the keys where they were

    def restore(self, saved: SavedWindow | None, beside: QWidget) -> None:
        """Restore size and place; a window that is new is a little away from ``beside``."""
        if saved is not None and saved.width and saved.height:
            place_window(self, saved)
            if saved.is_maximised:
                self.setWindowState(self.windowState() | Qt.WindowState.WindowMaximized)
            return
        place = beside.pos()
        new = SavedWindow(None, place.x() + _OFFSET_PX, place.y() + _OFFSET_PX, _WIDTH_PX, _HEIGHT_PX)
        place_window(self, new)

    def state(self) -> SavedWindow:
        """Return size and place as they are now, without a thread."""
        now = placed_as(self)
        return replace(
            SavedWindow(), x=now.x, y=now.y, width=now.width, height=now.height, is_maximised=now.is_maximised
        )
