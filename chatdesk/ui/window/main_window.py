"""The window: places the panes and knows nothing of what they show."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, cast

from PySide6.QtCore import QCoreApplication, QEvent, QObject, QRect, QSize, Qt, Signal
from PySide6.QtGui import QCloseEvent, QGuiApplication, QKeyEvent, QKeySequence, QMoveEvent, QResizeEvent, QShowEvent
from PySide6.QtWidgets import QHBoxLayout, QMainWindow, QMenu, QSplitter, QStackedWidget, QVBoxLayout, QWidget

from chatdesk.ui.commands.catalogue import THREAD_MENU
from chatdesk.ui.commands.registry import CommandRegistry
from chatdesk.ui.sidebar.sidebar import Sidebar
from chatdesk.ui.sidebar.sidebar_place import SidebarPlace
from chatdesk.ui.theme.compositing import round_corners
from chatdesk.ui.theme.theme import Theme
from chatdesk.ui.theme.tokens import (
    COMPOSER_WIDTH_PX,
    INSPECTOR_WIDTH_PX,
    SIDEBAR_OVERLAY_BELOW_PX,
    THREAD_LEAST_PX,
)
from chatdesk.ui.widgets.banner import Banner
from chatdesk.ui.widgets.focus_chain import next_in_chain
from chatdesk.ui.widgets.header.thread_header import ThreadHeader
from chatdesk.ui.widgets.last_action import LastAction
from chatdesk.ui.widgets.stray_keys import LoneAlt, begins_writing, press_focused
from chatdesk.ui.widgets.toast import Toast
from chatdesk.ui.window.window_state import WindowState

if TYPE_CHECKING:
    from chatdesk.ui.inspector.inspector import Inspector

MIN_SIZE = QSize(420, 360)
DEFAULT_SIZE = QSize(1280, 820)
_TOAST_GAP_PX = 12
_NO_LIMIT = 10_000
_COMPOSER_BOTTOM_PX = 14
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
        self._is_tab_order_due = False
        self._run_banner: Callable[[], object] | None = None
        self._run_toast: Callable[[], object] | None = None
        self.note: Banner | None = None
        self._run_note: Callable[[], object] | None = None
        self._bars: list[QWidget] = []
        self._last_action = LastAction(self)
        #: Whether the window may go now; who says no closes it later, or asks.
        self.may_close: Callable[[], bool] | None = None
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
        self._stack.addWidget(transcript)
        self._order_tabs_later()

    def show_transcript(self, is_transcript: bool) -> None:
        """Show the transcript, or the empty state in its place."""
        self._stack.setCurrentWidget(self.transcript if is_transcript and self.transcript else self.empty_state)

    def show_pane(self, pane: QWidget) -> None:
        """Show another view in the transcript's place, until ``show_transcript``."""
        if self._stack.indexOf(pane) < 0:
            self._stack.addWidget(pane)
            self._order_tabs_later()
        self._stack.setCurrentWidget(pane)

    def show_inspector(self, inspector: Inspector) -> None:
        """Show the inspector at the right of the thread, or in the thread's place when the window is narrow."""
        if self._inspector is None:
            self._inspector = inspector
            self._columns.addWidget(inspector)
            self._order_tabs_later()
        inspector.setVisible(True)
        self._place_inspector()

    def hide_inspector(self) -> None:
        if self._inspector is not None:
            self._inspector.setVisible(False)
            self._place_inspector()

    def show_toast(self, text: str, action_text: str | None = None, run: Callable[[], object] | None = None) -> None:
        """Show a short message with at most one button; it replaces the one before."""
        self._run_toast = run
        self._place_toast()
        self.toast.show_message(text, action_text=action_text)

    def show_banner(
        self, text: str, *, is_danger: bool, action_text: str | None = None, run: Callable[[], object] | None = None
    ) -> None:
        self._run_banner = run
        kind = "danger" if is_danger else "warning"
        self.banner.show_message(text, kind=kind, action_text=action_text, is_closable=True)  # type: ignore[arg-type]

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
        rows = cast(QVBoxLayout, self._thread_area.layout())
        row = _centred(bar, self._thread_area, top_px=0 if is_below else 8, bottom_px=8 if is_below else 0)
        rows.insertWidget(rows.indexOf(self._stack) + is_below, row)
        self._bars.append(bar)
        self._order_tabs_later()

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
        """Size, place and sidebar; a place that no screen shows any more is given up."""
        size = QSize(state.width, state.height).expandedTo(MIN_SIZE)
        area = self._area_for(state, size)
        self.resize(size.boundedTo(area.size()).expandedTo(MIN_SIZE))
        if state.x is not None and state.y is not None:
            right, bottom = area.right() - self.width() + 1, area.bottom() - self.height() + 1
            self.move(max(area.left(), min(state.x, right)), max(area.top(), min(state.y, bottom)))
        self.place.restore(state.sidebar_width, is_collapsed=state.is_sidebar_collapsed)
        if state.is_maximised:
            self.setWindowState(self.windowState() | Qt.WindowState.WindowMaximized)

    def state(self) -> WindowState:
        """Return the window's own fields as they are now; the others have their defaults."""
        is_maximised = self.isMaximized() or self.isFullScreen()
        normal = self.normalGeometry() if is_maximised else QRect(self.pos(), self.size())
        if not normal.isValid():
            normal = QRect(self.pos(), DEFAULT_SIZE)
        return WindowState(
            x=normal.x(),
            y=normal.y(),
            width=normal.width(),
            height=normal.height(),
            is_maximised=is_maximised,
            sidebar_width=self.place.width,
            is_sidebar_collapsed=self.place.is_collapsed,
        )

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
        field = self._composer_field()
        if field.isEnabled() and not field.property("readOnly"):
            field.setFocus(Qt.FocusReason.OtherFocusReason)
            for letter in text:
                QCoreApplication.sendEvent(field, _key_press(letter))

    def _hand_to_composer(self, event: QKeyEvent) -> None:
        field = self._composer_field()
        if field.isEnabled() and not field.property("readOnly") and not self._is_handing_over:
            field.setFocus(Qt.FocusReason.OtherFocusReason)
            self._is_handing_over = True  # what the field does not want comes back here
            QCoreApplication.sendEvent(field, event)
            self._is_handing_over = False

    def _composer_field(self) -> QWidget:
        return self.composer.findChild(QWidget, "composer") or next(_focusable(self.composer), self.composer)

    def focus_search(self) -> None:
        self.place.reveal()
        self.sidebar.focus_search()

    def move_between_panes(self, step: int) -> None:
        """F6: to the next part of the window that can take the focus, around the end."""
        self._order_tabs()
        panes = [pane for pane in self._panes() if pane.isVisible() and next(_focusable(pane), None) is not None]
        focus = self.focusWidget()
        here = next((i for i, pane in enumerate(panes) if focus is pane or pane.isAncestorOf(focus)), None)
        if not panes:
            return
        there = (here + step) % len(panes) if here is not None else (0 if step > 0 else len(panes) - 1)
        pane = panes[there]
        if pane is self.composer:
            self.focus_composer()
        elif pane is self.sidebar:
            self.sidebar.thread_list.setFocus(Qt.FocusReason.ShortcutFocusReason)
        else:
            next(_focusable(pane)).setFocus(Qt.FocusReason.ShortcutFocusReason)

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
        if self.may_close is not None and not self.may_close():
            event.ignore()
            return
        event.accept()
        self.closing.emit()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.place.settle()

    def focusNextPrevChild(self, is_next: bool) -> bool:
        self._order_tabs()
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

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if watched is self._composer_row and event.type() == QEvent.Type.Resize:
            self._place_toast()
        return super().eventFilter(watched, event)

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
        area = self._thread_area = QWidget(self._splitter)  # which gives its children their places
        area.setObjectName("threadArea")
        rows = QVBoxLayout(area)
        rows.setContentsMargins(0, 0, 0, 0)
        rows.setSpacing(0)
        self.banner = Banner(self.theme, area)
        self._banner_row = _centred(self.banner, area, top_px=8, bottom_px=0)
        self._stack = QStackedWidget(area)
        self._composer_row = _centred(self.composer, area, top_px=0, bottom_px=_COMPOSER_BOTTOM_PX)
        rows.addWidget(self.header)
        rows.addWidget(self._banner_row)
        rows.addWidget(self._stack, 1)
        rows.addWidget(self._composer_row)
        self._stack.addWidget(self.empty_state)
        self.toast = Toast(self.theme, area)
        self._composer_row.installEventFilter(self)

    def _connect(self) -> None:
        self.theme.changed.connect(self._place_inspector)
        self._alt.released.connect(self.toggle_menu_bar)
        self.sidebar.thread_list.written.connect(self.write_in_composer)
        self.banner.actionTriggered.connect(self._on_banner_action_triggered)
        self.toast.actionTriggered.connect(self._on_toast_action_triggered)
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

    def _order_tabs_later(self) -> None:
        """Have the Tab order set at the first Tab or F6: PySide builds all its classes of widgets for it (7 ms)."""
        self._is_tab_order_due = True

    def _order_tabs(self) -> None:
        """Set the Tab order to sidebar, header, thread, composer: from a pane's last widget to the next one's first."""
        if not self._is_tab_order_due:
            return
        self._is_tab_order_due = False
        chain = list(self.sidebar.focus_panes())
        for pane in self._panes()[1:]:
            chain.extend(widget for widget in _focusable(pane, hidden_too=True) if widget not in chain)
        for before, after in pairwise(chain):
            QWidget.setTabOrder(before, after)

    def _panes(self) -> tuple[QWidget, ...]:
        panes = (self.sidebar, self.header, self.banner, *self._bars, self._stack, self.toast, self.composer)
        return panes if self._inspector is None else (*panes, self._inspector)

    # Reactions

    def _on_place_changed(self) -> None:
        self.header.set_sidebar_collapsed(not self.place.is_shown)
        if self.place.is_overlay or self.place.is_shown:
            self._order_tabs_later()
        if self.place.is_overlay and self.place.is_shown:
            self.sidebar.thread_list.setFocus(Qt.FocusReason.OtherFocusReason)
        self.stateChanged.emit()

    def _on_banner_action_triggered(self) -> None:
        self.hide_banner()
        if self._run_banner is not None:
            self._run_banner()

    def _on_note_closed(self) -> None:
        self.focus_composer()
        if self._run_note is not None:
            self._run_note()

    def _on_toast_action_triggered(self) -> None:
        run, self._run_toast = self._run_toast, None
        if run is not None:
            run()

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
        self._inspector.set_filling(is_alone)
        self._splitter.setVisible(not is_alone)
        self.place.make_room(self._inspector.minimumWidth() if is_shown and not is_alone else 0)

    def _place_toast(self) -> None:
        self.toast.set_bottom(self._composer_row.height() + _TOAST_GAP_PX)

    def _area_for(self, state: WindowState, size: QSize) -> QRect:
        """The usable part of the screen that shows most of the remembered rectangle, else of the first screen."""
        wanted = QRect(state.x or 0, state.y or 0, size.width(), size.height())

        def overlap(area: QRect) -> int:
            common = area.intersected(wanted)
            return common.width() * common.height() if common.isValid() else 0

        areas = [screen.availableGeometry() for screen in QGuiApplication.screens()]
        best = max(areas, key=overlap, default=QRect(0, 0, 1920, 1080))
        return best if overlap(best) else self.screen().availableGeometry()


