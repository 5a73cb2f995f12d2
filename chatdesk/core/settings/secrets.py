"""Finds and keeps the keys of providers: in the environment, the system's keyring, or an encrypted file; never in plain
text.

The gateway to ``keyring``. Its backends may block on a prompt or a dead D-Bus, so every call runs in a thread of its
own and is given up after a while; without a keyring a typed key holds for this run, or is kept in ``key_file``.
"""

from __future__ import annotations

import json
import logging
import os
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, TypeVar

from chatdesk.core.domain.key_origin import KeyOrigin, Withheld, WithheldFor, bare_key
from chatdesk.core.errors import ChatDeskError
from chatdesk.core.settings.key_file import KeyFile
from chatdesk.core.settings.profile_id import ProfileId
from chatdesk.core.settings.providers_store import KeyPlace
from chatdesk.core.texts import Text

if TYPE_CHECKING:  # loaded when a key is stored or looked up
    from keyring.backend import KeyringBackend

_log = logging.getLogger(__name__)

SERVICE = "chatdesk"
NO_KEYRING = Text("There is no keyring on this system.")
_AGREED = ":variable"
# Keyrings that encrypt. ``keyring`` has other backends, some of which write plain text.
REAL_KEYRINGS = frozenset(
    (
        "keyring.backends.SecretService",
        "keyring.backends.libsecret",
        "keyring.backends.kwallet",
        "keyring.backends.macOS",
        "keyring.backends.Windows",
    )
)

T = TypeVar("T")
_VERSION = 1


class SecretSource(StrEnum):
    ENVIRONMENT = "environment"
    KEYRING = "keyring"
    FILE = "file"
    THIS_RUN = "this run"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Secret:
    """A key and where it came from. ``value`` is empty without a key; ``problem`` says why, if that is known.
    ``withheld``: a key exists, but counts as absent until a person agrees."""

    value: str = field(default="", repr=False)
    source: SecretSource = SecretSource.NONE
    problem: str = ""
    withheld: Withheld | None = None


@dataclass(frozen=True, slots=True)
class KeyringState:
    """The state of the keyring for *doctor*: whether keys can be kept, and the backend's name or the reason why not."""

    is_usable: bool
    detail: str


class SecretNotKept(ChatDeskError):
    code = "secret_not_kept"
    what = Text("The key could not be put into the system's keyring.")
    safe = Text("It is used until ChatDesk closes and was not written to any file.")
    safe_without_window = Text("Everything saved before is unchanged.")
    next_step = Text("Unlock or install a keyring, or choose the encrypted file in Settings, Providers.")


class _TookTooLong(Exception):
    pass


