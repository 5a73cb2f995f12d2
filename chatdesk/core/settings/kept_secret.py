"""Encodes a secret for the keyring or the encrypted file, together with the origin that it was given for.

Both places guard the whole entry, so whoever cannot read the secret cannot change its origin either.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field

from chatdesk.core.domain.key_origin import KeyOrigin, Withheld, WithheldFor

_VERSION = 1


@dataclass(frozen=True, slots=True)
class KeptSecret:
    """A stored secret. ``origin`` is None for one that an earlier version stored. ``may_be_open``: a person agreed that
    it travels unencrypted there. An empty ``value`` records an agreement about the key of a variable."""

    value: str = field(repr=False)
    origin: KeyOrigin | None = None
    may_be_open: bool = False

    def encoded(self) -> str:
        if self.origin is None:
            return self.value
        entry = {"chatdesk": _VERSION, "value": self.value, "origin": self.origin.as_data(), "open": self.may_be_open}
        return json.dumps(entry, separators=(",", ":"))

    @classmethod
    def decoded(cls, text: str) -> KeptSecret:
        """Decode an entry; text in any other form is the bare secret of an earlier version."""
        if not text.startswith('{"chatdesk":'):
            return cls(text)
        try:
            entry = json.loads(text)
            origin = KeyOrigin.from_data(entry["origin"])
            return cls(str(entry["value"]), origin, may_be_open=entry["open"] is True)
        except (ValueError, TypeError, KeyError, RecursionError):
            return cls("")

    def withheld(self, wanted: KeyOrigin) -> Withheld | None:
        """Return the reason why this must not be sent to ``wanted``; None when it may."""
        if self.origin is None:
            return Withheld(WithheldFor.UNKNOWN, wanted)
        if self.origin != wanted or not wanted.host:
            return Withheld(WithheldFor.ELSEWHERE, wanted, self.origin)
        if wanted.is_open and not self.may_be_open:
            return Withheld(WithheldFor.OPEN, wanted, self.origin)
        return None
