"""Fetches the sizes of a thread that is not loaded whole, so that its scroll bar is right soon after the first page."""

from __future__ import annotations

from PySide6.QtCore import QObject

from chatdesk.core.domain.message import ThreadSizes
from chatdesk.ui.transcript.contract import SizesFetcher
from chatdesk.ui.transcript.layout.conversation import Conversation
from chatdesk.ui.transcript.layout.scrolling import Scrolling
from chatdesk.ui.transcript.layout.viewport_layout import ViewportLayout


class ScrollBarSizes(QObject):
    """A request for the sizes, made once each time a thread is shown."""

    def __init__(
        self, viewport_layout: ViewportLayout, conversation: Conversation, scrolling: Scrolling, fetch: SizesFetcher
    ) -> None:
        super().__init__(viewport_layout)
        self._layout = viewport_layout.layout
        self._conversation = conversation
        self._scrolling = scrolling
        self._fetch = fetch
        self._asked: str | None = None
        conversation.changed.connect(self._on_conversation_changed)
        conversation.cleared.connect(self._on_conversation_cleared)

    def _on_conversation_cleared(self) -> None:
        self._asked = None

    def _on_conversation_changed(self) -> None:
        thread_id = self._conversation.thread_id
        if thread_id is None or thread_id == self._asked or self._layout.is_whole:
            return
        self._asked = thread_id

        def receive(sizes: ThreadSizes) -> None:
            if self._asked == thread_id:
                self._layout.scale.set_sizes(sizes)
                self._scrolling.sync_bar()

        self._fetch(thread_id, receive)
