"""Encrypts everything that is written into the folder of a person's computers.

Each file has a key of its own, derived from the recovery phrase and from 32 random bytes at its beginning. What kind of
file it is, of which computer and with which number is authenticated, so that no file can stand in the place of another.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import uuid
from enum import StrEnum
from typing import Final

from chatdesk.core.settings.sealing import CannotUnseal as CannotUnseal
from chatdesk.core.settings.sealing import derived, lock, unlock

MARK: Final = b"ChatDesk computers 1\n"
LATER: Final = "library-"
_SALT_BYTES: Final = 32
HEAD_BYTES: Final = len(MARK) + _SALT_BYTES
TAG_BYTES: Final = 16
_LENGTH_BYTES: Final = 4
_SMALLEST: Final = 512
_NAME_DIGITS: Final = 32


class Kind(StrEnum):
    LIBRARY = "library"
    HEAD = "head"
    SEGMENT = "segment"
    MERGED = "merged"
    FILE = "file"
    REMOVAL = "removal"


class LibraryKey:
    """The keys of one library, from the secret of its recovery phrase."""

    def __init__(self, secret: bytes) -> None:
        self.secret = secret
        self.workspace_id = str(uuid.UUID(bytes=derived(secret, "workspace")[:16], version=4))
        self.member_id = str(uuid.UUID(bytes=derived(secret, "member")[:16], version=4))
        self._names = derived(secret, "names")
        self._contents = derived(secret, "contents")

    def name_of(self, what: str, value: str) -> str:
        """Return the name that stands for a computer or a file in the folder."""
        return hmac.new(self._names, f"{what}\n{value}".encode(), hashlib.sha256).hexdigest()[:_NAME_DIGITS]

    @property
    def folder_name(self) -> str:
        """The name of the folder of a library that followed another one."""
        return f"{LATER}{self.name_of('library', '')}"

    def seal(self, kind: Kind, of: str, number: int, plain: bytes) -> bytes:
        """Return the bytes of a file. Its size is that of a class of sizes."""
        box = Box(self._contents, kind, of, secrets.token_bytes(_SALT_BYTES))
        return box.head + box.lock(number, padded(plain))

    def unseal(self, kind: Kind, of: str, number: int, data: bytes) -> bytes:
        """Return the bytes that ``seal`` was given. Raises ``CannotUnseal``."""
        return unpadded(self.box(kind, of, data[:HEAD_BYTES]).unlock(number, data[HEAD_BYTES:]))

    def new_box(self, kind: Kind, of: str) -> Box:
        return Box(self._contents, kind, of, secrets.token_bytes(_SALT_BYTES))

    def box(self, kind: Kind, of: str, head: bytes) -> Box:
        """Return the box of a file that begins with ``head``. Raises ``CannotUnseal``."""
        if len(head) != HEAD_BYTES or not head.startswith(MARK):
            raise CannotUnseal
        return Box(self._contents, kind, of, head[len(MARK) :])


class Box:
    """The key of one file. Each number is used for one piece of it."""

    def __init__(self, secret: bytes, kind: Kind, of: str, salt: bytes) -> None:
        self.head = MARK + salt
        self._key = derived(secret, f"{kind}\n{of}", salt)
        self._bound = MARK + f"{kind}\n{of}".encode()

    def lock(self, number: int, plain: bytes) -> bytes:
        return lock(self._key, number, plain, self._bound)

    def unlock(self, number: int, locked: bytes) -> bytes:
        return unlock(self._key, number, locked, self._bound)


def padded(plain: bytes, size: int | None = None) -> bytes:
    """Return the bytes with their length before and zeros behind, up to ``size`` or to the next class of sizes."""
    size = class_of(_LENGTH_BYTES + len(plain)) if size is None else size
    return len(plain).to_bytes(_LENGTH_BYTES, "big") + plain + bytes(size - _LENGTH_BYTES - len(plain))


def unpadded(data: bytes) -> bytes:
    """Return the bytes that ``padded`` was given. Raises ``CannotUnseal``."""
    length = int.from_bytes(data[:_LENGTH_BYTES], "big")
    if len(data) < _LENGTH_BYTES + length:
        raise CannotUnseal
    return data[_LENGTH_BYTES : _LENGTH_BYTES + length]


def class_of(size: int) -> int:
    """Return the next class of sizes: eight in each doubling, none below 512."""
    if size <= _SMALLEST:
        return _SMALLEST
    step: int = 1 << max((size - 1).bit_length() - 4, 0)
    return -(-size // step) * step
