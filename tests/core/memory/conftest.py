"""A chat whose requests carry memories, behind settings that a test chooses."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from chatdesk.core.memory.memory_service import MemoryService
from chatdesk.core.settings.schema import Settings
from chatdesk.core.storage.engine.connection import insert_row
from chatdesk.core.storage.engine.database import Database
from chatdesk.core.storage.engine.tables import metadata
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


async def share_project(database: Database, project_id: str) -> None:
    """Make a project one that is shared with a team."""
    now = {"workspaces": {"id": "w"}, "shared_projects": {"project_id": project_id, "workspace_id": "w"}}

    def work(conn: Any) -> None:
        for name, given in now.items():
            table = metadata.tables[name]
            needed = {
                each.name: 0 if str(each.type) == "INTEGER" else "x"
                for each in table.columns
                if not each.nullable and each.server_default is None and each.name not in given
            }
            conn.exec_driver_sql("PRAGMA defer_foreign_keys=ON")
            insert_row(conn, table, **{**needed, **given})

    await database.write(work)


@pytest.fixture
async def remembering(tmp_path: Path) -> AsyncIterator[Remembering]:
    async with chat_world(tmp_path) as world:
        address = [ADDRESS]
        service = MemoryService(world.repositories.memories, world.bus, Settings(), lambda _id: address[0])
        world.chat.context.remembered.use(service.offered)
        made = Remembering(world, service, address)
        made.use()
        yield made
