"""Places the sidebar: beside the thread in a splitter, or, in a narrow window, over it while it is wanted."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, Qt, Signal
from PySide6.QtGui import QColor, QKeyEvent, QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QSplitter, QWidget

from chatdesk.ui.theme.theme import Theme
from chatdesk.ui.theme.tokens import (
    SIDEBAR_MAX_PX,
    SIDEBAR_MIN_PX,
    SIDEBAR_OVERLAY_BELOW_PX,
    SIDEBAR_WIDTH_PX,
    THREAD_LEAST_PX,
)

_THREAD_BESIDE_PX = 380  # between two panes
_LEFT_FREE_PX = 56  # stays free in a narrow window, so that a click beside the sidebar can close it
_SHADE_ALPHA = 0.35


class SidebarPlace(QObject):
    """Places the sidebar beside the window's content or over it. ``host`` is the whole area below the menu bar,
    ``splitter`` fills it and holds the rest of the window already."""

    changed = Signal()
    overlayClosed = Signal()

    def __init__(self, host: QWidget, splitter: QSplitter, sidebar: QWidget, theme: Theme) -> None:
        super().__init__(host)
        self._host = host
        self._splitter = splitter
        self._sidebar = sidebar
        self._theme = theme
        self._width = SIDEBAR_WIDTH_PX
        self._is_collapsed = False
        self._is_overlay = False
        self._beside_px = 0
        self._shade = _Shade(host, theme)
        self._shade.pressed.connect(self.close_overlay)
        splitter.insertWidget(0, sidebar)
        splitter.setCollapsible(0, True)
        splitter.setCollapsible(1, False)
        splitter.setStretchFactor(0, 0)
        splitter.setStretchFactor(1, 1)
        splitter.splitterMoved.connect(self._on_splitter_moved)
        sidebar.setMinimumWidth(SIDEBAR_MIN_PX)
        sidebar.setMaximumWidth(self._scaled(SIDEBAR_MAX_PX))
        theme.changed.connect(self._on_theme_changed)
        host.installEventFilter(self)  # its size
        sidebar.installEventFilter(self)  # its keys

    @property
    def is_overlay(self) -> bool:
        """Return whether the window is too narrow to show the sidebar beside the thread."""
        return self._is_overlay

    @property
    def is_shown(self) -> bool:
        return not self._sidebar.isHidden()

    @property
    def is_collapsed(self) -> bool:
        """Return whether a person hid the sidebar in a wide window."""
        return self._is_collapsed

    @property
    def width(self) -> int:
        """The width in pixels at normal text size; the drawn width grows with the text."""
        return self._width

    def restore(self, width: int, *, is_collapsed: bool) -> None:
        self._width = min(SIDEBAR_MAX_PX, max(SIDEBAR_MIN_PX, width))
        self._is_collapsed = is_collapsed
        if not self._is_overlay:
            self._show_docked()

    def apply_width(self) -> None:
        """Give the sidebar its width once the window has its size; before that a splitter only guesses."""
        if not self._is_overlay:
            self._show_docked()

    def make_room(self, beside_px: int) -> None:
        """Place the sidebar again for a pane at the other side of the thread that is ``beside_px`` wide."""
        if beside_px != self._beside_px:
            self._beside_px = beside_px
            self._on_host_resized()

    def toggle(self) -> None:
        if self._is_overlay:
            if self.is_shown:
                self.close_overlay()
            else:
                self.open_overlay()
            return
        self._is_collapsed = not self._is_collapsed
        self._show_docked()

    def widen(self, step_px: int) -> None:
        """Make the sidebar wider by ``step_px``, as dragging its border does; narrower with a negative step."""
        self._width = min(SIDEBAR_MAX_PX, max(SIDEBAR_MIN_PX, self._width + step_px))
        self._is_collapsed = False
        if not self._is_overlay:
            self._show_docked()
        elif self.is_shown:
            self._place_overlay()
        self.changed.emit()

    def reveal(self) -> None:
        """Make sure that it can be seen, for a command that needs it."""
        if not self.is_shown:
            self.toggle()

    def open_overlay(self) -> None:
        self._place_overlay()
        self._shade.show()
        self._shade.raise_()
        self._sidebar.show()
        self._sidebar.raise_()
        self.changed.emit()

    def close_overlay(self) -> None:
        if self._is_overlay and self.is_shown:
            self._shade.hide()
            self._sidebar.hide()
            self.changed.emit()
            self.overlayClosed.emit()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        kind = event.type()
        if watched is self._host and kind == QEvent.Type.Resize:
            self._on_host_resized()
        elif self._is_overlay and isinstance(event, QKeyEvent) and event.key() == Qt.Key.Key_Escape:
            if kind == QEvent.Type.ShortcutOverride:  # this Esc is about the sidebar and must not stop an answer
                event.accept()
                return True
            if kind == QEvent.Type.KeyPress:
                self.close_overlay()
                return True
        return super().eventFilter(watched, event)

    def _on_host_resized(self) -> None:
        thread_px = _THREAD_BESIDE_PX if self._beside_px else SIDEBAR_OVERLAY_BELOW_PX - SIDEBAR_WIDTH_PX
        thread_px = max(thread_px, self._scaled(THREAD_LEAST_PX))
        is_narrow = self._host.width() < self._scaled(SIDEBAR_WIDTH_PX) + thread_px + self._beside_px
        if is_narrow != self._is_overlay:
            self._is_overlay = is_narrow
            if is_narrow:
                self._sidebar.hide()
                self._sidebar.setParent(self._host)
                self._sidebar.hide()
            else:
                self._shade.hide()
                self._splitter.insertWidget(0, self._sidebar)
                self._splitter.setStretchFactor(0, 0)
                self._splitter.setStretchFactor(1, 1)
                self._show_docked()
            self.changed.emit()
        elif is_narrow and self.is_shown:
            self._place_overlay()

    def _place_overlay(self) -> None:
        room_px = self._host.width() - _LEFT_FREE_PX
        width = max(SIDEBAR_MIN_PX, min(self._scaled(self._width), room_px))
        is_mirrored = self._host.layoutDirection() is Qt.LayoutDirection.RightToLeft
        left = self._host.width() - width if is_mirrored else 0
        self._sidebar.setGeometry(left, 0, width, self._host.height())
        self._shade.setGeometry(self._host.rect())

    def _show_docked(self) -> None:
        self._sidebar.setVisible(not self._is_collapsed)
        if not self._is_collapsed:
            width = self._scaled(self._width)
            rest = max(1, self._splitter.width() - width - self._splitter.handleWidth())
            self._splitter.setSizes([width, rest])
        self.changed.emit()

    def _factor(self) -> float:
        """Larger text needs a wider sidebar; smaller text leaves it as it is."""
        return max(1.0, self._theme.scale)

    def _scaled(self, width: int) -> int:
        return round(width * self._factor())

    def _on_theme_changed(self) -> None:
        self._sidebar.setMaximumWidth(self._scaled(SIDEBAR_MAX_PX))
        self._on_host_resized()
        if not self._is_overlay:
            self._show_docked()

    def _on_splitter_moved(self, _position: int, _index: int) -> None:
        size = self._splitter.sizes()[0]
        if size:
            self._width = min(SIDEBAR_MAX_PX, max(SIDEBAR_MIN_PX, round(size / self._factor())))
            self.changed.emit()
        else:  # dragged shut: has the effect of Ctrl+B, and the old width comes back later
            self._is_collapsed = True
            self._show_docked()


class _Shade(QWidget):
    """Dims the window behind the overlaid sidebar; a click on it puts the sidebar away."""

    pressed = Signal()

    def __init__(self, parent: QWidget, theme: Theme) -> None:
        super().__init__(parent)
        self._theme = theme
        self.setObjectName("sidebarShade")
        self.hide()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        event.accept()
        self.pressed.emit()

    def paintEvent(self, _event: QPaintEvent) -> None:
        colour = QColor(self._theme.colour("shadow"))
        colour.setAlphaF(_SHADE_ALPHA)
        painter = QPainter(self)
        painter.fillRect(self.rect(), colour)
        painter.end()
