"""What is said of messages while a page of them is on its way: the page was read before that."""

from __future__ import annotations

from dataclasses import replace

from chatdesk.core.domain.message import Message, MessagePage


class Meanwhile:
    """The last state heard of each message since the last page came."""

    def __init__(self) -> None:
        self._heard: dict[str, Message] = {}
        self._added: dict[str, None] = {}  # in the order in which they came

    def add(self, message: Message) -> None:
        self._added[message.id] = None
        self._heard[message.id] = message

    def change(self, message: Message) -> None:
        self._heard[message.id] = message

    def forget(self) -> None:
        """Whatever is asked for from now on is read later than all of it."""
        self._heard.clear()
        self._added.clear()

    def bring_up_to_date(self, page: MessagePage) -> MessagePage:
        """The page with what was heard; where it holds the end of the thread, with the messages that came as well."""
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
        """Of an answer that is being written the page holds more text than anything that was said of it."""
        heard = self._heard.get(message.id, message)
        return heard if heard.status.is_final or message.status.is_final else message
