"""Computes the SCRAM verifier that Postgres stores for a password (RFC 5803), so that the server never sees the
password."""

from __future__ import annotations

import base64
import hashlib
import hmac
import os

# PostgreSQL's own number. More would slow down every connection and add nothing to random passwords.
_ITERATIONS = 4096
_SALT_BYTES = 16


def verifier_of(password: str, *, salt: bytes | None = None, iterations: int = _ITERATIONS) -> str:
    """Return ``SCRAM-SHA-256$<iterations>:<salt>$<StoredKey>:<ServerKey>`` for a password of printable ASCII, which
    SASLprep (RFC 4013) does not change. Raises ``ValueError`` for any other."""
    if not password or not all(" " <= sign <= "~" for sign in password):
        raise ValueError("only printable ASCII")
    used = os.urandom(_SALT_BYTES) if salt is None else salt
    salted = hashlib.pbkdf2_hmac("sha256", password.encode("ascii"), used, iterations)
    stored_key = hashlib.sha256(_signed(salted, b"Client Key")).digest()
    server_key = _signed(salted, b"Server Key")
    return f"SCRAM-SHA-256${iterations}:{_text(used)}${_text(stored_key)}:{_text(server_key)}"


def _signed(key: bytes, text: bytes) -> bytes:
    return hmac.new(key, text, hashlib.sha256).digest()


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")
