"""What a provider that never gets a project's files is sent, on every way out: nothing of them.

The table has each way × allowed or forbidden; a server on loopback records what really leaves.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from chatdesk.core.domain.knowledge import PassageChoice
from chatdesk.core.domain.message import Status
from chatdesk.core.domain.tools import Answer
from chatdesk.core.events import ApprovalAsked
from tests.helpers.fault_server import Exchange
from tests.helpers.files_world import LEAVE, MODEL, FilesWorld, files_world

_QUESTION = "How many days of paid holiday are there?"
_SECRET = "thirty days of paid holiday"
_SEARCH = "chatdesk-files__search_project_files"
_READ = "chatdesk-files__read_project_file"


async def _script(exchange: Exchange) -> None:
    """Search the files where that is possible and asked for, read on once; else answer without quoting anything."""
    body = exchange.request.json
    await exchange.start()
    said = json.dumps(body["messages"])
    names = [each["function"]["name"] for each in body.get("tools", ())]
    results = [each for each in body["messages"] if each["role"] == "tool"]
    if _SEARCH in names and "use tools" in said and len(results) < 2:
        name, arguments = (_READ, {"passage": "1.0"}) if results else (_SEARCH, {"question": _QUESTION})
        function = {"name": name, "arguments": json.dumps(arguments)}
        await exchange.delta(
            tool_calls=[{"index": 0, "id": f"c{len(results)}", "type": "function", "function": function}]
        )
        await exchange.finish("tool_calls")
        return
    await exchange.delta(content="As it says there, and nothing more than that.")
    await exchange.finish()


async def _ask(world: FilesWorld) -> None:
    await world.ask(await world.thread(), _QUESTION, "second")


async def _whole_file(world: FilesWorld) -> None:
    world.write("leave.md", f"# Leave\n\n{LEAVE}\n\n# More\n\n{'word ' * 500}")
    await world.read()
    await _ask(world)


async def _pinned(world: FilesWorld) -> None:
    thread = await world.thread()
    row = (await world.found(thread, _QUESTION)).rows[0]
    await world.services.chat.context.project_files.choose(thread, row.place, PassageChoice.PINNED)
    await world.ask(thread, "Quel temps fait-il aujourd'hui?", "second")


async def _thread_of_provider(world: FilesWorld) -> None:
    await world.ask(await world.thread("second"), _QUESTION)


async def _first_question(world: FilesWorld) -> None:
    made = await world.services.chat.create_thread(world.project_id, "", _QUESTION, provider="second", model=MODEL)
    await world.finished(made)


async def _regenerated(world: FilesWorld) -> None:
    answer = await world.ask(await world.thread(), _QUESTION)
    await world.finished(await world.services.chat.regenerate_response(answer.id, provider="second", model=MODEL))


async def _edited(world: FilesWorld) -> None:
    answer = await world.ask(await world.thread("second"), "Hello")
    assert answer.parent_id is not None
    await world.finished(await world.services.chat.edit_message(answer.parent_id, _QUESTION))


async def _compared(world: FilesWorld) -> None:
    thread = await world.thread()
    made = await world.services.chat.compare(thread, _QUESTION, [("first", MODEL), ("second", MODEL)])
    for each in made.answers:
        await world.finished(each)


async def _tools(world: FilesWorld) -> None:
    await world.ask(await _with_tools(world, "second"), f"{_QUESTION} use tools")


async def _tools_before(world: FilesWorld) -> None:
    """Another provider read the files, and this one answers later."""
    thread = await _with_tools(world, "first")
    await world.ask(thread, f"{_QUESTION} use tools")
    assert _SECRET in json.dumps(world.bodies("first"))
    await world.ask(thread, "Thank you, and good bye for today.", "second")


async def _retried(world: FilesWorld) -> None:
    """An answer of another provider broke off after it had read the files, and this one goes on."""

    async def broken(exchange: Exchange) -> None:
        if any(each["role"] == "tool" for each in exchange.request.json["messages"]):
            await exchange.start()
            await exchange.delta(content="It says")
            exchange.reset()
        else:
            await _script(exchange)

    thread = await _with_tools(world, "first")
    world.servers["first"].play(broken)
    answer = await world.ask(thread, f"{_QUESTION} use tools")
    assert answer.status is Status.ERROR
    await world.finished(await world.services.chat.continue_message(answer.id, provider="second", model=MODEL))


async def _with_tools(world: FilesWorld, provider: str) -> str:
    thread = await world.thread(provider)
    tools = await world.services.tools.load()
    await tools.switch("chatdesk-files", is_on=True)
    await tools.choose(Answer.THREAD, thread, ["chatdesk-files"])
    approvals = world.services.chat.tools.approvals
    approvals.attend()
    world.services.events.subscribe(
        ApprovalAsked,
        lambda event: asyncio.get_running_loop().call_soon(approvals.answer, event.request.id, Answer.ONCE),
    )
    return thread


# way out × is the text in what an allowed provider gets?
_WAYS: dict[str, tuple[Callable[[FilesWorld], Awaitable[None]], bool]] = {
    "a question": (_ask, True),
    "a whole file": (_whole_file, True),
    "a pinned passage": (_pinned, True),
    "the thread's provider": (_thread_of_provider, True),
    "a first question": (_first_question, True),
    "another answer": (_regenerated, True),
    "an edited question": (_edited, True),
    "a comparison": (_compared, True),
    "tools": (_tools, True),
    "tools of another provider": (_tools_before, True),
    "an answer that goes on": (_retried, True),
}


@pytest.mark.parametrize("is_denied", [False, True], ids=["allowed", "forbidden"])
@pytest.mark.parametrize("way", _WAYS)
async def test_a_provider_gets_the_files_or_never(tmp_path: Path, way: str, is_denied: bool) -> None:
    go, is_sent = _WAYS[way]
    async with files_world(tmp_path, scripts=[_script]) as world:
        await world.services.knowledge.choices.deny(world.project_id, "second", is_denied=is_denied)
        await go(world)
        assert world.bodies("second"), "it was asked"
        sent = json.dumps(world.bodies("second"))
        assert (_SECRET in sent) is (is_sent and not is_denied)
        if is_denied:
            assert "Leave" not in sent and "leave.md" not in sent
