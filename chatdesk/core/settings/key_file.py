"""Keys in an encrypted file, for computers without a keyring. The only door to ``cryptography``.

A passphrase becomes a key by scrypt (RFC 7914); the keys are sealed together with ChaCha20-Poly1305 (RFC 8439), with a
new salt and nonce at every writing, and the parameters, which stand beside it in the file, authenticated with it.
"""

from __future__ import annotations

import base64
import json
import os
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from chatdesk.core.errors import ChatDeskError
from chatdesk.core.settings.store import write_atomically

FILE_NAME = "keys.encrypted.json"
_VERSION = 1
# 128 MiB and some 0.4 s: what OWASP's password storage cheat sheet asks for at least, for interactive use.
_N, _R, _P = 2**17, 8, 1
# A file from elsewhere must not take all memory or an hour.
_LARGEST_N, _LARGEST_R, _LARGEST_P = 2**20, 16, 4
_LARGEST_BYTES = 1024 * 1024
_SHORTEST_PASSPHRASE = 8


class WrongPassphrase(ChatDeskError):
    code = "wrong_passphrase"
    what = "The passphrase does not open the file of keys."
    safe = "The keys are unchanged."
    next_step = "Type it again; capital letters count. Without it the keys have to be entered anew."


class PassphraseTooShort(ChatDeskError):
    code = "passphrase_too_short"
    what = f"A passphrase needs at least {_SHORTEST_PASSPHRASE} characters."
    safe = "Nothing was changed."
    next_step = "Four or five words that do not belong together are easy to remember and hard to guess."


class KeyFileUnusable(ChatDeskError):
    code = "key_file_unusable"
    what = "The file of keys cannot be read or written."
    safe = "It was left as it is; keys hold until ChatDesk closes."
    next_step = "Check the configuration directory, or delete the file keys.encrypted.json and enter the keys anew."


class KeyFileLocked(ChatDeskError):
    code = "key_file_locked"
    what = "The file of keys has not been opened in this run."
    safe = "The keys in it are unchanged."
    next_step = "Enter its passphrase in Settings, Providers."


class KeyFile:
    """One file. ``unlock`` or ``create`` once a run; both take most of a second and are called from a thread. Safe to
    use from any thread."""

    def __init__(self, config_dir: Path, *, work: int = _N) -> None:
        self._path = config_dir / FILE_NAME
        self._work = work
        self._lock = threading.RLock()
        self._passphrase: bytes | None = None
        self._keys: dict[str, str] = {}

    @property
    def exists(self) -> bool:
        return self._path.exists()

    @property
    def is_open(self) -> bool:
        return self._passphrase is not None

    def create(self, passphrase: str) -> None:
        """A new, empty file. Raises ``PassphraseTooShort``, ``KeyFileUnusable``; an old file is never replaced."""
        with self._lock:
            if self.exists:
                raise KeyFileUnusable("There is a file of keys already.", next_step="Enter its passphrase.")
            self._write({}, _checked(passphrase))

    def unlock(self, passphrase: str) -> None:
        """Raises ``WrongPassphrase`` and ``KeyFileUnusable``."""
        with self._lock:
            secret = passphrase.encode("utf-8", "surrogatepass")
            self._keys = self._read(secret)
            self._passphrase = secret

    def change_passphrase(self, old: str, new: str) -> None:
        """Seal everything anew. Raises as ``unlock`` and ``create``; the old file stays until the new one is whole."""
        with self._lock:
            checked = _checked(new)
            self._write(self._read(old.encode("utf-8", "surrogatepass")), checked)

    def get(self, name: str) -> str | None:
        with self._lock:
            return self._keys.get(name)

    def put(self, name: str, value: str) -> None:
        """Raises ``KeyFileLocked`` and ``KeyFileUnusable``."""
        with self._lock:
            self._write({**self._keys, name: value}, self._opened())

    def remove(self, name: str) -> None:
        """A missing one is fine. Raises as ``put``."""
        with self._lock:
            if name in self._keys:
                self._write({key: value for key, value in self._keys.items() if key != name}, self._opened())

    def _opened(self) -> bytes:
        if self._passphrase is None:
            raise KeyFileLocked
        return self._passphrase

    def _read(self, secret: bytes) -> dict[str, str]:
        from cryptography.exceptions import InvalidTag

        try:
            if self._path.stat().st_size > _LARGEST_BYTES:
                raise ValueError("too large")
            document = json.loads(self._path.read_text("utf-8"))
            head = document["parameters"]
            sealed = base64.b64decode(document["sealed"], validate=True)
            cipher = _cipher(secret, head)
            nonce = base64.b64decode(head["nonce"], validate=True)
        except (OSError, ValueError, KeyError, TypeError, RecursionError):
            raise KeyFileUnusable from None
        try:
            opened = cipher.decrypt(nonce, sealed, _bound(head))
        except (InvalidTag, ValueError):
            raise WrongPassphrase from None
        keys: Any = json.loads(opened)
        return {str(name): str(value) for name, value in keys.items()}

    def _write(self, keys: Mapping[str, str], secret: bytes) -> None:
        head = {
            "version": _VERSION,
            "kdf": "scrypt",
            "n": self._work,
            "r": _R,
            "p": _P,
            "salt": base64.b64encode(os.urandom(16)).decode(),
            "cipher": "chacha20-poly1305",
            "nonce": base64.b64encode(os.urandom(12)).decode(),
        }
        plain = json.dumps(dict(keys)).encode()
        sealed = _cipher(secret, head).encrypt(base64.b64decode(str(head["nonce"])), plain, _bound(head))
        document = {"parameters": head, "sealed": base64.b64encode(sealed).decode()}
        try:
            write_atomically(self._path, json.dumps(document, indent=2) + "\n")
        except OSError:
            raise KeyFileUnusable from None
        self._keys, self._passphrase = dict(keys), secret


def _checked(passphrase: str) -> bytes:
    if len(passphrase) < _SHORTEST_PASSPHRASE:
        raise PassphraseTooShort
    return passphrase.encode("utf-8", "surrogatepass")


def _bound(head: Mapping[str, object]) -> bytes:
    """The parameters as they are authenticated."""
    return json.dumps(head, sort_keys=True, separators=(",", ":")).encode()


def _cipher(secret: bytes, head: Mapping[str, Any]) -> Any:
    """Raises ``ValueError`` for parameters that nobody of good will wrote."""
    from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
    from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

    work, block, lanes = int(head["n"]), int(head["r"]), int(head["p"])
    is_bounded = 2 <= work <= _LARGEST_N and 1 <= block <= _LARGEST_R and 1 <= lanes <= _LARGEST_P
    known = (head["version"], head["kdf"], head["cipher"]) == (_VERSION, "scrypt", "chacha20-poly1305")
    if not is_bounded or not known:
        raise ValueError("parameters")
    salt = base64.b64decode(head["salt"], validate=True)
    return ChaCha20Poly1305(Scrypt(salt=salt, length=32, n=work, r=block, p=lanes).derive(secret))
