"""Handles the mouse pointer over the transcript: the item under it, the target of a link, clicks, and selection by
character, word and paragraph."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtCore import QElapsedTimer, QObject, QPointF, Qt, QTimer
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QLabel, QWidget

from chatdesk.ui.transcript.copying.selection import Selection, TextPlace
from chatdesk.ui.transcript.drawing.item import Button, Item, word_bounds
from chatdesk.ui.transcript.drawing.transcript_style import TranscriptStyle
from chatdesk.ui.transcript.layout.held_place import Placed
from chatdesk.ui.transcript.layout.viewport_layout import ViewportLayout
from chatdesk.ui.transcript.messages.entry import MessageEntry

_SCROLL_MS = 33
_PAD_PX = 8


@dataclass(frozen=True, slots=True)
class Hit:
    """The item, button and link at a point; ``inside`` is the point in the item."""

    placed: Placed
    inside: QPointF
    button: Button | None
    link: str | None

    @property
    def entry(self) -> MessageEntry:
        return self.placed.entry

    @property
    def item(self) -> Item:
        return self.placed.item


class Pointer(QObject):
    """The mouse pointer; all its points are in the viewport."""

    def __init__(
        self, viewport_layout: ViewportLayout, selection: Selection, scroll_by: Callable[[float], None]
    ) -> None:
        super().__init__(viewport_layout)
        self._viewport_layout = viewport_layout
        self._layout = viewport_layout.layout
        self._scroll_by = scroll_by
        self._selection = selection
        self._pressed: Hit | None = None
        self._unit = 1
        self._clicks = 0
        self._since_click = QElapsedTimer()
        self._click_at = QPointF()
        self._at = QPointF()
        self._is_dragging = False
        self._scroller = QTimer(self, interval=_SCROLL_MS)
        self._scroller.timeout.connect(self._on_scroller_timeout)

    @property
    def is_dragging(self) -> bool:
        return self._is_dragging

    def hit(self, point: QPointF) -> Hit | None:
        """Return the item exactly under ``point``, or None."""
        self._viewport_layout.ensure_laid_out()
        for placed in self._layout.placed:
            if placed.y <= point.y() < placed.bottom:
                inside = self._inside(placed, point)
                button = placed.item.button_at(inside)
                link = None if button else placed.item.link_at(inside)
                return Hit(placed, inside, button, link)
        return None

    def goes_on(self, point: QPointF) -> bool:
        """Return whether a press at ``point`` would be a double or triple click."""
        limit = QGuiApplication.styleHints().mouseDoubleClickInterval()
        is_near = (point - self._click_at).manhattanLength() < 6
        return self._since_click.isValid() and self._since_click.elapsed() < limit and is_near

    def let_go(self) -> None:
        """End a press or a selection that is under way, because its item is gone. The next press is a single click."""
        self._since_click.invalidate()
        self._scroller.stop()
        self._is_dragging, self._pressed = False, None

    def press(self, point: QPointF, *, extends: bool) -> None:
        self._count_clicks(point)
        self._at = point
        hit = self.hit(point)
        self._pressed = hit
        if hit is not None and hit.button is not None:
            return
        place = self.text_place(point)
        if place is None:
            self._selection.clear()
            return
        self._is_dragging = True
        if extends and self._selection.has_begun:
            self._selection.extend(place)
            return
        self._unit = self._clicks
        self._selection.start(*self._widened(place))

    def move(self, point: QPointF) -> None:
        self._at = point
        if not self._is_dragging:
            return
        self._extend()
        is_outside = point.y() < 0 or point.y() > self._viewport_layout.view_height
        if is_outside and not self._scroller.isActive():
            self._scroller.start()
        elif not is_outside:
            self._scroller.stop()

    def release(self, point: QPointF) -> Hit | None:
        """Return the button or link that was clicked, if any."""
        self._scroller.stop()
        self._is_dragging = False
        pressed, self._pressed = self._pressed, None
        if pressed is None or self._selection.is_some:
            return None
        hit = self.hit(point)
        if hit is None or hit.item is not pressed.item:
            return None
        if pressed.button is not None:
            is_same = hit.button is not None and hit.button.action == pressed.button.action
            return hit if is_same else None
        return hit if hit.link is not None and hit.link == pressed.link else None

    def text_place(self, point: QPointF) -> TextPlace | None:
        """Return the place in a text nearest to ``point``, which may be above, below or beside the text."""
        self._viewport_layout.ensure_laid_out()
        best: Placed | None = None
        distance = 0.0
        for placed in self._layout.placed:
            if not placed.item.is_selectable:
                continue
            away = max(placed.y - point.y(), point.y() - placed.bottom, 0.0)
            if best is None or away < distance:
                best, distance = placed, away
        if best is None:
            return None
        inside = self._inside(best, point)
        if inside.y() < 0:
            offset = 0
        elif inside.y() > best.item.height:
            offset = len(best.item.text)
        else:
            offset = best.item.offset_at(inside)
        return TextPlace(best.entry, best.item, offset)

    def _inside(self, placed: Placed, point: QPointF) -> QPointF:
        left = self._viewport_layout.column_left + placed.entry.places.x_of(placed.item)
        return QPointF(point.x() - left, point.y() - placed.y)

    def _widened(self, place: TextPlace) -> tuple[TextPlace, TextPlace]:
        if self._unit == 2:
            start, end = word_bounds(place.item.text, place.offset)
        elif self._unit >= 3:
            start, end = place.item.line_at(place.offset)
        else:
            return place, place
        return TextPlace(place.entry, place.item, start), TextPlace(place.entry, place.item, end)

    def _extend(self) -> None:
        place = self.text_place(self._at)
        if place is not None:
            self._selection.extend(*self._widened(place))
            self._viewport_layout.repaint()

    def _count_clicks(self, point: QPointF) -> None:
        self._clicks = self._clicks % 3 + 1 if self.goes_on(point) else 1
        self._click_at = point
        self._since_click.start()

    def _on_scroller_timeout(self) -> None:
        height = self._viewport_layout.view_height
        over = self._at.y() if self._at.y() < 0 else self._at.y() - height
        if not self._is_dragging or 0 <= self._at.y() <= height:
            self._scroller.stop()
            return
        self._scroll_by(max(-60.0, min(60.0, over / 2)))
        self._extend()


class LinkStatus(QLabel):
    """A line of plain text that takes no clicks and is hidden without a link."""

    def __init__(self, area: QWidget) -> None:
        super().__init__(area)
        self._area = area
        self.setObjectName("linkStatus")
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.hide()

    def set_style(self, style: TranscriptStyle) -> None:
        tokens = style.tokens
        self.setFont(style.font("muted"))
        self.setStyleSheet(
            f"#linkStatus {{ background: {tokens.floating}; color: {tokens.text};"
            f" border: 1px solid {tokens.field_line};"
            f" border-radius: {tokens.radius.inline_code}px; padding: 3px {_PAD_PX}px; }}"
        )

    def show_target(self, target: str) -> None:
        """Show ``target``; a long one loses its end, because its beginning names the host."""
        leads_out = bool(target) and not target.startswith("#")  # a footnote is in the message itself
        self.setVisible(leads_out)
        if not leads_out:
            return
        area = self._area.rect()
        most = area.width() - 4 * _PAD_PX
        self.setText(self.fontMetrics().elidedText(target, Qt.TextElideMode.ElideRight, most - 2 * _PAD_PX))
        self.adjustSize()
        self.move(_PAD_PX, area.height() - self.height() - _PAD_PX)
        self.raise_()
