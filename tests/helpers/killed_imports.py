"""Kills a process in the middle of an import, again and again, over one database: nothing lost, nothing doubled.

Run as a program of its own, because forking a test runner with threads is not safe:
``python -m tests.helpers.killed_imports FOLDER CYCLES SEED``. Prints what was found as JSON.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import signal
import sys
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path

from chatdesk.core.attachments.blob_store import BlobStore
from chatdesk.core.clock import Clock
from chatdesk.core.events import EventBus
from chatdesk.core.storage.profile_database import ProfileDatabase
from chatdesk.core.storage.transfer.importing import ImportRepository
from chatdesk.core.transfer.imports.import_service import ImportService
from chatdesk.core.transfer.imports.report import ImportReport
from tests.helpers.checks import integrity_check
from tests.helpers.export_samples import plain_chatgpt


@dataclass
class Tally:
    """``problems`` are sentences; empty means that nothing was lost or doubled."""

    cycles: int = 0
    killed_in_the_middle: int = 0
    threads: int = 0
    messages: int = 0
    problems: list[str] = field(default_factory=list)


async def _import(folder: Path, source: Path) -> ImportReport:
    database = ProfileDatabase(folder / "chatdesk.db", clock=Clock(), backup_dir=folder / "backups")
    await database.open()
    try:
        service = ImportService(ImportRepository(database), BlobStore(folder / "blobs"), Clock(), EventBus())
        return await service.run(source)
    finally:
        await database.close()


async def _look(folder: Path) -> tuple[int, int, list[str]]:
    """Threads, messages and complaints."""
    database = ProfileDatabase(folder / "chatdesk.db", clock=Clock(), backup_dir=folder / "backups")
    report = await database.open()
    try:
        problems = await integrity_check(database)
        if report.warning:
            problems.append(report.warning)

        def count(conn: object) -> list[int]:
            return [conn.exec_driver_sql(sql).scalar() for sql in _QUESTIONS]  # type: ignore[attr-defined]

        threads, messages, *wrong = await database.read(count)
        names = ("counters", "shown counts", "doubled messages", "positions", "leaves", "unlogged messages")
        problems += [f"{number} wrong {name}" for number, name in zip(wrong, names, strict=True) if number]
        return threads, messages, problems
    finally:
        await database.close()


_QUESTIONS = (
    "SELECT count(*) FROM threads",
    "SELECT count(*) FROM messages",
    "SELECT count(*) FROM threads t WHERE message_count <> (SELECT count(*) FROM messages WHERE thread_id = t.id)",
    """SELECT count(*) FROM threads t WHERE shown_count <>
    (SELECT count(*) FROM messages WHERE thread_id = t.id AND on_path = 1)""",
    "SELECT count(*) - count(DISTINCT entity) FROM import_origins",
    "SELECT count(*) FROM messages m JOIN messages p ON p.id = m.parent_id WHERE m.position <> p.position + 1",
    """SELECT count(*) FROM threads t WHERE current_leaf_id IS NOT (SELECT id FROM messages WHERE thread_id = t.id
    AND on_path = 1 ORDER BY position DESC LIMIT 1)""",
    "SELECT count(*) FROM messages WHERE id NOT IN (SELECT entity FROM changes)",
)


def kill_repeatedly(folder: Path, *, cycles: int, seed: int) -> Tally:
    """Each cycle imports a newer export, which holds all that the older ones held and more, and is killed."""
    chance = random.Random(seed)
    tally = Tally()
    source = folder / "export.json"
    lengths = [chance.randint(1, 30) for _ in range(60)] + [900]
    before = 0
    for cycle in range(cycles):
        values = [plain_chatgpt(f"t{number}", turns + cycle // 5) for number, turns in enumerate(lengths)]
        source.write_text(json.dumps(values), encoding="utf-8")
        wanted = sum(2 * (turns + cycle // 5) for turns in lengths)
        if cycle % 5 == 0:
            # The import of an export that nothing was imported of yet, from its beginning.
            for left in folder.glob("chatdesk.db*"):
                left.unlink()
            before = 0
        was_killed = _one_life(folder, source, chance.uniform(0.1, 0.6))
        tally.cycles += 1
        threads, messages, problems = asyncio.run(_look(folder))
        tally.problems += problems
        tally.killed_in_the_middle += was_killed and before < messages < wanted
        if messages < before:
            tally.problems.append(f"{before - messages} messages are gone")
        before = messages
        if cycle % 5 == 4:
            asyncio.run(_import(folder, source))
            threads, messages, problems = asyncio.run(_look(folder))
            tally.problems += problems
            if (threads, messages) != (len(lengths), wanted):
                tally.problems.append(f"{threads} threads and {messages} messages where {wanted} were to be")
    tally.threads, tally.messages = threads, messages
    return tally


def _one_life(folder: Path, source: Path, life_s: float) -> bool:
    """Whether it was killed before it was through."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        try:
            os.write(writing, b".")
            asyncio.run(_import(folder, source))
        finally:
            os._exit(0)
    os.close(writing)
    os.read(reading, 1)
    os.close(reading)
    end = time.monotonic() + life_s
    while time.monotonic() < end:
        if os.waitpid(child, os.WNOHANG)[0]:
            return False
        time.sleep(0.002)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return True


if __name__ == "__main__":
    json.dump(asdict(kill_repeatedly(Path(sys.argv[1]), cycles=int(sys.argv[2]), seed=int(sys.argv[3]))), sys.stdout)
