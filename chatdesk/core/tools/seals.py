"""Seals the set-up of a person (HMAC-SHA256), under a key that is where the person's keys are.

What somebody else wrote, or what was copied from another computer with its directory, has no seal that holds.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import logging
import secrets as random
from collections.abc import Callable, Mapping
from typing import Any, Final

from chatdesk.core.domain.key_origin import KeyOrigin
from chatdesk.core.errors import ChatDeskError
from chatdesk.core.settings.providers_store import KeyPlace
from chatdesk.core.settings.secrets import SecretStore

_log = logging.getLogger(__name__)

_NAME: Final = "tool-seals"
_ORIGIN: Final = KeyOrigin("chatdesk", "tools", 0)


class Seals:
    """Both methods may block on the keyring and are called in a thread."""

    def __init__(self, secrets: SecretStore, key_place: Callable[[], KeyPlace]) -> None:
        self._secrets = secrets
        self._place = key_place
        self._key: bytes | None = None

    def make(self, data: Mapping[str, Any]) -> str:
        """Return the seal of ``data``; empty where no key can be kept, so that it would never hold."""
        key = self._find_key() or self._make_key()
        return "" if key is None else _seal(key, data)

    def holds(self, data: Mapping[str, Any], seal: object) -> bool:
        """Return whether ``seal`` was made for this very ``data`` here."""
        key = self._find_key() if isinstance(seal, str) and seal.isascii() and seal else None
        return key is not None and hmac.compare_digest(str(seal), _seal(key, data))

    def _find_key(self) -> bytes | None:
        if self._key is None:
            kept = self._secrets.find(_NAME, _ORIGIN)
            self._key = kept.value.encode() if kept.value else None
        return self._key

    def _make_key(self) -> bytes | None:
        place = self._place()
        if place is KeyPlace.MEMORY:
            return None
        made = random.token_hex(32)
        try:
            self._secrets.keep(_NAME, made, _ORIGIN, place=place)
        except ChatDeskError as error:
            _log.info("the key of seals was not kept: %s", error.code)
            return None
        self._key = made.encode()
        return self._key


def _seal(key: bytes, data: Mapping[str, Any]) -> str:
    return hmac.new(key, json.dumps(data, sort_keys=True).encode(), hashlib.sha256).hexdigest()