def _centred(widget: QWidget, area: QWidget, *, top_px: int, bottom_px: int) -> QWidget:
    """A row that keeps ``widget`` in the middle, as wide as it may become: as the composer, unless it says."""
    if widget.maximumWidth() > _NO_LIMIT:
        widget.setMaximumWidth(COMPOSER_WIDTH_PX)
    row = QWidget(area)
    line = QHBoxLayout(row)
    line.setContentsMargins(12, top_px, 12, bottom_px)
    line.addStretch(1)
    line.addWidget(widget, 1000)
    line.addStretch(1)
    return row


def _key_press(letter: str) -> QKeyEvent:
    return QKeyEvent(QEvent.Type.KeyPress, 0, Qt.KeyboardModifier.NoModifier, letter)


def _focusable(pane: QWidget, *, hidden_too: bool = False) -> Iterator[QWidget]:
    """Yield the widgets that Tab reaches inside ``pane``, in order."""
    widget = pane
    for _ in range(2000):  # the chain is a ring; a widget taken out of it meanwhile must not make this endless
        is_inside = widget is pane or pane.isAncestorOf(widget)
        if is_inside and widget.focusPolicy() & Qt.FocusPolicy.TabFocus:
            is_usable = widget.isEnabled() and widget.isVisible()
            if hidden_too or is_usable:
                yield widget
        following = next_in_chain(widget)
        if following is None or following is pane:
            return
        widget = following
