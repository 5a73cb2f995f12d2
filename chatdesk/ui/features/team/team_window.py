"""Builds the team's part of the windows with the first workspace; without one it costs nothing."""

from __future__ import annotations

from dataclasses import dataclass

from chatdesk.core.chat.library import LibraryService
from chatdesk.core.errors import ChatDeskError
from chatdesk.core.events import SharedMessagesArrived, UnreadChanged
from chatdesk.core.sync.team_service import TeamService
from chatdesk.ui.features.chat.thread_binding import ThreadBinding
from chatdesk.ui.features.desktop.notice import Notice
from chatdesk.ui.features.desktop.notify import Notifier
from chatdesk.ui.features.team.presence_binding import PresenceBinding, PresencePlace
from chatdesk.ui.features.team.shared_list_binding import SharedListBinding
from chatdesk.ui.features.team.shared_text import arrived_words, authors_words
from chatdesk.ui.features.team.shared_thread_binding import SharedThreadBinding
from chatdesk.ui.window.window_context import Controller, Panes, WindowContext

DETAILS = "team.details"
_MOST_WORDS = 200


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class TeamChat:
    """The controllers of one chat that are about the team."""

    panes: Panes
    shared: SharedThreadBinding
    presence: PresenceBinding


class TeamWindow(Controller):
    """The controllers of team sync in one window. ``chats`` has what each chat shows of the team; the rest is there
    once."""

    def __init__(self, context: WindowContext, team: TeamService, library: LibraryService) -> None:
        super().__init__(context)
        panes = context.panes
        self._team = team
        self._shown_chats = context.chats
        self._settings = context.settings
        self.list = SharedListBinding(context, team, library, open_details=lambda: panes.commands.trigger(DETAILS))
        self.place = PresencePlace(team, context.chats)
        self.chats: list[TeamChat] = []
        self.notifier = Notifier(panes.window, context.tasks)
        self.notifier.pressed.connect(context.chats.show_soon)
        context.events.subscribe(self, SharedMessagesArrived, self._on_shared_messages_arrived)
        context.events.subscribe(self, UnreadChanged, self._on_unread_changed)

    def add_chat(self, context: WindowContext, threads: ThreadBinding) -> None:
        """Add a chat, so that it shows the marks and the presence of the team."""
        self.list.offer_mark_read(context.panes)
        self.chats.append(
            TeamChat(
                context.panes,
                SharedThreadBinding(context, threads, self._team),
                PresenceBinding(context, threads, self._team, self.place),
            )
        )

    def remove_chat(self, panes: Panes) -> None:
        """Remove a chat and end its presence, because it is closed."""
        for chat in self.chats:
            if chat.panes is panes:
                chat.presence.end()
        self.chats = [each for each in self.chats if each.panes is not panes]

    async def end(self) -> None:
        """End the team's part of the window, because the window closes."""
        for chat in tuple(self.chats):
            self.remove_chat(chat.panes)
        await self.notifier.close()

    def _on_shared_messages_arrived(self, event: SharedMessagesArrived) -> None:
        is_here = self._shown_chats.has_person()
        if not is_here and self._settings().team_notifications != "off" and event.message_ids:
            self._tasks.start(self._notify(event), "notify of messages")

    async def _notify(self, event: SharedMessagesArrived) -> None:
        """Name the author and the thread; the text only if the person wants that, since others may see the screen."""
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
        self.notifier.withdraw_others(event.counts)
