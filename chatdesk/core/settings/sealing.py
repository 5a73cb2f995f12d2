"""Encrypts data under a passphrase. The gateway to ``cryptography``.

A passphrase becomes a key by scrypt (RFC 7914); the data goes through ChaCha20-Poly1305 (RFC 8439), with a new salt and
nonce each time, and the parameters, which are beside it, authenticated with it. Where a secret is random already, the
key is derived from it by HKDF (RFC 5869), once for each thing that is encrypted.
"""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Mapping
from typing import Any

_VERSION = 1
# 128 MiB and some 0.4 s: the minimum of OWASP's password storage cheat sheet for interactive use.
WORK = 2**17
_R, _P = 8, 1
# Limits for foreign files, which must not take all memory or an hour.
_LARGEST_N, _LARGEST_R, _LARGEST_P = 2**20, 16, 4


class CannotUnseal(Exception):
    """The error for a wrong passphrase or a changed document, which cannot be told apart."""


def seal(plain: bytes, passphrase: bytes, *, beside: Mapping[str, object] | None = None, work: int = WORK) -> Any:
    """Encrypt ``plain`` into a document for JSON: ``parameters`` and ``sealed``. ``beside`` is added to the parameters,
    readable but authenticated. Takes most of a second."""
    head = {
        **(beside or {}),
        "version": _VERSION,
        "kdf": "scrypt",
        "n": work,
        "r": _R,
        "p": _P,
        "salt": base64.b64encode(os.urandom(16)).decode(),
        "cipher": "chacha20-poly1305",
        "nonce": base64.b64encode(os.urandom(12)).decode(),
    }
    sealed = _cipher(passphrase, head).encrypt(base64.b64decode(str(head["nonce"])), plain, _bound(head))
    return {"parameters": head, "sealed": base64.b64encode(sealed).decode()}


def unseal(document: Any, passphrase: bytes) -> bytes:
    """Return the bytes that ``seal`` encrypted. Takes most of a second. Raises ``CannotUnseal``, and ``ValueError``,
    ``KeyError`` or ``TypeError`` for a document that ``seal`` never made, before any work is done."""
    from cryptography.exceptions import InvalidTag

    head = document["parameters"]
    sealed = base64.b64decode(document["sealed"], validate=True)
    nonce = base64.b64decode(head["nonce"], validate=True)
    cipher = _cipher(passphrase, head)
    try:
        opened: bytes = cipher.decrypt(nonce, sealed, _bound(head))
    except (InvalidTag, ValueError):
        raise CannotUnseal from None
    return opened


def derived(secret: bytes, purpose: str, salt: bytes = b"") -> bytes:
    """Return a key of 32 bytes for one purpose from a random secret of at least 16 bytes."""
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.kdf.hkdf import HKDF

    return HKDF(algorithm=SHA256(), length=32, salt=salt or None, info=purpose.encode()).derive(secret)


def lock(key: bytes, number: int, plain: bytes, bound: bytes) -> bytes:
    """Encrypt ``plain`` under a key of ``derived``, with which each ``number`` may be used once. ``bound`` is
    authenticated with it."""
    from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

    return ChaCha20Poly1305(key).encrypt(number.to_bytes(12, "big"), plain, bound)


def unlock(key: bytes, number: int, locked: bytes, bound: bytes) -> bytes:
    """Return the bytes that ``lock`` encrypted. Raises ``CannotUnseal``."""
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

    try:
        return ChaCha20Poly1305(key).decrypt(number.to_bytes(12, "big"), locked, bound)
    except (InvalidTag, ValueError):
        raise CannotUnseal from None


def _bound(head: Mapping[str, object]) -> bytes:
    """Return the parameters as they are authenticated."""
    return json.dumps(head, sort_keys=True, separators=(",", ":")).encode()


def _cipher(secret: bytes, head: Mapping[str, Any]) -> Any:
    """Derive the key and return the cipher. Raises ``ValueError`` for parameters that only an attacker would write."""
    from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
    from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

    work, block, lanes = int(head["n"]), int(head["r"]), int(head["p"])
    is_bounded = 2 <= work <= _LARGEST_N and 1 <= block <= _LARGEST_R and 1 <= lanes <= _LARGEST_P
    known = (head["version"], head["kdf"], head["cipher"]) == (_VERSION, "scrypt", "chacha20-poly1305")
    if not is_bounded or not known:
        raise ValueError("parameters")
    salt = base64.b64decode(head["salt"], validate=True)
    return ChaCha20Poly1305(Scrypt(salt=salt, length=32, n=work, r=block, p=lanes).derive(secret))
