"""Moves the reader's place: steps, jumps, the scroll bar, the button that leads to the end."""

from __future__ import annotations

import math
from collections.abc import Callable

from PySide6.QtCore import QObject, QRectF, QTimer, Signal
from PySide6.QtWidgets import QAbstractScrollArea, QAbstractSlider, QScrollBar

from chatdesk.ui.transcript.contract import ScrollAnchor
from chatdesk.ui.transcript.layout.gliding import Glide
from chatdesk.ui.transcript.layout.held_place import scale_point_at
from chatdesk.ui.transcript.layout.pages import Pages
from chatdesk.ui.transcript.layout.pill import JumpPill
from chatdesk.ui.transcript.layout.scale import ScalePoint, length_of
from chatdesk.ui.transcript.layout.viewport_layout import ViewportLayout
from chatdesk.ui.transcript.messages.entry import MessageEntry

LINE_STEP_PX = 44.0
_ABOVE_MESSAGE_PX = 16.0  # left free above a message that was jumped to
_MARGIN_PX = 24.0  # between the revealed item and the edge
_COVERED_PX = 64.0  # height that a bar at the top of the view may cover
_REST_MS = 200
_PREFETCH_VIEWS = 2.0
_UNSEEN_PX = 0.5
_SHORTEST_TRACK = 200  # steps of a bar whose thread is hardly longer than the view


