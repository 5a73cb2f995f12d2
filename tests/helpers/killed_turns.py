"""Kills a process in the middle of streamed answers, again and again, and looks at what is left.

A zygote with everything imported is forked for each cycle, so that a cycle costs what a turn costs and not what Python
costs. The child runs the real service over the real database with the offline provider and reports, over a pipe, what
it was told was saved and what was shown. The parent kills it at a random moment and reads both the pipe and the file.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import select
import signal
import sqlite3
import time
from dataclasses import dataclass, field
from pathlib import Path

from chatdesk.core.chat.chat_service import ChatService
from chatdesk.core.clock import Clock
from chatdesk.core.events import AnswerFinished, EventBus, TextStreamed
from chatdesk.core.providers.offline.provider import OfflineProvider
from chatdesk.core.providers.registry import ProviderRegistry
from chatdesk.core.storage.engine.database import Database
from chatdesk.core.storage.profile_database import ProfileDatabase
from chatdesk.core.storage.repositories import Repositories
from tests.helpers.checks import integrity_check, quick_check

# The last pieces shown of an answer that may wait for the storage: the fourth is shown after the first is stored,
# however slow the machine is. How long they wait is a matter of ``tests/core/chat/test_turn.py``.
NEWEST_PIECES = 3


@dataclass
class Tally:
    """What a series of kills found. ``problems`` are sentences; empty means that nothing was lost."""

    cycles: int = 0
    acknowledged: int = 0
    shown_characters: int = 0
    killed_while_streaming: int = 0
    problems: list[str] = field(default_factory=list)


async def _chat_on(path: Path) -> tuple[Database, EventBus, ChatService]:
    database = ProfileDatabase(path, clock=Clock(), backup_dir=path.parent / "backups")
    await database.open()
    bus = EventBus()
    provider = OfflineProvider(speed_tokens_per_s=800)
    chat = ChatService(
        repositories=Repositories.of(database),
        providers=ProviderRegistry([provider], provider.name, "offline-demo"),
        bus=bus,
        clock=Clock(),
    )
    return database, bus, chat


async def _live(path: Path, pipe: int) -> None:
    def tell(**what: object) -> None:
        os.write(pipe, json.dumps(what).encode() + b"\n")

    _database, bus, chat = await _chat_on(path)
    done = asyncio.Event()
    bus.subscribe(TextStreamed, lambda event: tell(shown=event.delta, message=event.message_id))
    bus.subscribe(
        AnswerFinished, lambda event: (tell(finished=event.message.text, message=event.message.id), done.set())
    )
    tell(ready=True)
    number = 0
    while True:
        number += 1
        text = f"/demo long {number} {os.getpid()}"
        created = await chat.create_thread(None, "", text)
        assert created.question is not None and created.answer is not None
        tell(saved=text, message=created.question.id)
        await done.wait()
        done.clear()


def kill_repeatedly(directory: Path, *, cycles: int, seed: int) -> Tally:
    """``cycles`` kills over one growing database. Deterministic but for the scheduler."""
    chance = random.Random(seed)
    tally = Tally()
    path = directory / "chatdesk.db"
    for cycle in range(cycles):
        # Every other life is counted from its first shown text: on a busy machine, none comes soon after the start.
        events = _one_life(path, chance.uniform(0.01, 0.45), after=b'"shown"' if cycle % 2 else b'"ready"')
        tally.cycles += 1
        _compare(path, events, tally, is_thorough=cycle % 10 == 0 or cycle == cycles - 1)
    return tally


def _one_life(path: Path, life_s: float, *, after: bytes) -> list[dict[str, object]]:
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        try:
            asyncio.run(_live(path, writing))
        finally:
            os._exit(1)
    os.close(writing)
    data = bytearray()
    kill_at: float | None = None
    try:
        give_up_at = time.monotonic() + 30
        while time.monotonic() < (kill_at or give_up_at):
            ready, _, _ = select.select([reading], [], [], 0.005)
            if ready:
                piece = os.read(reading, 1 << 16)
                if not piece:
                    break
                data += piece
                if kill_at is None and after in data:
                    kill_at = time.monotonic() + life_s
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        while piece := os.read(reading, 1 << 16):
            data += piece
    finally:
        os.close(reading)
    lines = data.decode().split("\n")
    return [json.loads(line) for line in lines[:-1]]


def _compare(path: Path, events: list[dict[str, object]], tally: Tally, *, is_thorough: bool) -> None:
    if not any("ready" in event for event in events):
        tally.problems.append("the process did not start")
        return
    pieces: dict[str, list[str]] = {}
    finished: dict[str, str] = {}
    saved: dict[str, str] = {}
    for event in events:
        message = str(event.get("message"))
        if "saved" in event:
            saved[message] = str(event["saved"])
        elif "finished" in event:
            finished[message] = str(event["finished"])
        elif "shown" in event:
            pieces.setdefault(message, []).append(str(event["shown"]))
    shown = {message: "".join(texts[:-NEWEST_PIECES]) for message, texts in pieces.items()}
    tally.acknowledged += len(saved) + len(finished)
    tally.shown_characters += sum(map(len, shown.values()))
    tally.killed_while_streaming += any(message not in finished for message in pieces)
    asyncio.run(_check(path, saved, shown, finished, tally, is_thorough))


async def _check(
    path: Path,
    saved: dict[str, str],
    shown: dict[str, str],
    finished: dict[str, str],
    tally: Tally,
    is_thorough: bool,
) -> None:
    database, _bus, chat = await _chat_on(path)
    try:
        for message_id, text in saved.items():
            if (await chat.reader.get_message(message_id)).text != text:
                tally.problems.append(f"acknowledged question {message_id} is not there as it was")
        for message_id, text in finished.items():
            message = await chat.reader.get_message(message_id)
            if message.text != text or message.status.value != "complete":
                tally.problems.append(f"finished answer {message_id} is not there as it was")
        for message_id, text in shown.items():
            message = await chat.reader.get_message(message_id)
            if not message.text.startswith(text):
                tally.problems.append(f"{len(text) - len(message.text)} shown characters of {message_id} are missing")
            if message_id not in finished and message.status.value not in ("interrupted", "complete"):
                tally.problems.append(f"unfinished answer {message_id} is {message.status.value}")
        damage = await (integrity_check(database) if is_thorough else quick_check(database))
        tally.problems += [f"damage: {text}" for text in damage]
    finally:
        await chat.close()
        await database.close()
    with sqlite3.connect(path) as conn:
        left = conn.execute("SELECT count(*) FROM messages WHERE status IN ('pending', 'streaming')").fetchone()[0]
        if left:
            tally.problems.append(f"{left} turns were not recovered")
    conn.close()


if __name__ == "__main__":
    # A process of its own: forking a test runner with threads is not safe.
    import sys

    result = kill_repeatedly(Path(sys.argv[1]), cycles=int(sys.argv[2]), seed=int(sys.argv[3]))
    json.dump(result.__dict__, sys.stdout)
