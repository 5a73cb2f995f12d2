"""Kills ChatDesk in the middle of calls of tools, again and again, and looks at what is left and at what ran.

Each life is a forked child with the real services over one growing database and a real tool server, which writes down
each call that it runs. The model is scripted: it calls two tools at once, each call with a number of its own, and the
person allows each. The parent kills the child when a call runs, and reads the server's notes beside the database.

    python -m tests.helpers.killed_calls DIRECTORY KILLS SEED
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import signal
import sqlite3
import sys
import time
from collections import Counter
from collections.abc import AsyncGenerator
from contextlib import closing
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Final

from chatdesk.core.chat.chat_service import ChatService
from chatdesk.core.chat.tool_calls.port import ToolLimits
from chatdesk.core.clock import Clock
from chatdesk.core.domain.message import Message, PartType, Role
from chatdesk.core.domain.provider_profile import PLAIN
from chatdesk.core.domain.tools import Answer, open_calls
from chatdesk.core.events import AnswerFinished, ApprovalAsked, EventBus
from chatdesk.core.providers.base import (
    ChatRequest,
    FinishReason,
    ListedModel,
    StreamEvent,
    StreamFinished,
    TextDelta,
    ToolCallDelta,
)
from chatdesk.core.providers.registry import ProviderRegistry
from chatdesk.core.storage.profile_database import ProfileDatabase
from chatdesk.core.storage.repositories import Repositories
from chatdesk.core.tools.tool_service import ToolService
from tests.helpers.tools_world import processes_with, server, tool_service

# A child has to start, and its tool server too.
_PATIENCE_S: Final = 60.0
# A call lasts so long that some are killed while they run, and some between two.
_CALL_S: Final = 0.08


@dataclass
class Tally:
    """What a series of kills found. ``problems`` are sentences; empty means that nothing was repeated or hidden.
    ``unknown`` counts the calls that were cut off and are shown so."""

    kills: int = 0
    calls: int = 0
    unknown: int = 0
    problems: list[str] = field(default_factory=list)


class _CallingModel:
    """Calls two tools in each step, for ever; ``first`` is a number that no call had before."""

    name = label = "calling"
    dialect = PLAIN

    def __init__(self, first: int) -> None:
        self._next = first

    async def list_models(self) -> tuple[ListedModel, ...]:
        return (ListedModel("small", "Small"),)

    async def stream(self, request: ChatRequest) -> AsyncGenerator[StreamEvent, None]:
        if sum(each.role is Role.TOOL for each in request.messages) > 4:
            yield TextDelta("That is enough.")
            yield StreamFinished(FinishReason.STOP)
            return
        for index in range(2):
            arguments = json.dumps({"seconds": _CALL_S, "number": self._next})
            yield ToolCallDelta(index, f"c{self._next}", "notes__sleep", arguments)
            self._next += 1
        yield StreamFinished(FinishReason.TOOL_CALLS)

    async def close(self) -> None:
        pass


async def _open(directory: Path, model: _CallingModel) -> tuple[ProfileDatabase, EventBus, ChatService]:
    database = ProfileDatabase(directory / "chatdesk.db", clock=Clock(), backup_dir=directory / "backups")
    await database.open()
    bus = EventBus()
    providers = ProviderRegistry([model], model.name, "small")
    chat = ChatService(repositories=Repositories.of(database), providers=providers, bus=bus, clock=Clock())
    return database, bus, chat


async def _live(directory: Path, first: int) -> None:
    """Ask one question after the other, and allow each call, until somebody kills this process."""
    _database, bus, chat = await _open(directory, _CallingModel(first))
    finished = asyncio.Event()
    bus.subscribe(AnswerFinished, lambda _event: finished.set())
    bus.subscribe(
        ApprovalAsked,
        lambda event: asyncio.get_running_loop().call_soon(chat.tools.approvals.answer, event.request.id, Answer.ONCE),
    )
    async with tool_service(directory, bus=bus) as tools:
        await tools.save(server(log=directory / "log"))

        async def load() -> ToolService:
            return tools

        chat.tools.use(load, ToolLimits)
        while True:
            await chat.create_thread(None, "", "Call them.")
            await finished.wait()
            finished.clear()


def kill_repeatedly(directory: Path, *, kills: int, seed: int) -> Tally:
    chance, tally = random.Random(seed), Tally()
    for kill in range(kills):
        before = len(_ran(directory))
        child = os.fork()
        if child == 0:
            try:
                asyncio.run(_live(directory, _first(kill)))
            finally:
                os._exit(1)
        give_up_at = time.monotonic() + _PATIENCE_S
        wanted = before + chance.randint(1, 5)
        while len(_ran(directory)) < wanted and time.monotonic() < give_up_at:
            time.sleep(0.001)
        time.sleep(chance.choice((0.0, 0.0, chance.uniform(0, 2 * _CALL_S))))
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        if len(_ran(directory)) < wanted:
            tally.problems.append("no call was made")
        tally.kills += 1
        while processes_with(str(directory / "log")):  # until they are gone they may run what they were sent
            if time.monotonic() > give_up_at + 10:
                tally.problems.append("a tool server outlived ChatDesk by ten seconds")
                break
            time.sleep(0.01)
        asyncio.run(_look(directory, tally, first=_first(kill)))
    tally.calls = len(_ran(directory))
    return tally


def _first(kill: int) -> int:
    """Return the number of the first call in a life."""
    return 1_000 * kill


def _ran(directory: Path) -> list[int]:
    """Return the numbers of the calls that the server ran, as it noted them."""
    log = directory / "log"
    lines = log.read_text("utf-8").split("\n")[:-1] if log.exists() else []
    return [json.loads(line)[1]["number"] for line in lines]


async def _look(directory: Path, tally: Tally, *, first: int) -> None:
    """Start again, and compare what is shown of the last life with what ran in all; ``first`` was its first call."""
    database, _bus, chat = await _open(directory, _CallingModel(0))
    try:
        ran = Counter(_ran(directory))
        tally.problems += [f"call {number} ran {count} times" for number, count in ran.items() if count > 1]
        with closing(sqlite3.connect(directory / "chatdesk.db")) as conn:
            ids = conn.execute("SELECT id FROM messages WHERE role = 'assistant' ORDER BY created_at DESC LIMIT 9")
            answers = [await chat.reader.get_message(row[0]) for row in ids.fetchall()]
        shown: dict[int, str] = {}
        for answer in answers:
            shown |= _shown(answer)
        for number in (each for each in ran if each >= first):
            status = shown.get(number, "not shown")
            tally.unknown += status == "unknown"
            if status not in ("done", "unknown"):
                tally.problems.append(f"call {number} ran and is shown as: {status}")
    finally:
        await chat.close()
        await database.close()


def _shown(answer: Message) -> dict[int, str]:
    """Return the states in which an answer shows its calls, by the numbers of the calls. One that is unknown has to be
    one that a person can decide about."""
    can_be_decided = {part.id for part in open_calls(answer)}
    states = {}
    for part in answer.parts:
        if part.type is PartType.TOOL_CALL:
            status = str(part.content.get("status"))
            is_hidden = status == "unknown" and part.id not in can_be_decided
            number = json.loads(str(part.content["arguments"]))["number"]
            states[number] = "unknown, without a way to decide" if is_hidden else status
    return states


if __name__ == "__main__":
    # A process of its own: forking a test runner with threads is not safe.
    json.dump(asdict(kill_repeatedly(Path(sys.argv[1]), kills=int(sys.argv[2]), seed=int(sys.argv[3]))), sys.stdout)