class SecretStore:
    """Looks up and keeps keys. ``register`` is called with every value, so that logs never show it.

    ``load_backend`` returns the keyring to use; tests give their own, everyone else leaves the default. ``key_file`` is
    searched once it was opened. ``profile`` is part of the names in the keyring; with ``reads_old_names``, keys that an
    earlier version kept there without it are found as well.
    """

    def __init__(
        self,
        *,
        register: Callable[[str], None],
        environ: Mapping[str, str] | None = None,
        timeout_s: float = 5.0,
        load_backend: Callable[[], KeyringBackend] | None = None,
        key_file: KeyFile | None = None,
        profile: ProfileId | None = None,
        reads_old_names: bool = False,
    ) -> None:
        self._register = register
        self._environ = os.environ if environ is None else environ
        self._timeout_s = timeout_s
        self._load_backend = load_backend or system_keyring
        self._this_run: dict[str, KeptSecret] = {}
        self._file = key_file
        self._profile = profile or ProfileId(None)
        self._reads_old_names = reads_old_names
        self._gave_up = ""

    @property
    def file(self) -> KeyFile | None:
        """The encrypted file, if this store has one."""
        return self._file

    def find(self, name: str, origin: KeyOrigin, *, is_known: bool = False, is_agreed: bool = False) -> Secret:
        """Return the kept key called ``name`` (for example ``openai``), if it was given for ``origin``. ``is_known``:
        ``origin`` is the vendor's own, so that a key which an earlier version kept without one is bound to it.
        ``is_agreed``: a person just named ``origin`` for it. Blocks up to the time limit; never raises."""
        kept, source, problem = self._look_up(name)
        if kept is None or not kept.value:
            return Secret(problem=problem)
        self._register(kept.value)
        if kept.origin is None and is_known and not origin.is_open:
            kept = KeptSecret(kept.value, origin)
            self._rewrite(name, kept, source)
        withheld = None if is_agreed else kept.withheld(origin)
        return Secret(source=source, withheld=withheld) if withheld else Secret(kept.value, source)

    def from_environment(self, variable: str) -> Secret:
        """Return the key in the environment variable, if there is one."""
        value = self._environ.get(variable, "").strip() if variable else ""
        if not value:
            return Secret()
        for each in {value, bare_key(value)}:
            self._register(each)
        return Secret(value, SecretSource.ENVIRONMENT)

    def named_in(self, variable: str) -> str:
        """Return the value of a variable that is not a secret, such as the address of a server."""
        return self._environ.get(variable, "").strip()

    def is_agreed(self, name: str, origin: KeyOrigin) -> bool:
        """Return whether a person agreed that the key of a variable is sent to ``origin``."""
        agreed = self._look_up(name + _AGREED)[0]
        return agreed is not None and agreed.withheld(origin) is None

    def agree(self, name: str, origin: KeyOrigin, *, place: KeyPlace, is_variable: bool = False) -> None:
        """Record that the person agrees to send the kept key, or that of a variable, to ``origin`` from now on. Raises
        as ``keep``."""
        if is_variable:
            self._store(name + _AGREED, KeptSecret("", origin, may_be_open=True), place)
            return
        kept, source, _ = self._look_up(name)
        if kept is not None and kept.value:
            places = {SecretSource.FILE: KeyPlace.FILE, SecretSource.THIS_RUN: KeyPlace.MEMORY}
            self._store(name, KeptSecret(kept.value, origin, may_be_open=True), places.get(source, KeyPlace.KEYRING))

    def register_secret(self, value: str) -> None:
        """Keep ``value`` out of the logs: a key that is tried and not kept."""
        self._register(value)

    def retry_keyring(self) -> None:
        """Ask the keyring again from now on, if it was given up because it did not answer."""
        self._gave_up = ""

    def keep(
        self,
        name: str,
        value: str,
        origin: KeyOrigin,
        *,
        place: KeyPlace = KeyPlace.KEYRING,
        may_be_open: bool = False,
    ) -> None:
        """Store a key in the place that a person chose, and nowhere else, for ``origin`` alone; ``may_be_open``: they
        agreed that it travels unencrypted there. On ``SecretNotKept`` and the errors of ``KeyFile`` it is still used
        until the end of this run."""
        self._register(value)
        self._store(name, KeptSecret(value, origin, may_be_open=may_be_open), place)

    def forget(self, name: str) -> None:
        """Remove a key from this run, the file and the keyring; a missing one is fine. Raises ``KeyFileUnusable``."""
        for each in (name, name + _AGREED):
            self._this_run.pop(each, None)
            if self._file is not None and self._file.is_open:
                self._file.remove(each)
            for entry in self._entries(each):
                try:
                    self._ask(lambda entry=entry: self._load_backend().delete_password(SERVICE, entry))  # type: ignore[misc]
                except Exception as error:  # noqa: BLE001 - backends raise anything
                    _log.info("keyring delete failed: %s", type(error).__name__)

    def _look_up(self, name: str) -> tuple[KeptSecret | None, SecretSource, str]:
        """Return the kept secret, its place, and the reason why none was found."""
        if name in self._this_run:
            return self._this_run[name], SecretSource.THIS_RUN, ""
        kept = self._file.get(name) if self._file is not None else None
        if kept:
            return KeptSecret.decoded(kept), SecretSource.FILE, ""
        for entry in self._entries(name):
            kept, problem = self._from_keyring(entry)
            if problem:
                return None, SecretSource.NONE, problem
            if kept:
                return KeptSecret.decoded(kept), SecretSource.KEYRING, ""
        return None, SecretSource.NONE, ""

    def _entries(self, name: str) -> list[str]:
        """Return the names under which a key may be found in the keyring."""
        profile = self._profile.find()
        found = [f"{profile}/{name}"] if profile else []
        return [*found, name] if self._reads_old_names and _AGREED not in name else found

    def _from_keyring(self, entry: str) -> tuple[str | None, str]:
        if self._gave_up:
            return None, self._gave_up
        try:
            return self._ask(lambda: self._load_backend().get_password(SERVICE, entry)), ""
        except _TookTooLong:
            # Asked again for every other key, a dead keyring would hold up a start for minutes.
            self._gave_up = Text("The keyring did not answer; it may be locked or waiting for a password.")
            return None, self._gave_up
        except Exception as error:  # noqa: BLE001 - backends raise anything
            _log.info("keyring lookup failed: %s", type(error).__name__)
            return None, _reason(error)

    def _rewrite(self, name: str, kept: KeptSecret, source: SecretSource) -> None:
        """Record the origin of a key that an earlier version kept; if that fails it is tried at the next start."""
        try:
            self._store(name, kept, KeyPlace.FILE if source is SecretSource.FILE else KeyPlace.KEYRING)
        except ChatDeskError as error:
            _log.info("origin of a key not noted: %s", error.code)

    def _store(self, name: str, kept: KeptSecret, place: KeyPlace) -> None:
        self._this_run[name] = kept
        if place is KeyPlace.MEMORY:
            return
        if place is KeyPlace.FILE:
            if self._file is None:
                raise SecretNotKept
            self._file.put(name, kept.encoded())
            self._this_run.pop(name, None)  # another thread may have stored it, too
            return
        try:
            entry = f"{self._profile.make()}/{name}"
            self._ask(lambda: self._load_backend().set_password(SERVICE, entry, kept.encoded()))
        except Exception as error:  # noqa: BLE001 - backends raise anything
            _log.info("keyring write failed: %s", type(error).__name__)
            raise SecretNotKept from None  # the backend's own text and frames may hold the key
        self._this_run.pop(name, None)  # another thread may have stored it, too

    def state(self) -> KeyringState:
        """Return whether the keyring answers. Blocks up to the time limit; never raises."""
        try:
            detail = self._ask(self._probe)
        except _TookTooLong:
            return KeyringState(
                is_usable=False, detail=Text("no answer within {timeout_s} s", timeout_s=f"{self._timeout_s:g}")
            )
        except Exception as error:  # noqa: BLE001 - backends raise anything
            return KeyringState(is_usable=False, detail=_reason(error))
        return KeyringState(is_usable=True, detail=detail)

    def _probe(self) -> str:
        backend = self._load_backend()
        backend.get_password(SERVICE, "openai")
        return type(backend).__name__

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


def system_keyring() -> KeyringBackend:
    """Return the keyring of this system. Raises ``NoKeyringError`` where the chosen one is none of
    ``REAL_KEYRINGS``."""
    import keyring
    from keyring.errors import NoKeyringError

    chosen = keyring.get_keyring()
    # The chain of several comes in the order of their priority; its others may write plain text.
    members = getattr(chosen, "backends", ()) if type(chosen).__module__ == "keyring.backends.chainer" else (chosen,)
    for backend in members:
        if type(backend).__module__ in REAL_KEYRINGS:
            real: KeyringBackend = backend
            return real
    raise NoKeyringError


def _reason(error: Exception) -> str:
    """Return a sentence for the kind of failure; a backend's own text could hold anything."""
    name = type(error).__name__
    if name == "NoKeyringError":
        return NO_KEYRING
    if name in ("KeyringLocked", "InitError"):
        return Text("The keyring is locked.")
    return Text("The keyring failed ({name}).", name=name)


# The keyring and the encrypted file protect the whole entry: without the secret its origin cannot be changed.
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
