"""Finds words in the thread: the messages with matches, the current match, and the steps from one match to the next.

The whole thread is searched elsewhere; here the matches are counted, walked through and shown. A match is a message and
the number of the place in it, so it stays the same match while messages are loaded, unloaded and streamed into.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable
from dataclasses import dataclass
from itertools import accumulate

from PySide6.QtCore import QObject, QRectF, QTimer, Signal
from PySide6.QtWidgets import QAbstractScrollArea, QApplication, QWidget
from shiboken6 import isValid

from chatdesk.core.domain.text_match import MessageMatch, ThreadMatches, count_in_source, needle_of
from chatdesk.core.texts import plural, shown, tr
from chatdesk.ui.transcript.contract import ThreadFinder
from chatdesk.ui.transcript.input.find_bar import FindBar
from chatdesk.ui.transcript.layout.conversation import Conversation
from chatdesk.ui.transcript.layout.scrolling import Scrolling
from chatdesk.ui.transcript.layout.viewport_layout import ViewportLayout
from chatdesk.ui.transcript.messages.entry import MessageEntry
from chatdesk.ui.transcript.messages.found_places import FoundPlace, FoundPlaces

_TYPING_MS = 120
_LONGEST_TYPED = 500


@dataclass(frozen=True, slots=True)
class CurrentMatch:
    """The current match; ``number`` counts the places in the message from 0."""

    message_id: str
    position: int
    number: int


class Finding(QObject):
    """A search in the shown thread, which ends when that is left. ``announced`` tells screen readers the result."""

    announced = Signal(str)

    def __init__(
        self,
        view: QAbstractScrollArea,
        viewport_layout: ViewportLayout,
        *,
        conversation: Conversation,
        scrolling: Scrolling,
        find: ThreadFinder | None,
    ) -> None:
        super().__init__(view)
        self.bar = FindBar(view)
        self.places = FoundPlaces()
        self.current: CurrentMatch | None = None
        self._view = view
        self._viewport_layout = viewport_layout
        self._layout = viewport_layout.layout
        self._conversation = conversation
        self._scrolling = scrolling
        self._find = find or self._find_loaded
        self._matches: list[MessageMatch] = []
        self._is_complete = True
        self._searched_length = 0
        self._is_wanted = False  # the current match is to be brought into view as soon as its message is there
        self._return_to: QWidget | None = None
        self._typing_timer = QTimer(self, singleShot=True, interval=_TYPING_MS)
        self._typing_timer.setObjectName("typing")
        self._typing_timer.timeout.connect(self.search)
        self.bar.textChanged.connect(self._on_bar_text_changed)
        self.bar.stepped.connect(self.step)
        self.bar.closed.connect(self.close)
        viewport_layout.laidOut.connect(self._on_viewport_layout_laid_out)
        conversation.cleared.connect(self._on_conversation_cleared)
        conversation.changed.connect(self._on_conversation_changed)
        conversation.stateChanged.connect(self._on_conversation_state_changed)

    @property
    def is_open(self) -> bool:
        return self.bar.isVisibleTo(self._view)

    def open(self, text: str = "") -> None:
        """Show the bar with the focus in it, and search for ``text`` at once; nothing where no thread is shown."""
        if self._conversation.thread_id is None:
            return
        if not self.is_open:
            self._return_to = QApplication.focusWidget()
            self.bar.place(self._view.viewport().size(), is_low=False)
            self.bar.show()
            self.bar.raise_()
            self.bar.show_count(0, 0)
        if text and text != self.bar.field.text():
            self.bar.field.setText(text)
        elif self.bar.field.text():
            self._typing_timer.start()
        self.bar.field.setFocus()
        self.bar.field.selectAll()

    def show(self, text: str, message_id: str) -> None:
        """Mark ``text`` and bring its first place in ``message_id`` into view; the focus stays where it is."""
        if not needle_of(text):
            return
        if not self.is_open:
            self.bar.place(self._view.viewport().size())
            self.bar.show()
            self.bar.raise_()
        if text != self.bar.field.text():
            self.bar.field.setText(text)
        entry = self._layout.find(message_id)
        self.current = CurrentMatch(message_id, entry.message.position if entry is not None else -1, 0)
        self.places.set_needle(needle_of(text))
        self._is_wanted = True
        self._typing_timer.start()  # the rest of the thread is looked through after this message has been seen
        if entry is not None:
            self._show_current(entry)

    def close(self) -> None:
        """Hide the bar and the matches, and give the focus back."""
        if not self.is_open:
            return
        had_focus = self.bar.isAncestorOf(QApplication.focusWidget() or self._view)
        self._typing_timer.stop()
        self.bar.hide()
        self._forget()
        self.places.set_needle("")
        self._viewport_layout.repaint()
        if had_focus:
            back = self._return_to
            (back if back is not None and isValid(back) else self._view).setFocus()
        self._return_to = None

    def search(self) -> None:
        """Search the whole thread for the text in the field."""
        self._typing_timer.stop()
        text = self.bar.field.text()[:_LONGEST_TYPED]
        thread_id = self._conversation.thread_id
        needle = needle_of(text)
        self.places.set_needle(needle)
        self._viewport_layout.repaint()
        if not needle or thread_id is None:
            self._forget()
            self.bar.show_count(0, 0)
            return
        self._searched_length = len(self._layout.scale)
        self._find(thread_id, text, self._apply_matches)

    def step(self, step: int) -> None:
        """Go to the next match, or with -1 to the one before, and on from the other end at an end of the thread."""
        if not self.is_open or self._conversation.thread_id is None:
            self.open()
            return
        if self._typing_timer.isActive():
            self.search()
            return
        self._count_live()
        total = self.total
        if total == 0:
            return
        number = self._number_of(self.current)
        self._go((number + step) % total if number is not None else (0 if step > 0 else total - 1))
        self.announced.emit(tr("Match {place}", place=self.bar.count_text))

    # Matches

    @property
    def total(self) -> int:
        """The number of matches that are known."""
        return sum(match.count for match in self._matches)

    def _apply_matches(self, found: ThreadMatches) -> None:
        if needle_of(found.text) != self.places.needle or not self.places.needle or not self.is_open:
            return
        self._matches = list(found.matches)
        self._is_complete = found.is_complete
        self._count_live()
        if self.total == 0:
            self.current = None
            self.bar.show_count(0, 0)
            self.announced.emit(tr("Nothing found"))
        elif self._number_of(self.current) is None:
            self._go(self._nearest())
            self.announced.emit(
                shown(
                    plural(
                        "{count} found, match {place}",
                        "{count} found, match {place}",
                        self.total,
                        place=self.bar.count_text,
                    )
                )
            )
        else:
            self._show_count()

    def _nearest(self) -> int:
        """Return the number of the first match at or below the top of the view."""
        top = self._layout.top_entry
        position = top[0].message.position if top is not None else 0
        place = bisect_left(self._matches, position, key=lambda match: match.position)
        before = sum(match.count for match in self._matches[:place])
        return before if place < len(self._matches) else 0

    def _number_of(self, current: CurrentMatch | None) -> int | None:
        before = 0
        for match in self._matches:
            if current is not None and match.message_id == current.message_id:
                return before + min(current.number, match.count - 1)
            before += match.count
        return None

    def _go(self, number: int) -> None:
        ends = list(accumulate(match.count for match in self._matches))
        place = next(place for place, end in enumerate(ends) if number < end)
        match = self._matches[place]
        self.current = CurrentMatch(match.message_id, match.position, number - ends[place] + match.count)
        self._is_wanted = True
        self._show_count()
        entry = self._layout.find(match.message_id)
        if entry is None:
            self._scrolling.to_message(match.message_id)
        else:
            self._show_current(entry)
        self._viewport_layout.repaint()

    def _show_current(self, entry: MessageEntry) -> None:
        """Bring the current match into view, or wait for the blocks of its message first."""
        self._is_wanted = not entry.has_blocks and not entry.facts.is_live
        if self._is_wanted:
            if not any(placed.entry is entry for placed in self._layout.placed):
                self._scrolling.to_message(entry.message.id)
            return
        place = self.current_place(entry)
        if place is None:
            self._scrolling.to_message(entry.message.id)
            return
        self._layout.measure(entry, place.index)
        item = entry.items[place.index]
        if item.reveal(place.start):
            entry.places.forget()
            self._layout.measure(entry, place.index)
        areas = item.areas_of(place.start, place.end)
        if areas:
            self._scrolling.show_area(entry, place.index, areas[0])
            self._uncover(entry, place.index, areas[0])

    def _uncover(self, entry: MessageEntry, index: int, area: QRectF) -> None:
        """Move the bar off a match that cannot be scrolled out from under it."""
        placed = next((each for each in self._layout.placed if each.entry is entry and each.index == index), None)
        if placed is not None:
            is_covered = placed.y + area.top() < self.bar.covered_px
            self.bar.place(self._view.viewport().size(), is_low=is_covered)

    def current_place(self, entry: MessageEntry) -> FoundPlace | None:
        """Return the place of the current match if it is in ``entry``, else None."""
        if self.current is None or self.current.message_id != entry.message.id:
            return None
        return self.places.place_in(entry, self.current.number)

    def _count_live(self) -> None:
        """Count the matches in an answer that is being written, which is not stored yet."""
        for entry in self._layout.entries[-1:]:
            if entry.facts.is_live and self.places.needle:
                count = self.places.count_in(entry)
                others = [match for match in self._matches if match.message_id != entry.message.id]
                own = [MessageMatch(entry.message.id, entry.message.position, count)] if count else []
                self._matches = others + own

    def _show_count(self) -> None:
        number = self._number_of(self.current)
        self.bar.show_count(0 if number is None else number + 1, self.total, is_more=not self._is_complete)

    def _forget(self) -> None:
        self._matches = []
        self._is_complete = True
        self.current = None
        self._is_wanted = False

    def _find_loaded(self, thread_id: str, text: str, deliver: Callable[[ThreadMatches], None]) -> None:
        """Search the loaded messages, without a search of the whole thread."""
        needle = needle_of(text)
        counted = (
            MessageMatch(entry.message.id, entry.message.position, count_in_source(entry.text, needle))
            for entry in self._layout.entries
        )
        deliver(ThreadMatches(text, tuple(match for match in counted if match.count)))

    # What happens

    def _on_bar_text_changed(self) -> None:
        self.current = None
        self._typing_timer.start()

    def _on_viewport_layout_laid_out(self) -> None:
        if not self.is_open or not self.places.needle:
            return
        before = self._matches
        self._count_live()
        if self._matches != before:
            self._show_count()
        entry = self._layout.find(self.current.message_id) if self.current is not None else None
        if self._is_wanted and entry is not None and (entry.has_blocks or entry.facts.is_live):
            self._is_wanted = False
            QTimer.singleShot(0, self, lambda: self._show_current(entry))

    def _on_conversation_changed(self) -> None:
        # Pages that come while the reader scrolls change nothing; a thread that is longer or shorter does.
        if self.is_open and self.places.needle and len(self._layout.scale) != self._searched_length:
            self._typing_timer.start()

    def _on_conversation_state_changed(self, entry: MessageEntry) -> None:
        if self.is_open and self.places.needle and not entry.facts.is_live:
            self._typing_timer.start()

    def _on_conversation_cleared(self, is_same_thread: bool) -> None:
        if not is_same_thread:
            self.close()
            return
        self._forget()
        if self.is_open:
            self._typing_timer.start()
