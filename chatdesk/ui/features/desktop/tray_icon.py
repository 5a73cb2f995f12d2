"""Shows the icon in the desktop's tray, and its menu."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from PySide6.QtCore import QObject, QRectF, Qt, Signal
from PySide6.QtGui import QColor, QIcon, QPainter, QPixmap
from PySide6.QtWidgets import QMenu, QSystemTrayIcon, QWidget

from chatdesk.core.domain.thread import Thread
from chatdesk.core.texts import plural, shortened, shown, tr
from chatdesk.ui.theme.compositing import round_corners
from chatdesk.ui.theme.icons import paint_icon
from chatdesk.ui.theme.theme import Theme

_SIZES_PX = (16, 22, 24, 32, 48, 64)
_DOT_SHARE = 0.42  # of the icon's side
_LONGEST_TITLE = 50


def is_there_a_tray() -> bool:
    """Return whether the desktop has a tray."""
    return QSystemTrayIcon.isSystemTrayAvailable()


class TrayIcon(QObject):
    """An icon with a dot while answers are written or messages are unread."""

    openRequested = Signal()
    newThreadRequested = Signal()
    quickRequested = Signal()
    threadChosen = Signal(str)
    quitRequested = Signal()
    menuOpened = Signal()

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self._theme = theme
        self._state = (0, 0)
        self.menu = QMenu(parent)
        self.menu.setObjectName("trayMenu")
        round_corners(self.menu, theme.tokens.radius.row)
        self._icon = QSystemTrayIcon(self)
        self._icon.setContextMenu(self.menu)
        self._icon.activated.connect(self._on_icon_activated)
        self.menu.aboutToShow.connect(self.menuOpened)
        theme.changed.connect(self._paint)
        self.show_threads(())
        self.show_state(running=0, unread=0)

    def show(self) -> None:
        self._icon.show()

    def hide(self) -> None:
        self._icon.hide()

    @property
    def is_visible(self) -> bool:
        """Return whether there is an icon and still a tray to hold it: panels end, and Qt calls the icon visible."""
        return self._icon.isVisible() and is_there_a_tray()

    def show_message(self, text: str) -> None:
        """Show a short text beside the icon, where the desktop does that."""
        self._icon.showMessage("ChatDesk", text, self._icon.icon())

    def show_state(self, *, running: int, unread: int) -> None:
        """Show the number of answers that are being written and of unread messages."""
        self._state = (running, unread)
        found = (
            [shown(plural("{count} answers being written", "{count} answer being written", running))] if running else []
        )
        found += [shown(plural("{count} unread messages", "{count} unread message", unread))] if unread else []
        self._icon.setToolTip(" · ".join(["ChatDesk", *found]))
        self._paint()

    def show_threads(self, threads: Sequence[Thread]) -> None:
        """Fill the menu, with these threads in its middle."""
        self.menu.clear()
        self._add(tr("Open ChatDesk"), self.openRequested.emit)
        self._add(tr("New thread"), self.newThreadRequested.emit)
        self._add(tr("Quick question"), self.quickRequested.emit)
        if threads:
            self.menu.addSeparator()
        for thread in threads:
            title = shortened(shown(thread.name), _LONGEST_TITLE)
            self._add(title.replace("&", "&&"), partial(self.threadChosen.emit, thread.id))
        self.menu.addSeparator()
        self._add(tr("Quit ChatDesk"), self.quitRequested.emit)

    def _add(self, text: str, run: Callable[[], object]) -> None:
        self.menu.addAction(text).triggered.connect(lambda _checked=False: run())

    def _paint(self) -> None:
        icon = QIcon()
        for side_px in _SIZES_PX:
            icon.addPixmap(self._picture(side_px))
        self._icon.setIcon(icon)

    def _picture(self, side_px: int) -> QPixmap:
        picture = QPixmap(side_px, side_px)
        picture.fill(Qt.GlobalColor.transparent)
        painter = QPainter(picture)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        # Nobody says whether a tray is light or dark: the accent of the theme shows on both.
        accent = QColor(self._theme.tokens.accent)
        paint_icon(painter, QRectF(0, 0, side_px, side_px), "messages-square", accent)
        if any(self._state):
            dot_px = side_px * _DOT_SHARE
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(self._theme.tokens.danger if self._state[1] else self._theme.tokens.accent))
            painter.drawEllipse(QRectF(side_px - dot_px, side_px - dot_px, dot_px, dot_px))
        painter.end()
        return picture

    def _on_icon_activated(self, reason: QSystemTrayIcon.ActivationReason) -> None:
        if reason is not QSystemTrayIcon.ActivationReason.Context:
            self.openRequested.emit()
