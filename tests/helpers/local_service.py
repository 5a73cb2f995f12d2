"""A real service on loopback over real services in a temporary directory, and clients of it."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2

from chatdesk.core.clock import Clock
from chatdesk.core.paths import AppPaths
from chatdesk.core.settings.schema import Settings
from chatdesk.service.address_book import ServiceFiles
from chatdesk.service.caller import Scope
from chatdesk.service.declaration import Endpoint
from chatdesk.service.local_service import LocalService, ServiceAddress, ServiceOptions
from chatdesk.service.tokens import TokenBook
from chatdesk.services.owner import open_services
from chatdesk.services.services import Services

FAST = Settings(offline_speed_tokens_per_s=0, model_titles=False)


@dataclass
class ServedWorld:
    """The service of a test. ``http`` has the owner's token."""

    services: Services
    service: LocalService
    address: ServiceAddress
    files: ServiceFiles
    http: httpx2.AsyncClient

    @property
    def host(self) -> str:
        return self.address.urls[0].removeprefix("http://")

    @property
    def port(self) -> int:
        return int(self.host.rpartition(":")[2])

    @property
    def owner_token(self) -> str:
        return self.files.owner_token.read_text("utf-8")

    def token(self, name: str = "script", scopes: Sequence[Scope] = (Scope.READ,), **options: Any) -> str:
        """The text of a new token."""
        now_ms = Clock().now_ms()
        return TokenBook(self.files.tokens).make(name, scopes, now_ms=now_ms, **options)[1]

    def client(self, token: str | None = None, **headers: str) -> httpx2.AsyncClient:
        if token is not None:
            headers["authorization"] = f"Bearer {token}"
        return httpx2.AsyncClient(base_url=self.address.urls[0], headers=headers, trust_env=False, verify=False)

    async def raw(self, sent: bytes) -> bytes:
        """What comes back for these bytes, until the service closes the connection."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        try:
            writer.write(sent)
            await writer.drain()
            return await reader.read()
        except ConnectionResetError:
            return b""
        finally:
            writer.close()

    def connect(self) -> socket.socket:
        """A connection that says nothing so far."""
        return socket.create_connection(("127.0.0.1", self.port), timeout=20)


@asynccontextmanager
async def served_world(
    directory: Path,
    *,
    options: ServiceOptions | None = None,
    endpoints: Sequence[Endpoint] | None = None,
    settings: Settings = FAST,
) -> AsyncIterator[ServedWorld]:
    """A service over the services of ``directory``, on the loop of the test."""
    paths = AppPaths.find(directory)
    async with open_services(paths, settings, purpose="serve") as services:
        more = {} if endpoints is None else {"endpoints": endpoints}
        service = LocalService(services, options, **more)
        address = await service.start()
        try:
            files = ServiceFiles.of(paths)
            token = files.owner_token.read_text("utf-8")
            headers = {"authorization": f"Bearer {token}"}
            async with httpx2.AsyncClient(
                base_url=address.urls[0], headers=headers, trust_env=False, verify=False
            ) as http:
                yield ServedWorld(services, service, address, files, http)
        finally:
            await service.close()
