"""Keys of providers: from the environment, the system's keyring, or an encrypted file; never in plain text.

The only door to ``keyring``. Its backends may block on a prompt or a dead D-Bus, so every call runs in a thread of its
own and is given up after a while; without a keyring a typed key holds for this run, or lies in ``key_file``.
"""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol, TypeVar

from chatdesk.core.errors import ChatDeskError
from chatdesk.core.settings.key_file import KeyFile
from chatdesk.core.settings.providers_store import KeyPlace

_log = logging.getLogger(__name__)

SERVICE = "chatdesk"
ENVIRONMENT_NAMES = {"openai": "OPENAI_API_KEY"}

T = TypeVar("T")


class SecretSource(StrEnum):
    ENVIRONMENT = "environment"
    KEYRING = "keyring"
    FILE = "file"
    THIS_RUN = "this run"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Secret:
    """A key and where it came from. ``value`` is empty when there is none; ``problem`` says why, if that is known."""

    value: str = field(default="", repr=False)
    source: SecretSource = SecretSource.NONE
    problem: str = ""


@dataclass(frozen=True, slots=True)
class KeyringState:
    """For *doctor*: whether keys can be kept, and the backend's name or the reason why not."""

    is_usable: bool
    detail: str


class SecretNotKept(ChatDeskError):
    code = "secret_not_kept"
    what = "The key could not be put into the system's keyring."
    safe = "It is used until ChatDesk closes and was not written to any file."
    next_step = "Unlock or install a keyring, or choose the encrypted file in Settings, Providers."


class KeyringBackend(Protocol):
    """What is used of the ``keyring`` module."""

    def get_password(self, service: str, name: str) -> str | None: ...

    def set_password(self, service: str, name: str, value: str) -> None: ...

    def delete_password(self, service: str, name: str) -> None: ...


class _TookTooLong(Exception):
    pass


class SecretStore:
    """Looks up and keeps keys. ``register`` is told every value, so that logs never show it.

    ``load_backend`` returns the keyring to use; tests give their own, everyone else leaves the default. ``key_file`` is
    looked into once somebody has opened it.
    """

    def __init__(
        self,
        *,
        register: Callable[[str], None],
        environ: Mapping[str, str] | None = None,
        timeout_s: float = 5.0,
        load_backend: Callable[[], KeyringBackend] | None = None,
        key_file: KeyFile | None = None,
    ) -> None:
        self._register = register
        self._environ = os.environ if environ is None else environ
        self._timeout_s = timeout_s
        self._load_backend = load_backend or _system_keyring
        self._this_run: dict[str, str] = {}
        self._file = key_file
        self._gave_up = ""

    @property
    def file(self) -> KeyFile | None:
        """The encrypted file, if this store has one."""
        return self._file

    def find(self, name: str, *, variable: str | None = None) -> Secret:
        """The key called ``name`` (for example ``openai``); ``variable`` comes before anything that is kept, None being
        the usual one of that name. Blocks up to the time limit; never raises."""
        given = self.from_environment(ENVIRONMENT_NAMES.get(name, "") if variable is None else variable)
        if given.value:
            return given
        if name in self._this_run:
            return self._found(self._this_run[name], SecretSource.THIS_RUN)
        kept = self._file.get(name) if self._file is not None else None
        return self._found(kept, SecretSource.FILE) if kept else self._find_in_keyring(name)

    def from_environment(self, variable: str) -> Secret:
        """What the environment variable holds, if anything."""
        value = self._environ.get(variable, "").strip() if variable else ""
        return self._found(value, SecretSource.ENVIRONMENT) if value else Secret()

    def _find_in_keyring(self, name: str) -> Secret:
        if self._gave_up:
            return Secret(problem=self._gave_up)
        try:
            kept = self._ask(lambda: self._load_backend().get_password(SERVICE, name))
        except _TookTooLong:
            # Asked once more for every other key, a dead keyring would hold up a start for minutes.
            self._gave_up = "The keyring did not answer; it may be locked or waiting for a password."
            return Secret(problem=self._gave_up)
        except Exception as error:  # noqa: BLE001 - backends raise anything
            _log.info("keyring lookup failed: %s", type(error).__name__)
            return Secret(problem=_reason(error))
        return self._found(kept, SecretSource.KEYRING) if kept else Secret()

    def note(self, value: str) -> None:
        """A key that is tried and not kept: logs must not show it either."""
        self._register(value)

    def look_again(self) -> None:
        """A keyring that did not answer may do so by now."""
        self._gave_up = ""

    def keep(self, name: str, value: str, *, place: KeyPlace = KeyPlace.KEYRING) -> None:
        """Put a key where a person wants it, and nowhere else. On ``SecretNotKept`` and the errors of ``KeyFile`` it is
        still used until the end of this run."""
        self._register(value)
        self._this_run[name] = value
        if place is KeyPlace.MEMORY:
            return
        if place is KeyPlace.FILE:
            if self._file is None:
                raise SecretNotKept
            self._file.put(name, value)
            del self._this_run[name]
            return
        try:
            self._ask(lambda: self._load_backend().set_password(SERVICE, name, value))
        except Exception as error:  # noqa: BLE001 - backends raise anything
            _log.info("keyring write failed: %s", type(error).__name__)
            raise SecretNotKept from None  # the backend's own text and frames may hold the key
        del self._this_run[name]

    def forget(self, name: str) -> None:
        """Remove a key from this run, the file and the keyring; a missing one is fine. Raises ``KeyFileUnusable``."""
        self._this_run.pop(name, None)
        if self._file is not None and self._file.is_open:
            self._file.remove(name)
        try:
            self._ask(lambda: self._load_backend().delete_password(SERVICE, name))
        except Exception as error:  # noqa: BLE001 - backends raise anything
            _log.info("keyring delete failed: %s", type(error).__name__)

    def state(self) -> KeyringState:
        """Whether the keyring answers. Blocks up to the time limit; never raises."""
        try:
            detail = self._ask(self._probe)
        except _TookTooLong:
            return KeyringState(is_usable=False, detail=f"no answer within {self._timeout_s:g} s")
        except Exception as error:  # noqa: BLE001 - backends raise anything
            return KeyringState(is_usable=False, detail=_reason(error))
        return KeyringState(is_usable=True, detail=detail)

    def _probe(self) -> str:
        backend = self._load_backend()
        backend.get_password(SERVICE, "openai")
        return type(backend).__name__

    def _found(self, value: str, source: SecretSource) -> Secret:
        self._register(value)
        return Secret(value=value, source=source)

    def _ask(self, work: Callable[[], T]) -> T:
        """Run ``work`` in a daemon thread: a backend that hangs must keep neither the window nor the exit waiting."""
        results: list[T] = []
        failures: list[Exception] = []

        def run() -> None:
            try:
                results.append(work())
            except Exception as error:  # noqa: BLE001 - carried to the caller
                failures.append(error)

        thread = threading.Thread(target=run, name="keyring", daemon=True)
        thread.start()
        thread.join(self._timeout_s)
        if failures:
            raise failures[0]
        if not results:
            raise _TookTooLong
        return results[0]


def _system_keyring() -> KeyringBackend:
    import keyring

    return keyring.get_keyring()


def _reason(error: Exception) -> str:
    """A sentence by kind of failure; a backend's own text could hold anything."""
    name = type(error).__name__
    if name == "NoKeyringError":
        return "There is no keyring on this system."
    if name in ("KeyringLocked", "InitError"):
        return "The keyring is locked."
    return f"The keyring failed ({name})."
