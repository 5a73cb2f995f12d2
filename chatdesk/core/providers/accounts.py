"""The providers that a person set up, each with its key: what the file, the settings and the environment say together.

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


@dataclass(frozen=True, slots=True)
class Account:
    """One provider, ready to be used. ``headers`` has the values of secret ones, too. ``fixed`` names what a variable
    decides, ``is_kept`` is false for the one that the settings imply and nobody has changed yet. ``withheld``: a key or
    a secret header counts as absent until a person agrees."""

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
        self._rules = KeyRules(secrets, self._environ)
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
        """Changed settings: keys are looked up again only where they would go elsewhere."""
        with self._lock:
            self._settings = settings
            known = {account.profile.id: account for account in self._accounts}
            self._accounts = tuple(self._with_known_keys(each, known) for each in self._without_keys())

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

    def put(
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
                raise InvalidInput(problem, safe="Nothing was changed.", next_step="")
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
            finally:  # also where the disk refused it, what was typed holds for this run
                try:
                    self._keep_all(self.get(profile.id).profile, {"": key.strip(), **given})
                finally:
                    if is_agreed:
                        self.agree(profile.id)

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

    def keep_key(self, account_id: str, value: str, *, is_agreed: bool = False) -> None:
        """Keep a key where new keys go, for the server that the account has now. Raises as ``put``; after
        ``SecretNotKept`` and the errors of ``KeyFile`` it is used all the same until the end of this run."""
        with self._lock:
            account = self.get(account_id)
            if not is_agreed:
                self._check_agreed(account.profile, has_key=True, given=frozenset())
            self._keep_all(account.profile, {"": value.strip()})

    def agree(self, account_id: str) -> None:
        """The person agrees that the keys of this account go to where it is now, and on the way that it takes. Raises
        ``SecretNotKept`` and the errors of ``KeyFile``; they hold until the end of this run all the same."""
        with self._lock:
            try:
                self._rules.agree(self.get(account_id).profile, self._stored.key_place)
            finally:
                self.refresh()

    def as_typed(
        self, profile: ProviderProfile, *, key: str = "", secret_headers: Mapping[str, str] | None = None
    ) -> Account:
        """A provider as it stands in a form, with the keys that were typed, and of the kept ones those that were given
        for where it is. Nothing is saved."""
        typed = {each.name: each.value for each in profile.headers if each.value} | dict(secret_headers or {})
        guarded = _guarded(profile)
        found = self._with_keys(Account(guarded), ignores_key=bool(key.strip()), ignores_headers=frozenset(typed))
        secrets = [typed[each.name] for each in guarded.headers if each.is_secret and each.name in typed]
        for value in (key.strip(), *secrets):
            self._secrets.note(value)
        given = Secret(key.strip(), SecretSource.THIS_RUN) if key.strip() else found.key
        withheld = found.withheld or self._open_way(guarded, has_typed=bool(key.strip() or secrets))
        return replace(found, key=given, headers={**found.headers, **typed}, withheld=withheld)

    def forget_key(self, name: str) -> None:
        """Raises ``KeyFileUnusable``."""
        with self._lock:
            self._secrets.forget(name)
            self.refresh()

    def _check_agreed(self, profile: ProviderProfile, *, has_key: bool, given: frozenset[str]) -> None:
        """Raises ``KeyNotAgreed`` where saving would move a key. ``has_key`` and ``given``: what was typed anew."""
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
        """What is the matter where typed keys would travel unencrypted, and nobody agreed to that yet."""
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
        """With the secrets that may be sent to where it is."""
        profile = account.profile
        origin = origin_of(profile)
        headers = {}
        withheld: Withheld | None = None
        for header in profile.headers:
            value = header.value
            if header.is_secret and header.name not in ignores_headers:
                found = self._rules.find_header(account.profile, header.name, origin)
                value, withheld = found.value, withheld or found.withheld
            if value:
                headers[header.name] = value
        key = Secret() if ignores_key else self._rules.find_key(profile, origin)
        return replace(account, key=key, headers=headers, withheld=key.withheld or withheld, ca_digest=origin.ca)


def implied_profile(settings: Settings) -> ProviderProfile:
    """The provider that the settings and the environment describe, as long as nobody has set up one of that id."""
    profile = ProviderProfile(OPENAI_ID, OPENAI.id, OPENAI.label, settings.openai_base_url)
    if profile.host and profile.host != "api.openai.com":
        profile = replace(profile, preset="other", label=profile.host)
    return replace(profile, headers=tuple(Header(name, value) for name, value in settings.openai_headers.items()))


def _guarded(profile: ProviderProfile) -> ProviderProfile:
    """With headers that are keys by their name marked so, and no value of theirs left."""
    headers = []
    for header in profile.headers:
        is_secret = header.is_secret or bool(SECRET_HEADERS.search(header.name))
        headers.append(Header(header.name, "" if is_secret else header.value, is_secret=is_secret))
    return replace(profile, headers=tuple(headers))
