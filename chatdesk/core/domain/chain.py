"""The chain over a project's log: what tells whether two logs are the same up to some change, without comparing them.

Beside ids it goes over what the server decides anew when a log is brought back after a loss: stamps, and places in the
sequence of a device. Bodies are not in it, so that one can be erased.
"""

from __future__ import annotations

import struct
from binascii import unhexlify
from hashlib import sha256
from typing import Final

#: The chain before the first change.
START: Final = bytes(32)
_NUMBERS: Final = struct.Struct(">qq")


def next_chain(chain: bytes | None, change_id: str, device: str, dseq: int, hlc: int) -> bytes:
    """The chain after one more change: sha256 over the chain before it (``START`` or None before the first), the 16
    bytes of its id and of its device, and ``dseq`` and ``hlc`` as 8 bytes each, the highest first. Raises
    ``ValueError`` for what is no id and for numbers that do not fit."""
    try:
        numbers = _NUMBERS.pack(dseq, hlc)
    except struct.error as error:
        raise ValueError(str(error)) from error
    return sha256((chain or START) + _bytes_of(change_id) + _bytes_of(device) + numbers).digest()


def _bytes_of(value: str) -> bytes:
    """The same as ``UUID(value).bytes``, several times as fast."""
    found = unhexlify(value.replace("-", ""))
    if len(found) != 16:
        message = "an id has 16 bytes"
        raise ValueError(message)
    return found
