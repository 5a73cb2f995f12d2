"""The first token through ``/v1/chat/completions`` beside the provider's own: ``python -m tests.benchmarks.first_token``.

Prints medians in milliseconds: of plain HTTP to the provider, of ChatDesk's provider without the service, and through the
service. They are asked in turns in one run; the vendor, the services and the client share one loop, so that the differences
also hold what these take from each other.
"""

from __future__ import annotations

import asyncio
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import httpx2

from chatdesk.core.domain.message import Role
from chatdesk.core.domain.provider_profile import ProviderProfile
from chatdesk.core.providers.base import ChatRequest, Provider, RequestMessage, TextDelta
from tests.helpers.fault_server import FaultServer, answer
from tests.helpers.local_service import served_world

_WARM_UP = 5
_ROUNDS = 60
_BODY: dict[str, Any] = {"messages": [{"role": "user", "content": "Hello"}], "stream": True}


async def _first_ms(http: httpx2.AsyncClient, url: str, model: str) -> float:
    began_s = time.perf_counter()
    first_ms = 0.0
    async with http.stream("POST", url, json={"model": model, **_BODY}) as response:
        async for line in response.aiter_lines():
            if '"content":"Hello' in line.replace(" ", "") and not first_ms:
                first_ms = (time.perf_counter() - began_s) * 1000
    assert first_ms, "no token came"
    return first_ms


async def _first_of_provider_ms(provider: Provider) -> float:
    began_s = time.perf_counter()
    first_ms = 0.0
    async for event in provider.stream(ChatRequest("m", (RequestMessage(Role.USER, "Hello"),))):
        if isinstance(event, TextDelta) and not first_ms:
            first_ms = (time.perf_counter() - began_s) * 1000
    return first_ms


async def measure(directory: Path) -> tuple[float, float, float]:
    """The medians directly, by the provider alone, and through the service."""
    async with FaultServer(answer("Hello there")) as vendor, served_world(directory) as world:
        await world.services.provider_service.save(ProviderProfile("", "other", "Team", vendor.base_url))
        direct, alone, through = [], [], []
        async with httpx2.AsyncClient(trust_env=False) as http:
            for _ in range(_WARM_UP + _ROUNDS):
                direct.append(await _first_ms(http, f"{vendor.base_url}/chat/completions", "m"))
                alone.append(await _first_of_provider_ms(world.services.providers.get("team")))
                through.append(await _first_ms(world.http, "/v1/chat/completions", "team/m"))
        direct_ms, alone_ms, through_ms = (statistics.median(each[_WARM_UP:]) for each in (direct, alone, through))
        return direct_ms, alone_ms, through_ms


def main() -> None:
    with tempfile.TemporaryDirectory() as directory:
        direct_ms, alone_ms, through_ms = asyncio.run(measure(Path(directory)))
    print(
        f"plain HTTP {direct_ms:.1f} ms, the provider alone {alone_ms:.1f} ms, through the service {through_ms:.1f} ms"
    )


if __name__ == "__main__":
    main()
