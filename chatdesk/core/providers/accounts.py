"""Combines the providers file, the settings and the environment into the accounts that a person uses.

``AccountBook`` reads and writes; its methods block on the disk and on the keyring and are called in a thread.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from chatdesk.core.domain.key_origin import KeyNotAgreed, Withheld, WithheldFor
from chatdesk.core.domain.provider_profile import SECRET_HEADERS, Header, ProviderProfile, header_secret
from chatdesk.core.errors import InvalidInput, NotPossible
from chatdesk.core.providers.key_rules import ADDRESS_VARIABLE, OPENAI_ID, KeyRules, key_variable, origin_of
from chatdesk.core.settings.presets import OPENAI
from chatdesk.core.settings.providers_store import KeyPlace, ProvidersStore, StoredProviders
from chatdesk.core.settings.schema import Settings
from chatdesk.core.settings.secrets import Secret, SecretSource, SecretStore
from chatdesk.core.texts import Text


@dataclass(frozen=True, slots=True)
class Account:
    """A provider profile with its resolved key and headers, ready for use. ``headers`` includes the values of secret
    headers. ``fixed`` names the profile fields that an environment variable decides. ``is_kept`` is false for the
    account that only the settings imply. ``withheld``: a key or secret header counts as absent until a person
    agrees."""

    profile: ProviderProfile
    key: Secret = field(default_factory=Secret)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    fixed: frozenset[str] = frozenset()
    is_kept: bool = True
    withheld: Withheld | None = None
    ca_digest: str = ""

    @property
    def variable(self) -> str:
        """The environment variable that would give the key; empty when there is none for this address."""
        return key_variable(self.profile)


class AccountBook:
    """Reads and changes all accounts of one person. Safe to use from several threads."""

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
        self._rules = KeyRules(secrets, self._environ)
        self._lock = threading.RLock()
        self._stored = StoredProviders()
        self._accounts: tuple[Account, ...] = ()

    @property
    def accounts(self) -> tuple[Account, ...]:
        """The accounts as last read; the one that the settings describe comes first."""
        return self._accounts

    @property
    def settings(self) -> Settings:
        """The settings in force."""
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
        """Apply changed settings. Keys are looked up again only for accounts whose server changed."""
        with self._lock:
            self._settings = settings
            known = {account.profile.id: account for account in self._accounts}
            self._accounts = tuple(self._with_known_keys(each, known) for each in self._without_keys())

    def refresh(self) -> None:
        """Look up all keys again."""
        with self._lock:
            self._secrets.retry_keyring()
            self._accounts = tuple(self._with_keys(each) for each in self._without_keys())

    def get(self, account_id: str) -> Account:
        """Return the account with this id. Raises ``NotPossible`` when there is none."""
        found = next((each for each in self._accounts if each.profile.id == account_id), None)
        if found is None:
            raise NotPossible(Text("This provider no longer exists."))
        return found

    def save(
        self,
        profile: ProviderProfile,
        *,
        key: str = "",
        secret_headers: Mapping[str, str] | None = None,
        is_agreed: bool = False,
    ) -> None:
        """Add or change a provider; a ``key`` replaces the one that is kept, ``secret_headers`` are values to be kept
        with it. Raises ``InvalidInput``, ``ProvidersNotSaved``, what keeping a key raises, and ``KeyNotAgreed`` where a
        key would go to another server than the one it was given for, or unencrypted, unless that ``is_agreed``."""
        with self._lock:
            guarded = _guarded(profile)
            problem = guarded.problem()
            if problem is not None:
                raise InvalidInput(problem, safe=Text("Nothing was changed."), next_step="")
            given = {each.name: each.value for each in profile.headers if each.value} | dict(secret_headers or {})
            given = {each.name: given[each.name] for each in guarded.headers if each.is_secret and given.get(each.name)}
            if not is_agreed:
                self._check_agreed(guarded, has_key=bool(key.strip()), given=frozenset(given))
            self._forget_headers(guarded)
            others = self._stored.profiles
            is_new = all(each.id != profile.id for each in others)
            changed = tuple(guarded if each.id == profile.id else each for each in others)
            wanted = (*others, guarded) if is_new else changed
            try:
                self._save(replace(self._stored, profiles=wanted))
            finally:  # even if the disk refused it, the typed key is used for this run
                try:
                    self._keep_all(self.get(profile.id).profile, {"": key.strip(), **given})
                finally:
                    if is_agreed:
                        self.agree(profile.id)

    def remove(self, account_id: str) -> None:
        """Delete a provider and its keys. The account that the settings imply comes back without a key."""
        with self._lock:
            account = self.get(account_id)
            self._secrets.forget(account_id)
            for header in account.profile.headers:
                if header.is_secret:
                    self._secrets.forget(header_secret(account_id, header.name))
            kept = tuple(each for each in self._stored.profiles if each.id != account_id)
            self._save(replace(self._stored, profiles=kept))

    def use(self, *, key_place: KeyPlace | None = None, finds_local_servers: bool | None = None) -> None:
        """Change the options shared by all providers; None leaves an option unchanged. Raises ``ProvidersNotSaved``."""
        with self._lock:
            changes = {"key_place": key_place, "finds_local_servers": finds_local_servers}
            wanted = {name: value for name, value in changes.items() if value is not None}
            self._save(replace(self._stored, **wanted))  # type: ignore[arg-type]

    def agree(self, account_id: str) -> None:
        """Record that a person allows the keys of this account to go to its present server by its present connection.
        Raises ``SecretNotKept`` and the errors of ``KeyFile``; the agreement still holds until the end of this run."""
        with self._lock:
            try:
                self._rules.agree(self.get(account_id).profile, self._stored.key_place)
            finally:
                self.refresh()

    def as_typed(
        self, profile: ProviderProfile, *, key: str = "", secret_headers: Mapping[str, str] | None = None
    ) -> Account:
        """Return the account that a form describes: the typed keys, and those kept keys that were given for the same
        server. Nothing is saved."""
        typed = {each.name: each.value for each in profile.headers if each.value} | dict(secret_headers or {})
        guarded = _guarded(profile)
        found = self._with_keys(Account(guarded), ignores_key=bool(key.strip()), ignores_headers=frozenset(typed))
        secrets = [typed[each.name] for each in guarded.headers if each.is_secret and each.name in typed]
        for value in (key.strip(), *secrets):
            self._secrets.register_secret(value)
        given = Secret(key.strip(), SecretSource.THIS_RUN) if key.strip() else found.key
        withheld = found.withheld or self._open_way(guarded, has_typed=bool(key.strip() or secrets))
        return replace(found, key=given, headers={**found.headers, **typed}, withheld=withheld)

    def forget_key(self, name: str) -> None:
        """Delete the key stored under ``name``. Raises ``KeyFileUnusable``."""
        with self._lock:
            self._secrets.forget(name)
            self.refresh()

    def _check_agreed(self, profile: ProviderProfile, *, has_key: bool, given: frozenset[str]) -> None:
        """Raise ``KeyNotAgreed`` if saving would move a key. ``has_key`` and ``given`` say which secrets were typed
        again."""
        wanted = origin_of(profile)
        known = next((each for each in self._accounts if each.profile.id == profile.id), None)
        found = self._open_way(profile, has_typed=has_key or bool(given))
        if found is not None:
            raise KeyNotAgreed(found, profile.label)
        if known is None or origin_of(known.profile) == wanted:
            return
        moved = self._with_keys(Account(profile), ignores_key=has_key, ignores_headers=given).withheld
        if moved is not None and moved.can_be_agreed:
            raise KeyNotAgreed(moved, profile.label)

    def _open_way(self, profile: ProviderProfile, *, has_typed: bool) -> Withheld | None:
        """Return the reason to withhold typed keys: they would travel unencrypted, and the person has not
        consented yet."""
        wanted = origin_of(profile)
        if not has_typed or not wanted.is_open or self._rules.may_be_open(profile):
            return None
        return Withheld(WithheldFor.OPEN, wanted)

    def _keep_all(self, profile: ProviderProfile, values: Mapping[str, str]) -> None:
        """Keep the key (called ``""``) and secret headers that were given for this account."""
        if not any(values.values()):
            return
        origin, place = origin_of(profile), self._stored.key_place
        try:
            for header, value in values.items():
                if value:
                    name = header_secret(profile.id, header) if header else profile.id
                    self._secrets.keep(name, value, origin, place=place, may_be_open=origin.is_open)
        finally:
            self.refresh()

    def _save(self, stored: StoredProviders) -> None:
        self._stored = stored  # holds for this run, even when the disk refuses it
        self.refresh()
        self._store.save(stored)

    def _forget_headers(self, profile: ProviderProfile) -> None:
        """Delete the stored values of secret headers that ``profile`` no longer has."""
        old = next((each for each in self._stored.profiles if each.id == profile.id), None)
        names = {each.name.lower() for each in profile.headers if each.is_secret}
        for header in old.headers if old else ():
            if header.is_secret and header.name.lower() not in names:
                self._secrets.forget(header_secret(profile.id, header.name))

    def _without_keys(self) -> list[Account]:
        accounts = [Account(each) for each in self._stored.profiles]
        if all(each.profile.id != OPENAI_ID for each in accounts):
            accounts.insert(0, Account(implied_profile(self._settings), is_kept=False))
        address = self._environ.get(ADDRESS_VARIABLE, "").strip()
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

    def _with_known_keys(self, account: Account, known: Mapping[str, Account]) -> Account:
        old = known.get(account.profile.id)
        if old is None or account.profile.headers or origin_of(old.profile) != origin_of(account.profile):
            return self._with_keys(account)
        return replace(account, key=old.key, headers=old.headers, withheld=old.withheld, ca_digest=old.ca_digest)

    def _with_keys(
        self, account: Account, *, ignores_key: bool = False, ignores_headers: frozenset[str] = frozenset()
    ) -> Account:
        """Return ``account`` with the secrets that may be sent to its server."""
        profile = account.profile
        origin = origin_of(profile)
        headers = {}
        withheld: Withheld | None = None
        for header in profile.headers:
            value = header.value
            if header.is_secret and header.name not in ignores_headers:
                found = self._rules.find_header(account.profile, header.name, origin)
                value, withheld = found.value, withheld or found.withheld
            elif not account.is_kept:
                found = self._rules.check_header(profile, value, origin)
                value, withheld = found.value, withheld or found.withheld
            if value:
                headers[header.name] = value
        key = Secret() if ignores_key else self._rules.find_key(profile, origin)
        return replace(account, key=key, headers=headers, withheld=key.withheld or withheld, ca_digest=origin.ca)


def implied_profile(settings: Settings) -> ProviderProfile:
    """Return the provider that the settings and the environment describe; used until a person sets up one of that
    id."""
    profile = ProviderProfile(OPENAI_ID, OPENAI.id, OPENAI.label, settings.openai_base_url)
    if profile.host and profile.host != "api.openai.com":
        profile = replace(profile, preset="other", label=profile.host)
    return replace(profile, headers=tuple(Header(name, value) for name, value in settings.openai_headers.items()))


def _guarded(profile: ProviderProfile) -> ProviderProfile:
    """Return ``profile`` with key-like headers marked as secret and without the values of secret headers."""
    headers = []
    for header in profile.headers:
        is_secret = header.is_secret or bool(SECRET_HEADERS.search(header.name))
        headers.append(Header(header.name, "" if is_secret else header.value, is_secret=is_secret))
    return replace(profile, headers=tuple(headers))
