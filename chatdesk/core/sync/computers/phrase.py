"""Writes and reads the recovery phrase: the secret of a person's computers, in groups of signs.

It has 128 random bits and 12 bits that tell a typing error. Its signs are those of Crockford's Base32, which leaves out
letters that look like digits.
"""

from __future__ import annotations

import hashlib
import secrets
from typing import Final

from chatdesk.core.errors import InvalidInput
from chatdesk.core.texts import Text

_SIGNS: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_MEANT: Final = str.maketrans({"O": "0", "I": "1", "L": "1", "U": "V"})
_SECRET_BYTES, _CHECK_BITS = 16, 12
_LENGTH, _GROUP = 28, 4
_LONGEST: Final = 200


class PhraseWrong(InvalidInput):
    code = "computers_phrase_wrong"
    what = Text("That is not a recovery phrase of ChatDesk.")
    safe = Text("Nothing was changed.")
    next_step = Text("It has seven groups of four letters and digits. Compare each with what was shown at the start.")


def new_secret() -> bytes:
    return secrets.token_bytes(_SECRET_BYTES)


def phrase_of(secret: bytes) -> str:
    """Return the phrase that stands for a secret of ``new_secret``."""
    value = int.from_bytes(secret, "big") << _CHECK_BITS | _check(secret)
    signs = "".join(_SIGNS[value >> 5 * place & 31] for place in reversed(range(_LENGTH)))
    return "-".join(signs[at : at + _GROUP] for at in range(0, _LENGTH, _GROUP))


def secret_of(phrase: str) -> bytes:
    """Return the secret of a phrase, whatever its case and whatever is between its groups. Raises ``PhraseWrong``."""
    signs = "".join(phrase.split()).replace("-", "").upper().translate(_MEANT) if len(phrase) <= _LONGEST else ""
    if len(signs) != _LENGTH or not set(signs) <= set(_SIGNS):
        raise PhraseWrong
    value = 0
    for sign in signs:
        value = value << 5 | _SIGNS.index(sign)
    secret = (value >> _CHECK_BITS).to_bytes(_SECRET_BYTES, "big")
    if phrase_of(secret).replace("-", "") != signs:
        raise PhraseWrong
    return secret


def _check(secret: bytes) -> int:
    digest = hashlib.sha256(b"ChatDesk recovery phrase\0" + secret).digest()
    return int.from_bytes(digest[:2], "big") >> 16 - _CHECK_BITS
