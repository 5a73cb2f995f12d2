"""Lays out the viewport: its column, the time of each new layout, and the blocks and pictures that it requests.

Only this module calls ``ThreadLayout.arrange``.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial

from PySide6.QtCore import QObject, QPoint, QPointF, QRect, QRectF, QTimer, Signal
from PySide6.QtWidgets import QAbstractScrollArea, QWidget

from chatdesk.core.chat.attachment_rules import attachments_of
from chatdesk.core.domain.message import Role
from chatdesk.core.rendering.client import RenderClient
from chatdesk.ui.theme.tokens import TRANSCRIPT_WIDTH_PX
from chatdesk.ui.transcript.contract import ChangeStateOf, SharesOf
from chatdesk.ui.transcript.drawing.item import Item
from chatdesk.ui.transcript.drawing.picture_loader import PictureLoader
from chatdesk.ui.transcript.drawing.transcript_style import TranscriptStyle
from chatdesk.ui.transcript.items.attached_picture_item import AttachedPictureItem
from chatdesk.ui.transcript.items.change_item import ChangeItem
from chatdesk.ui.transcript.items.diagram_item import DiagramItem
from chatdesk.ui.transcript.items.file_item import FileItem
from chatdesk.ui.transcript.items.picture_item import PictureItem
from chatdesk.ui.transcript.layout.blitting import Drawn, drawn, free_band, growth, moved_by
from chatdesk.ui.transcript.layout.held_place import Placed
from chatdesk.ui.transcript.layout.layout import ThreadLayout
from chatdesk.ui.transcript.messages.entry import MessageEntry

_SIDE_PX = 24
_NARROWEST_PX = 160
_KEPT_MESSAGES = 240
_AHEAD_VIEWS = 1.5  # distance laid out ahead of the viewport while idle
_AHEAD_AFTER_MS = 4  # the loop rests in between, so that what is due in the meantime is not one long piece of work
_AHEAD_SLICE_S = 0.002
_ABOVE_ITEM_PX = 18  # rings, marks and the bars of quotes reach above the item they belong to
_ASK_AROUND = 6  # neighbours of the view whose blocks are asked for ahead of need


class ViewportLayout(QObject):
    """The layout of the viewport; ``laidOut`` is emitted after every new layout."""

    laidOut = Signal()

    def __init__(self, area: QAbstractScrollArea, renderer: RenderClient, style: TranscriptStyle) -> None:
        super().__init__(area)
        self.layout = ThreadLayout()
        self.style = style
        self.overlays: tuple[QWidget, ...] = ()  # siblings of the viewport that are on it
        self.pictures: PictureLoader | None = None
        self._change_state: ChangeStateOf | None = None
        self._shares: SharesOf | None = None
        self.file_state: Callable[[str], str] | None = None  # why the file with a checksum is missing here
        self.has_plain_questions = False
        self._area = area
        self._renderer = renderer
        self._drawn: list[Drawn] = []
        self._only_grows = False  # scheduled work
        self._asked_around: tuple[MessageEntry, MessageEntry] | None = None  # the ends of the view when that was done
        self.layout.set_style(style)
        self._timer = QTimer(self, singleShot=True, interval=0)
        self._timer.timeout.connect(self._on_timer_timeout)
        self._ahead_timer = QTimer(self, singleShot=True, interval=_AHEAD_AFTER_MS)
        self._ahead_timer.setObjectName("ahead")
        self._ahead_timer.timeout.connect(self._on_ahead_timer_timeout)

    def clear(self) -> None:
        self.layout.clear()
        self._asked_around = None
        self.layout.set_style(self.style)

    def set_style(self, style: TranscriptStyle) -> None:
        self.style = style
        self.layout.set_style(style)
        self.relayout()

    # Measures

    @property
    def view_height(self) -> float:
        return float(self._area.viewport().height())

    @property
    def column_width(self) -> float:
        most = self.style.px(TRANSCRIPT_WIDTH_PX)
        return float(max(_NARROWEST_PX, min(most, self._area.width() - 2 * _SIDE_PX)))

    @property
    def column_left(self) -> float:
        # Computed from the whole width: the column must not move when the scroll bar appears or disappears.
        return float(round((self._area.width() - self.column_width) / 2))

    # Laying out

    def schedule(self, *, is_growth: bool = False) -> None:
        """Lay out soon, once for all changes until then; ``is_growth`` is as in ``relayout``."""
        self._only_grows = is_growth and (self._only_grows or not self._timer.isActive())
        if not self._timer.isActive():
            self._timer.start()

    def ensure_laid_out(self) -> None:
        """Lay out now if a layout is due, because places in view must never point at items that are gone."""
        if self._timer.isActive():
            self.relayout(is_growth=self._only_grows)

    def relayout(self, *, is_scroll: bool = False, is_growth: bool = False) -> None:
        """Lay out now. ``is_scroll``: only the reader's place has changed, so the picture on the screen can be moved,
        and only the revealed part is drawn. ``is_growth``: the only changes are streaming messages, which grow at their
        ends, and new ones at the end."""
        is_scroll = is_scroll and not self._timer.isActive()
        is_growth = is_growth and (self._only_grows or not self._timer.isActive())
        self._only_grows = False
        is_growing = is_growth
        before = self.layout.placed
        self._timer.stop()
        self._arrange()
        for entry in self.layout.drop_far(_KEPT_MESSAGES):
            if not entry.facts.is_live:
                entry.close()
        if not is_scroll or _ends(before) != _ends(self.layout.placed):
            self._ask_for_blocks()
        self._ask_for_pictures()
        if self._timer.isActive():  # the arrival of blocks has invalidated the layout
            self._timer.stop()
            self._arrange()
            is_scroll, is_growth, self._only_grows = False, is_growth and self._only_grows, False
        last = self.layout.entries[-1] if self.layout.entries and not self.layout.has_newer else None
        old, self._drawn = self._drawn, drawn(self.layout.placed, last)
        if not (is_scroll and self._move_picture(before)) and not (is_growth and self._draw_growth(old)):
            self.repaint()
        self.laidOut.emit()
        # Growth at the end brings no unplaced items near the view, so a growing frame starts no layout ahead.
        if not is_growing and not self._ahead_timer.isActive():
            self._ahead_timer.start()

    def apply_width(self) -> None:
        self.layout.set_width(self.column_width)

    def repaint(self) -> None:
        self._area.viewport().update()

    # What is in view

    def placed_of(self, entry: MessageEntry) -> list[Placed]:
        self.ensure_laid_out()
        return [each for each in self.layout.placed if each.entry is entry]

    def shows_end_of(self, entry: MessageEntry) -> bool:
        """Return whether the end of a message, where it grows, is in the viewport."""
        placed = self.layout.placed
        if not placed or placed[-1].entry is entry:
            return not placed or placed[-1].index >= entry.body[1] - 1
        return any(each.entry is entry for each in placed)

    def rect_of(self, entry: MessageEntry) -> QRect:
        """Return the rectangle of a message on the screen, empty when it is not in view."""
        shown = self.placed_of(entry)
        if not shown:
            return QRect()
        viewport = self._area.viewport()
        area = QRectF(self.column_left, shown[0].y, entry.places.width, shown[-1].bottom - shown[0].y).toAlignedRect()
        area = area.intersected(viewport.rect())
        return QRect(viewport.mapToGlobal(area.topLeft()), area.size())

    def origin_of(self, item: Item) -> QPointF | None:
        """Return the top left corner of an item in the viewport, or None when it is not in view."""
        self.ensure_laid_out()
        placed = next((each for each in self.layout.placed if each.item is item), None)
        return QPointF(self.column_left + placed.entry.places.x_of(item), placed.y) if placed is not None else None

    def entry_at(self, y: float) -> MessageEntry | None:
        self.ensure_laid_out()
        return next((placed.entry for placed in self.layout.placed if placed.bottom >= y), None)

    def to_global(self, x: float, y: float) -> QPoint:
        return self._area.viewport().mapToGlobal(QPoint(round(x), round(y)))

    def _arrange(self) -> None:
        self.layout.arrange(self.column_width, self.view_height)

    def _draw_growth(self, old: list[Drawn]) -> bool:
        found = growth(old, self._drawn)
        if found is None or not self._shift_picture(found.shift):
            return False
        top = int(found.top) - _ABOVE_ITEM_PX
        viewport = self._area.viewport()
        viewport.update(0, top, viewport.width(), viewport.height() - top)
        return True

    def _move_picture(self, before: list[Placed]) -> bool:
        shift = moved_by(before, self.layout.placed)
        return shift is not None and self._shift_picture(shift)

    def _shift_picture(self, shift: int) -> bool:
        viewport = self._area.viewport()
        band = free_band(viewport.rect(), self.overlays)
        # At a broken ratio a whole pixel is not whole on the screen.
        if abs(shift) >= band.height() or viewport.devicePixelRatioF() % 1:
            return False
        if shift:
            viewport.scroll(0, shift, band)
            viewport.update(0, 0, viewport.width(), band.top())
            viewport.update(0, band.bottom() + 1, viewport.width(), viewport.height() - band.bottom() - 1)
        return True

    def _on_timer_timeout(self) -> None:
        self.relayout(is_growth=self._only_grows)

    def _on_ahead_timer_timeout(self) -> None:
        self.ensure_laid_out()
        end = time.perf_counter() + _AHEAD_SLICE_S
        self._ask_around()
        for _ in self.layout.ahead(self.view_height * _AHEAD_VIEWS):
            if time.perf_counter() > end:
                self._ahead_timer.start()
                return

    def _ask_for_blocks(self) -> None:
        # From the newest: that is where the reader looks.
        for entry in dict.fromkeys(placed.entry for placed in reversed(self.layout.placed)):
            self.ask_for_blocks(entry)

    def _ask_around(self) -> None:
        """Request the blocks of messages near the view, once those in view have been painted."""
        layout, ends = self.layout, _ends(self.layout.placed)
        if ends is None or ends == self._asked_around:
            return
        self._asked_around = ends
        first, last = (layout.order_of(each) for each in ends)
        for entry in reversed(layout.entries[max(0, first - _ASK_AROUND) : last + 1 + _ASK_AROUND]):
            self.ask_for_blocks(entry)

    def ask_for_blocks(self, entry: MessageEntry) -> None:
        """Request the blocks of a message once; the message need not be loaded yet."""
        if not entry.facts.is_live and not (self.has_plain_questions and entry.facts.is_question):
            entry.request_blocks(self._renderer, self._on_entry_ready)

    def set_change_states(self, state_of: ChangeStateOf) -> None:
        """Set the function that returns the state of a proposed change of a file; call again when it may have
        changed."""
        self._change_state = state_of
        self.relayout()

    def set_shares(self, shares_of: SharesOf) -> None:
        """Set the function that returns how much of a question's attachments was sent; call again when that may have
        changed."""
        self._shares = shares_of
        self.relayout()

    def _show_shares(self, shares_of: SharesOf) -> None:
        for placed in self.layout.placed:
            entry, item = placed.entry, placed.item
            if not isinstance(item, AttachedPictureItem | FileItem) or not entry.facts.is_question:
                continue
            place = self.layout.order_of(entry) + 1
            answer = self.layout.entries[place].message if 0 < place < len(self.layout.entries) else None
            if answer is not None and answer.role is Role.ASSISTANT and not answer.is_edited_answer:
                shares = shares_of(attachments_of(entry.message), answer.provider, answer.model)
                if item.update_share(shares.get(item.attachment)):
                    self._on_picture_changed(entry)

    def _ask_for_pictures(self) -> None:
        if self._shares is not None:
            self._show_shares(self._shares)
        if self.file_state is not None:
            for placed in self.layout.placed:
                if isinstance(placed.item, PictureItem | FileItem) and placed.item.update_file_state(self.file_state):
                    self._on_picture_changed(placed.entry)
        if self._change_state is not None:
            for placed in self.layout.placed:
                if isinstance(placed.item, ChangeItem) and placed.item.update_change_state(self._change_state):
                    self._on_picture_changed(placed.entry)
        if self.pictures is None:
            return
        for placed in self.layout.placed:
            if isinstance(placed.item, PictureItem | DiagramItem):
                placed.item.ask(self.pictures, partial(self._on_picture_changed, placed.entry))

    def _on_picture_changed(self, entry: MessageEntry) -> None:
        entry.places.forget()
        if self.layout.find(entry.message.id) is entry:
            self.schedule()

    def _on_entry_ready(self, entry: MessageEntry) -> None:
        entry.rebuild()
        if any(placed.entry is entry for placed in self.layout.placed):
            # The bubble of a question is as wide as its widest line: above what is new it may look otherwise.
            self.schedule(is_growth=not entry.facts.is_question)


def _ends(placed: list[Placed]) -> tuple[MessageEntry, MessageEntry] | None:
    return (placed[0].entry, placed[-1].entry) if placed else None
