"""Holds the providers that can be asked, and chooses the one that answers by default."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial

from chatdesk.core.domain.provider_profile import NO_PROXY, SYSTEM_PROXY, Api, ProviderProfile
from chatdesk.core.errors import NotPossible, ProviderError
from chatdesk.core.providers.accounts import Account
from chatdesk.core.providers.anthropic.provider import AnthropicProvider
from chatdesk.core.providers.base import ListedModel, Provider, ProviderCheck
from chatdesk.core.providers.endpoint import ConnectionOptions, Endpoint
from chatdesk.core.providers.key_rules import OPENAI_ID
from chatdesk.core.providers.offline.provider import DEFAULT_MODEL as OFFLINE_MODEL
from chatdesk.core.providers.offline.provider import OFFLINE_NAME, OfflineProvider, offline_models
from chatdesk.core.providers.openai_compatible import OpenAICompatibleProvider
from chatdesk.core.providers.responses.provider import ResponsesProvider
from chatdesk.core.providers.retry import RetryPolicy
from chatdesk.core.providers.stream_guard import NEARBY_PATIENCE, StreamLimits
from chatdesk.core.settings.presets import address_of, preset_of
from chatdesk.core.texts import Text, plural

# The small model of OpenAI's present line; CHATDESK_MODEL and the model picker override it.
OPENAI_MODEL = "gpt-6-luna"


class ProviderRegistry:
    """The providers by name. ``unlisted`` ones are found by name but offered to nobody: they lack a key, and say so
    when an old thread asks them. ``switched_off`` maps the names of providers that a person turned off to their
    labels.
    """

    def __init__(
        self,
        providers: Sequence[Provider],
        default_provider: str,
        default_model: str,
        *,
        unlisted: Sequence[Provider] = (),
        switched_off: Mapping[str, str] | None = None,
    ) -> None:
        self._listed = tuple(providers)
        self._unlisted = tuple(unlisted)
        self._by_name = {provider.name: provider for provider in (*unlisted, *providers)}
        self._switched_off = dict(switched_off or {})
        self._default = (self.get(default_provider).name, default_model)

    def get(self, name: str) -> Provider:
        """Return the provider called ``name``. Raises ``NotPossible``."""
        provider = self._by_name.get(name)
        if provider is None and name in self._switched_off:
            raise NotPossible(
                Text("{switched_off} is switched off.", switched_off=self._switched_off[name]),
                next_step=Text("Switch it on in Settings, Providers, or choose another model."),
            )
        if provider is None:
            known = tuple(sorted(self._by_name))
            raise NotPossible(
                Text("There is no provider called “{name}”.", name=name[:60]),
                next_step=Text("Choose another model; the providers are: {known}.", known=known),
            )
        return provider

    def has(self, name: str) -> bool:
        """Return whether a provider of that name exists and is not switched off; it may lack a key."""
        return name in self._by_name

    def default(self) -> tuple[str, str]:
        """Return (provider name, model id) of the default, like ``resolve``."""
        return self.resolve(None, None)

    def resolve(self, provider: str | None, model: str | None) -> tuple[str, str]:
        """Return (provider name, model id) to ask; None for either argument means that it was not chosen. The id is
        empty as long as the server has not said which models it has: then it is asked for them first."""
        default_provider, default_model = self._default
        name = provider or default_provider
        usual = default_model if name == default_provider else ""
        return name, model or usual or self._usual_model(name)

    def remember_models(self, provider: str, models: Sequence[ListedModel]) -> None:
        """Give a provider the stored list of its models."""
        found = self._by_name.get(provider)
        if isinstance(found, OpenAICompatibleProvider):
            found.remember_models(models)

    def _usual_model(self, name: str) -> str:
        found = self._by_name.get(name)
        if isinstance(found, OpenAICompatibleProvider):
            return found.usual_model
        return OFFLINE_MODEL if name == OFFLINE_NAME else ""

    def lacks_key(self, name: str) -> bool:
        """Return whether ``name`` cannot answer before it gets a key."""
        provider = self.get(name)
        return isinstance(provider, OpenAICompatibleProvider) and not provider.is_configured

    def all(self) -> tuple[Provider, ...]:
        """Return the providers that can be used, the default first."""
        return tuple(sorted(self._listed, key=lambda provider: provider.name != self._default[0]))

    async def check_all(self) -> tuple[ProviderCheck, ...]:
        """Ask each usable provider for its models, all at once; add those that cannot be asked, with the reason."""
        checked = await asyncio.gather(*(_check(provider) for provider in self.all()))
        others = [
            ProviderCheck(
                each.name,
                is_reachable=False,
                message=Text("{label} has no key yet.", label=each.label),
                is_expected=False,
            )
            for each in self._unlisted
        ]
        others += [
            ProviderCheck(
                name, is_reachable=False, message=Text("{label} is switched off.", label=label), is_expected=False
            )
            for name, label in self._switched_off.items()
        ]
        return (*checked, *others)

    async def prepare(self) -> None:
        """Load the modules that the first question needs, without blocking. Nothing is sent."""
        provider = self.get(self._default[0])
        if isinstance(provider, OpenAICompatibleProvider) and provider.is_configured and not provider.withheld:
            await provider.prepare()

    async def close(self) -> None:
        """Close all connections."""
        for provider in self._by_name.values():
            await provider.close()


async def _check(provider: Provider) -> ProviderCheck:
    try:
        models = await provider.list_models()
    except ProviderError as error:
        return ProviderCheck(provider.name, is_reachable=False, message=error.sentence)
    count = plural("{count} models", "{count} model", len(models))
    return ProviderCheck(
        provider.name,
        is_reachable=True,
        message=Text("{label} answers and offers {number}.", label=provider.label, number=count),
        models=tuple(model.id for model in models),
    )


def provider_of(
    account: Account,
    limits: StreamLimits | None = None,
    *,
    retry: RetryPolicy | None = None,
    has_image_tool: bool = False,
) -> OpenAICompatibleProvider:
    """Return the provider that speaks to this account; ``limits`` hold where the account has none of its own."""
    profile = account.profile
    preset = preset_of(profile.preset)
    base = limits or StreamLimits()
    proxy = None if profile.proxy == SYSTEM_PROXY else "" if profile.proxy == NO_PROXY else profile.proxy
    # For the one that the settings describe its host decides, as always.
    needs_key = None if profile.id == OPENAI_ID else preset.needs_key
    withheld = account.withheld if account.withheld is not None and account.withheld.can_be_agreed else None
    connection = ConnectionOptions(
        proxy,
        profile.ca_file,
        profile.organisation,
        profile.project,
        needs_key,
        ca_digest=account.ca_digest,
        withheld=(withheld.sentence(profile.label), withheld.next_step(profile.id)) if withheld else None,
    )
    endpoint = Endpoint.of(address_of(profile), account.key.value, account.headers, connection=connection)
    first_byte_s = base.first_byte_s * (NEARBY_PATIENCE if endpoint.is_nearby else 1)
    return _protocol(profile.api, has_image_tool=has_image_tool)(
        profile.id,
        profile.label,
        endpoint,
        timeouts=replace(
            base,
            connect_s=profile.connect_s or base.connect_s,
            first_byte_s=profile.first_byte_s or first_byte_s,
            silence_s=profile.silence_s or base.silence_s,
        ),
        retry=retry,
        default_model=_usual_model(profile),
        dialect=preset.dialect,
    )


def _protocol(api: Api, *, has_image_tool: bool) -> Callable[..., OpenAICompatibleProvider]:
    """Return the class that implements ``api``."""
    if api is Api.RESPONSES:
        return partial(ResponsesProvider, has_image_tool=has_image_tool)
    if api is Api.ANTHROPIC:
        return AnthropicProvider
    return OpenAICompatibleProvider


def build_account_registry(
    accounts: Sequence[Account],
    *,
    chosen: str,
    model: str | None,
    offline_speed: float | None,
    limits: StreamLimits | None = None,
    has_image_tool: bool = False,
) -> ProviderRegistry:
    """Return the registry of these accounts and the offline model. ``chosen`` is the id of the default, or ``auto`` for
    the first one with a complete set-up, or with a key that waits for consent. A chosen provider is the default even
    without a key, so that the offline model is not mistaken for it."""
    offline = OfflineProvider(speed_tokens_per_s=offline_speed)
    enabled = [each for each in accounts if each.profile.is_enabled]
    providers = {each.profile.id: provider_of(each, limits, has_image_tool=has_image_tool) for each in enabled}
    ready = [each for each in providers.values() if each.is_configured or each.withheld or each.name == chosen]
    lacking = [each for each in providers.values() if each not in ready]
    switched_off = {each.profile.id: each.profile.label for each in accounts if not each.profile.is_enabled}
    default = providers.get(chosen) or (ready[0] if ready and chosen != OFFLINE_NAME else None)
    wanted = (model or "").strip()
    listed: list[Provider] = [*ready, offline]
    if default is None:
        known = {info.id for info in offline_models()}
        return ProviderRegistry(
            listed,
            OFFLINE_NAME,
            wanted if wanted in known else OFFLINE_MODEL,
            unlisted=lacking,
            switched_off=switched_off,
        )
    profile = next(each.profile for each in enabled if each.profile.id == default.name)
    return ProviderRegistry(
        listed,
        default.name,
        wanted or _usual_model(profile),
        unlisted=lacking,
        switched_off=switched_off,
    )


def _usual_model(profile: ProviderProfile) -> str:
    """Return the model of a provider for which none was chosen; empty: its server is asked for the first one."""
    if profile.model or profile.favourites:
        return profile.model or profile.favourites[0]
    is_openai = Endpoint.of(address_of(profile)).is_openai
    return OPENAI_MODEL if is_openai else preset_of(profile.preset).model
