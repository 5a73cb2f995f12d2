"""The team's part of a window, built when the first workspace is there: without one it costs nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject

from chatdesk.core.errors import ChatDeskError
from chatdesk.ui.async_tasks import AsyncTasks
from chatdesk.ui.features.team.notice import Notice
from chatdesk.ui.features.team.notify import Notifier
from chatdesk.ui.features.team.presence_binding import PresenceBinding
from chatdesk.ui.features.team.shared_text import arrived_words, authors_words
from chatdesk.ui.features.team.shared_thread_binding import SharedThreadBinding

if TYPE_CHECKING:
    from chatdesk.core.events import SharedMessagesArrived, UnreadChanged
    from chatdesk.core.settings.schema import Settings
    from chatdesk.services.services import Services
    from chatdesk.ui.event_bridge import EventBridge
    from chatdesk.ui.features.chat.thread_binding import ThreadBinding
    from chatdesk.ui.window.panes import Panes

DETAILS = "team.details"
_MOST_WORDS = 200


class TeamWindow(QObject):
    """``settings`` gives those in force, ``come_to_front`` brings the window before the person."""

    def __init__(
        self,
        panes: Panes,
        threads: ThreadBinding,
        services: Services,
        *,
        tasks: AsyncTasks,
        settings: Callable[[], Settings],
        come_to_front: Callable[[], None],
    ) -> None:
        super().__init__()
        self._panes = panes
        self._threads = threads
        self._services = services
        self._tasks = tasks
        self._settings = settings
        self._come_to_front = come_to_front
        self.shared = SharedThreadBinding(
            panes,
            threads,
            services.team,
            services.library,
            tasks=tasks,
            open_details=lambda: panes.commands.trigger(DETAILS),
        )
        self.presence = PresenceBinding(panes, threads, services.team)
        self.notifier = Notifier(panes.window, tasks)
        self.notifier.pressed.connect(self._on_notifier_pressed)

    def follow(self, bridge: EventBridge) -> None:
        self.shared.follow(bridge)
        self.presence.follow(bridge)
        bridge.shared_messages_arrived.connect(self._on_shared_messages_arrived)
        bridge.unread_changed.connect(self._on_unread_changed)

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
        chat = self._services.chat
        try:
            title = (await chat.get_thread(event.thread_id)).title
            text = title
            if self._settings().team_notifications == "text":
                message = await chat.get_message(event.message_ids[-1])
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
