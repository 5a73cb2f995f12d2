"""Builds Anthropic's client with ChatDesk's guards. Importing this takes seconds: do it in a worker thread only."""

from __future__ import annotations

from anthropic import AsyncAnthropic

from chatdesk import __version__
from chatdesk.core.providers.endpoint import Endpoint
from chatdesk.core.providers.openai_client import guarded_http_client
from chatdesk.core.providers.stream_guard import StreamLimits


def build_client(endpoint: Endpoint, limits: StreamLimits) -> AsyncAnthropic:
    """Return a client without retries and read deadlines: the provider has its own."""
    http_client = guarded_http_client(endpoint, limits)
    return AsyncAnthropic(
        api_key=endpoint.api_key or "none",
        base_url=endpoint.base_url.removesuffix("/v1"),
        default_headers={
            "User-Agent": f"ChatDesk/{__version__}",
            "Accept-Encoding": "identity",
            **endpoint.headers,
        },
        max_retries=0,
        timeout=http_client.timeout,
        http_client=http_client,
    )
