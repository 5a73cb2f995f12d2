"""Computes the hash chain over a project's log, which tells whether two logs are equal up to a change without comparing
them.

Beside ids it covers what the server decides anew when a log is brought back after a loss (stamps, and places in the
sequence of a device) and the digest of each body, never the body itself: a body can be erased while its digest stays,
and the chain holds.
"""

from __future__ import annotations

import struct
from binascii import unhexlify
from functools import lru_cache
from hashlib import sha256
from typing import Final

#: The chain before the first change.
START: Final = bytes(32)
DIGEST_BYTES: Final = 32
_NUMBERS: Final = struct.Struct(">qq")
_NO_DIGEST: Final = "a digest has 32 bytes"


def next_chain(chain: bytes | None, change_id: str, device: str, dseq: int, hlc: int, digest: bytes) -> bytes:
    """Return the chain after one more change: sha256 over the chain before it (``START`` or None before the first), the
    16 bytes of its id and of its device, ``dseq`` and ``hlc`` as 8 bytes each, the highest first, and the 32 bytes of
    its ``body_digest``. Raises ``ValueError`` for an invalid id and for numbers or digests that do not fit."""
    try:
        numbers = _NUMBERS.pack(dseq, hlc)
    except struct.error as error:
        raise ValueError(str(error)) from error
    if len(digest) != DIGEST_BYTES:
        raise ValueError(_NO_DIGEST)
    return sha256((chain or START) + _bytes_of(change_id) + _bytes_of_device(device) + numbers + digest).digest()


def body_digest(body: str | None) -> bytes:
    """Return the digest of a body in the form in which the server keeps and sends it. Never raises: a lone surrogate,
    which no server sends, counts as a question mark."""
    return sha256((body or "").encode("utf-8", "replace")).digest()


def _bytes_of(value: str) -> bytes:
    """Return ``UUID(value).bytes``, several times as fast."""
    found = unhexlify(value.replace("-", ""))
    if len(found) != 16:
        message = "an id has 16 bytes"
        raise ValueError(message)
    return found


#: Thousands of changes are of a few devices.
_bytes_of_device = lru_cache(maxsize=64)(_bytes_of)
