"""The transcript: a scroll area of our own that lays out and paints only what is in view.

It knows messages and blocks. It does not know where messages are stored, how Markdown is read, or what its signals do.
"""

from __future__ import annotations

from html import escape

from PySide6.QtCore import QEvent, QPoint, QPointF, QRect, QRectF, Qt, QTimer, Signal
from PySide6.QtGui import (
    QContextMenuEvent,
    QFocusEvent,
    QGuiApplication,
    QHideEvent,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QResizeEvent,
    QShowEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QAbstractScrollArea, QFrame, QWidget

from chatdesk.core.domain.message import Message, MessagePage, Role, Status
from chatdesk.ui.theme.tokens import TRANSCRIPT_WIDTH_PX
from chatdesk.ui.transcript import accessible
from chatdesk.ui.transcript.code_item import CodeItem
from chatdesk.ui.transcript.contract import BlockRenderer, MessageFetcher, ScrollAnchor
from chatdesk.ui.transcript.entry import MessageEntry
from chatdesk.ui.transcript.fold_item import FoldItem
from chatdesk.ui.transcript.item import Item
from chatdesk.ui.transcript.keyboard import command_of, next_stop
from chatdesk.ui.transcript.layout import ThreadLayout
from chatdesk.ui.transcript.looks import Looks, ThemeLike
from chatdesk.ui.transcript.menu import build_menu
from chatdesk.ui.transcript.pages import Pages
from chatdesk.ui.transcript.painting import Attention, paint_view
from chatdesk.ui.transcript.pill import JumpPill
from chatdesk.ui.transcript.pointer import Hit, Pointer
from chatdesk.ui.transcript.selection import Selection, TextPlace
from chatdesk.ui.transcript.streaming import StreamFeeds

_SIDE_PX = 24
_LINE_STEP = 44.0
_WHEEL_STEP = 100.0
_KEPT_MESSAGES = 240
_PREFETCH_VIEWS = 2.0
_ASK_AROUND = 6  # neighbours of the view whose blocks are asked for ahead of need
_LINK_SCHEMES = ("http://", "https://", "mailto:")


class TranscriptView(QAbstractScrollArea):
    """``fetch`` and ``renderer`` deliver in the GUI thread. All signals carry message ids but ``copyRequested`` (the
    text), ``linkActivated`` (the target) and ``announced`` (a sentence for screen readers)."""

    copyRequested = Signal(str)
    regenerateRequested = Signal(str)
    editRequested = Signal(str)
    continueRequested = Signal(str)
    retryRequested = Signal(str)
    deleteRequested = Signal(str)
    versionRequested = Signal(str, int)
    linkActivated = Signal(str)
    anchorChanged = Signal()
    announced = Signal(str)

    def __init__(
        self, fetch: MessageFetcher, renderer: BlockRenderer, theme: ThemeLike, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        accessible.install()
        self.setObjectName("transcript")
        self.setAccessibleName("Transcript")
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.viewport().setMouseTracking(True)
        self.viewport().setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self._renderer = renderer
        self._theme = theme
        self._looks = Looks(theme, device_pixel_ratio=self.devicePixelRatioF())
        self._layout = ThreadLayout()
        self._layout.set_looks(self._looks)
        self._selection = Selection(self._layout)
        self._pointer = Pointer(self, self._layout, self._selection)
        self._pages = Pages(fetch, self._on_pages_page)
        self._feeds = StreamFeeds(renderer, self._on_feeds_frame, self)
        self._live: dict[str, MessageEntry] = {}
        self._thread_id: str | None = None
        self._wanted_anchor: ScrollAnchor | None = None
        self._wanted_y: float | None = None
        self._new_count = 0
        self._current_id: str | None = None
        self._stop: tuple[int, str] | None = None
        self._hit: Hit | None = None
        self._is_syncing = False
        self._pill = JumpPill(self)
        self._pill.set_looks(self._looks)
        self._pill.clicked.connect(self.scroll_to_end)
        self._relayout_timer = QTimer(self)
        self._relayout_timer.setSingleShot(True)
        self._relayout_timer.setInterval(0)
        self._relayout_timer.timeout.connect(self._relayout)
        theme.changed.connect(self._on_theme_changed)

    # What is shown

    @property
    def thread_id(self) -> str | None:
        return self._thread_id

    @property
    def entries(self) -> tuple[MessageEntry, ...]:
        """The loaded messages, for the accessible tree and for tests."""
        return tuple(self._layout.entries)

    @property
    def total(self) -> int:
        """How many messages the thread has, as far as is known."""
        return len(self._layout.tree)

    def show_thread(self, thread_id: str | None, anchor: ScrollAnchor | None = None) -> None:
        """Show a thread at the place where the reader left it, or at its end. ``None`` clears."""
        self._feeds.clear()
        for entry in (*self._layout.entries, *self._live.values()):
            entry.close()
        self._live.clear()
        self._selection.clear()
        self._layout.clear()
        self._layout.set_looks(self._looks)
        self._thread_id = thread_id
        self._current_id = self._stop = self._hit = None
        self._new_count = 0
        self._wanted_anchor = anchor
        self._wanted_y = None
        self._pages.set_thread(thread_id)
        self._relayout()
        if thread_id is None:
            return
        if anchor is not None and anchor.message_id is not None and not anchor.is_at_end:
            self._pages.around(anchor.message_id)
        else:
            self._pages.newest()

    def add_message(self, message: Message) -> None:
        """A message became the end of the shown path."""
        if message.thread_id != self._thread_id:
            return
        known = self._layout.find(message.id)
        if known is not None:
            self.change_message(message)
            return
        is_own = message.role is Role.USER
        entry = self._entry_for(message)
        if self._layout.has_newer or (not self._layout.entries and self._pages.is_waiting):
            self._layout.note_end(message.position)
            self._count_new()
            if is_own:
                self.scroll_to_end()
            return
        place = next(
            (at for at, each in enumerate(self._layout.entries) if each.message.position >= message.position), None
        )
        if place is not None:
            self._close_all(self._layout.cut_from(place))
        self._layout.add_newer([entry])
        if is_own:
            self._layout.sticks_to_end = True
        elif not self._layout.sticks_to_end:
            self._count_new()
        if not message.status.is_final:
            self._announce(f"{entry.author} is answering")
        self._schedule()
        accessible.children_changed(self)

    def change_message(self, message: Message) -> None:
        """A newer state of a message. Laid-out blocks stay when its text did not change."""
        entry = self._layout.find(message.id) or self._live.get(message.id)
        if entry is None or message.thread_id != self._thread_id:
            return
        was_live = entry.is_live
        if message.status.is_final:
            self._feeds.finish(message.id)
            self._live.pop(message.id, None)
        else:
            self._live[message.id] = entry
        entry.change(message)
        if was_live and message.status.is_final:
            self._announce_end(entry)
        elif not was_live and not message.status.is_final:
            self._announce(f"{entry.author} is answering")
        self._schedule()

    def append_text(self, message_id: str, part_index: int, kind: str, delta: str) -> None:
        """Text arrived; it is shown within a frame."""
        entry = self._layout.find(message_id) or self._live.get(message_id)
        if entry is not None and delta:
            self._live[message_id] = entry
            self._feeds.append(entry, part_index, kind, delta)

    def reload_from(self, message_id: str | None) -> None:
        """The shown path differs from ``message_id`` on (None: all of it)."""
        entry = self._layout.find(message_id)
        place = self._layout.order_of(entry) if entry is not None else 0
        if place <= 0:
            anchor = self.scroll_anchor() if message_id is not None else None
            first = self._layout.entries[0].message.id if self._layout.entries else None
            is_lost = anchor is None or anchor.message_id == message_id == first
            self.show_thread(self._thread_id, None if is_lost else anchor)
            return
        self._selection.clear()
        self._close_all(self._layout.cut_from(place))
        self._layout.has_newer = True
        self._pages.set_thread(self._thread_id)
        self._pages.newer(self._layout.entries[-1].message.id)
        self._relayout()

    def set_notice(self, message_id: str, text: str) -> None:
        """A line under a message that waits, such as when it will be sent again; "" takes it away."""
        entry = self._layout.find(message_id) or self._live.get(message_id)
        if entry is not None:
            entry.set_notice(text)
            if text:
                self._announce(text)
            self._schedule()

    def set_theme(self, theme: ThemeLike) -> None:
        if theme is not self._theme:
            self._theme.changed.disconnect(self._on_theme_changed)
            self._theme = theme
            theme.changed.connect(self._on_theme_changed)
        self._on_theme_changed()

    # The reader's place

    def scroll_anchor(self) -> ScrollAnchor:
        self.settle()
        top = self._layout.top_entry
        is_at_end = self._layout.sticks_to_end and not self._layout.has_newer
        if top is None:
            return ScrollAnchor(None, 0.0, is_at_end)
        return ScrollAnchor(top[0].message.id, top[1], is_at_end)

    def current_message_id(self) -> str | None:
        """The message that keys act on: the one walked to, else the one at the top of the view."""
        if self._layout.find(self._current_id) is not None:
            return self._current_id
        top = self._layout.top_entry
        return top[0].message.id if top else None

    def jump_to(self, message_id: str) -> None:
        """Bring a message to the top of the view and make it the current one."""
        if self._thread_id is None:
            return
        self._current_id, self._stop = message_id, None
        entry = self._layout.find(message_id)
        if entry is None:
            self._wanted_anchor = ScrollAnchor(message_id, -16.0, False)
            self._pages.around(message_id)
            return
        self._layout.sticks_to_end = False
        self._layout.hold_at(entry, -16.0)
        self._relayout()
        self._after_scroll()

    def scroll_to_end(self) -> None:
        self._new_count = 0
        self._layout.sticks_to_end = True
        if self._layout.has_newer:
            self._wanted_anchor = None
            self._pages.newest()
            return
        self._relayout()
        self._after_scroll()

    def scroll_by(self, delta: float) -> None:
        """Move down by ``delta`` px, up when negative."""
        if not self._layout.entries:
            return
        self._layout.sticks_to_end = False
        self._layout.scroll_by(delta)
        self._relayout()
        self._after_scroll()

    def column_left(self) -> float:
        # Of the whole width: the column must not move when the scroll bar comes and goes.
        return float(round((self.width() - self._column_width()) / 2))

    def view_height(self) -> float:
        return float(self.viewport().height())

    def message_rect(self, entry: MessageEntry) -> QRect:
        """Where a message is on the screen; empty when it is not in view."""
        self.settle()
        shown = [each for each in self._layout.placed if each.entry is entry]
        if not shown:
            return QRect()
        area = QRectF(self.column_left(), shown[0].y, entry.width, shown[-1].bottom - shown[0].y).toAlignedRect()
        area = area.intersected(self.viewport().rect())
        return QRect(self.viewport().mapToGlobal(area.topLeft()), area.size())

    def repaint_all(self) -> None:
        self.viewport().update()

    # What assistive programs do

    @property
    def focused_stop(self) -> tuple[MessageEntry, int, str] | None:
        """The button that Tab has reached: its message, the index of its item, its action."""
        entry = self._layout.find(self._current_id) if self.hasFocus() else None
        return (entry, *self._stop) if entry is not None and self._stop is not None else None

    def item_origin(self, item: Item) -> QPointF | None:
        """Where an item begins in the viewport; None when it is not in view."""
        self.settle()
        placed = next((each for each in self._layout.placed if each.item is item), None)
        return QPointF(self.column_left() + placed.entry.x_of(item), placed.y) if placed is not None else None

    def press(self, entry: MessageEntry, item: Item, action: str) -> None:
        """As if the reader had pressed the button ``action``."""
        self._press(entry, item, action)

    def follow_link(self, target: str) -> None:
        self._open_link(target)

    def show_item(self, entry: MessageEntry, item: Item) -> None:
        """Scroll until ``item`` is in view."""
        index = entry.index_of(item)
        if index is not None:
            self._reveal(entry, index)

    def select_text(self, entry: MessageEntry, item: Item, start: int, end: int) -> None:
        self._selection.begin(TextPlace(entry, item, start))
        self._selection.extend(TextPlace(entry, item, end))
        self.viewport().update()

    # Pages

    def _on_pages_page(self, page: MessagePage, wish: str) -> None:
        layout = self._layout
        if wish == "older":
            known = {entry.message.id for entry in layout.entries}
            layout.has_older = page.has_older
            layout.add_older([self._entry_for(each) for each in page.messages if each.id not in known])
        elif wish == "newer":
            known = {entry.message.id for entry in layout.entries}
            layout.has_newer = page.has_newer
            layout.add_newer([self._entry_for(each) for each in page.messages if each.id not in known])
        else:
            kept = set(self._live.values())
            for entry in layout.entries:
                if entry not in kept:
                    entry.close()
            layout.has_older, layout.has_newer = page.has_older, page.has_newer
            layout.replace_all((self._entry_for(each) for each in page.messages), total=page.total)
            self._take_wanted_place(wish)
        self._relayout()
        if wish not in ("older", "newer"):
            layout.tree.learn_guess()
            self._sync_scroll_bar()
        accessible.children_changed(self)

    def _take_wanted_place(self, wish: str) -> None:
        layout = self._layout
        layout.sticks_to_end = wish == "newest"
        anchor, self._wanted_anchor = self._wanted_anchor, None
        y, self._wanted_y = self._wanted_y, None
        self._apply_width()
        if wish == "around" and anchor is not None:
            entry = layout.find(anchor.message_id)
            if entry is None:
                layout.sticks_to_end = not layout.has_newer
            else:
                layout.hold_at(entry, anchor.offset_px)
        elif wish == "at" and y is not None and not layout.hold_position(y) and layout.entries:
            layout.hold_at(layout.entries[0], 0.0)

    def _entry_for(self, message: Message) -> MessageEntry:
        """A live message is the entry that the stream writes into, also when its page comes again."""
        entry = self._live.get(message.id)
        if entry is not None:
            entry.change(message)
            return entry
        entry = MessageEntry(message)
        if not message.status.is_final:
            self._live[message.id] = entry
        return entry

    def _ask_for_more(self) -> None:
        layout = self._layout
        if not layout.placed or self._pages.is_waiting:
            return
        reach = self.view_height() * _PREFETCH_VIEWS
        first, last = layout.entries[0], layout.entries[-1]
        tree = layout.tree
        top = layout.placed[0].entry.message.position
        bottom = layout.placed[-1].entry.message.position
        if layout.has_older and tree.prefix(top) - tree.prefix(first.message.position) < reach:
            self._pages.older(first.message.id)
        elif layout.has_newer and tree.prefix(last.message.position) - tree.prefix(bottom) < reach:
            self._pages.newer(last.message.id)

    def _close_all(self, entries: list[MessageEntry]) -> None:
        for entry in entries:
            entry.close()
            if not entry.is_live:
                self._live.pop(entry.message.id, None)

    # Layout

    def _schedule(self) -> None:
        if not self._relayout_timer.isActive():
            self._relayout_timer.start()

    def _relayout(self) -> None:
        self._relayout_timer.stop()
        self._apply_width()
        self._layout.arrange(self._column_width(), self.view_height())
        self._close_all([e for e in self._layout.drop_far(_KEPT_MESSAGES) if e.message.id not in self._live])
        self._ask_for_blocks()
        if self._relayout_timer.isActive():  # blocks came at once: what was placed is gone
            self._relayout_timer.stop()
            self._layout.arrange(self._column_width(), self.view_height())
        self._sync_scroll_bar()
        self._update_pill()
        self.viewport().update()
        self._ask_for_more()

    def settle(self) -> None:
        """Lay out now if that is due: places in view must never point at items that are gone."""
        if self._relayout_timer.isActive():
            self._relayout()

    def _apply_width(self) -> None:
        self._layout.set_width(self._column_width())

    def _ask_for_blocks(self) -> None:
        layout = self._layout
        if not layout.placed:
            return
        first = layout.order_of(layout.placed[0].entry) - _ASK_AROUND
        last = layout.order_of(layout.placed[-1].entry) + _ASK_AROUND
        # The ones in view first, from the newest: that is where the reader looks.
        for entry in reversed(layout.entries[max(0, first) : last + 1]):
            if not entry.is_live:
                entry.request_blocks(self._renderer, self._on_entry_ready)

    def _on_entry_ready(self, entry: MessageEntry) -> None:
        entry.rebuild()
        if self._layout.find(entry.message.id) is entry:
            self._layout.store_height(entry)
            self._schedule()

    def _on_feeds_frame(self, entries: list[MessageEntry]) -> None:
        shown = [entry for entry in entries if self._layout.find(entry.message.id) is entry]
        for entry in shown:
            self._layout.store_height(entry)
        if shown:
            self._relayout()

    def _column_width(self) -> float:
        most = self._looks.px(TRANSCRIPT_WIDTH_PX)
        return float(max(160, min(most, self.width() - 2 * _SIDE_PX)))

    def _on_theme_changed(self) -> None:
        self._looks = Looks(self._theme, device_pixel_ratio=self.devicePixelRatioF())
        self._layout.set_looks(self._looks)
        self._pill.set_looks(self._looks)
        self._relayout()

    # Scrolling

    def _sync_scroll_bar(self) -> None:
        bar = self.verticalScrollBar()
        height = self.view_height()
        self._is_syncing = True
        most = max(0, round(self._layout.content_height - height))
        bar.setRange(0, most)
        bar.setPageStep(max(1, round(height)))
        bar.setSingleStep(round(_LINE_STEP))
        bar.setValue(most if self._layout.is_at_end else round(self._layout.scroll_value))
        self._is_syncing = False

    def scrollContentsBy(self, dx: int, dy: int) -> None:
        """The scroll bar was moved, by the reader or by an assistive program."""
        if self._is_syncing or not self._layout.entries:
            return
        value = self.verticalScrollBar().value()
        self._layout.sticks_to_end = False
        if abs(dy) < 2 * self.view_height():
            self._layout.scroll_by(-dy)
        elif not self._layout.hold_position(float(value)):
            self._go_to_unloaded(float(value))
            return
        self._relayout()
        self._after_scroll()

    def _go_to_unloaded(self, y: float) -> None:
        entries = self._layout.entries
        first, last = entries[0].message, entries[-1].message
        self._wanted_y = y
        self._pages.at(self._layout.tree.find(y), (first.id, first.position), (last.id, last.position))

    def _after_scroll(self) -> None:
        self._layout.sticks_to_end = self._layout.is_at_end
        if self._layout.sticks_to_end:
            self._new_count = 0
        self._update_pill()
        self.anchorChanged.emit()

    def _count_new(self) -> None:
        self._new_count += 1
        self._update_pill()

    def _update_pill(self) -> None:
        layout = self._layout
        is_away = bool(layout.entries) and not layout.sticks_to_end and not layout.is_at_end
        bar = self.verticalScrollBar()
        is_far = layout.has_newer or bar.maximum() - bar.value() > self.view_height() / 2
        if is_away and (is_far or self._new_count):
            self._pill.set_count(self._new_count)
            self._pill.place(self.viewport().width(), self.viewport().height())
            self._pill.show()
        else:
            self._pill.hide()

    # Qt's events

    def paintEvent(self, event: QPaintEvent) -> None:
        self.settle()
        painter = QPainter(self.viewport())
        paint_view(
            painter,
            self._looks,
            self._layout,
            self._selection,
            self._attention(),
            area=QRectF(event.rect()),
            left=self.column_left(),
        )
        painter.end()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._relayout()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._feeds.set_visible(True)

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self._feeds.set_visible(False)

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        self.viewport().update()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self.viewport().update()

    def wheelEvent(self, event: QWheelEvent) -> None:
        pixels, angle = event.pixelDelta(), event.angleDelta()
        dx, dy = float(pixels.x()), float(pixels.y())
        if pixels.isNull():
            dx, dy = angle.x() / 120 * _WHEEL_STEP, angle.y() / 120 * _WHEEL_STEP
        is_sideways = abs(dx) > abs(dy) or bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
        if is_sideways:
            hit = self._pointer.hit(event.position())
            if hit is not None and hit.item.scroll_x(-(dx or dy)):
                self.viewport().update()
        else:
            self.scroll_by(-dy)
        event.accept()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() is Qt.MouseButton.LeftButton:
            extends = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
            self._current_id = self._stop = None
            self._pointer.press(event.position(), extends=extends)
            self.viewport().update()

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        self.mousePressEvent(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self._pointer.move(event.position(), self.view_height())
        if not self._pointer.is_dragging:
            self._hover(event.position())

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if event.button() is not Qt.MouseButton.LeftButton:
            return
        hit = self._pointer.release(event.position())
        if hit is not None and hit.button is not None:
            self._press(hit.entry, hit.item, hit.button.action)
        elif hit is not None and hit.link:
            self._open_link(hit.link)
        self._hover(event.position())

    def leaveEvent(self, event: QEvent) -> None:
        super().leaveEvent(event)
        self._hit = None
        self.viewport().update()

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        hit = self._pointer.hit(QPointF(event.pos()))
        entry = hit.entry if hit is not None else self._entry_at_y(event.pos().y())
        if entry is not None:
            self._show_menu(entry, event.globalPos())

    def event(self, event: QEvent) -> bool:
        is_shortcut = event.type() is QEvent.Type.ShortcutOverride
        if is_shortcut and isinstance(event, QKeyEvent) and command_of(event) is not None:
            event.accept()
            return True
        return bool(super().event(event))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        self.settle()
        command = command_of(event)
        if command is None or not self._obey(command):
            event.ignore()

    def focusNextPrevChild(self, forward: bool) -> bool:
        """Tab walks through the buttons of the current message before it leaves the transcript."""
        entry = self._layout.find(self._current_id) if self.hasFocus() else None
        if entry is not None:
            following = next_stop(entry, self._stop, forward=forward)
            had, self._stop = self._stop, following
            self.viewport().update()
            if following is not None:
                self._reveal(entry, following[0])
                return True
            if had is not None and not forward:
                return True
        return bool(super().focusNextPrevChild(forward))

    # Commands

    def _obey(self, command: str) -> bool:
        page = self.view_height() - _LINE_STEP
        steps = {"line-up": -_LINE_STEP, "line-down": _LINE_STEP, "page-up": -page, "page-down": page}
        if command in steps and not (self._stop and command == "page-down"):
            self.scroll_by(steps[command])
        elif command == "start":
            self._scroll_to_start()
        elif command == "end":
            self.scroll_to_end()
        elif command == "next-message":
            self._step_message(1)
        elif command == "previous-message":
            self._step_message(-1)
        elif command == "copy":
            self._copy()
        elif command == "select-all":
            self._selection.select_all()
            self.viewport().update()
        elif command in ("activate", "page-down") and self._stop is not None:
            self._activate_stop()
        elif command in ("activate", "menu"):
            self._show_menu_of_current()
        elif command == "escape":
            had = self._selection.clear() or self._current_id is not None
            self._current_id = self._stop = None
            self.viewport().update()
            return had
        return True

    def _scroll_to_start(self) -> None:
        if not self._layout.entries:
            return
        if self._layout.has_older:
            self._layout.sticks_to_end = False
            self._go_to_unloaded(0.0)
            return
        self._layout.sticks_to_end = False
        self._layout.hold_at(self._layout.entries[0], -self.view_height())
        self._relayout()
        self._after_scroll()

    def _step_message(self, step: int) -> None:
        entries = self._layout.entries
        if not entries:
            return
        current = self._layout.find(self._current_id)
        if current is None:
            top = self._layout.top_entry
            place = self._layout.order_of(top[0]) if top else 0
        else:
            place = self._layout.order_of(current) + step
        if 0 <= place < len(entries):
            self._current_id, self._stop = entries[place].message.id, None
            self._layout.sticks_to_end = False
            self._layout.hold_at(entries[place], -16.0)
            self._relayout()
            self._after_scroll()
            accessible.focus_changed(self, entries[place])

    def _reveal(self, entry: MessageEntry, index: int) -> None:
        tops = entry.tops
        placed = next((each for each in self._layout.placed if each.entry is entry and each.index == index), None)
        if placed is None or placed.y < 0 or placed.y > self.view_height() - 60:
            self._layout.sticks_to_end = False
            self._layout.hold_at(entry, tops[index] - self.view_height() / 3)
            self._relayout()
            self._after_scroll()

    def _activate_stop(self) -> None:
        entry = self._layout.find(self._current_id)
        if entry is not None and self._stop is not None and self._stop[0] < len(entry.items):
            self._press(entry, entry.items[self._stop[0]], self._stop[1])

    def _press(self, entry: MessageEntry, item: Item, action: str) -> None:
        if action == "copy-code" and isinstance(item, CodeItem):
            self._put_on_clipboard(item.block.text)
        elif action == "fold-code" and isinstance(item, CodeItem):
            self._layout.sticks_to_end = False
            item.toggle_fold()
            entry.forget_places()
        elif action == "toggle-fold" and isinstance(item, FoldItem):
            self._layout.sticks_to_end = False
            entry.toggle_fold(item)
        elif action == "more":
            placed = next((each for each in self._layout.placed if each.item is item), None)
            y = placed.y if placed else 0.0
            button = next((each for each in item.buttons() if each.action == action), None)
            x = self.column_left() + (button.area.x() if button else 0)
            self._show_menu(entry, self.viewport().mapToGlobal(QPoint(round(x), round(y + item.height))))
        else:
            self._do(entry, action)
        self._relayout()

    def _do(self, entry: MessageEntry, action: str) -> None:
        message_id = entry.message.id
        if action == "copy":
            self._put_on_clipboard(self._selection.text() or entry.text)
        elif action == "copy-markdown":
            self._put_on_clipboard(entry.text)
        elif action in ("version-previous", "version-next"):
            self.versionRequested.emit(message_id, -1 if action == "version-previous" else 1)
        else:
            signals = {
                "edit": self.editRequested,
                "regenerate": self.regenerateRequested,
                "continue": self.continueRequested,
                "retry": self.retryRequested,
                "delete": self.deleteRequested,
            }
            signals[action].emit(message_id)

    def _copy(self) -> None:
        text = self._selection.text()
        if not text:
            entry = self._layout.find(self.current_message_id())
            text = entry.text if entry is not None else ""
        if text:
            self._put_on_clipboard(text)

    def _put_on_clipboard(self, text: str) -> None:
        QGuiApplication.clipboard().setText(text)
        self.copyRequested.emit(text)

    def _open_link(self, target: str) -> None:
        if target.lower().startswith(_LINK_SCHEMES):
            self.linkActivated.emit(target)

    def _show_menu_of_current(self) -> None:
        entry = self._layout.find(self.current_message_id())
        if entry is None:
            return
        placed = next((each for each in self._layout.placed if each.entry is entry and each.bottom > 0), None)
        y = min(max(0.0, placed.y if placed else 0.0), self.view_height() - 40)
        self._show_menu(entry, self.viewport().mapToGlobal(QPoint(round(self.column_left()), round(y) + 24)))

    def _show_menu(self, entry: MessageEntry, at: QPoint) -> None:
        menu = build_menu(self, entry, self._selection.is_some, lambda action: self._do(entry, action))
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.popup(at)

    # Attention

    def _attention(self) -> Attention:
        current = self._layout.find(self._current_id) if self.hasFocus() else None
        hit = self._hit
        return Attention(
            hovered_entry=hit.entry if hit else None,
            hovered_item=hit.item if hit and hit.button else None,
            hovered_action=hit.button.action if hit and hit.button else None,
            current_entry=current,
            focused_index=self._stop[0] if self._stop else None,
            focused_action=self._stop[1] if self._stop else None,
        )

    def _hover(self, point: QPointF) -> None:
        hit = self._pointer.hit(point)
        old, self._hit = self._hit, hit
        if hit is not None and (hit.button or hit.link):
            shape = Qt.CursorShape.PointingHandCursor
        elif hit is not None and hit.item.is_selectable:
            shape = Qt.CursorShape.IBeamCursor
        else:
            shape = Qt.CursorShape.ArrowCursor
        self.viewport().setCursor(shape)
        text = "" if hit is None else (hit.button.label if hit.button else hit.link or "")
        # A tooltip that looks like HTML would be read as HTML.
        self.viewport().setToolTip(f"<qt>{escape(text)}</qt>" if text else "")
        if _target_of(old) != _target_of(hit):
            self.viewport().update()

    def _entry_at_y(self, y: float) -> MessageEntry | None:
        for placed in self._layout.placed:
            if placed.bottom >= y:
                return placed.entry
        return None

    def _announce(self, sentence: str) -> None:
        self.announced.emit(sentence)
        accessible.announce(self, sentence)

    def _announce_end(self, entry: MessageEntry) -> None:
        status = entry.message.status
        if status is Status.COMPLETE:
            self._announce(f"{entry.author} has answered")
        elif status is Status.STOPPED:
            self._announce("The answer was stopped")
        else:
            self._announce(entry.message.error or "The answer is not complete")


def _target_of(hit: Hit | None) -> tuple[object, object]:
    if hit is None:
        return None, None
    return hit.entry, hit.button.action if hit.button else None
