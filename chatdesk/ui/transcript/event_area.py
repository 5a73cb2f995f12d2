"""Implements the scroll area of a transcript: it passes Qt's events to the parts."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QPointF, Qt
from PySide6.QtGui import (
    QContextMenuEvent,
    QFocusEvent,
    QHideEvent,
    QKeyEvent,
    QMouseEvent,
    QPaintEvent,
    QResizeEvent,
    QShowEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QFrame

from chatdesk.ui.transcript.accessible import tree
from chatdesk.ui.transcript.accessible.view import ReadableView
from chatdesk.ui.transcript.input.keyboard import command_of
from chatdesk.ui.transcript.input.touch import TOUCH_EVENTS
from chatdesk.ui.transcript.parts import TranscriptParts
from chatdesk.ui.widgets.focus_ring import is_walk


class EventArea(ReadableView):
    """The base of the view that paints, and hears of keys, mouse, touch, wheel and focus."""

    parts: TranscriptParts  # set by the view, before any event comes

    def __init__(self) -> None:
        super().__init__()
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.viewport().setMouseTracking(True)
        self.viewport().setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.viewport().setAttribute(Qt.WidgetAttribute.WA_AcceptTouchEvents)
        self.viewport().setProperty("readsTouches", True)  # the window's own touch scrolling leaves it alone

    def paintEvent(self, event: QPaintEvent) -> None:
        self.parts.canvas.paint(self.viewport(), event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.parts.finding.bar.place(self.viewport().size())
        self.parts.viewport_layout.relayout()

    def scrollContentsBy(self, dx: int, dy: int) -> None:
        self.parts.scrolling.bar_moved()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.parts.conversation.feeds.set_visible(True)

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self.parts.conversation.feeds.set_visible(False)

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        self.parts.message_focus.arrive(event.reason())
        self.parts.viewport_layout.repaint()
        tree.focus_arrived(self)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self.parts.viewport_layout.repaint()

    def wheelEvent(self, event: QWheelEvent) -> None:
        self.parts.wheel.turn(event)
        event.accept()

    def viewportEvent(self, event: QEvent) -> bool:
        if event.type() in TOUCH_EVENTS and self.parts.touch.handle(event):  # type: ignore[arg-type]
            event.accept()
            return True
        return bool(super().viewportEvent(event))

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() is Qt.MouseButton.LeftButton:
            self.parts.mouse.press(
                event.position(), extends=bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
            )

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        self.mousePressEvent(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self.parts.mouse.move(event.position())

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if event.button() is Qt.MouseButton.LeftButton:
            self.parts.mouse.release(event.position())

    def leaveEvent(self, event: QEvent) -> None:
        super().leaveEvent(event)
        self.parts.mouse.leave()

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        self.show_menu_at(QPointF(event.pos()))

    def event(self, event: QEvent) -> bool:
        is_shortcut = event.type() is QEvent.Type.ShortcutOverride
        if is_shortcut and isinstance(event, QKeyEvent) and command_of(event) not in (None, "escape"):
            event.accept()  # not Esc, which first of all stops an answer
            return True
        if event.type() is QEvent.Type.LayoutDirectionChange:
            self.parts.renew_style()
        if event.type() in (QEvent.Type.WindowActivate, QEvent.Type.WindowDeactivate):
            self.parts.unread.update_timer()
        return bool(super().event(event))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        self.parts.viewport_layout.ensure_laid_out()
        if is_walk(event):
            self.parts.message_focus.show_ring()
        command = command_of(event)
        if event.isAutoRepeat() and command in ("activate", "page-down") and self.parts.message_focus.stop is not None:
            return  # a key that is held presses a button once
        if command is None or not self.parts.actions.run_command(command):
            event.ignore()

    def focusNextPrevChild(self, forward: bool) -> bool:
        """Tab walks through the buttons of the current message before it leaves the transcript."""
        has_stepped = self.parts.message_focus.step_stop(forward=forward)
        self.parts.link_status.show_target(self.parts.message_focus.target)
        if has_stepped:
            tree.focus_changed(self)
            return True
        return bool(super().focusNextPrevChild(forward))

    def press_at(self, point: QPointF) -> None:
        """Press the link, button or checkbox at a point of the viewport."""
        hit = self.parts.pointer.hit(point)
        if hit is not None:
            self.parts.actions.press(hit)

    def show_menu_at(self, point: QPointF) -> None:
        """Open the menu of the message at a point of the viewport."""
        hit = self.parts.pointer.hit(point)
        entry = hit.entry if hit is not None else self.parts.viewport_layout.entry_at(point.y())
        if entry is not None:
            self.parts.actions.show_menu(entry, self.parts.viewport_layout.to_global(point.x(), point.y()))
