"""A turn of three steps with two tools at once works at every server, and after a switch from any to any other: in the
same thread, in a branch of it, after an export and import, and where the answer broke off and goes on elsewhere; with a
summary and without. The servers refuse what the strictest of their kind refuse."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from chatdesk.core.attachments.blob_store import BlobStore
from chatdesk.core.chat.context.context_service import ContextService
from chatdesk.core.chat.tool_calls.port import ToolLimits
from chatdesk.core.clock import Clock
from chatdesk.core.context.catalogue import ModelCatalogue
from chatdesk.core.context.model_data import ModelData
from chatdesk.core.context.tokens import TokenCounter
from chatdesk.core.domain.exports import Choice, ExportFormat
from chatdesk.core.domain.library import ThreadQuery
from chatdesk.core.domain.message import Message, Status
from chatdesk.core.domain.provider_profile import Api, ProviderProfile
from chatdesk.core.domain.summary import NewSummary, SummaryAuthor
from chatdesk.core.domain.tools import Caller
from chatdesk.core.events import EventBus
from chatdesk.core.paths import encodings_dir, resources_dir
from chatdesk.core.providers.accounts import Account
from chatdesk.core.providers.openai_compatible import OpenAICompatibleProvider
from chatdesk.core.providers.registry import ProviderRegistry, provider_of
from chatdesk.core.providers.retry import RetryPolicy
from chatdesk.core.providers.stream_guard import StreamLimits
from chatdesk.core.settings.secrets import Secret
from chatdesk.core.storage.chat.summaries import SummaryRepository
from chatdesk.core.storage.transfer.importing import ImportRepository
from chatdesk.core.texts import Text
from chatdesk.core.tools.built_in import BuiltInServer, BuiltInTool
from chatdesk.core.tools.tool_service import ToolService
from chatdesk.core.transfer.exports.export_service import ExportService
from chatdesk.core.transfer.imports.import_service import ImportService
from tests.helpers.chat_world import ChatWorld, chat_world
from tests.helpers.dialects import approve_all
from tests.helpers.examples import sample
from tests.helpers.fault_server import FaultServer
from tests.helpers.strict_servers import ANSWER, CHANGED, SERVERS, StrictServer
from tests.helpers.tools_world import tool_service

# How the thread goes on at the second server. "tool" breaks off between the steps, "text" within the last one.
WAYS = ("plain", "branch", "import", "broken tool", "broken text")
SQUARE = [
    (first, second, way, has_summary)
    for way, has_summary, first, second in product(WAYS, (False, True), SERVERS, SERVERS)
]
_SUM = {"type": "number"}


def _context(repositories: Any, providers: ProviderRegistry, bus: EventBus) -> ContextService:
    data = ModelData(ModelCatalogue.of_files(resources_dir() / "models.json"), TokenCounter(encodings_dir()))
    return ContextService(repositories=repositories, providers=providers, bus=bus, data=data, clock=Clock())


async def _add(arguments: Mapping[str, Any], _caller: Caller) -> str:
    return f"sum={arguments['a'] + arguments['b']}"


class Square:
    """Servers by name, the providers that ask them, and the tools that they call."""

    def __init__(self, tools: ToolService) -> None:
        self.tools = tools
        self.servers: dict[str, StrictServer] = {}
        self.providers: dict[str, OpenAICompatibleProvider] = {}

    @property
    def refused(self) -> list[str]:
        return [f"{name}: {why}" for name, server in self.servers.items() for why in server.refused]

    @asynccontextmanager
    async def world(self, folder: Path) -> AsyncIterator[ChatWorld]:
        folder.mkdir(exist_ok=True)
        async with chat_world(folder, make_context=_context) as made:
            registry = ProviderRegistry(list(self.providers.values()), next(iter(self.providers)), "m")
            made.chat.use_providers(registry)

            async def load() -> ToolService:
                return self.tools

            made.chat.tools.use(load, ToolLimits)
            approving = asyncio.ensure_future(approve_all(made.chat))
            yield made
            approving.cancel()


@asynccontextmanager
async def square(folder: Path, *names: str) -> AsyncIterator[Square]:
    tool = BuiltInTool("add", Text("Add"), "Add.", {"a": _SUM, "b": _SUM}, ("a", "b"), _add)
    async with AsyncExitStack() as stack:
        tools = await stack.enter_async_context(tool_service(folder, built_in=[BuiltInServer("sums", "Sums", [tool])]))
        await tools.switch("sums", is_on=True)
        made = Square(tools)
        for name in dict.fromkeys(names):
            strict = StrictServer(name)
            server = await stack.enter_async_context(FaultServer(strict.script))
            api = Api(strict.rules.get("api", "chat"))
            address = server.base_url.removesuffix("/v1") if api is Api.ANTHROPIC else server.base_url
            profile = ProviderProfile(name, strict.rules["preset"], name, address, api, model=strict.rules["model"])
            account = Account(profile, Secret("sk-square-0123456789"))
            limits = StreamLimits(first_byte_s=5, silence_s=5, after_finish_s=0.2)
            provider = provider_of(account, limits, retry=RetryPolicy(longest_wait_s=1, max_attempts=1))
            stack.push_async_callback(provider.close)
            made.servers[name], made.providers[name] = strict, provider
        yield made


async def _asked(world: ChatWorld, thread_id: str, server: str) -> Message:
    sent = await world.chat.send_message(thread_id, "What is the sum?", provider=server, model=SERVERS[server]["model"])
    answer = await world.answer_of(sent)
    assert isinstance(answer, Message)
    return answer


async def _summarise(world: ChatWorld, thread_id: str, *, count: int = 100) -> None:
    """Store a summary of the first messages."""
    page = await world.repositories.messages.page(thread_id, limit=100)
    ends = page.messages[0].id, page.messages[:count][-1].id
    new = NewSummary(thread_id, *ends, "Two sums were made.", 5, SummaryAuthor.PERSON)
    await SummaryRepository(world.database).add(new)


async def _moved(world: ChatWorld, other: ChatWorld, thread_id: str, folder: Path) -> str:
    """Export a thread, import it into another profile, and return its id there."""
    target = folder / "export.json"
    export = ExportService(folder / "one" / "chatdesk.db", folder / "blobs", Clock(), printing=["false"])
    await export.export(Choice(), ExportFormat.JSON, target)
    importer = ImportService(ImportRepository(other.database), BlobStore(folder / "blobs2"), Clock(), EventBus())
    await importer.run(target)
    title = (await world.chat.get_thread(thread_id)).title
    found = await other.repositories.library.page(ThreadQuery(), limit=10)
    return next(each.id for each in found.threads if each.title == title)


@pytest.mark.parametrize(("first", "second", "way", "has_summary"), sample(SQUARE, 14))
async def test_a_thread_goes_on_at_any_other_server(
    tmp_path: Path, first: str, second: str, way: str, has_summary: bool
) -> None:
    async with square(tmp_path, first, second) as made, AsyncExitStack() as stack:
        world = await stack.enter_async_context(made.world(tmp_path / "one"))
        thread = (await world.chat.create_thread(None, "Sums", provider=first, model=SERVERS[first]["model"])).thread
        if has_summary:
            assert (await _asked(world, thread.id, first)).status is Status.COMPLETE
            await _summarise(world, thread.id)
        if way.startswith("broken"):
            made.servers[first].breaks_at_step = 1 if way == "broken tool" else 2
        answer = await _asked(world, thread.id, first)
        assert not made.refused
        if way.startswith("broken"):
            assert answer.status.can_continue, answer
            await world.chat.close()  # as after a restart
            world = await stack.enter_async_context(made.world(tmp_path / "one"))
            again = await world.chat.continue_message(answer.id, provider=second, model=SERVERS[second]["model"])
            answer = await world.finished(again.id)  # type: ignore[assignment]
        assert answer.status is Status.COMPLETE, (answer.error_sentence, made.refused)
        assert answer.text.endswith(ANSWER)
        thread_id = thread.id
        if way == "branch":
            thread_id = (await world.chat.paths.branch_thread(answer.id)).id
        if way == "import":
            other = await stack.enter_async_context(made.world(tmp_path / "two"))
            thread_id, world = await _moved(world, other, thread.id, tmp_path), other
        for name in (second, first):
            answer = await _asked(world, thread_id, name)
            assert answer.status is Status.COMPLETE, (name, answer.error_sentence, made.refused)
            assert answer.text == ANSWER
        # A summary stays in its thread: elsewhere other words are before a thought, which is asked again without it.
        assert [why for why in made.refused if not (has_summary and CHANGED in why)] == []


@pytest.mark.parametrize("name", SERVERS)
async def test_a_thread_goes_on_where_a_summary_takes_the_place_of_what_was_before_a_thought(
    tmp_path: Path, name: str
) -> None:
    async with square(tmp_path, name) as made, made.world(tmp_path / "one") as world:
        thread = (await world.chat.create_thread(None, "Sums", provider=name, model=SERVERS[name]["model"])).thread
        for _ in range(2):
            assert (await _asked(world, thread.id, name)).status is Status.COMPLETE
        assert not made.refused
        await _summarise(world, thread.id, count=2)
        answer = await _asked(world, thread.id, name)
        assert answer.status is Status.COMPLETE, (answer.error_sentence, made.refused)
        assert answer.text == ANSWER
        assert all(CHANGED in why for why in made.refused)
        assert bool(made.refused) is (SERVERS[name]["preset"] == "anthropic")
