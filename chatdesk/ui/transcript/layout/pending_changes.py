"""Changes of messages that arrive while a page is being fetched, which was read before them."""

from __future__ import annotations

from dataclasses import replace

from chatdesk.core.domain.message import Message, MessagePage


class PendingMessageChanges:
    """The newest known state of each message that changed since the last page came."""

    def __init__(self) -> None:
        self._heard: dict[str, Message] = {}
        self._added: dict[str, None] = {}  # in the order in which they came

    def add(self, message: Message) -> None:
        self._added[message.id] = None
        self._heard[message.id] = message

    def change(self, message: Message) -> None:
        self._heard[message.id] = message

    def forget(self) -> None:
        """Forget all changes, because a page that is requested from now on contains them."""
        self._heard.clear()
        self._added.clear()

    def bring_up_to_date(self, page: MessagePage) -> MessagePage:
        """Return the page with all changes, and with the new messages if it holds the end of the thread."""
        if not self._heard:
            return page
        messages = [self._newer(message) for message in page.messages]
        if not page.has_newer:
            last = messages[-1].position if messages else -1
            for message in (self._heard[id_] for id_ in self._added):
                if message.position > last:
                    messages.append(message)
                    last = message.position
        return replace(page, messages=tuple(messages), total=page.total + len(messages) - len(page.messages))

    def _newer(self, message: Message) -> Message:
        """Return the newer state of a message; of an unfinished answer the page holds more text than the change."""
        heard = self._heard.get(message.id, message)
        return heard if heard.status.is_final or message.status.is_final else message
