"""Defines the data that travel between a profile and a team's database, and their limits.

A change is a row of the log; see ``storage/engine/change_log.py``. Bodies are JSON text on both sides of the wire, so
that only code that needs the content parses it.
"""

from __future__ import annotations

import hashlib
import struct
from binascii import unhexlify
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Final, TypeAlias

# The protocol version of this ChatDesk; the server names the ones that it accepts.
PROTOCOL: Final = 2
# A larger body, in bytes of UTF-8, travels as an attachment.
MAX_BODY_BYTES: Final = 1_000_000
PUSH_ROWS: Final = 200
PUSH_BYTES: Final = 256 * 1024
PULL_ROWS: Final = 500
# A page ends early, after at least one change, where its bodies would be more than this many bytes.
PULL_BYTES: Final = 16_000_000
CHUNK_BYTES: Final = 1024 * 1024
# How far ahead of the server's clock a stamp may be.
MAX_AHEAD_MS: Final = 60_000
# The chain before the first change.
START: Final = bytes(32)
DIGEST_BYTES: Final = 32
_NUMBERS: Final = struct.Struct(">qqqq")
_NO_DIGEST: Final = "a digest has 32 bytes"


class PushStatus(StrEnum):
    """The server's verdict on one pushed change. ``DUP``: it has the change already. ``FORKED``: another change has
    this place in the sequence of this device."""

    OK = "ok"
    DUP = "dup"
    FORKED = "forked"
    DENIED = "denied"
    ORPHAN = "orphan"
    ID_TAKEN = "id_taken"
    TOO_BIG = "too_big"

    @property
    def is_accepted(self) -> bool:
        return self in (PushStatus.OK, PushStatus.DUP)


@dataclass(frozen=True, slots=True)
class WireChange:
    """A change as it is sent. ``hlc`` is a stamp of ``HybridClock``; ``dseq`` is its place in the sequence of the
    device that made it: this one, or another ``device`` of the same member. ``erased``: the digest of the body that was
    erased, of which ``body`` is the placeholder. ``is_gone``: the server lost what this hangs below."""

    id: str
    dseq: int
    kind: str
    op: str
    entity: str
    reg: str
    parents: tuple[str, ...]
    hlc: int
    body: str | None
    v: int = 1
    device: str | None = None
    erased: bytes | None = None
    is_gone: bool = False


# Nobody changes one, but a frozen one takes four times as long to make, and a first pull makes them by the million.
@dataclass(slots=True)
class PulledChange:
    """A change as it is received. ``seq`` is dense in a project, and ``number`` among the changes of one device in it;
    ``chain`` is what ``next_chain`` makes. ``author`` is a member's id, by the server's knowledge. ``at`` is the
    server's time in milliseconds UTC. ``digest`` is that of the body as it was accepted (``body_digest``);
    ``is_erased``: the words of that body were erased, and ``body`` is a placeholder."""

    id: str
    seq: int
    device: str
    dseq: int
    author: str
    kind: str
    op: str
    entity: str
    reg: str
    parents: tuple[str, ...]
    hlc: int
    body: str | None
    chain: bytes
    at: int
    v: int = 1
    number: int = 0
    digest: bytes = b""
    is_erased: bool = False

    def chain_after(self, before: bytes | None) -> bytes:
        """Return the chain that this change should have after another one's; None: it is the first. Raises
        ``ValueError``."""
        return next_chain(before, self)

    @property
    def has_accepted_body(self) -> bool:
        """Return whether the body is the one that the server accepted, or was erased since."""
        is_text = self.body is None or isinstance(self.body, str)  # a server may send anything
        return self.is_erased or (is_text and self.digest == body_digest(self.body))


# A change and its project, where the changes of several projects are together.
ProjectChange: TypeAlias = tuple[str, PulledChange]


@dataclass(frozen=True, slots=True)
class PushResult:
    """The result for one pushed change. ``seq`` and ``hlc`` (the server may lower it) are set where the change was
    accepted."""

    id: str
    status: PushStatus
    seq: int | None = None
    hlc: int | None = None


