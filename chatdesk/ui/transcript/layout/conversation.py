"""Manages the messages of the shown thread: pages, new and changed messages, streaming text; not the reader's place."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QObject, Signal

from chatdesk.core.domain.context import ContextLandmarks
from chatdesk.core.domain.message import Message, MessagePage, Role
from chatdesk.core.rendering.client import RenderClient
from chatdesk.ui.commands.message_action import MessageAction, quick_action
from chatdesk.ui.commands.message_catalogue import QUICK_ACTIONS
from chatdesk.ui.transcript.contract import ModelName, ScrollAnchor, SharedWith, own_model_name
from chatdesk.ui.transcript.layout.answer_progress import AnswerProgress
from chatdesk.ui.transcript.layout.pages import Pages, PendingMessageChanges
from chatdesk.ui.transcript.layout.scale import length_of
from chatdesk.ui.transcript.layout.scrolling import Scrolling
from chatdesk.ui.transcript.layout.viewport_layout import ViewportLayout
from chatdesk.ui.transcript.messages.entry import MessageEntry
from chatdesk.ui.transcript.messages.streaming import StreamFeeds
from chatdesk.ui.transcript.speech.narration import Narrator


class Conversation(QObject):
    """The controller of the shown thread's messages; ``stateChanged`` carries an answer that began or ended."""

    added = Signal(object)  # a message, before it becomes the end
    changed = Signal()  # other messages are loaded than before
    stateChanged = Signal(object)
    cleared = Signal(bool)  # whether the same thread comes again

    def __init__(
        self,
        viewport_layout: ViewportLayout,
        pages: Pages,
        *,
        scrolling: Scrolling,
        renderer: RenderClient,
        narrator: Narrator,
    ) -> None:
        super().__init__(viewport_layout)
        self.thread_id: str | None = None
        self.first_unread: str | None = None
        self.feeds = StreamFeeds(renderer, self._on_feeds_frame, is_seen=viewport_layout.shows_end_of, parent=self)
        self._viewport_layout = viewport_layout
        self._layout = viewport_layout.layout
        self._pages = pages
        pages.on_page = self._on_pages_page
        self._scrolling = scrolling
        self._narrator = narrator
        self._live: dict[str, MessageEntry] = {}
        self._prepared: dict[str, MessageEntry] = {}
        self.progress = AnswerProgress(self, find=self.find, narrator=narrator, schedule=viewport_layout.schedule)
        self.end_id: str | None = None
        self.quick: tuple[MessageAction, ...] = QUICK_ACTIONS
        self._edited_id: str | None = None
        self._pending_changes = PendingMessageChanges()
        self.landmarks = ContextLandmarks()
        self.shared: SharedWith | None = None
        self.model_name: ModelName = own_model_name
        self.is_bare = False

    def find(self, message_id: str) -> MessageEntry | None:
        """Return the entry of a message that is loaded, or that is streamed into while it is not loaded."""
        return self._layout.find(message_id) or self._live.get(message_id)

    def show_thread(self, thread_id: str | None, anchor: ScrollAnchor | None) -> None:
        self._empty(thread_id)
        if thread_id is not None:
            self._scrolling.start(anchor)

    def end(self) -> None:
        """Drop the pages and renderings that are still under way, because the view is being deleted."""
        self._close()
        self._reset_pages(None)

    def _close(self) -> None:
        self.feeds.clear()
        for entry in (*self._layout.entries, *self._live.values()):
            entry.close()
        self._live.clear()
        self._forget_prepared()
        self._narrator.forget()

    def _empty(self, thread_id: str | None) -> None:
        self._close()
        self.cleared.emit(thread_id == self.thread_id)
        self._viewport_layout.clear()
        if thread_id != self.thread_id:
            self.landmarks = ContextLandmarks()
        self.thread_id = thread_id
        self.first_unread = None
        self._reset_pages(thread_id)
        self._viewport_layout.relayout()

    def _reset_pages(self, thread_id: str | None) -> None:
        self._pending_changes.forget()
        self._pages.set_thread(thread_id)

    def prepare(self, message: Message) -> bool:
        """Request the blocks of a message that will be added soon; return whether it is ready to be shown."""
        is_wanted = message.thread_id == self.thread_id and message.status.is_final and not self._layout.has_newer
        if not is_wanted or self.find(message.id) is not None:
            return True
        entry = self._prepared.get(message.id)
        if entry is None:
            entry = self._prepared[message.id] = self._entry_for(message)
            self._viewport_layout.ask_for_blocks(entry)
        return not entry.awaits_blocks

    def add_message(self, message: Message) -> None:
        if message.thread_id != self.thread_id:
            return
        if self._layout.find(message.id) is not None:
            self.change_message(message)
            return
        if self._pages.is_asking:
            self._pending_changes.add(message)
        self.added.emit(message)
        is_own = message.role is Role.USER and message.author_id is None
        entry = self._entry_for(message)
        if self._layout.has_newer or (not self._layout.entries and self._pages.is_waiting):
            self._layout.scale.extend(message.position, length_of(message.text))
            self._scrolling.count_new()
            if is_own:
                self._scrolling.to_end()
            return
        place = next(
            (at for at, each in enumerate(self._layout.entries) if each.message.position >= message.position), None
        )
        if place is not None:
            self._close_all(self._layout.cut_from(place))
        self._layout.add_newer([entry])
        if is_own:
            self._scrolling.glide.stop()
            self._layout.sticks_to_end = True
        elif not self._layout.sticks_to_end:
            self._scrolling.count_new()
        if not is_own:  # one's own question is followed by its answer at once
            self._set_end(self.last_id)
        self._viewport_layout.schedule(is_growth=place is None)
        self.changed.emit()

    def mark_unread(self, message_id: str | None) -> None:
        """Put the line where the unread part begins above this message; None removes the line."""
        marked, self.first_unread = self.first_unread, message_id
        for each, is_first in ((marked, False), (message_id, True)):
            entry = self.find(each) if each is not None else None
            if entry is not None:
                entry.frame.set_unread(is_first)
        self._viewport_layout.schedule()

    def set_model_name(self, model_name: ModelName) -> None:
        """Set the function that names the model above an answer."""
        self.model_name = model_name
        entries = {entry.message.id: entry for entry in (*self._layout.entries, *self._live.values())}
        changed = [entry for entry in entries.values() if entry.facts.set_model_name(model_name)]
        if changed:
            self._viewport_layout.schedule()
            self.changed.emit()

    def set_shared(self, shared: SharedWith | None) -> None:
        """Set the members with whom the thread is shared, also for threads that are shown later; None: it is not
        shared."""
        self.shared = shared
        entries = {entry.message.id: entry for entry in (*self._layout.entries, *self._live.values())}
        changed = [entry for entry in entries.values() if entry.facts.set_shared(shared)]
        if changed:
            self._viewport_layout.schedule()
            self.changed.emit()

    def set_landmarks(self, landmarks: ContextLandmarks) -> None:
        """Set the lines between the messages; the text in view stays where it is."""
        self.landmarks = landmarks
        entries = {entry.message.id: entry for entry in (*self._layout.entries, *self._live.values())}
        changed = [entry for entry in entries.values() if self._mark_landmarks(entry)]
        if changed:
            self._viewport_layout.schedule()
            self.changed.emit()

    def _mark_landmarks(self, entry: MessageEntry) -> bool:
        message_id, ends = entry.message.id, self.landmarks.summary_ends
        return entry.frame.set_landmarks(
            is_context_start=message_id == self.landmarks.starts_at_id,
            summary_end=next((end for end in ends if end.message_id == message_id), None),
        )

    def change_message(self, message: Message) -> None:
        if message.thread_id != self.thread_id:
            return
        if self._pages.is_asking:
            self._pending_changes.change(message)
        entry = self.find(message.id)
        if entry is None:
            return
        was_live = entry.facts.is_live
        if message.status.is_final:
            self.feeds.finish(message.id)
            self._live.pop(message.id, None)
        else:
            self._live[message.id] = entry
        entry.change(message)
        if was_live and self._layout.find(message.id) is entry:
            self._layout.scale.set(entry.message.position, length_of(entry.text))
        if was_live and message.status.is_final:
            self._narrator.ended(entry)
            self.stateChanged.emit(entry)
        elif not was_live and not message.status.is_final:
            self._narrator.began(entry)
            self.stateChanged.emit(entry)
        self._viewport_layout.schedule()

    def append_text(self, message_id: str, part_index: int, kind: str, delta: str) -> None:
        entry = self.find(message_id)
        if entry is not None and delta:
            self._live[message_id] = entry
            self.feeds.append(entry, part_index, kind, delta)

    def reload_from(self, message_id: str | None) -> None:
        self._pages.release()
        layout = self._layout
        entry = layout.find(message_id)
        place = layout.order_of(entry) if entry is not None else 0
        if place <= 0:
            # Without a known message, the reader's place most often still exists.
            anchor = self._scrolling.anchor()
            first = layout.entries[0].message.id if layout.entries else None
            is_lost = message_id is not None and anchor.message_id == message_id == first
            self.show_thread(self.thread_id, None if is_lost else anchor)
            return
        self._forget_prepared()
        self._close_all(layout.cut_from(place))
        layout.has_newer = True
        self._reset_pages(self.thread_id)
        self._pages.newer(layout.entries[-1].message.id)
        self._viewport_layout.relayout()

    def show_ahead(self, page: MessagePage, parent_id: str | None) -> bool:
        """Show a page below ``parent_id`` (None: as the whole path) until ``confirm``; False if that is not loaded."""
        layout = self._layout
        parent = layout.find(parent_id)
        if page.thread_id != self.thread_id or (parent_id is not None and parent is None):
            return False
        if parent is not None:
            self._close_all(layout.cut_from(layout.order_of(parent) + 1))
            self._reset_pages(self.thread_id)
        else:
            self._empty(self.thread_id)
            layout.has_older = False
        self._pages.hold()
        entries = [self._entry_for(each) for each in page.messages]
        layout.has_newer = page.has_newer
        if parent is not None:
            layout.add_newer(entries)
        else:
            layout.replace_all(entries, total=page.total)
            layout.sticks_to_end = False
        self._viewport_layout.relayout()
        self.changed.emit()
        return True

    def confirm(self) -> None:
        """Treat the page given to ``show_ahead`` as stored, and request pages again."""
        self._pages.release()
        self._viewport_layout.schedule()

    @property
    def last_id(self) -> str | None:
        """The id of the last message of the thread; None while its end is not loaded."""
        layout = self._layout
        return layout.entries[-1].message.id if layout.entries and not layout.has_newer else None

    def mark_end(self, message_id: str | None) -> None:
        """Set the message that the thread ends with; None while its end is not loaded."""
        if self._set_end(message_id):
            self._viewport_layout.schedule()

    def _set_end(self, message_id: str | None) -> bool:
        """Set the last message, and return whether anything shown changed."""
        marked, self.end_id = self.end_id, message_id
        found = [self.find(each) for each in dict.fromkeys((marked, message_id)) if each is not None]
        changed = [each for each in found if each and each.set_end(each.message.id == message_id, quick=self.quick)]
        return bool(changed)

    def set_quick_actions(self, own: Sequence[tuple[str, str]]) -> None:
        """Set the ids and names of the quick actions that a person added to the built-in ones."""
        self.quick = (*QUICK_ACTIONS, *(quick_action(key, name) for key, name in own))
        self.mark_end(self.end_id)

    def mark_edited(self, message_id: str | None) -> None:
        """Mark the message of which a new version is being written; None removes the mark."""
        marked, self._edited_id = self._edited_id, message_id
        for each in dict.fromkeys((marked, message_id)):
            entry = self.find(each) if each is not None else None
            if entry is not None:
                entry.is_edited = each == message_id
        self._viewport_layout.repaint()

    def _on_pages_page(self, page: MessagePage, wish: str) -> None:
        layout = self._layout
        page = self._pending_changes.bring_up_to_date(page)
        self._pending_changes.forget()
        if wish in ("older", "newer"):
            known = {entry.message.id for entry in layout.entries}
            fresh = [self._entry_for(each) for each in page.messages if each.id not in known]
            if wish == "older":
                layout.has_older = page.has_older
                layout.add_older(fresh)
            else:
                layout.has_newer = page.has_newer
                layout.add_newer(fresh)
        else:
            kept = set(self._live.values())
            for entry in layout.entries:
                if entry not in kept:
                    entry.close()
            layout.has_older, layout.has_newer = page.has_older, page.has_newer
            layout.replace_all((self._entry_for(each) for each in page.messages), total=page.total)
            self._scrolling.go_to_wanted_place(wish)
        self._set_end(self.last_id)
        self._viewport_layout.relayout()
        self.changed.emit()

    def _entry_for(self, message: Message) -> MessageEntry:
        """Return the entry of a message; a live message keeps the entry that the stream writes into."""
        entry = self._live.get(message.id)
        if entry is not None:
            entry.change(message)
            return entry
        entry = self._prepared.pop(message.id, None)
        if entry is None:
            entry = MessageEntry(message, self.shared, model_name=self.model_name, is_bare=self.is_bare)
        else:
            if entry.message != message:
                entry.change(message)
            entry.facts.set_shared(self.shared)
            entry.facts.set_model_name(self.model_name)
        entry.frame.set_unread(message.id == self.first_unread)
        self._mark_landmarks(entry)
        entry.set_end(message.id == self.end_id, quick=self.quick)
        entry.is_edited = message.id == self._edited_id
        self.progress.show_on(entry)
        if not message.status.is_final:
            self._live[message.id] = entry
            self._narrator.began(entry)
            self.stateChanged.emit(entry)
        return entry

    def _close_all(self, entries: list[MessageEntry]) -> None:
        for entry in entries:
            entry.close()
            if not entry.facts.is_live:
                self._live.pop(entry.message.id, None)

    def _forget_prepared(self) -> None:
        for entry in self._prepared.values():
            entry.close()
        self._prepared.clear()

    def _on_feeds_frame(self, entries: list[MessageEntry]) -> None:
        shown = [entry for entry in entries if self._layout.find(entry.message.id) is entry]
        for entry in shown:
            self._layout.scale.set(entry.message.position, length_of(entry.text))
        if shown:
            self._viewport_layout.relayout(is_growth=True)
            self._narrator.grew(shown)
