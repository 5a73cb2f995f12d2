"""Proves that both ends of a connection have the same secret.

The owner's secret is in a file that only its user can read. Neither side ever sends it: each shows that it knows it
by a code over numbers that both made up for this one connection. The owner shows it first, so that nothing is said to
whoever took its place.
"""

from __future__ import annotations

import hmac
import os

from chatdesk.core.local_api.frames import BadFrame, read_object, write_object

TYPE_CHECKING = False  # without ``typing``, which ``quick_call`` does not wait for
if TYPE_CHECKING:  # a key press waits for this
    import asyncio
    from collections.abc import Callable, Mapping
    from typing import Any

SECRET_BYTES = 32
# Before the caller has proven the secret, at most two objects of this size are read.
UNPROVEN_OBJECT_BYTES = 512
_VERSION = 1
_NONCE_BYTES = 16


class NotProven(Exception):
    """The other end is not who it should be."""


async def prove_ownership(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, secret: bytes, *, on_greeted: Callable[[], None]
) -> None:
    """Show the caller that the owner knows ``secret``, then check that the caller does. Raises ``NotProven``.
    ``on_greeted`` is called when the caller has begun as one of ours would."""
    hello = await read_object(reader, UNPROVEN_OBJECT_BYTES)
    theirs, mine = _nonce_of(hello), os.urandom(_NONCE_BYTES)
    on_greeted()
    answer = {"pid": os.getpid(), "nonce": mine.hex(), "proof": _code(secret, b"owner", theirs, mine).hex()}
    await write_object(writer, answer)
    shown = await read_object(reader, UNPROVEN_OBJECT_BYTES)
    _check(shown, _code(secret, b"caller", theirs, mine))


async def prove_to_owner(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, secret: bytes) -> int:
    """Check that the owner knows ``secret``, then show it that the caller does; return the pid that the owner names.
    Raises ``NotProven`` before the caller has shown anything."""
    mine = os.urandom(_NONCE_BYTES)
    await write_object(writer, {"chatdesk": _VERSION, "nonce": mine.hex()})
    answer = await read_object(reader, UNPROVEN_OBJECT_BYTES)
    theirs = _nonce_of(answer)
    _check(answer, _code(secret, b"owner", mine, theirs))
    await write_object(writer, {"proof": _code(secret, b"caller", mine, theirs).hex()})
    pid = answer.get("pid")
    return pid if type(pid) is int else 0


def _code(secret: bytes, role: bytes, caller_nonce: bytes, owner_nonce: bytes) -> bytes:
    return hmac.digest(secret, b"chatdesk " + role + b"\0" + caller_nonce + owner_nonce, "sha256")


def _nonce_of(said: Mapping[str, Any]) -> bytes:
    nonce = _bytes_of(said.get("nonce"))
    if len(nonce) != _NONCE_BYTES:
        raise NotProven
    return nonce


def _check(said: Mapping[str, Any], expected: bytes) -> None:
    if not hmac.compare_digest(_bytes_of(said.get("proof")), expected):
        raise NotProven


def _bytes_of(value: object) -> bytes:
    try:
        return bytes.fromhex(value) if isinstance(value, str) else b""
    except ValueError as error:
        raise BadFrame("not hexadecimal") from error
