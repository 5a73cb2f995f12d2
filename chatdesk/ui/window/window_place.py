"""The size and place of the window on the screens, from one start to the next."""

from __future__ import annotations

from PySide6.QtCore import QRect, QSize
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QWidget

from chatdesk.ui.window.window_state import SavedWindow, WindowState

MIN_SIZE = QSize(420, 360)
DEFAULT_SIZE = QSize(1280, 820)
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
