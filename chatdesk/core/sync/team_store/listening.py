"""Listens on the channels of a connection to a team's PostgreSQL, and wakes the thread that waits for them."""

from __future__ import annotations

import contextlib
import selectors
import socket
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import psycopg
from psycopg import pq

from chatdesk.core.sync import errors
from chatdesk.core.sync.team_store.connection import Connection
from chatdesk.core.sync.team_store.failures import our_errors

# A connection that sent this many pokes, the last one so long ago, and never got a notification is deaf.
_POKES_UNHEARD: Final = 2
_UNHEARD_S: Final = 5.0


@dataclass(frozen=True, slots=True)
class Notifications:
    """Notifications that arrived, by channel. ``changes``: channels with new changes (``c:…``) and the highest sequence
    number that was named, or 0 if any was about something else. ``presence``: channels where presence changed (``p``).
    ``people_at``: the earliest time that was named at which people or roles changed (``v:…``), in units of
    ``TeamView.version``. All are only hints, which anybody with a login can send."""

    changes: Mapping[str, int] = field(default_factory=dict)
    presence: frozenset[str] = frozenset()
    people_at: int | None = None


class Listening:
    """Collects the notifications of one connection. Used by its thread; ``wake`` may be called by any."""

    def __init__(self, conn: Connection) -> None:
        self._conn = conn
        self._listening: set[str] = set()
        self._pid = conn.info.backend_pid
        self._changes: dict[str, int] = {}
        self._presence: set[str] = set()
        self._people_at: int | None = None
        self._has_heard = False
        self._pokes: list[float] = []
        self._woken, self._waker = socket.socketpair()
        self._woken.setblocking(False)
        self._waker.setblocking(False)
        conn.add_notify_handler(lambda note: self._hear(note.channel, note.payload, note.pid))

    def listen(self, channels: Sequence[str]) -> None:
        """Listen on exactly these channels."""
        wanted = set(channels)
        statements = [f'LISTEN "{_checked(name)}"' for name in sorted(wanted - self._listening)]
        statements += [f'UNLISTEN "{_checked(name)}"' for name in sorted(self._listening - wanted)]
        if statements:
            with our_errors():
                self._conn.execute("; ".join(statements).encode())
            self._listening = wanted

    def wait(self, timeout_s: float) -> Notifications:
        """Return the notifications as soon as there are any; empty when woken or after ``timeout_s``."""
        deadline = time.monotonic() + timeout_s
        with selectors.DefaultSelector() as selector, our_errors():
            selector.register(self._conn.fileno(), selectors.EVENT_READ)
            selector.register(self._woken, selectors.EVENT_READ)
            while not self._has_news():
                self._read_notifications()
                left = deadline - time.monotonic()
                if self._has_news() or left <= 0:
                    break
                ready = {key.fileobj for key, _events in selector.select(left)}
                if self._woken in ready:
                    self._forget_wakes()
                    self._read_notifications()
                    break
        heard = Notifications(dict(self._changes), frozenset(self._presence), self._people_at)
        self._changes.clear()
        self._presence.clear()
        self._people_at = None
        return heard

    def wake(self) -> None:
        """End the current ``wait``, or the next one."""
        with contextlib.suppress(OSError):  # full: it is already woken; closed: no thread waits
            self._waker.send(b"w")

    def record_poke(self) -> None:
        """Record that a notification was sent just now, which this connection receives as well."""
        if len(self._pokes) < _POKES_UNHEARD and not self._has_heard:
            self._pokes.append(time.monotonic())

    @property
    def is_deaf(self) -> bool:
        """True when notifications do not arrive, not even one's own."""
        if self._has_heard or len(self._pokes) < _POKES_UNHEARD:
            return False
        return time.monotonic() - self._pokes[-1] > _UNHEARD_S

    def close(self) -> None:
        """Close the sockets that wake a waiting thread; the connection belongs to its owner and stays open."""
        self._woken.close()
        self._waker.close()

    def _has_news(self) -> bool:
        return bool(self._changes or self._presence or self._people_at is not None)

    def _read_notifications(self) -> None:
        pgconn = self._conn.pgconn
        pgconn.consume_input()
        while (note := pgconn.notifies()) is not None:
            self._hear(note.relname.decode(), note.extra.decode(), note.be_pid)
        if pgconn.status == pq.ConnStatus.BAD:
            raise psycopg.OperationalError("the connection is lost")

    def _hear(self, channel: str, payload: str, pid: int) -> None:
        self._has_heard = True
        if channel not in self._listening or pid == self._pid:  # own notifications bring no news
            return
        if payload == "p":
            self._presence.add(channel)
        elif payload.startswith("v:"):
            moment = _number_in(payload)
            self._people_at = moment if self._people_at is None else min(moment, self._people_at)
        else:
            seq, before = _number_in(payload), self._changes.get(channel)
            self._changes[channel] = seq if before is None else min(seq, before) and max(seq, before)

    def _forget_wakes(self) -> None:
        with contextlib.suppress(BlockingIOError):
            while self._woken.recv(64):
                pass


def _number_in(payload: str) -> int:
    """Return the number that a notification names; 0 if it is about something else."""
    number = payload[2:] if payload[:2] in ("c:", "v:") else ""
    return int(number) if number.isascii() and number.isdecimal() and len(number) < 20 else 0


def _checked(channel: str) -> str:
    """Return a channel that is safe inside a statement: channels come from the server."""
    if not channel.isidentifier() or not channel.isascii() or len(channel) > 63:
        raise errors.TeamNotTaken
    return channel