class Scrolling(QObject):
    """The movements of the reader's place; ``rested`` is emitted a moment after the last one."""

    rested = Signal()

    def __init__(
        self,
        area: QAbstractScrollArea,
        viewport_layout: ViewportLayout,
        pages: Pages,
        *,
        pill: JumpPill,
        is_motion_reduced: Callable[[], bool],
    ) -> None:
        super().__init__(area)
        self.glide = Glide(self, self.by, is_motion_reduced)
        self._area = area
        self._viewport_layout = viewport_layout
        self._layout = viewport_layout.layout
        self._pages = pages
        self._pill = pill
        self._wanted_anchor: ScrollAnchor | None = None
        self._wanted_point: ScalePoint | None = None
        self._new_count = 0
        self._is_syncing = False
        self._bar_step = 0.0  # how far an arrow of the bar, or a click beside its thumb, moves the text
        area.verticalScrollBar().actionTriggered.connect(self._on_bar_action)
        self._rest_timer = QTimer(self, singleShot=True, interval=_REST_MS)
        self._rest_timer.timeout.connect(self.rested)
        pill.clicked.connect(self.to_end)
        viewport_layout.laidOut.connect(self._on_viewport_layout_laid_out)

    def start(self, anchor: ScrollAnchor | None) -> None:
        """Request the page that holds ``anchor``, else the newest page, of a thread that was just opened."""
        self.glide.stop()
        self._new_count = 0
        self._wanted_anchor = anchor
        self._wanted_point = None
        if anchor is not None and anchor.message_id is not None and not anchor.is_at_end:
            self._pages.around(anchor.message_id)
        else:
            self._pages.newest()

    def anchor(self) -> ScrollAnchor:
        self._viewport_layout.ensure_laid_out()
        top = self._layout.top_entry
        is_at_end = self._layout.sticks_to_end and not self._layout.has_newer
        if top is None:
            return ScrollAnchor(None, 0.0, is_at_end)
        return ScrollAnchor(top[0].message.id, top[1], is_at_end, self._layout.line_anchor(top[0]))

    # Moving

    def by(self, delta: float) -> None:
        """Scroll down by ``delta`` px, or up when it is negative."""
        if self._layout.entries:
            self._layout.sticks_to_end = False
            self._layout.scroll_by(delta)
            self._go(is_scroll=True)

    def to_end(self) -> None:
        self.glide.stop()
        self._new_count = 0
        self._layout.sticks_to_end = True
        if self._layout.has_newer:
            self._wanted_anchor = None
            self._pages.newest()
            return
        self._go()

    def to_start(self) -> None:
        self.glide.stop()
        if not self._layout.entries:
            return
        self._layout.sticks_to_end = False
        if self._layout.has_older:
            self._fetch_point(ScalePoint(0, 0.0))
            return
        self._layout.hold_at(self._layout.entries[0], -self._viewport_layout.view_height)
        self._go()

    def to_message(self, message_id: str) -> None:
        """Bring a message to the top of the view, fetching it when it is not loaded."""
        self.glide.stop()
        entry = self._layout.find(message_id)
        if entry is None:
            self._wanted_anchor = ScrollAnchor(message_id, -_ABOVE_MESSAGE_PX, False)
            self._pages.around(message_id)
        else:
            self.to_point(entry, -_ABOVE_MESSAGE_PX)

    def to_point(self, entry: MessageEntry, offset: float) -> None:
        """Put the point ``offset`` px below the top of ``entry`` at the top of the view."""
        self.glide.stop()
        self._layout.sticks_to_end = False
        self._layout.hold_at(entry, offset)
        self._go()

    def reveal_item(self, entry: MessageEntry, index: int) -> None:
        """Bring an item into view unless it is in view."""
        height = self._viewport_layout.view_height
        placed = next((each for each in self._viewport_layout.placed_of(entry) if each.index == index), None)
        if placed is None or placed.y < 0 or placed.y > height - 60:
            self.to_point(entry, entry.places.tops[index] - height / 3)

    def reveal_area(self, entry: MessageEntry, index: int, area: QRectF) -> None:
        """Bring a part of an item into view with as little movement as possible."""
        placed = next((each for each in self._viewport_layout.placed_of(entry) if each.index == index), None)
        height = self._viewport_layout.view_height
        if placed is None:
            self.to_point(entry, entry.places.tops[index] + area.center().y() - height / 2)
            return
        top, bottom = placed.y + area.top() - _MARGIN_PX, placed.y + area.bottom() + _MARGIN_PX
        if top < 0:
            self.by(math.floor(top))
        elif bottom > height:
            self.by(math.ceil(bottom - height))

    def show_area(self, entry: MessageEntry, index: int, area: QRectF) -> None:
        """Bring a part of an item to the upper third of the view, unless it is well in view."""
        placed = next((each for each in self._viewport_layout.placed_of(entry) if each.index == index), None)
        height = self._viewport_layout.view_height
        y = placed.y + area.top() if placed is not None else -1.0
        if not _COVERED_PX <= y <= height - area.height() - _MARGIN_PX:
            self.to_point(entry, round(entry.places.tops[index] + area.top() - height / 3))

    def bar_moved(self) -> None:
        """Follow the scroll bar, which the reader or an assistive program has moved."""
        bar = self._area.verticalScrollBar()
        if self._is_syncing or not self._layout.entries:
            return
        step, self._bar_step = self._bar_step, 0.0
        if step:
            self.sync_bar()  # the bar has gone ahead of the text, which follows in its own time
            self.glide.by(step)
            return
        self.glide.stop()
        self._layout.sticks_to_end = False
        if bar.value() >= bar.maximum():
            self.to_end()
        elif bar.value() <= bar.minimum():
            self.to_start()
        else:
            self._to_point(self._layout.scale.find(self._scale_of_bar(bar.value())))

    # Following what arrives

    def count_new(self) -> None:
        """Count a message that came while the reader was elsewhere."""
        self._new_count += 1
        self._update_pill()

    def go_to_wanted_place(self, wish: str) -> None:
        """Go to the place for which a page was requested that has now replaced all loaded messages."""
        layout = self._layout
        layout.sticks_to_end = wish == "newest"
        anchor, self._wanted_anchor = self._wanted_anchor, None
        point, self._wanted_point = self._wanted_point, None
        self._viewport_layout.apply_width()
        if wish == "around" and anchor is not None:
            entry = layout.find(anchor.message_id)
            if entry is None:
                layout.sticks_to_end = not layout.has_newer
            else:
                layout.hold_at(entry, anchor.offset_px)
                layout.want_line(entry, anchor.line)
        elif wish == "at" and point is not None and not layout.hold_point(point) and layout.entries:
            layout.hold_at(layout.entries[0], 0.0)

    def _scale_of_bar(self, value: int) -> float:
        most = max(1, self._area.verticalScrollBar().maximum())
        return value / most * max(0.0, self._layout.scale.total - self._viewport_layout.view_height)

    def _to_point(self, point: ScalePoint) -> None:
        if self._layout.hold_point(point):
            self._go()
        else:
            self._fetch_point(point)

    def _on_bar_action(self, action: int) -> None:
        page = self._viewport_layout.view_height - LINE_STEP_PX
        steps = {
            QAbstractSlider.SliderAction.SliderSingleStepAdd: LINE_STEP_PX,
            QAbstractSlider.SliderAction.SliderSingleStepSub: -LINE_STEP_PX,
            QAbstractSlider.SliderAction.SliderPageStepAdd: page,
            QAbstractSlider.SliderAction.SliderPageStepSub: -page,
        }
        self._bar_step = steps.get(QAbstractSlider.SliderAction(action), 0.0)

    def sync_bar(self) -> None:
        """Move the scroll bar to the reader's place.

        The thumb is at ``A / (A + B)``, with the length A of the scale above the view and B below it: 0 at the start
        and 1 at the end whatever the lengths are, and growing with every step down.
        """
        bar = self._area.verticalScrollBar()
        if bar.isSliderDown():
            return  # the reader holds the slider
        layout, height = self._layout, self._viewport_layout.view_height
        is_whole = layout.is_at_start and layout.is_at_end
        most = 0 if is_whole else max(_SHORTEST_TRACK, round(layout.scale.total - height))
        is_at_end = not is_whole and layout.is_at_end
        if is_at_end and bar.value() == bar.maximum() and self._looks_alike(bar, most):
            return  # each line of an answer would have it painted
        above = 0.0 if layout.is_at_start else 1.0 if is_at_end else self._scale_y(0.0)
        below = 0.0 if layout.is_at_end else max(0.0, layout.scale.total - self._scale_y(height))
        self._is_syncing = True
        bar.setRange(0, most)
        bar.setPageStep(max(1, round(height)))
        bar.setSingleStep(round(LINE_STEP_PX))
        bar.setValue(0 if is_whole else round(most * above / max(1.0, above + below)))
        self._is_syncing = False

    def _scale_y(self, y: float) -> float:
        """Return the length of the scale above a place that is ``y`` px below the top of the view."""
        point = scale_point_at(self._layout.placed, y)
        return 0.0 if point is None else self._layout.scale.y_of(point)

    def _looks_alike(self, bar: QScrollBar, most: int) -> bool:
        """Return whether the thumb of a bar that ends at ``most`` looks like the present one, within half a pixel."""
        page = max(1, round(self._viewport_layout.view_height))
        if bar.maximum() <= bar.minimum() or bar.pageStep() != page:
            return False
        return abs(page / (page + most) - page / (page + bar.maximum())) * bar.height() < _UNSEEN_PX

    def _go(self, *, is_scroll: bool = False) -> None:
        self._viewport_layout.relayout(is_scroll=is_scroll)
        self._layout.sticks_to_end = self._layout.is_at_end
        if self._layout.sticks_to_end:
            self._new_count = 0
        self._update_pill()
        self._rest_timer.start()

    def _fetch_point(self, point: ScalePoint) -> None:
        entries = self._layout.entries
        first, last = entries[0].message, entries[-1].message
        self._wanted_point = point
        self._pages.at(point.position, (first.id, first.position), (last.id, last.position))

    def _on_viewport_layout_laid_out(self) -> None:
        self.sync_bar()
        self._update_pill()
        self._ask_for_more()

    def _ask_for_more(self) -> None:
        layout = self._layout
        if not layout.placed or self._pages.is_waiting:
            return
        entries = layout.entries
        above = layout.order_of(layout.placed[0].entry)
        below = len(entries) - 1 - layout.order_of(layout.placed[-1].entry)
        if layout.has_older and self._is_near_edge(entries[above - 1 :: -1] if above else []):
            self._pages.older(entries[0].message.id)
        elif layout.has_newer and self._is_near_edge(entries[len(entries) - below :]):
            self._pages.newer(entries[-1].message.id)

    def _is_near_edge(self, beyond: list[MessageEntry]) -> bool:
        """Return whether the loaded messages ``beyond`` the view, nearest first, would soon be scrolled through."""
        reach = self._viewport_layout.view_height * _PREFETCH_VIEWS
        for entry in beyond:
            reach -= length_of(entry.message.text)
            if reach <= 0:
                return False
        return True

    def _update_pill(self) -> None:
        layout = self._layout
        is_away = bool(layout.entries) and not layout.sticks_to_end and not layout.is_at_end
        bar = self._area.verticalScrollBar()
        is_far = layout.has_newer or bar.maximum() - bar.value() > self._viewport_layout.view_height / 2
        if self._pill.is_wanted and is_away and (is_far or self._new_count):
            viewport = self._area.viewport()
            self._pill.set_count(self._new_count)
            self._pill.place(viewport.width(), viewport.height())
            self._pill.show()
        else:
            self._pill.hide()
