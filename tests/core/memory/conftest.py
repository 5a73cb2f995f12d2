"""A chat whose requests carry memories, behind settings that a test chooses."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from chatdesk.core.memory.memory_service import MemoryService
from chatdesk.core.settings.schema import Settings
from tests.helpers.chat_world import ChatWorld, chat_world

ADDRESS = "https://scripted.example/v1"


@dataclass
class Remembering:
    """The service of memories beside a chat; the provider's address is ``address``."""

    world: ChatWorld
    service: MemoryService
    address: list[str]

    def use(self, **values: object) -> None:
        """Put settings in force: memory is on and the provider allowed unless said otherwise."""
        usual: dict[str, object] = {"memory": True, "memory_providers": {"scripted": ADDRESS}}
        self.service.use_settings(Settings(**{**usual, **values}))  # type: ignore[arg-type]

    async def sent_for(self, text: str = "Hello", thread_id: str | None = None) -> list[str]:
        """Ask, and return the texts of the request."""
        chat, provider = self.world.chat, self.world.provider
        sent = (
            await chat.create_thread(None, "A thread", text)
            if thread_id is None
            else await chat.send_message(thread_id, text)
        )
        await self.world.answer_of(sent)
        return [each.text for each in provider.requests[-1].messages]


@pytest.fixture
async def remembering(tmp_path: Path) -> AsyncIterator[Remembering]:
    async with chat_world(tmp_path) as world:
        address = [ADDRESS]
        service = MemoryService(world.repositories.memories, world.bus, Settings(), lambda _id: address[0])
        world.chat.context.remembered.use(service.offered)
        made = Remembering(world, service, address)
        made.use()
        yield made
