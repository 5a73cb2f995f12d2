"""Follows what happens: where to go on after a lost connection, and what each frame says. Nothing here waits."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from importlib.util import find_spec
from typing import Any, Final, Literal

from chatdesk.client.errors import ServiceFailed
from chatdesk.client.events import Event, Following, Resync, event_of
from chatdesk.client.forms import Message
from chatdesk.client.place import Place
from chatdesk.client.reading import listed
from chatdesk.client.request import API, Request, nothing

Way = Literal["websocket", "sse"]

# The service says something every 20 seconds. After such a silence the connection is lost.
SILENCE_S: Final = 45.0
_messages_of = listed(Message, "messages")


class Listening:
    """A place among the events, of one thread or of all. ``number`` is that of the last that were taken, where it
    goes on over the next connection."""

    def __init__(self, thread_id: str | None, after: str) -> None:
        self._thread_id = thread_id
        self.number = after

    def request(self) -> Request[None]:
        """Return the request for server-sent events."""
        return Request("GET", f"{API}/events", nothing, self._query)

    def socket_options(self, place: Place, *, timeout_s: float) -> dict[str, Any]:
        """Return how the package websockets connects."""
        asked = Request("GET", f"{API}/ws", nothing, self._query).sent_to(place)
        return {
            "uri": str(asked.url.copy_with(scheme="wss" if asked.url.scheme == "https" else "ws")),
            "additional_headers": {"authorization": asked.headers["authorization"]},
            "proxy": None,
            "compression": None,
            "max_size": None,
            "open_timeout": timeout_s,
            "close_timeout": 1,
        }

    def events_of(self, frame: Mapping[str, Any]) -> Iterator[Event]:
        """Iterate over the events of a frame; with the last, ``number`` is behind it. Raises ``ServiceFailed`` for
        what is none."""
        try:
            events, number = tuple(_events_of(frame)), str(frame["number"])
        except (ValueError, LookupError, TypeError) as error:
            raise ServiceFailed(200, {"detail": "What came is no event of ChatDesk's."}) from error
        yield from events[:-1]
        self.number = number
        yield from events[-1:]

    @property
    def _query(self) -> dict[str, str | int | None]:
        return {"thread_id": self._thread_id, "after": self.number or None}


def _events_of(frame: Mapping[str, Any]) -> Iterable[Event]:
    match frame["type"]:
        case "EVENTS":
            return map(event_of, frame["events"])
        case "RESYNC":
            return (Resync(_messages_of(frame)),)
        case "WELCOME" if not frame["resumed"]:
            return (Following(_messages_of(frame)),)
    return ()


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
                yield frame_of(data)


def frame_of(data: bytes | str) -> Any:
    """Return a frame. Raises ``ServiceFailed`` for what is none."""
    try:
        return json.loads(data)
    except (ValueError, RecursionError) as error:
        raise ServiceFailed(200, {"detail": "What came is no event of ChatDesk's."}) from error


def has_websockets() -> bool:
    """Return whether the package websockets is there; without it there are server-sent events."""
    return find_spec("websockets") is not None
