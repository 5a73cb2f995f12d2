"""The providers that a person set up, each with its key: what the file, the settings and the environment say together.

``AccountBook`` reads and writes; its methods block on the disk and on the keyring and are called in a thread.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from chatdesk.core.domain.provider_profile import SECRET_HEADERS, Header, ProviderProfile, header_secret
from chatdesk.core.errors import InvalidInput, NotPossible
from chatdesk.core.settings.presets import OPENAI, preset_of
from chatdesk.core.settings.providers_store import KeyPlace, ProvidersStore, StoredProviders
from chatdesk.core.settings.schema import Settings
from chatdesk.core.settings.secrets import Secret, SecretStore

OPENAI_ID = "openai"
_ADDRESS_VARIABLE = "OPENAI_BASE_URL"


@dataclass(frozen=True, slots=True)
class Account:
    """One provider, ready to be used. ``headers`` has the values of secret ones, too. ``fixed`` names what a variable
    decides, ``is_kept`` is false for the one that the settings imply and nobody has changed yet."""

    profile: ProviderProfile
    key: Secret = field(default_factory=Secret)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    fixed: frozenset[str] = frozenset()
    is_kept: bool = True

    @property
    def variable(self) -> str:
        """The environment variable that would give the key; empty when there is none for this address."""
        return key_variable(self.profile)


class AccountBook:
    """All accounts of one person; safe to use from several threads."""

    def __init__(
        self,
        config_dir: Path,
        secrets: SecretStore,
        settings: Settings,
        *,
        environ: Mapping[str, str] | None = None,
    ) -> None:
        self._store = ProvidersStore(config_dir)
        self._secrets = secrets
        self._settings = settings
        self._environ = os.environ if environ is None else environ
        self._lock = threading.RLock()
        self._stored = StoredProviders()
        self._accounts: tuple[Account, ...] = ()

    @property
    def accounts(self) -> tuple[Account, ...]:
        """As they were last read, the one that the settings describe first."""
        return self._accounts

    @property
    def settings(self) -> Settings:
        """Those in force."""
        return self._settings

    @property
    def stored(self) -> StoredProviders:
        return self._stored

    @property
    def secrets(self) -> SecretStore:
        return self._secrets

    def load(self) -> None:
        """Read the file and look up the keys; never raises."""
        with self._lock:
            self._stored = self._store.load()
            self.refresh()

    def use_settings(self, settings: Settings) -> None:
        """Changed settings: keys are not looked up again."""
        with self._lock:
            self._settings = settings
            known = {account.profile.id: account for account in self._accounts}
            self._accounts = tuple(
                replace(each, key=known[each.profile.id].key, headers=known[each.profile.id].headers)
                if each.profile.id in known and not each.profile.headers
                else self._with_keys(each)
                for each in self._without_keys()
            )

    def refresh(self) -> None:
        """Look up all keys again."""
        with self._lock:
            self._secrets.look_again()
            self._accounts = tuple(self._with_keys(each) for each in self._without_keys())

    def get(self, account_id: str) -> Account:
        """Raises ``NotPossible``."""
        found = next((each for each in self._accounts if each.profile.id == account_id), None)
        if found is None:
            raise NotPossible("There is no such provider any more.")
        return found

    def put(self, profile: ProviderProfile, *, secret_headers: Mapping[str, str] | None = None) -> None:
        """Add or change a provider; ``secret_headers`` are values to be kept with the keys. Raises ``InvalidInput``,
        ``ProvidersNotSaved`` and what keeping a key raises."""
        with self._lock:
            guarded = _guarded(profile)
            problem = guarded.problem()
            if problem is not None:
                raise InvalidInput(problem, safe="Nothing was changed.", next_step="")
            given = {each.name: each.value for each in profile.headers if each.value} | dict(secret_headers or {})
            self._forget_headers(guarded)
            for header in guarded.headers:
                if header.is_secret and given.get(header.name):
                    self.keep_key(header_secret(profile.id, header.name), given[header.name])
            others = self._stored.profiles
            is_new = all(each.id != profile.id for each in others)
            self._save(
                replace(
                    self._stored,
                    profiles=(*others, guarded)
                    if is_new
                    else tuple(guarded if each.id == profile.id else each for each in others),
                )
            )

    def remove(self, account_id: str) -> None:
        """Forget a provider and its keys. The one of the settings comes back empty, as it was at the beginning."""
        with self._lock:
            account = self.get(account_id)
            self._secrets.forget(account_id)
            for header in account.profile.headers:
                if header.is_secret:
                    self._secrets.forget(header_secret(account_id, header.name))
            kept = tuple(each for each in self._stored.profiles if each.id != account_id)
            self._save(replace(self._stored, profiles=kept))

    def use(self, *, key_place: KeyPlace | None = None, finds_local_servers: bool | None = None) -> None:
        """Change what holds for all providers. Raises ``ProvidersNotSaved``."""
        with self._lock:
            changes = {"key_place": key_place, "finds_local_servers": finds_local_servers}
            wanted = {name: value for name, value in changes.items() if value is not None}
            self._save(replace(self._stored, **wanted))  # type: ignore[arg-type]

    def keep_key(self, name: str, value: str) -> None:
        """Keep a key where new keys go. Raises ``SecretNotKept`` and the errors of ``KeyFile``; it is used all the same
        until the end of this run."""
        with self._lock:
            try:
                self._secrets.keep(name, value.strip(), place=self._stored.key_place)
            finally:
                self.refresh()

    def forget_key(self, name: str) -> None:
        """Raises ``KeyFileUnusable``."""
        with self._lock:
            self._secrets.forget(name)
            self.refresh()

    def _save(self, stored: StoredProviders) -> None:
        self._stored = stored  # holds for this run, even when the disk refuses it
        self.refresh()
        self._store.save(stored)

    def _forget_headers(self, profile: ProviderProfile) -> None:
        """Values of secret headers that are there no more."""
        old = next((each for each in self._stored.profiles if each.id == profile.id), None)
        names = {each.name.lower() for each in profile.headers if each.is_secret}
        for header in old.headers if old else ():
            if header.is_secret and header.name.lower() not in names:
                self._secrets.forget(header_secret(profile.id, header.name))

    def _without_keys(self) -> list[Account]:
        accounts = [Account(each) for each in self._stored.profiles]
        if all(each.profile.id != OPENAI_ID for each in accounts):
            accounts.insert(0, Account(implied_profile(self._settings), is_kept=False))
        address = self._environ.get(_ADDRESS_VARIABLE, "").strip()
        if not address:
            return accounts
        return [
            replace(
                each,
                profile=replace(each.profile, base_url=self._settings.openai_base_url or address),
                fixed=frozenset({"base_url"}),
            )
            if each.profile.id == OPENAI_ID
            else each
            for each in accounts
        ]

    def _with_keys(self, account: Account) -> Account:
        profile = account.profile
        headers = {}
        for header in profile.headers:
            value = header.value
            if header.is_secret:
                value = self._secrets.find(header_secret(profile.id, header.name), variable="").value
            if value:
                headers[header.name] = value
        key = self._secrets.find(profile.id, variable=key_variable(profile))
        return replace(account, key=key, headers=headers)


def implied_profile(settings: Settings) -> ProviderProfile:
    """The provider that the settings and the environment describe, as long as nobody has set up one of that id."""
    profile = ProviderProfile(OPENAI_ID, OPENAI.id, OPENAI.label, settings.openai_base_url)
    if profile.host and profile.host != "api.openai.com":
        profile = replace(profile, preset="other", label=profile.host)
    return replace(profile, headers=tuple(Header(name, value) for name, value in settings.openai_headers.items()))


def key_variable(profile: ProviderProfile) -> str:
    """The variable in which the key of a vendor may lie. It goes to that vendor's own host and to nobody else; only
    OpenAI's follows OPENAI_BASE_URL, as it does everywhere."""
    if profile.id == OPENAI_ID:
        return OPENAI.variable
    preset = preset_of(profile.preset)
    own = ProviderProfile("x", preset.id, "x", preset.base_url).host
    host = profile.host or own
    is_own = host == own or (preset.id == "azure" and host.endswith(".openai.azure.com"))
    return preset.variable if is_own else ""


def _guarded(profile: ProviderProfile) -> ProviderProfile:
    """With headers that are keys by their name marked so, and no value of theirs left."""
    headers = []
    for header in profile.headers:
        is_secret = header.is_secret or bool(SECRET_HEADERS.search(header.name))
        headers.append(Header(header.name, "" if is_secret else header.value, is_secret=is_secret))
    return replace(profile, headers=tuple(headers))
