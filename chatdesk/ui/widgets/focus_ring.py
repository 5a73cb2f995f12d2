"""Decides when a focused widget shows a ring, and draws a ring for widgets without their own.

Rings are for keyboard users.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from PySide6.QtCore import QEvent, QObject, QRect, QRectF, Qt, QTimer
from PySide6.QtGui import QColor, QFocusEvent, QKeyEvent, QPainter, QPaintEvent, QRegion, QResizeEvent
from PySide6.QtWidgets import QAbstractButton, QAbstractItemView, QTabBar, QWidget

from chatdesk.ui.theme.theme import Theme
from chatdesk.ui.widgets.painting import paint_focus_ring

_MODIFIERS: Final = (Qt.Key.Key_Control, Qt.Key.Key_Alt, Qt.Key.Key_Meta, Qt.Key.Key_Shift)
_COMMANDS: Final = Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.AltModifier
_PASSING: Final = (Qt.FocusReason.ActiveWindowFocusReason, Qt.FocusReason.PopupFocusReason)


def shows_ring(reason: Qt.FocusReason, *, before: bool) -> bool:
    """Return whether a ring is due for a focus that came for ``reason``. ``before`` is the last answer, which comes
    back with a window or after a menu. A key that is pressed later brings the ring in any case."""
    if reason in _PASSING:
        return before
    return reason is not Qt.FocusReason.MouseFocusReason


def is_walk(event: QKeyEvent) -> bool:
    """Return whether a key brings the ring. Copying after a drag of the mouse does not."""
    return event.key() not in _MODIFIERS and not event.modifiers() & _COMMANDS


def reason_of_press(button: QAbstractButton) -> Qt.FocusReason:
    """Return how ``button`` was just pressed. It takes the focus by Tab alone, so keys press it only where it has
    it."""
    return Qt.FocusReason.ShortcutFocusReason if button.hasFocus() else Qt.FocusReason.MouseFocusReason


def note_keyboard(widget: QWidget, reason: Qt.FocusReason) -> None:
    """Tell the rows of ``widget`` whether the keyboard is used, which Qt itself notes at Tab alone."""
    attribute = Qt.WidgetAttribute.WA_KeyboardFocusChange
    window = widget.window()
    window.setAttribute(attribute, shows_ring(reason, before=window.testAttribute(attribute)))


class FocusFrame(QObject):
    """Keeps a ring over part of a widget that paints none itself, while the keyboard is in it.

    ``area`` says which part; an empty rectangle is no ring. Without it the ring is around the whole widget.
    """

    def __init__(self, theme: Theme, around: QWidget, area: Callable[[], QRect] | None = None) -> None:
        super().__init__(around)
        self._theme = theme
        self._around = around
        self._area = area or around.rect
        self._is_ringed = False
        self._ring: _Ring | None = None
        around.installEventFilter(self)

    def eventFilter(self, _watched: QObject, event: QEvent) -> bool:
        kind = event.type()
        if kind is QEvent.Type.FocusIn and isinstance(event, QFocusEvent):
            self._is_ringed = shows_ring(event.reason(), before=self._is_ringed)
            self.place_ring()
        elif kind in (QEvent.Type.FocusOut, QEvent.Type.Resize):
            self.place_ring()
        elif kind is QEvent.Type.Paint and self._ring is not None:
            self.place_ring()  # the part may have moved within the widget
        elif kind is QEvent.Type.KeyPress and isinstance(event, QKeyEvent):
            self._is_ringed = self._is_ringed or is_walk(event)
            self.place_ring()
            QTimer.singleShot(0, self, self.place_ring)  # the key may change the part
        return False

    def place_ring(self) -> None:
        """Put the ring where it belongs now, or take it away."""
        area = self._area() if self._is_ringed and self._around.hasFocus() else QRect()
        if self._ring is None:
            if area.isEmpty():
                return
            self._ring = _Ring(self._theme, self._around)
        self._ring.setGeometry(area)
        self._ring.setVisible(not area.isEmpty())
        self._ring.raise_()


class _Ring(QWidget):
    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self._theme = theme
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Leave the inside out of the clip region, so that children do not draw the ring again."""
        super().resizeEvent(event)
        inset = self._theme.tokens.radius.row
        self.setMask(QRegion(self.rect()) - QRegion(self.rect().adjusted(inset, inset, -inset, -inset)))

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        tokens = self._theme.tokens
        paint_focus_ring(painter, QRectF(self.rect()), tokens.radius.row, QColor(tokens.accent))


def frame_tab(theme: Theme, tabs: QTabBar) -> None:
    """Give the current tab a ring."""
    frame = FocusFrame(theme, tabs, lambda: tabs.tabRect(tabs.currentIndex()))
    tabs.currentChanged.connect(frame.place_ring)


def frame_when_empty(theme: Theme, view: QAbstractItemView) -> None:
    """Give ``view`` a ring while it has no row that could show where the keyboard is."""
    FocusFrame(theme, view, lambda: QRect() if view.currentIndex().isValid() else view.viewport().geometry())
