"""Assistants that use ChatDesk over the Model Context Protocol: the package's own client, over HTTP and as a child."""

from __future__ import annotations

import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Literal

from mcp import Client, StdioServerParameters
from mcp.client.streamable_http import streamable_http_client

from tests.helpers.local_service import ServedWorld

# The protocol with a handshake and sessions, which most assistants speak, and the one without.
Mode = Literal["legacy", "auto"]


@asynccontextmanager
async def assistant(world: ServedWorld, token: str, mode: Mode = "legacy") -> AsyncIterator[Client]:
    """An assistant that is connected over HTTP."""
    async with (
        world.client(token) as http,
        Client(streamable_http_client(world.address.urls[0] + "/mcp", http_client=http), mode=mode) as client,
    ):
        yield client


@asynccontextmanager
async def child_assistant(directory: Path, *options: str) -> AsyncIterator[Client]:
    """An assistant that has started ``chatdesk mcp``."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("CHATDESK_")}
    parameters = StdioServerParameters(
        command=sys.executable,
        args=["-m", "chatdesk", "mcp", *options, "--data-dir", str(directory)],
        env=environment | {"CHATDESK_OFFLINE_SPEED_TOKENS_PER_S": "0"},
        cwd=Path(__file__).parents[2],
    )
    async with Client(parameters, mode="legacy") as client:
        yield client


def data_of(result: Any) -> dict[str, Any]:
    """What a tool returned, which was no error."""
    assert not result.is_error, result
    data: dict[str, Any] = result.structured_content
    return data


def refusal_of(result: Any) -> str:
    """The code of the problem for which a tool was refused."""
    assert result.is_error, result
    return str(result.structured_content["problem"]["code"])
