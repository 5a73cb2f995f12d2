"""Which providers exist, and which one answers when nothing was chosen."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

from chatdesk.core.errors import NotPossible, ProviderError
from chatdesk.core.providers.base import Provider, ProviderCheck
from chatdesk.core.providers.endpoint import Endpoint
from chatdesk.core.providers.offline import DEFAULT_MODEL as OFFLINE_MODEL
from chatdesk.core.providers.offline import OFFLINE_NAME, OfflineProvider, offline_models
from chatdesk.core.providers.openai_compatible import OpenAICompatibleProvider
from chatdesk.core.providers.stream_guard import StreamLimits

OPENAI_NAME = "openai"
# The small model of OpenAI's present line; CHATDESK_MODEL and the model picker override it.
OPENAI_MODEL = "gpt-5.4-mini"


class ProviderRegistry:
    """Holds the providers. ``unlisted`` ones are found by name but offered to nobody: they lack a key, and say so
    when an old thread asks them.
    """

    def __init__(
        self,
        providers: Sequence[Provider],
        default_provider: str,
        default_model: str,
        *,
        unlisted: Sequence[Provider] = (),
    ) -> None:
        self._listed = tuple(providers)
        self._by_name = {provider.name: provider for provider in (*unlisted, *providers)}
        self._default = (self.get(default_provider).name, default_model)

    def get(self, name: str) -> Provider:
        """The provider called ``name``. Raises ``NotPossible``."""
        provider = self._by_name.get(name)
        if provider is None:
            known = ", ".join(sorted(self._by_name))
            raise NotPossible(
                f"There is no provider called “{name[:60]}”.",
                next_step=f"Choose another model; the providers are: {known}.",
            )
        return provider

    def default(self) -> tuple[str, str]:
        """(provider name, model id); the id may be empty: then the provider asks its server."""
        return self._default

    def lacks_key(self, name: str) -> bool:
        """Whether ``name`` cannot answer before it gets a key."""
        provider = self.get(name)
        return isinstance(provider, OpenAICompatibleProvider) and not provider.is_configured

    def all(self) -> tuple[Provider, ...]:
        """The providers that can be used, the default first."""
        return tuple(sorted(self._listed, key=lambda provider: provider.name != self._default[0]))

    async def check_all(self) -> tuple[ProviderCheck, ...]:
        """Ask each usable provider for its models, all at once."""
        return tuple(await asyncio.gather(*(_check(provider) for provider in self.all())))

    async def close(self) -> None:
        """Close all connections."""
        for provider in self._by_name.values():
            await provider.close()


async def _check(provider: Provider) -> ProviderCheck:
    try:
        models = await provider.list_models()
    except ProviderError as error:
        return ProviderCheck(provider.name, is_reachable=False, message=error.sentence)
    count = "1 model" if len(models) == 1 else f"{len(models)} models"
    return ProviderCheck(
        provider.name,
        is_reachable=True,
        message=f"{provider.label} answers and offers {count}.",
        models=tuple(model.id for model in models),
    )


def build_registry(
    *,
    openai_api_key: str | None,
    openai_base_url: str | None,
    model: str | None,
    offline_speed: float | None,
    headers: Mapping[str, str] | None = None,
    timeouts: StreamLimits | None = None,
    is_server_wanted: bool = False,
) -> ProviderRegistry:
    """The registry that the settings describe. With a key or a base URL that server is the default, otherwise the
    offline model; ``is_server_wanted``: never the offline model, which nobody must mistake for the one they chose.
    """
    offline = OfflineProvider(speed_tokens_per_s=offline_speed)
    endpoint = Endpoint.of(openai_base_url, openai_api_key, headers)
    openai = OpenAICompatibleProvider(
        OPENAI_NAME,
        "OpenAI" if endpoint.is_openai else (endpoint.host or "the server"),
        base_url=openai_base_url,
        api_key=openai_api_key,
        headers=headers,
        timeouts=timeouts,
    )
    wanted = (model or "").strip()
    if openai.is_configured or is_server_wanted:
        return ProviderRegistry((openai, offline), OPENAI_NAME, wanted or (OPENAI_MODEL if endpoint.is_openai else ""))
    known = {info.id for info in offline_models()}
    return ProviderRegistry((offline,), OFFLINE_NAME, wanted if wanted in known else OFFLINE_MODEL, unlisted=(openai,))
