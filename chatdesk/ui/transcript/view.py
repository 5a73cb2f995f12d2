"""Implements the transcript widget: a scroll area that lays out and paints only the visible part of a thread.

The widget is independent of storage, of parsing Markdown, and of the handlers of its signals.
"""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QPoint, QRect, Signal

from chatdesk.core.domain.message import MessagePage
from chatdesk.core.rendering.client import RenderClient
from chatdesk.core.texts import tr
from chatdesk.ui.accessibility.assistance import announce
from chatdesk.ui.accessibility.interfaces import give_interfaces
from chatdesk.ui.theme.theme import Theme
from chatdesk.ui.transcript.accessible import tree
from chatdesk.ui.transcript.contract import (
    MessageFetcher,
    ScrollAnchor,
    SizesFetcher,
    ThreadFinder,
)
from chatdesk.ui.transcript.drawing.picture_loader import PictureLoader
from chatdesk.ui.transcript.event_area import EventArea
from chatdesk.ui.transcript.messages.entry import MessageEntry
from chatdesk.ui.transcript.parts import TranscriptParts
from chatdesk.ui.transcript.speech.narration import ReadAloud


class TranscriptView(EventArea):
    """A scroll area that shows the messages of one thread; its signals and those of ``parts.actions`` request
    everything that it cannot do itself."""

    copyRequested = Signal(str)  # the text
    quoteRequested = Signal(str)  # Markdown
    actionRequested = Signal(str, str)  # an action of the catalogue or of a notice, and the message
    anchorChanged = Signal()
    announced = Signal(str)  # a sentence for screen readers
    laidOut = Signal()

    def __init__(
        self,
        fetch: MessageFetcher,
        renderer: RenderClient,
        theme: Theme,
        *,
        sizes: SizesFetcher | None = None,
        find: ThreadFinder | None = None,
    ) -> None:
        super().__init__()
        give_interfaces(TranscriptView, tree.make_interface)
        self.setObjectName("transcript")
        self.setAccessibleName(tr("Transcript"))
        self.parts = TranscriptParts(
            self, theme, fetch=fetch, renderer=renderer, announce=self._announce, sizes=sizes, find=find
        )
        self.conversation = self.parts.conversation
        self.scrolling = self.parts.scrolling
        self.finding = self.parts.finding
        self.accessible_actions = self.parts.accessible_actions()
        self._connect_parts()
        theme.changed.connect(self._on_theme_changed)
        self.destroyed.connect(self.conversation.end)

    def _connect_parts(self) -> None:
        self.parts.viewport_layout.laidOut.connect(self.laidOut)
        self.parts.scrolling.rested.connect(self.anchorChanged)
        self.parts.conversation.cleared.connect(self._on_conversation_cleared)
        self.parts.conversation.changed.connect(self._on_conversation_changed)
        self.parts.conversation.stateChanged.connect(lambda entry: tree.busy_changed(self, entry))
        self.parts.touch.tapped.connect(self.press_at)
        self.parts.touch.rested.connect(self.show_menu_at)
        self.parts.clipboard.copied.connect(self.copyRequested)
        self.parts.clipboard.announced.connect(self._announce)
        self.parts.finding.announced.connect(self._announce)
        self.parts.actions.caretMoved.connect(lambda: tree.caret_moved(self))
        self.parts.actions.walked.connect(lambda _entry: tree.focus_changed(self))
        self.parts.actions.quoted.connect(self.quoteRequested)
        self.parts.actions.requested.connect(self.actionRequested)

    # What is shown

    @property
    def thread_id(self) -> str | None:
        return self.parts.conversation.thread_id

    @property
    def entries(self) -> tuple[MessageEntry, ...]:
        """The loaded messages, for the accessible tree and for tests."""
        return tuple(self.parts.layout.entries)

    @property
    def whole_height(self) -> float | None:
        """The height of the thread in px, None while part of it is out of view; it changes with ``laidOut``."""
        return self.parts.layout.whole_height

    @property
    def total(self) -> int:
        """The number of messages of the thread, as far as it is known."""
        return len(self.parts.layout.scale)

    def show_thread(self, thread_id: str | None, anchor: ScrollAnchor | None = None) -> None:
        """Show a thread at the place where the reader left it, or at its end; ``None`` clears the view."""
        self.parts.conversation.show_thread(thread_id, anchor)

    def show_thread_at(self, thread_id: str, message_id: str) -> None:
        """Show a thread from the beginning of one of its messages on."""
        self.show_thread(thread_id, ScrollAnchor(message_id, 0.0, False))

    def show_ahead(self, page: MessagePage, parent_id: str | None) -> bool:
        """Show a page below ``parent_id`` (None: as the whole path) before it is stored; return whether it is shown."""
        self.parts.selection.clear()
        return self.parts.conversation.show_ahead(page, parent_id)

    def reload_from(self, message_id: str | None) -> None:
        """Load the path again from ``message_id`` on (None: all of it), because it has changed there."""
        self.parts.selection.clear()
        self.parts.conversation.reload_from(message_id)

    def set_file_states(self, state_of: Callable[[str], str]) -> None:
        """Set the function that says why the file with a SHA-256 sum is not here: "fetching", "missing", or ""."""
        self.parts.viewport_layout.file_state = state_of
        self.parts.viewport_layout.relayout()

    def set_plain_questions(self, are_plain: bool) -> None:
        """Show questions as they were written instead of as Markdown, or as Markdown again."""
        if are_plain != self.parts.viewport_layout.has_plain_questions:
            self.parts.viewport_layout.has_plain_questions = are_plain
            if self.thread_id is not None:
                self.show_thread(self.thread_id, self.scrolling.anchor())

    def set_pictures(self, loader: PictureLoader) -> None:
        """Set the loader of pictures; without one only the empty places of pictures are shown."""
        self.parts.viewport_layout.pictures = loader
        self.parts.viewport_layout.relayout()

    def set_reading(self, mode: ReadAloud) -> None:
        """Set how much of an answer a screen reader is given to say."""
        self.parts.narrator.mode = mode

    def set_heard(self, is_heard: Callable[[], bool]) -> None:
        """Set the function that returns whether answers are said here, and not by another view of the thread."""
        self.parts.narrator.is_heard = is_heard

    def foot_of(self, message_id: str) -> QPoint:
        """Return the point on the screen, below the visible part of a message, where a popup about it opens."""
        entry = self.parts.conversation.find(message_id)
        area = self.parts.viewport_layout.rect_of(entry) if entry is not None else QRect()
        return area.bottomLeft() if not area.isEmpty() else self.viewport().mapToGlobal(self.viewport().rect().center())

    # The reader's place

    def current_message_id(self) -> str | None:
        """Return the id of the message that keys act on: the one walked to, else the one at the top of the view."""
        entry = self.parts.message_focus.acting
        return entry.message.id if entry is not None else None

    def jump_to(self, message_id: str) -> None:
        """Bring a message to the top of the view, make it the current one and light it up for a moment."""
        if self.thread_id is not None:
            self.parts.message_focus.walk_to(message_id)
            self.parts.scrolling.to_message(message_id)
            self.parts.flash.start(message_id)

    def show_found(self, message_id: str, text: str) -> None:
        """Show a message that a search found: light it up, make it the current one, and mark ``text`` in it."""
        if self.thread_id is not None:
            self.parts.message_focus.walk_to(message_id)
            self.parts.flash.start(message_id)
            self.parts.finding.show(text, message_id)

    def copy_as(self, form: str) -> None:
        """Copy the selection, else the message that keys act on; ``form`` is one of ``clipboard.FORMS``."""
        self.parts.clipboard.copy(self.thread_id, self.parts.message_focus.acting, form=form)

    def selected_text(self, deliver: Callable[[str], None]) -> None:
        """Deliver the selection as plain text, fetching parts first if need be; empty when nothing is selected."""
        self.parts.clipboard.selected_text(self.thread_id, deliver)

    def message_rect(self, entry: MessageEntry) -> QRect:
        """Return the rectangle of a message on the screen, empty when it is not in view."""
        return self.parts.viewport_layout.rect_of(entry)

    # What the parts say

    def _on_conversation_changed(self) -> None:
        tree.children_changed(self)
        if self.parts.message_focus.refocus() and self.hasFocus():
            tree.focus_arrived(self)

    def _on_conversation_cleared(self, is_same_thread: bool) -> None:
        self.parts.selection.clear()
        self.parts.pointer.let_go()
        self.parts.clipboard.forget()
        self.parts.flash.stop()
        self.parts.link_status.hide()
        self.parts.message_focus.forget(keeps_place=is_same_thread)
        tree.children_changed(self)
        if self.hasFocus():
            tree.focus_arrived(self)

    def _on_theme_changed(self) -> None:
        self.parts.renew_style()

    def _announce(self, sentence: str, is_assertive: bool = False) -> None:
        self.announced.emit(sentence)
        announce(self, sentence, is_assertive=is_assertive)
