"""A service whose provider is played by a server on loopback, and OpenAI's own client of it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import openai

from chatdesk.core.domain.provider_profile import ProviderProfile
from chatdesk.service.caller import Scope
from tests.helpers.fault_server import FaultServer, Script
from tests.helpers.local_service import ServedWorld, served_world

# A model of the provider “team”.
MODEL = "team/m"


@asynccontextmanager
async def asked_world(
    directory: Path, *scripts: Script
) -> AsyncIterator[tuple[ServedWorld, FaultServer, openai.AsyncOpenAI]]:
    """A service with a provider “team” that plays ``scripts``, and a client of OpenAI's."""
    async with FaultServer(*scripts) as vendor, served_world(directory) as world:
        await world.services.provider_service.save(ProviderProfile("", "other", "Team", vendor.base_url))
        token = world.token(scopes=[Scope.ASK])
        base_url = f"{world.address.urls[0]}/v1"
        # The certificates of the system, which are never asked for here, take longer to load than an answer.
        http = openai.DefaultAsyncHttpxClient(verify=False)
        async with openai.AsyncOpenAI(api_key=token, base_url=base_url, max_retries=0, http_client=http) as client:
            yield world, vendor, client


async def ledger(world: ServedWorld) -> tuple[int, int, int]:
    """The requests of the ledger, and their tokens in and out."""
    report = await world.services.usage.between(0, 2**53)
    total = report.total
    return total.requests, total.input_tokens, total.output_tokens
