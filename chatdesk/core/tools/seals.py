"""Seals the set-up of a person (HMAC-SHA256), under a key in the keyring, or without a keyring in a file of the
person's own configuration directory, outside of any data directory.

Data that another person wrote, or that was copied from another computer with its directory, has no valid seal.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import logging
import re
import secrets as random
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from chatdesk.core.domain.key_origin import KeyOrigin
from chatdesk.core.errors import ChatDeskError
from chatdesk.core.paths import make_private_folder
from chatdesk.core.settings.providers_store import KeyPlace
from chatdesk.core.settings.secrets import NO_KEYRING, SecretNotKept, SecretSource, SecretStore
from chatdesk.core.system.file_writing import write_text
from chatdesk.core.system.small_files import read_small_file
from chatdesk.core.system.system_errors import reason_text
from chatdesk.core.texts import Text

_log = logging.getLogger(__name__)

_NAME: Final = "tool-seals"
_ORIGIN: Final = KeyOrigin("chatdesk", "tools", 0)
_KEY: Final = re.compile(r"[0-9a-f]{64}\Z")
_MOST_BYTES: Final = 128


class NoSealKey(OSError):
    """The error where no key can be kept. Its argument is a sentence with the reason."""


class Seals:
    """Both methods may block on the keyring and are called in a thread. A seal holds under the key of the file and
    under that of the keyring; the file's is used first, since every later run finds it."""

    def __init__(self, secrets: SecretStore, key_place: Callable[[], KeyPlace], key_file: Path) -> None:
        self._secrets = secrets
        self._place = key_place
        self._file = key_file
        self._keys: list[bytes] = []
        self._making = threading.Lock()  # two keys made at once would not know each other's seals

    def make(self, data: Mapping[str, Any]) -> str:
        """Return the seal of ``data``. Raises ``NoSealKey``."""
        with self._making:
            if not self._find_keys():
                self._keys = [self._make_key()]
        return _seal(self._keys[0], data)

    def holds(self, data: Mapping[str, Any], seal: object) -> bool:
        """Return whether ``seal`` was made for this very ``data`` here."""
        if not (isinstance(seal, str) and seal.isascii() and seal):
            return False
        return any(hmac.compare_digest(seal, _seal(key, data)) for key in self._find_keys())

    def _find_keys(self) -> list[bytes]:
        if not self._keys:
            kept = self._secrets.find(_NAME, _ORIGIN)
            # A key that could not be kept is no key: the next run would not find it.
            found = (self._in_file(), "" if kept.source is SecretSource.THIS_RUN else kept.value)
            self._keys = [each.encode() for each in found if each]
        return self._keys

    def _in_file(self) -> str:
        try:
            text = read_small_file(self._file, _MOST_BYTES).decode("ascii").strip()
        except (OSError, ValueError):
            return ""
        return text if _KEY.match(text) else ""

    def _make_key(self) -> bytes:
        """Make a key and store it: in the file without a keyring, or if keys are not put into it. A locked keyring may
        already have one, under which older seals are valid."""
        made = random.token_hex(32)
        if self._place() is KeyPlace.KEYRING and self._is_in_keyring(made):
            return made.encode()
        try:
            make_private_folder(self._file.parent)
            write_text(self._file, made + "\n")
        except OSError as error:
            raise NoSealKey(
                Text("{path} cannot be written: {reason}.", path=self._file, reason=reason_text(error))
            ) from error
        return made.encode()

    def _is_in_keyring(self, key: str) -> bool:
        """Put a key into the keyring; return False without one. Raises ``NoSealKey``."""
        try:
            self._secrets.keep(_NAME, key, _ORIGIN)
        except (ChatDeskError, OSError) as error:
            _log.info("the key of seals was not kept: %s", type(error).__name__)
            state = self._secrets.state()
            if state.detail == NO_KEYRING:
                return False
            raise NoSealKey(SecretNotKept.what if state.is_usable else state.detail) from None
        return True


def _seal(key: bytes, data: Mapping[str, Any]) -> str:
    return hmac.new(key, json.dumps(data, sort_keys=True).encode(), hashlib.sha256).hexdigest()
