"""ProviderService sets up, tests and finds providers, and lists their models, without blocking."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from pathlib import Path

from chatdesk.core.chat.provider_setup.keys import AccountChanges, ProviderKeys
from chatdesk.core.clock import Clock
from chatdesk.core.domain.key_origin import Withheld
from chatdesk.core.domain.model_info import ModelOverrides
from chatdesk.core.domain.provider_check import FoundServer, ModelList, StepResult
from chatdesk.core.domain.provider_profile import ProviderProfile, masked
from chatdesk.core.errors import ChatDeskError
from chatdesk.core.events import EventBus
from chatdesk.core.ids import readable_id
from chatdesk.core.providers.accounts import Account, AccountBook
from chatdesk.core.providers.base import Provider
from chatdesk.core.providers.endpoint import Endpoint
from chatdesk.core.providers.models.discovery import find_local_servers
from chatdesk.core.providers.models.model_lists import ModelLists
from chatdesk.core.providers.openai_compatible import OpenAICompatibleProvider
from chatdesk.core.providers.probing import probe
from chatdesk.core.settings.presets import address_of, preset_of
from chatdesk.core.settings.secrets import SecretSource

_MS_PER_DAY = 24 * 60 * 60 * 1000


@dataclass(frozen=True, slots=True)
class ShownProvider:
    """A provider as a window or a list shows it, without secrets. ``key`` is masked. ``withheld``: the reason why an
    existing key counts as absent."""

    profile: ProviderProfile
    key: str
    key_source: SecretSource
    variable: str
    problem: str = ""
    fixed: frozenset[str] = frozenset()
    is_kept: bool = True
    is_local: bool = False
    needs_key: bool = True
    models: ModelList | None = None
    withheld: Withheld | None = None


class ProviderService:
    """The use cases of setting up providers, for a window or a script. ``on_changed`` is called when the accounts have
    changed."""

    def __init__(
        self,
        book: AccountBook,
        data_dir: Path,
        clock: Clock,
        bus: EventBus,
        *,
        on_changed: Callable[[], None],
    ) -> None:
        self._book = book
        self._lists = ModelLists(data_dir)
        self._clock = clock
        self._changes = AccountChanges(bus, on_changed)
        self.keys = ProviderKeys(book, self._changes)

    @property
    def finds_local_servers(self) -> bool:
        return self._book.stored.finds_local_servers

    @property
    def problem(self) -> str:
        """The problem with the file of providers; usually empty."""
        return self._book.stored.problem

    @property
    def withheld(self) -> tuple[str, ...]:
        """The sentences for keys that wait for a person's agreement; usually none."""
        found = [(each.profile.label, each.withheld) for each in self._book.accounts if each.profile.is_enabled]
        return tuple(each.sentence(label) for label, each in found if each is not None and each.can_be_agreed)

    async def shown(self) -> tuple[ShownProvider, ...]:
        """Return all providers, in their order."""
        return await asyncio.to_thread(lambda: tuple(self._shown(each) for each in self._book.accounts))

    # Changing

    async def save(
        self,
        profile: ProviderProfile,
        *,
        key: str = "",
        secret_headers: Mapping[str, str] | None = None,
        is_agreed: bool = False,
    ) -> ProviderProfile:
        """Add (an empty id) or change a provider; a ``key`` replaces the one that is kept. Raises ``InvalidInput``,
        ``ProvidersNotSaved`` and, when all but the key was kept, ``SecretNotKept`` or an error of the file of keys.
        ``KeyNotAgreed`` asks whether a key may go where it would go now; ``is_agreed`` is the person's yes."""
        if not profile.id:
            taken = frozenset(each.profile.id for each in self._book.accounts) | {"offline", "auto", "openai"}
            profile = replace(profile, id=readable_id(profile.label, taken, longest=30, usual="provider"))

        await self._changes.run(
            lambda: self._book.save(profile, key=key, secret_headers=secret_headers, is_agreed=is_agreed)
        )
        return profile

    async def remove(self, provider: str) -> None:
        """Delete a provider and its keys; threads keep their answers. Raises as ``save``."""

        def work() -> None:
            self._book.remove(provider)
            self._lists.drop(provider)

        await self._changes.run(work)

    async def set_favourite(self, provider: str, model: str, *, is_favourite: bool) -> None:
        """Add a model to the favourites of a provider or remove it. Raises ``ProvidersNotSaved``."""
        profile = self._book.get(provider).profile
        others = tuple(each for each in profile.favourites if each != model)
        await self.save(replace(profile, favourites=(*others, model) if is_favourite else others))

    async def override(
        self, provider: str, model: str, *, sees_images: bool | None = None, is_hidden: bool | None = None
    ) -> None:
        """Override single facts about a model; those that are None stay as they were. Raises ``ProvidersNotSaved``."""
        profile = self._book.get(provider).profile
        said = profile.overrides.get(model, ModelOverrides())
        if sees_images is not None:
            said = replace(said, sees_images=sees_images)
        if is_hidden is not None:
            said = replace(said, is_hidden=is_hidden)
        await self.save(replace(profile, overrides={**profile.overrides, model: said}))

    async def set_model_facts(
        self, provider: str, said: Mapping[str, ModelOverrides], names: Mapping[str, str], added: Sequence[str] = ()
    ) -> None:
        """Replace everything that the person says of the models of a provider. ``names`` are the person's names for
        models, ``added`` ids that the provider's list does not have. Raises ``ProvidersNotSaved``."""
        profile = self._book.get(provider).profile
        favourites = tuple(dict.fromkeys([*profile.favourites, *added]))
        await self.save(replace(profile, overrides=dict(said), aliases=dict(names), favourites=favourites))

    async def use_local_servers(self, *, is_on: bool) -> None:
        await self._changes.run(lambda: self._book.use(finds_local_servers=is_on))

    # Asking servers

    async def test(
        self, profile: ProviderProfile, *, key: str = "", secret_headers: Mapping[str, str] | None = None
    ) -> AsyncGenerator[StepResult, None]:
        """Test a provider as it is in a form, saved or not, and yield the result of each step
        (``providers.probing``)."""
        known = next((each for each in self._book.accounts if each.profile.id == profile.id), None)
        if known is not None and "base_url" in known.fixed:
            profile = replace(profile, base_url=known.profile.base_url)
        named = profile if profile.id else replace(profile, id="new")
        account = await asyncio.to_thread(self._book.as_typed, named, key=key, secret_headers=secret_headers)
        async with aclosing(probe(account)) as results:
            async for result in results:
                yield result

    async def find_servers(self) -> tuple[FoundServer, ...]:
        """Return servers on this computer that no provider has yet; none when that is switched off."""
        if not self.finds_local_servers:
            return ()
        known = {_address(each) for each in self._book.accounts}
        return tuple(each for each in await find_local_servers() if _loopback(each.base_url) not in known)

    async def models_of(self, provider: Provider, *, is_asked: bool = False) -> ModelList | None:
        """Return the models of a provider: kept ones when they are from the last 24 hours, else its server is asked;
        with ``is_asked`` in any case. None when the server gives none and nothing was kept. Raises ``ProviderError``,
        but only with ``is_asked``."""
        account = next((each for each in self._book.accounts if each.profile.id == provider.name), None)
        if account is None:  # the offline model
            return ModelList(await provider.list_models(), self._clock.now_ms())
        address = _address(account)
        kept = await asyncio.to_thread(self._lists.get, provider.name, address)
        is_fresh = kept is not None and 0 <= self._clock.now_ms() - kept.fetched_at_ms < _MS_PER_DAY
        # The list of a local server is always fetched again: its models change often, and asking is cheap.
        if kept is not None and isinstance(provider, OpenAICompatibleProvider):
            provider.remember_models(kept.models)
        if is_fresh and not is_asked and not _is_local(account):
            return kept
        try:
            models = await provider.list_models()
        except ChatDeskError:
            if is_asked:
                raise
            return kept
        now = self._clock.now_ms()
        return await asyncio.to_thread(lambda: self._lists.save(provider.name, address, models, now_ms=now))

    async def kept_models(self, provider: str) -> ModelList | None:
        """Return the list of models that was fetched last, however old; no server is asked."""
        account = next((each for each in self._book.accounts if each.profile.id == provider), None)
        return None if account is None else await asyncio.to_thread(self._lists.get, provider, _address(account))

    def _shown(self, account: Account) -> ShownProvider:
        profile = account.profile
        return ShownProvider(
            profile,
            masked(account.key.value),
            account.key.source,
            account.variable,
            problem=account.key.problem,
            fixed=account.fixed,
            is_kept=account.is_kept,
            is_local=_is_local(account),
            needs_key=preset_of(profile.preset).needs_key,
            models=self._lists.get(profile.id, _address(account)),
            withheld=account.withheld,
        )


def _address(account: Account) -> str:
    return _loopback(address_of(account.profile))


def _loopback(address: str) -> str:
    """Write all names of this computer in one way, so that a server that is set up already is not offered again."""
    return address.rstrip("/").replace("//localhost:", "//127.0.0.1:").replace("//[::1]:", "//127.0.0.1:")


def _is_local(account: Account) -> bool:
    return Endpoint.of(_address(account), None, None).is_on_this_machine
