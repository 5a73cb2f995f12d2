"""Keeps keys in an encrypted file, for computers without a keyring; ``sealing`` encrypts it."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from chatdesk.core.errors import ChatDeskError
from chatdesk.core.settings.passphrase import check_passphrase
from chatdesk.core.settings.sealing import WORK, CannotUnseal, seal, unseal
from chatdesk.core.settings.store import write_atomically
from chatdesk.core.system.small_files import read_small_json
from chatdesk.core.texts import Text

FILE_NAME = "keys.encrypted.json"
_LARGEST_BYTES = 1024 * 1024


class WrongPassphrase(ChatDeskError):
    code = "wrong_passphrase"
    what = Text("The passphrase does not open the file of keys.")
    safe = Text("The keys are unchanged.")
    next_step = Text("Type it again; capital letters count. Without it, the keys have to be entered again.")


class KeyFileUnusable(ChatDeskError):
    code = "key_file_unusable"
    what = Text("The file of keys cannot be read or written.")
    safe = Text("It was left as it is; keys hold until ChatDesk closes.")
    safe_without_window = Text("Everything saved before is unchanged.")
    next_step = Text(
        "Check the configuration directory, or delete the file keys.encrypted.json and enter the keys again."
    )


class KeyFileLocked(ChatDeskError):
    code = "key_file_locked"
    what = Text("The file of keys has not been opened in this run.")
    safe = Text("The keys in it are unchanged.")
    next_step = Text("Enter its passphrase in Settings, Providers.")


class KeyFile:
    """The encrypted file of one configuration directory. Call ``unlock`` or ``create`` once a run; both take most of a
    second and are called from a thread. Safe to use from any thread."""

    def __init__(self, config_dir: Path, *, work: int = WORK) -> None:
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
        """Make a new, empty file. Raises ``PassphraseTooWeak`` and ``KeyFileUnusable``; an old file is never
        replaced."""
        with self._lock:
            if self.exists:
                raise KeyFileUnusable(Text("There is a file of keys already."), next_step=Text("Enter its passphrase."))
            self._write({}, _checked(passphrase))

    def unlock(self, passphrase: str) -> None:
        """Open the file for this run. Raises ``WrongPassphrase`` and ``KeyFileUnusable``."""
        with self._lock:
            secret = passphrase.encode("utf-8", "surrogatepass")
            self._keys = self._read(secret)
            self._passphrase = secret

    def change_passphrase(self, old: str, new: str) -> None:
        """Encrypt everything again. Raises as ``unlock`` and ``create``; the old file stays until the new one is
        complete."""
        with self._lock:
            checked = _checked(new)
            self._write(self._read(old.encode("utf-8", "surrogatepass")), checked)

    def get(self, name: str) -> str | None:
        with self._lock:
            return self._keys.get(name)

    def put(self, name: str, value: str) -> None:
        """Store a key. Raises ``KeyFileLocked`` and ``KeyFileUnusable``."""
        with self._lock:
            self._write({**self._keys, name: value}, self._opened())

    def remove(self, name: str) -> None:
        """Remove a key; a missing one is fine. Raises as ``put``."""
        with self._lock:
            if name in self._keys:
                self._write({key: value for key, value in self._keys.items() if key != name}, self._opened())

    def _opened(self) -> bytes:
        if self._passphrase is None:
            raise KeyFileLocked
        return self._passphrase

    def _read(self, secret: bytes) -> dict[str, str]:
        try:
            opened = unseal(read_small_json(self._path, _LARGEST_BYTES), secret)
        except CannotUnseal:
            raise WrongPassphrase from None
        except (OSError, ValueError, KeyError, TypeError, RecursionError):
            raise KeyFileUnusable from None
        keys: Any = json.loads(opened)
        return {str(name): str(value) for name, value in keys.items()}

    def _write(self, keys: Mapping[str, str], secret: bytes) -> None:
        document = seal(json.dumps(dict(keys)).encode(), secret, work=self._work)
        try:
            write_atomically(self._path, json.dumps(document, indent=2) + "\n")
        except OSError:
            raise KeyFileUnusable from None
        self._keys, self._passphrase = dict(keys), secret


def _checked(passphrase: str) -> bytes:
    check_passphrase(passphrase)
    return passphrase.encode("utf-8", "surrogatepass")
