"""Parses frames of events, and decides where to resume after a lost connection. Nothing here blocks."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

from chatdesk.client.errors import ServiceFailed
from chatdesk.client.events import Event
from chatdesk.client.request import API, Request, nothing

# The service says something every 20 seconds. After such a silence the connection is lost.
SILENCE_S: Final = 45.0


class Listening:
    """A place among the events, of one thread or of all. ``number`` is that of the last that were taken, where it
    goes on over the next connection."""

    def __init__(self, thread_id: str | None, after: str) -> None:
        self._thread_id = thread_id
        self.number = after

    def request(self) -> Request[None]:
        """Return the request for server-sent events."""
        query = {"thread_id": self._thread_id, "after": self.number or None}
        return Request("GET", f"{API}/events", nothing, query)

    def events_of(self, frame: Mapping[str, Any]) -> Iterator[Event]:
        """Iterate over the events of a frame; with the last, ``number`` is behind it. Raises ``ServiceFailed`` for an
        invalid frame."""
        try:
            events, number = tuple(_events_of(frame)), str(frame["number"])
        except (ValueError, LookupError, TypeError, AttributeError) as error:
            raise ServiceFailed(200, {"detail": "What came is no event of ChatDesk's."}) from error
        yield from events[:-1]
        self.number = number
        yield from events[-1:]


def _events_of(frame: Mapping[str, Any]) -> Iterator[Event]:
    match frame["type"]:
        case "EVENTS":
            for each in frame["events"]:
                yield Event(str(each["type"]), {name: value for name, value in each.items() if name != "type"})
        case "RESYNC":
            yield Event("Resync", {"messages": frame["messages"]})
        case "WELCOME" if not frame["resumed"]:
            yield Event("Following", {"messages": frame["messages"]})


class SentFrames:
    """Puts frames together from the pieces in which server-sent events arrive. One that was cut off is none."""

    def __init__(self) -> None:
        self._rest = b""
        self._data: list[bytes] = []

    def feed(self, piece: bytes) -> Iterator[Any]:
        """Iterate over the frames that a piece completes."""
        *lines, self._rest = (self._rest + piece).split(b"\n")
        for line in lines:
            name, _, value = line.rstrip(b"\r").partition(b":")
            if name == b"data":
                self._data.append(value.removeprefix(b" "))
            elif not name and not value and self._data:
                data, self._data = b"\n".join(self._data), []
                yield _frame_of(data)


def _frame_of(data: bytes) -> Any:
    try:
        return json.loads(data)
    except (ValueError, RecursionError) as error:
        raise ServiceFailed(200, {"detail": "What came is no event of ChatDesk's."}) from error
