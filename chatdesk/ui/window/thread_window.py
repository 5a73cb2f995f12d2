"""A window with one chat and nothing else: no list of threads."""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QWidget

from chatdesk.ui.theme.theme import Theme
from chatdesk.ui.widgets.header.thread_header import ThreadHeader
from chatdesk.ui.window.chat_pane import ChatPane
from chatdesk.ui.window.chat_window import ChatWindow, place_window, placed_as
from chatdesk.ui.window.window_state import SavedWindow

_WIDTH_PX, _HEIGHT_PX = 760, 760
_OFFSET_PX = 36  # from the window that it was opened in


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
