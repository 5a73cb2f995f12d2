"""Builds the registry of one server, for tests and benchmarks."""

from __future__ import annotations

from collections.abc import Mapping

from chatdesk.core.domain.provider_profile import Api, Header, ProviderProfile
from chatdesk.core.providers.accounts import Account
from chatdesk.core.providers.endpoint import Endpoint
from chatdesk.core.providers.key_rules import OPENAI_ID
from chatdesk.core.providers.registry import ProviderRegistry, build_account_registry
from chatdesk.core.providers.stream_guard import StreamLimits
from chatdesk.core.settings.secrets import Secret, SecretSource


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
    """Return the registry of one server, for tests and benchmarks. With a key or a base URL that server is the default,
    otherwise the offline model; ``is_server_wanted``: never the offline model.
    """
    endpoint = Endpoint.of(openai_base_url, openai_api_key, headers)
    profile = ProviderProfile(
        OPENAI_ID,
        "openai" if endpoint.is_openai else "other",
        "OpenAI" if endpoint.is_openai else (endpoint.host or "the server"),
        endpoint.base_url,
        Api.CHAT,
        tuple(Header(name, value) for name, value in (headers or {}).items()),
    )
    key = Secret(value=endpoint.api_key or "", source=SecretSource.THIS_RUN)
    return build_account_registry(
        [Account(profile, key, dict(headers or {}))],
        chosen=OPENAI_ID if is_server_wanted else "auto",
        model=model,
        offline_speed=offline_speed,
        limits=timeouts,
    )
