"""MemoryService keeps the facts that a person confirms. It is reached as ``Services.memory``.

Nothing is kept unless memory is on, and nothing is sent unless it is on and the provider is allowed, at the address
that the person allowed. A method that writes publishes ``MemoriesChanged`` once the write is durable.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from chatdesk.core.domain.imported import ImportedMemory
from chatdesk.core.domain.memory import (
    Memory,
    MemoryOrigin,
    NewMemory,
    NotSent,
    OfferedMemories,
    checked_memory,
)
from chatdesk.core.errors import ChatDeskError, NotPossible
from chatdesk.core.events import EventBus, MemoriesChanged
from chatdesk.core.settings.schema import Settings
from chatdesk.core.storage.memory.memories import MemoryRepository
from chatdesk.core.system.file_writing import write_text
from chatdesk.core.system.system_errors import reason_text
from chatdesk.core.texts import Text


class MemoryOff(NotPossible):
    """Something was to be remembered while memory is off."""

    code = "memory_off"
    what = Text("Memory is off, so nothing was remembered.")
    safe = Text("Nothing was kept.")
    next_step = Text("Turn it on in Settings, Context, Memory.")


class MemoryService:
    """The use cases of memories. ``address_of`` returns the present address of a provider by its id."""

    def __init__(
        self, repository: MemoryRepository, bus: EventBus, settings: Settings, address_of: Callable[[str], str]
    ) -> None:
        self._repository = repository
        self._bus = bus
        self._settings = settings
        self._address_of = address_of

    # What holds

    def use_settings(self, settings: Settings) -> None:
        """Follow the settings from the next request on."""
        names = ("memory", "memory_tokens", "memory_providers")
        is_other = any(getattr(settings, name) != getattr(self._settings, name) for name in names)
        self._settings = settings
        if is_other:
            self._bus.publish(MemoriesChanged())

    @property
    def is_on(self) -> bool:
        return self._settings.memory

    def is_allowed(self, provider: str) -> bool:
        """Return whether a provider is sent memories, at the address that it has now."""
        return self._settings.memory_providers.get(provider) == self._address_of(provider)

    def with_provider(self, settings: Settings, provider: str, *, is_allowed: bool) -> Settings:
        """Return settings in which a provider is sent memories or not."""
        others: Mapping[str, str] = {
            name: address for name, address in settings.memory_providers.items() if name != provider
        }
        allowed = {provider: self._address_of(provider)} if is_allowed else {}
        return replace(settings, memory_providers={**others, **allowed})

    async def offered(self, project_id: str, provider: str) -> OfferedMemories:
        """Return the memories that a request of a project to a provider may carry."""
        if not self.is_on:
            return OfferedMemories(not_sent=NotSent.OFF)
        found = await self._repository.for_project(project_id)
        if found is None:
            return OfferedMemories(not_sent=NotSent.SHARED)
        if not self.is_allowed(provider):
            return OfferedMemories(not_sent=NotSent.PROVIDER)
        return OfferedMemories(found, budget=self._settings.memory_tokens)

    # Memories

    async def list(self) -> tuple[Memory, ...]:
        """Return all memories, the newest first. They can be seen and deleted while memory is off."""
        return await self._repository.all()

    async def get(self, memory_id: str) -> Memory:
        """Return a memory. Raises ``NotFound``."""
        return await self._repository.get(memory_id)

    async def add(self, new: NewMemory) -> tuple[Memory, bool]:
        """Keep a memory; returns it and whether it is new. Raises ``MemoryOff``, ``InvalidInput``, ``NotFound``,
        ``NotPossible``."""
        self.check_on()
        kept = await self._repository.add(replace(new, text=checked_memory(new.text)))
        self._bus.publish(MemoriesChanged())
        return kept

    async def missing(self, found: Iterable[ImportedMemory]) -> tuple[ImportedMemory, ...]:
        """Return the memories of an export whose words are not here yet, for whatever project."""
        known = {each.text.casefold() for each in await self.list()}
        return tuple(each for each in found if each.text.casefold() not in known)

    async def add_imported(self, found: Iterable[ImportedMemory], source: str) -> int:
        """Keep memories of an export whose words are not here yet, for the project of the same name if there is one.
        Returns how many. Raises ``MemoryOff``, ``InvalidInput``, ``NotPossible``."""
        self.check_on()
        chosen = list(found)
        projects = await self._repository.projects_named({each.project for each in chosen} - {""})
        wanted = [
            NewMemory(checked_memory(each.text), projects.get(each.project), MemoryOrigin.IMPORT, source=source)
            for each in chosen
        ]
        count = await self._repository.add_missing(wanted)
        if count:
            self._bus.publish(MemoriesChanged())
        return count

    async def edit(
        self,
        memory_id: str,
        text: str,
        project_id: str | None,
        *,
        goes_with_source: bool = False,
        origin: MemoryOrigin = MemoryOrigin.PERSON,
    ) -> Memory:
        """Change a memory; other words are from then on those of ``origin``. Raises ``MemoryOff``, ``InvalidInput``,
        ``NotFound``, ``NotPossible``."""
        self.check_on()
        new = NewMemory(checked_memory(text), project_id, origin, goes_with_source=goes_with_source)
        changed = await self._repository.change(memory_id, new)
        self._bus.publish(MemoriesChanged())
        return changed

    async def delete(self, memory_ids: Sequence[str]) -> tuple[Memory, ...]:
        """Delete memories for good, and return what ``put_back`` takes. Raises ``NotFound``."""
        gone = await self._repository.delete(memory_ids)
        self._bus.publish(MemoriesChanged())
        return gone

    async def put_back(self, memories: Sequence[Memory]) -> None:
        """Undo ``delete``, also while memory is off."""
        await self._repository.put_back(memories)
        self._bus.publish(MemoriesChanged())

    async def write_file(self, target: Path) -> int:
        """Write all memories to a JSON file, also while memory is off. Returns how many. Raises ``ChatDeskError``."""
        memories = await self._repository.all()
        await asyncio.to_thread(write_memories, target, memories)
        return len(memories)

    def check_on(self) -> None:
        """Raise ``MemoryOff`` while memory is off."""
        if not self.is_on:
            raise MemoryOff


def write_memories(target: Path, memories: Sequence[Memory]) -> None:
    """Write memories to a JSON file, which is replaced by a whole file or not at all. Raises ``ChatDeskError``."""
    document = {
        "format": "chatdesk-memories",
        "format_version": 1,
        "memories": [memory_data(each) for each in memories],
    }
    try:
        write_text(target, json.dumps(document, ensure_ascii=False, indent=2) + "\n", errors="replace")
    except OSError as error:
        raise ChatDeskError(
            Text("The file could not be written: {strerror}.", strerror=reason_text(error)),
            safe=Text("The memories are unchanged."),
            next_step=Text("Choose another place."),
        ) from error


def memory_data(memory: Memory) -> dict[str, Any]:
    """Return a memory as it is exported, for JSON."""
    return {
        "id": memory.id,
        "text": memory.text,
        "project_id": memory.project_id,
        "origin": memory.origin.value,
        "source": memory.source,
        "message_id": memory.message_id,
        "thread_id": memory.thread_id,
        "goes_with_source": memory.goes_with_source,
        "created_at": memory.created_at,
        "updated_at": memory.updated_at,
    }
