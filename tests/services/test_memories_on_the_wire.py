"""What a provider's server receives: memories only when memory is on, the provider is allowed, and the thread is the
person's own and lasts. Each request is one that a real HTTP server on loopback recorded."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from chatdesk.core.domain.imported import ImportedMemory
from chatdesk.core.domain.memory import MemoryOrigin, NewMemory
from chatdesk.core.domain.provider_profile import ProviderProfile
from chatdesk.core.paths import AppPaths
from chatdesk.core.settings.schema import Settings
from chatdesk.services.owner import open_services
from chatdesk.services.services import Services
from tests.core.memory.conftest import share_project
from tests.helpers.fault_server import Exchange, FaultServer, answer, models, status
from tests.helpers.waiting import until

# Each way in which a memory comes, with the fact that came so.
FACTS = {way: f"Ana came by {way}." for way in (*MemoryOrigin, "edit")}
KINDS = ("normal", "temporary", "team")


@dataclass
class Wire:
    """Services with two providers, and the server of each. Only the first is allowed, if any."""

    services: Services
    servers: tuple[FaultServer, FaultServer]
    providers: tuple[str, str]

    def asked(self, which: int = 0) -> list[str]:
        """The bodies of the chat requests that a server got."""
        requests = self.servers[which].requests
        return [each.body.decode() for each in requests if each.path.endswith("/chat/completions")]

    async def answered(self, count: int, which: int = 0) -> None:
        await until(lambda: len(self.asked(which)) >= count)
        await until(lambda: not self.services.chat.is_writing)


async def _script(exchange: Exchange) -> None:
    if exchange.request.path.endswith("/models"):
        await models("m")(exchange)
    elif exchange.request.path.endswith("/chat/completions"):
        await answer("Fine then")(exchange)
    else:
        await status(404, {})(exchange)


async def _remember(services: Services) -> None:
    for way, fact in FACTS.items():
        if way == MemoryOrigin.IMPORT:
            await services.memory.add_imported([ImportedMemory(fact)], "ChatGPT")
        elif way == "edit":
            kept, _ = await services.memory.add(NewMemory("Something else"))
            await services.memory.edit(kept.id, fact, None)
        else:
            await services.memory.add(NewMemory(fact, origin=MemoryOrigin(way)))


@asynccontextmanager
async def wire(directory: Path, *, is_on: bool, is_allowed: bool) -> AsyncIterator[Wire]:
    settings = Settings(memory=True, model_titles=False)
    async with (
        FaultServer(_script) as first,
        FaultServer(_script) as second,
        open_services(AppPaths.find(directory), settings) as services,
    ):
        saved = [
            await services.provider_service.save(ProviderProfile("", "other", name, server.base_url))
            for name, server in (("First", first), ("Second", second))
        ]
        await _remember(services)
        chosen = services.memory.with_provider(services.settings, saved[0].id, is_allowed=is_allowed)
        await services.apply_settings(replace(chosen, memory=is_on))
        yield Wire(services, (first, second), (saved[0].id, saved[1].id))


async def _thread(wire: Wire, kind: str) -> str:
    """A thread of a kind whose answers come from the first provider."""
    services, provider = wire.services, wire.providers[0]
    project = await services.chat.projects.default()
    if kind == "temporary":
        return (await services.temporary.create(project.id, provider=provider, model="m")).id
    if kind == "team":
        await share_project(services.database, project.id)
    thread = (await services.chat.create_thread(project.id, "A thread")).thread.id
    await services.chat.set_thread_model(thread, provider, "m")
    return thread


async def _question(wire: Wire, thread: str) -> None:
    await wire.services.chat_of(thread).send_message(thread, "Hello")
    await wire.answered(1)


async def _regenerated(wire: Wire, thread: str) -> None:
    chat = wire.services.chat_of(thread)
    sent = await chat.send_message(thread, "Hello")
    await wire.answered(1)
    await until(lambda: not chat.is_answering(thread))
    await chat.regenerate_response(sent.answer.id)
    await wire.answered(2)


async def _compared(wire: Wire, thread: str) -> None:
    models = [(each, "m") for each in wire.providers]
    await wire.services.chat_of(thread).compare(thread, "Hello", models)
    await wire.answered(1)
    await wire.answered(1, 1)


ANSWERS: dict[str, Callable[[Wire, str], Awaitable[None]]] = {
    "question": _question,
    "regenerated": _regenerated,
    "comparison": _compared,
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("answer_kind", ANSWERS)
@pytest.mark.parametrize(("is_on", "is_allowed"), list(itertools.product((True, False), repeat=2)))
async def test_a_request_carries_memories_as_the_table_says(
    tmp_path: Path, is_on: bool, is_allowed: bool, answer_kind: str, kind: str
) -> None:
    async with wire(tmp_path, is_on=is_on, is_allowed=is_allowed) as world:
        thread = await _thread(world, kind)
        await ANSWERS[answer_kind](world, thread)
        expected = is_on and is_allowed and kind == "normal"
        assert world.asked()
        for body in world.asked():
            assert {way: fact in body for way, fact in FACTS.items()} == dict.fromkeys(FACTS, expected)
        # The second provider was never allowed.
        assert not any(fact in body for body in world.asked(1) for fact in FACTS.values())


@pytest.mark.parametrize("task", ["title", "summary"])
@pytest.mark.parametrize("is_apart", [True, False], ids=["task model", "model of the thread"])
async def test_titles_and_summaries_are_never_sent_any(tmp_path: Path, task: str, is_apart: bool) -> None:
    async with wire(tmp_path, is_on=True, is_allowed=True) as world:
        services, provider = world.services, world.providers[0]
        task_model = f"{provider}/other" if is_apart else ""
        await services.apply_settings(replace(services.settings, model_titles=True, task_model=task_model))
        if task == "title":
            services.titles.follow()
        thread = await _thread(world, "normal")
        if task == "title":
            created = await services.chat.create_thread(None, "", "Hello", provider=provider, model="m")
            thread = created.thread.id
        else:
            for number in range(1, 7):
                await services.chat.send_message(thread, f"Hello {number}. " + "Tell me more of it. " * 400)
                await world.answered(number)
            await services.chat.context.redo_summary(thread)
        answers = 1 if task == "title" else 6
        await world.answered(answers + 1)
        carries = [any(fact in body for fact in FACTS.values()) for body in world.asked()]
        assert carries[:answers] == [True] * answers
        assert not any(carries[answers:])
        assert ('"model":"other"' in world.asked()[-1].replace(" ", "")) is is_apart
