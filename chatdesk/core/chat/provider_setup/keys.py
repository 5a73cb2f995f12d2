"""Manages the keys of providers and the places where they are kept, without blocking."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from chatdesk.core.chat.task_set import uninterruptible
from chatdesk.core.events import EventBus, ProvidersChanged
from chatdesk.core.providers.accounts import AccountBook
from chatdesk.core.settings.providers_store import KeyPlace


@dataclass(frozen=True, slots=True)
class KeyState:
    """The places in which keys can be kept. ``is_file_locked``: there is a file, and it was not opened in this run."""

    place: KeyPlace
    has_keyring: bool
    keyring: str
    has_file: bool
    is_file_locked: bool


class ProviderKeys:
    """The use cases of providers' keys; ``ProviderService.keys`` exposes it."""

    def __init__(self, book: AccountBook, changes: AccountChanges) -> None:
        self._book = book
        self._changes = changes

    @property
    def is_file_locked(self) -> bool:
        file = self._book.secrets.file
        return file is not None and not file.is_open and file.exists

    @property
    def is_file_open(self) -> bool:
        file = self._book.secrets.file
        return file is not None and file.is_open

    async def state(self) -> KeyState:
        """Return the places where keys can be kept. Asks the keyring, which may need some seconds."""
        state = await asyncio.to_thread(self._book.secrets.state)
        file = self._book.secrets.file
        has_file = file is not None and file.exists
        return KeyState(
            self._book.stored.key_place,
            has_keyring=state.is_usable,
            keyring=state.detail,
            has_file=has_file,
            is_file_locked=self.is_file_locked,
        )

    async def choose_place(self, place: KeyPlace, *, passphrase: str = "") -> None:
        """Set the place for new keys. For the file, the passphrase creates or opens it. Raises the errors of
        ``KeyFile``."""

        def work() -> None:
            file = self._book.secrets.file
            if place is KeyPlace.FILE and file is not None and not file.is_open:
                if file.exists:
                    file.unlock(passphrase)
                else:
                    file.create(passphrase)
            self._book.use(key_place=place)

        await self._changes.run(work)

    async def unlock(self, passphrase: str) -> None:
        """Open the file of keys for this run. Raises ``WrongPassphrase``, ``KeyFileUnusable``."""
        file = self._book.secrets.file
        if file is None:
            return

        def work() -> None:
            file.unlock(passphrase)
            self._book.refresh()

        await self._changes.run(work)

    async def change_passphrase(self, old: str, new: str) -> None:
        """Change the passphrase of the file of keys. Raises ``WrongPassphrase``, ``PassphraseTooWeak`` or
        ``KeyFileUnusable``; the old one then stays."""
        file = self._book.secrets.file
        if file is not None:
            await self._changes.run(lambda: file.change_passphrase(old, new))

    async def forget(self, provider: str) -> None:
        """Delete the key of a provider. Raises ``KeyFileUnusable``."""
        await self._changes.run(lambda: self._book.forget_key(provider))

    async def agree(self, provider: str) -> None:
        """Agree that the keys of a provider go to its present address. Raises ``SecretNotKept`` and the errors of the
        file of keys."""
        await self._changes.run(lambda: self._book.agree(provider))


class AccountChanges:
    """Runs changes in threads. ``on_changed`` is called when the accounts have changed."""

    def __init__(self, bus: EventBus, on_changed: Callable[[], None]) -> None:
        self._bus = bus
        self._on_changed = on_changed
        self._changing = asyncio.Lock()

    @uninterruptible
    async def run(self, work: Callable[[], None]) -> None:
        """Run ``work`` in a thread after the changes before it. Raises its exceptions."""
        async with self._changing:
            try:
                await asyncio.to_thread(work)
            finally:
                # Even if the disk or the keyring refused: the typed key is used for this run.
                self._on_changed()
                self._bus.publish(ProvidersChanged())
