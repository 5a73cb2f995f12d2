"""Reads and writes the file of providers: any damage is survived, and it is replaced as a whole. It holds no key."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from chatdesk.core.domain.provider_profile import ProviderProfile
from chatdesk.core.errors import ChatDeskError
from chatdesk.core.settings.document_file import DocumentFile, NewerDocument
from chatdesk.core.texts import Text, plural

FILE_NAME = "providers.json"
_VERSION = 1
_MOST = 200


class KeyPlace(StrEnum):
    """The place for new keys: a person chooses between the last two when the first is not available."""

    KEYRING = "keyring"
    FILE = "file"
    MEMORY = "memory"


@dataclass(frozen=True, slots=True)
class StoredProviders:
    """The contents of the file. ``problem`` is a sentence for the person, if the file was not as it should be."""

    profiles: tuple[ProviderProfile, ...] = ()
    key_place: KeyPlace = KeyPlace.KEYRING
    finds_local_servers: bool = True
    problem: str = ""


class ProvidersNotSaved(ChatDeskError):
    code = "providers_not_saved"
    what = Text("The providers could not be saved.")
    safe = Text("The old file is unchanged; the change applies until ChatDesk closes.")
    safe_without_window = Text("Everything saved before is unchanged.")
    next_step = Text("Check the permissions and the free space of the configuration directory.")


class ProvidersStore:
    """The file ``providers.json`` in the configuration directory: its owner's only, replaced in one step."""

    def __init__(self, config_dir: Path) -> None:
        self._file = DocumentFile(
            config_dir / FILE_NAME, subject=Text("providers"), list_name="providers", version=_VERSION
        )

    @property
    def path(self) -> Path:
        return self._file.path

    def load(self) -> StoredProviders:
        """Read the file and never raise. A damaged file is kept under another name, one of a newer ChatDesk is left
        alone."""
        document, problem = self._file.read()
        return StoredProviders(problem=problem) if document is None else _stored(document)

    def save(self, stored: StoredProviders) -> None:
        """Write the file. Raises ``ProvidersNotSaved``."""
        try:
            self._file.write(
                {
                    "key_place": stored.key_place.value,
                    "finds_local_servers": stored.finds_local_servers,
                    "providers": [profile.as_data() for profile in stored.profiles],
                }
            )
        except NewerDocument:
            raise ProvidersNotSaved(
                Text("The file of providers was written by a newer ChatDesk."),
                next_step=Text("Update ChatDesk to change it."),
            ) from None
        except OSError as error:
            raise ProvidersNotSaved(
                Text("The file of providers {path} could not be written.", path=self.path)
            ) from error

    def problem(self) -> str:
        """Return the fault of the file, or of an earlier one until providers are saved; empty when all is well."""
        return self._file.problem()


def _stored(document: dict[str, Any]) -> StoredProviders:
    rows: Sequence[object] = document["providers"][:_MOST]
    profiles: dict[str, ProviderProfile] = {}
    lost = 0
    for row in rows:
        profile = ProviderProfile.from_data(row)
        if profile is None or profile.id in profiles:
            lost += 1
        else:
            profiles[profile.id] = profile
    place = document.get("key_place")
    problem = plural(
        "{count} providers were left out: its entry in providers.json cannot be used.",
        "{count} provider was left out: its entry in providers.json cannot be used.",
        lost,
    )
    return StoredProviders(
        tuple(profiles.values()),
        KeyPlace(place) if isinstance(place, str) and place in set(KeyPlace) else KeyPlace.KEYRING,
        finds_local_servers=document.get("finds_local_servers") is not False,
        problem=problem if lost else "",
    )
