"""Defines the events of the service, with their fields as on the wire."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from chatdesk.client.chat_forms import Message, Thread
from chatdesk.client.errors import ServiceFailed
from chatdesk.client.reading import listed, read

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened: its name, such as ``TextStreamed``, and its fields, as docs/local-service.md has them.

    Two names are the client's own. ``Following`` is the beginning: from here on nothing is missed. ``Resync`` is a
    beginning in place of what was asked for: the service started again, or does not keep any more what came in the
    meantime; read again what you show. ``messages`` of both are the answers that are being written, with all text so
    far.
    """

    type: str
    fields: Mapping[str, Any]

    @property
    def message(self) -> Message:
        """The message of an event that has one. Raises ``ServiceFailed`` for others."""
        return self._read("message", lambda data: read(Message, data["message"]))

    @property
    def messages(self) -> tuple[Message, ...]:
        """The messages of ``Following`` and ``Resync``. Raises ``ServiceFailed`` for others."""
        return self._read("messages", listed(Message, "messages"))

    @property
    def thread(self) -> Thread:
        """The thread of an event that has one. Raises ``ServiceFailed`` for others."""
        return self._read("thread", lambda data: read(Thread, data["thread"]))

    def _read(self, name: str, reader: Callable[[Any], T]) -> T:
        try:
            return reader(self.fields)
        except (ValueError, LookupError, TypeError) as error:
            raise ServiceFailed(200, {"detail": f"{self.type} has no {name}."}) from error
