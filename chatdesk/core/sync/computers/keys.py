"""Keeps the secret of the recovery phrase where this person keeps their keys, and opens the folder with it."""

from __future__ import annotations

import base64
import shutil
from collections.abc import Callable
from pathlib import Path

from chatdesk.core.clock import Clock
from chatdesk.core.domain.key_origin import KeyOrigin
from chatdesk.core.domain.sharing.team import Workspace
from chatdesk.core.ids import checked_id
from chatdesk.core.settings.providers_store import KeyPlace
from chatdesk.core.settings.secrets import SecretNotKept, SecretStore
from chatdesk.core.sync.computers.folder_store import FolderStore
from chatdesk.core.sync.computers.library_key import LibraryKey
from chatdesk.core.sync.computers.place import Place
from chatdesk.core.sync.errors import TeamPasswordMissing
from chatdesk.core.texts import Text


class KeyMissing(TeamPasswordMissing):
    code = "computers_key_missing"
    what = Text("The key of your computers cannot be found on this one.")
    next_step = Text("Unlock the keyring, or join again with the recovery phrase: 'chatdesk computers join'.")


class KeyNotKept(SecretNotKept):
    code = "computers_key_not_kept"
    what = Text("This computer cannot keep the key of your computers.")
    safe = Text("Nothing was changed.")
    next_step = Text("Unlock or install a keyring, or choose the encrypted file in Settings, Providers.")


class ComputerKeys:
    """Finds and keeps the secret of a library. ``data``: the folder in which this computer keeps its logs; ``device``
    returns the device that it is. Methods block on the keyring."""

    def __init__(
        self,
        secrets: SecretStore,
        key_place: Callable[[], KeyPlace],
        data: Path,
        clock: Clock,
        *,
        device: Callable[[], str],
    ) -> None:
        self._device = device
        self._secrets = secrets
        self._place = key_place
        self._data = data
        self._clock = clock

    def keep(self, key: LibraryKey) -> None:
        """Keep the secret. Raises ``KeyNotKept``, also where keys are kept for one run only."""
        if self._place() is KeyPlace.MEMORY:
            raise KeyNotKept
        value = base64.b64encode(key.secret).decode()
        try:
            self._secrets.keep(_name(key.workspace_id), value, _origin(key.workspace_id), place=self._place())
        except SecretNotKept:
            raise KeyNotKept from None

    def forget(self, workspace_id: str) -> None:
        """Forget the secret of a library, and remove its logs on this computer. Raises ``KeyFileUnusable`` and
        ``OSError``."""
        try:
            self._secrets.forget(_name(workspace_id))
        finally:
            folder = self.data_of(checked_id(workspace_id))  # it may come from a restored profile
            if folder.is_dir():
                shutil.rmtree(folder)

    def register_secret(self, value: str) -> None:
        """Hide this value in logs."""
        self._secrets.register_secret(value)

    def open(self, workspace: Workspace) -> FolderStore:
        """Open the folder of a workspace. Raises ``KeyMissing``."""
        key = self.key_of(workspace.id)
        place, data = Place(Path(workspace.place)), self.data_of(workspace.id)
        return FolderStore(place, key, data, self._clock, device=self._device())

    def key_of(self, workspace_id: str) -> LibraryKey:
        """Return the key of a library. Raises ``KeyMissing``."""
        kept = self._secrets.find(_name(workspace_id), _origin(workspace_id))
        try:
            key = LibraryKey(base64.b64decode(kept.value, validate=True))
        except ValueError:
            raise KeyMissing from None
        if not kept.value or key.workspace_id != workspace_id:
            raise KeyMissing(next_step=kept.problem or None)
        return key

    def data_of(self, workspace_id: str) -> Path:
        return self._data / workspace_id


def _name(workspace_id: str) -> str:
    return f"computers:{workspace_id}"


def _origin(workspace_id: str) -> KeyOrigin:
    return KeyOrigin("computers", workspace_id, 0)
