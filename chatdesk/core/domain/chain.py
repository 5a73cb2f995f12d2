"""The chain over a project's log: what tells whether two logs are the same up to some change, without comparing them."""

from __future__ import annotations

from hashlib import sha256
from typing import Final
from uuid import UUID

#: The chain before the first change.
START: Final = bytes(32)


def next_chain(chain: bytes | None, change_id: str) -> bytes:
    """The chain after one more change: sha256 over the chain before it (``START`` or None before the first) and the 16
    bytes of its id. Raises ``ValueError`` for an id that is none."""
    return sha256((chain or START) + UUID(change_id).bytes).digest()
