"""The team's part of a window, built when the first workspace is there: without one it costs nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject

from chatdesk.core.errors import ChatDeskError
from chatdesk.core.events import SharedMessagesArrived, UnreadChanged
from chatdesk.ui.features.desktop.notice import Notice
from chatdesk.ui.features.desktop.notify import Notifier
from chatdesk.ui.features.team.presence_binding import PresenceBinding
from chatdesk.ui.features.team.shared_text import arrived_words, authors_words
from chatdesk.ui.features.team.shared_thread_binding import SharedThreadBinding

if TYPE_CHECKING:
    from chatdesk.core.chat.library import LibraryService
    from chatdesk.core.sync.service import TeamService
    from chatdesk.ui.event_subscriptions import Subscribe
    from chatdesk.ui.features.chat.thread_binding import ThreadBinding
    from chatdesk.ui.window.window_context import WindowContext

DETAILS = "team.details"
_MOST_WORDS = 200


class TeamWindow(QObject):
    """``come_to_front`` brings the window before the person."""

    def __init__(
        self,
        context: WindowContext,
        threads: ThreadBinding,
        team: TeamService,
        library: LibraryService,
        *,
        come_to_front: Callable[[], None],
    ) -> None:
        super().__init__()
        self._panes = panes = context.panes
        self._threads = threads
        self._tasks = context.tasks
        self._open_thread = context.open_thread
        self._settings = context.settings
        self._come_to_front = come_to_front
        self.shared = SharedThreadBinding(
            context,
            threads,
            team,
            library,
            open_details=lambda: panes.commands.trigger(DETAILS),
        )
        self.presence = PresenceBinding(context, threads, team)
        self.notifier = Notifier(panes.window, context.tasks)
        self.notifier.pressed.connect(self._on_notifier_pressed)
        self._subscribe(context.subscribe)

    def _subscribe(self, subscribe: Subscribe) -> None:
        subscribe(self, SharedMessagesArrived, self._on_shared_messages_arrived)
        subscribe(self, UnreadChanged, self._on_unread_changed)

    async def end(self) -> None:
        """End the team's part of the window, because the window closes."""
        self.presence.end()
        await self.notifier.close()

    def _on_shared_messages_arrived(self, event: SharedMessagesArrived) -> None:
        window = self._panes.window
        is_here = window.isVisible() and not window.isMinimized() and window.isActiveWindow()
        if not is_here and self._settings().team_notifications != "off" and event.message_ids:
            self._tasks.start(self._notify(event), "notify of messages")

    async def _notify(self, event: SharedMessagesArrived) -> None:
        """Says who and where; what was written only if that is wanted: others may see the screen."""
        chat = self._open_thread.stored_chat
        try:
            title = (await chat.get_thread(event.thread_id)).title
            text = title
            if self._settings().team_notifications == "text":
                message = await chat.reader.get_message(event.message_ids[-1])
                words = " ".join(message.text.split())
                text = f"{title}\n{words[:_MOST_WORDS]}{'…' if len(words) > _MOST_WORDS else ''}" if words else title
        except ChatDeskError:
            return  # gone by now
        count = len(event.message_ids)
        who = authors_words(event.authors) if count == 1 else arrived_words(event.authors, count)
        self.notifier.show(Notice(event.thread_id, event.message_ids[0], who, text))

    def _on_unread_changed(self, event: UnreadChanged) -> None:
        self.notifier.keep_only(event.counts)

    def _on_notifier_pressed(self, thread_id: str, message_id: str) -> None:
        self._come_to_front()
        self._tasks.start(self._threads.open_at(thread_id, message_id), "open notified message")
