"""Reads and writes the file of providers: any damage is survived, and it is replaced as a whole. It holds no key."""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from chatdesk.core.domain.provider_profile import ProviderProfile
from chatdesk.core.errors import ChatDeskError
from chatdesk.core.plurals import counted
from chatdesk.core.settings.store import write_atomically

_log = logging.getLogger(__name__)

FILE_NAME = "providers.json"
_VERSION = 1
_MOST = 200
_LARGEST_BYTES = 4 * 1024 * 1024


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
    what = "The providers could not be saved."
    safe = "The old file is unchanged; the change holds until ChatDesk closes."
    next_step = "Check the permissions and the free space of the configuration directory."


class ProvidersStore:
    """The file ``providers.json`` in the configuration directory: its owner's only, replaced in one step."""

    def __init__(self, config_dir: Path) -> None:
        self._path = config_dir / FILE_NAME

    @property
    def path(self) -> Path:
        return self._path

    def load(self) -> StoredProviders:
        """Read the file and never raise. A damaged file is kept under another name, one of a newer ChatDesk is left
        alone."""
        try:
            if self._path.stat().st_size > _LARGEST_BYTES:
                raise ValueError("too large")
            document = json.loads(self._path.read_text("utf-8"))
            if not isinstance(document, dict) or not isinstance(document.get("providers"), list):
                raise TypeError("no list of providers")
        except FileNotFoundError:
            return StoredProviders()
        except OSError as error:
            _log.warning("providers not readable: %s", error.strerror)
            return StoredProviders(problem=f"The file of providers {self._path} cannot be read ({error.strerror}).")
        except (ValueError, TypeError, RecursionError):
            return StoredProviders(problem=self._keep_broken())
        return _stored(document)

    def save(self, stored: StoredProviders) -> None:
        """Write the file. Raises ``ProvidersNotSaved``."""
        document: dict[str, Any] = {
            "version": _VERSION,
            "key_place": stored.key_place.value,
            "finds_local_servers": stored.finds_local_servers,
            "providers": [profile.as_data() for profile in stored.profiles],
        }
        try:
            if _is_newer(self._path):
                raise ProvidersNotSaved(
                    "The file of providers was written by a newer ChatDesk.", next_step="Update ChatDesk to change it."
                )
            write_atomically(self._path, json.dumps(document, ensure_ascii=False, indent=2) + "\n")
        except OSError as error:
            raise ProvidersNotSaved(f"The file of providers {self._path} could not be written.") from error

    def kept_problem(self) -> str:
        """Return the problem that an earlier run found, until providers are saved again; empty when all is well."""
        try:
            written_at = self._path.stat().st_mtime
        except OSError:
            written_at = 0.0
        with suppress(OSError):
            kept = sorted(
                (each.stat().st_mtime, each)
                for each in self._path.parent.glob(f"{self._path.stem}.broken-*{self._path.suffix}")
            )
            if kept and kept[-1][0] >= written_at:
                return _broken(self._path, kept[-1][1])
        return ""

    def _keep_broken(self) -> str:
        for number in range(1, 100):
            kept = self._path.with_name(f"{self._path.stem}.broken-{number}{self._path.suffix}")
            if not kept.exists():
                try:
                    self._path.replace(kept)
                except OSError:
                    break
                return _broken(self._path, kept)
        return f"The file of providers {self._path} is damaged and was left as it is."


def _broken(path: Path, kept: Path) -> str:
    return f"The file of providers {path} is damaged; it is kept as {kept.name}. Set the providers up again."


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
    words = counted(lost, "provider was", "providers were")
    return StoredProviders(
        tuple(profiles.values()),
        KeyPlace(place) if isinstance(place, str) and place in set(KeyPlace) else KeyPlace.KEYRING,
        finds_local_servers=document.get("finds_local_servers") is not False,
        problem=f"{words} left out: its entry in providers.json cannot be used." if lost else "",
    )


def _is_newer(path: Path) -> bool:
    """Return whether a later ChatDesk wrote the file, so that what this one does not know is not lost."""
    try:
        document = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError, RecursionError):
        return False
    version = document.get("version") if isinstance(document, dict) else None
    return isinstance(version, int) and version > _VERSION
