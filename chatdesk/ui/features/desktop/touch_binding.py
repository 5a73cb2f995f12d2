"""Makes the window usable with fingers: room for them, swipes of the sidebar, and the composer above their keyboard."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import QObject, QPointF, QTimer
from PySide6.QtGui import QGuiApplication, QInputMethod
from PySide6.QtWidgets import QWidget

from chatdesk.ui.features.desktop.touch_input import TouchInput
from chatdesk.ui.features.settings.settings_binding import SettingsBinding
from chatdesk.ui.window.window_context import WindowContext

_EDGE_PX: Final = 24


class TouchBinding(QObject):
    """Makes room for fingers when the setting says so, or from the first touch on."""

    def __init__(self, context: WindowContext, settings: SettingsBinding) -> None:
        super().__init__()
        self._context = context
        self._window = context.panes.main_window
        self._theme = theme = context.panes.theme
        self._was_touched = False
        self._input = TouchInput(self._may_swipe, lambda: theme.motion.is_reduced)
        self._input.touched.connect(self._on_input_touched)
        self._input.swiped.connect(self._on_input_swiped)
        settings.applied.connect(self._apply)
        keyboard_room(QGuiApplication.inputMethod(), self._window)

    def _apply(self) -> None:
        wanted = self._context.settings().touch
        self._theme.set_touched(wanted == "on" or (wanted == "auto" and self._was_touched))

    def _on_input_touched(self) -> None:
        if not self._was_touched:
            self._was_touched = True
            QTimer.singleShot(0, self, self._apply)  # later, so that the layout does not change under the finger

    def _may_swipe(self, top: QWidget, place: QPointF) -> bool:
        """Return whether a touch that starts at ``place`` may open or close the sidebar."""
        if top is not self._window:
            return False
        sidebar = self._context.panes.sidebar
        if not sidebar.isHidden():
            return sidebar.rect().contains(sidebar.mapFrom(top, place.toPoint()))
        from_edge = place.x() if top.isLeftToRight() else top.width() - place.x()
        return from_edge <= _EDGE_PX

    def _on_input_swiped(self, opens: bool) -> None:
        panes = self._context.panes
        if opens == panes.sidebar.isHidden():
            panes.commands.trigger("view.sidebar")


def keyboard_room(input_method: QInputMethod, window: QWidget) -> None:
    """Keep the content of ``window`` above the keyboard that the system shows on the screen."""
    _KeyboardRoom(input_method, window)


class _KeyboardRoom(QObject):
    """The room for the keyboard below a window, which owns it: a function that the input method has would keep the
    window for ever."""

    def __init__(self, input_method: QInputMethod, window: QWidget) -> None:
        super().__init__(window)
        self._input_method, self._window = input_method, window
        input_method.keyboardRectangleChanged.connect(self._make_room)
        input_method.visibleChanged.connect(self._make_room)

    def _make_room(self) -> None:
        covered_px = 0
        area = self._input_method.keyboardRectangle()
        if self._input_method.isVisible() and area.height() > 0:
            covered_px = max(0, self._window.height() - round(area.top()))
        self._window.setContentsMargins(0, 0, 0, covered_px)