@dataclass(frozen=True, slots=True)
class Hello:
    """The server's answer to the first call of a connection. ``mode``: ``rw``, ``read_only`` or ``blocked``."""

    workspace_id: str
    workspace_name: str
    schema: int
    mode: str
    member_id: str
    member_name: str
    is_owner: bool
    server_time_ms: int


@dataclass(frozen=True, slots=True)
class ProjectHead:
    """A project that this member may see. ``channel`` is what to LISTEN on; ``seq`` the newest change; ``is_own``: it
    was this member who shared it first; ``is_erased``: its owner ended it and erased its contents."""

    project_id: str
    role: str
    channel: str
    seq: int
    is_deleted: bool = False
    is_own: bool = False
    is_erased: bool = False


@dataclass(frozen=True, slots=True)
class MemberRow:
    id: str
    name: str
    is_owner: bool
    status: str
    invited_at: int | None


@dataclass(frozen=True, slots=True)
class DeviceRow:
    id: str
    member_id: str
    name: str
    app_version: str
    last_seen_at: int | None
    is_removed: bool = False


@dataclass(frozen=True, slots=True)
class PresenceRow:
    project_id: str
    member_id: str
    device_id: str
    thread_id: str | None
    state: str


@dataclass(frozen=True, slots=True)
class TeamView:
    """The state of a team apart from the changes: ``roles`` are (project, member, role). Where it is not ``is_whole``,
    members, devices and roles are only those that changed since another view, a role of None being one that was
    removed; projects and presence are complete in any case. ``version`` is passed when the next view is asked for."""

    projects: tuple[ProjectHead, ...]
    members: tuple[MemberRow, ...] = ()
    devices: tuple[DeviceRow, ...] = ()
    roles: tuple[tuple[str, str, str | None], ...] = ()
    presence: tuple[PresenceRow, ...] = ()
    is_whole: bool = True
    version: int = 0


# The hash chain over a project's log tells whether two logs are equal up to a change without comparing them. It covers
# all that a change says, but of its body only the digest: a body can be erased while its digest stays, and the chain
# holds.
def next_chain(chain: bytes | None, row: PulledChange) -> bytes:
    """Return the chain after one more change: sha256 over the chain before it (``START`` or None before the first), the
    16 bytes each of its id, device, author and entity, ``dseq``, ``number``, ``hlc`` and ``at`` as 8 bytes each, the
    highest first, the 32 bytes of its ``body_digest``, and kind, op, register, ``v`` and parents as text. Raises
    ``ValueError`` for invalid ids and for numbers or digests that do not fit."""
    try:
        numbers = _NUMBERS.pack(row.dseq, row.number, row.hlc, row.at)
    except struct.error as error:
        raise ValueError(str(error)) from error
    if len(row.digest) != DIGEST_BYTES:
        raise ValueError(_NO_DIGEST)
    ids = _bytes_of(row.id) + _bytes_of_often(row.device) + _bytes_of_often(row.author) + _bytes_of(row.entity)
    said = f"{row.kind} {row.op} {row.reg} {row.v} {','.join(row.parents)}".encode("utf-8", "replace")
    return hashlib.sha256((chain or START) + ids + numbers + row.digest + said).digest()


def body_digest(body: str | None) -> bytes:
    """Return the digest of a body in the form in which the server keeps and sends it. Never raises: a lone surrogate,
    which no server sends, counts as a question mark."""
    return hashlib.sha256((body or "").encode("utf-8", "replace")).digest()


def _bytes_of(value: str) -> bytes:
    """Return ``UUID(value).bytes``, several times as fast."""
    found = unhexlify(value.replace("-", ""))
    if len(found) != 16:
        message = "an id has 16 bytes"
        raise ValueError(message)
    return found


# Thousands of changes are of a few devices and members.
_bytes_of_often = lru_cache(maxsize=64)(_bytes_of)
