"""Providers as a person set them up, with a keyring of the test's own."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from chatdesk.core.chat.provider_setup.provider_service import ProviderService
from chatdesk.core.clock import Clock
from chatdesk.core.events import EventBus
from chatdesk.core.providers.accounts import AccountBook
from chatdesk.core.settings.key_file import KeyFile
from chatdesk.core.settings.profile_id import ProfileId
from chatdesk.core.settings.schema import Settings
from chatdesk.core.settings.secrets import KeptSecret, SecretStore

QUICK = 2**10  # scrypt's work, where nothing is to be guarded


class MemoryKeyring:
    """A keyring that works, or fails as it is told to."""

    def __init__(self, error: Exception | None = None) -> None:
        self.kept: dict[str, str] = {}
        self.error = error

    def get_password(self, service: str, name: str) -> str | None:
        self._check()
        return self.kept.get(name)

    def set_password(self, service: str, name: str, value: str) -> None:
        self._check()
        self.kept[name] = value

    def delete_password(self, service: str, name: str) -> None:
        self._check()
        del self.kept[name]

    @property
    def values(self) -> dict[str, str]:
        """The secrets by their names, whatever profile they are of."""
        kept = {name.partition("/")[2]: KeptSecret.decoded(text) for name, text in self.kept.items()}
        return {name: each.value for name, each in kept.items()}

    def _check(self) -> None:
        if self.error is not None:
            raise self.error


class NoKeyringError(RuntimeError):
    """Named as the keyring's own."""


def open_book(
    config_dir: Path,
    *,
    keyring: MemoryKeyring | None = None,
    environ: Mapping[str, str] | None = None,
    settings: Settings | None = None,
    reads_old_names: bool = False,
) -> AccountBook:
    """A book as a new start would read it."""
    backend = keyring or MemoryKeyring()
    variables = dict(environ or {})
    secrets = SecretStore(
        register=lambda _value: None,
        environ=variables,
        load_backend=lambda: backend,
        key_file=KeyFile(config_dir, work=QUICK),
        profile=ProfileId(config_dir),
        reads_old_names=reads_old_names,
    )
    book = AccountBook(config_dir, secrets, settings or Settings(), environ=variables)
    book.load()
    return book


def service_of(book: AccountBook, data_dir: Path) -> ProviderService:
    return ProviderService(book, data_dir, Clock(), EventBus(), on_changed=lambda: None)
