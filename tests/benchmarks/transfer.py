"""Rows of bringing in: messages a second beside bare inserts, memory, what a question waits in the meantime, and
kills."""

from __future__ import annotations

import asyncio
import json
import sqlite3
import statistics
import time
from contextlib import closing
from pathlib import Path

from chatdesk.core.attachments.blob_store import BlobStore
from chatdesk.core.clock import Clock
from chatdesk.core.events import EventBus
from chatdesk.core.ids import new_id
from chatdesk.core.storage.chat.messages import MessageRepository
from chatdesk.core.storage.chat.projects import ProjectRepository
from chatdesk.core.storage.chat.threads import ThreadRepository
from chatdesk.core.storage.profile_database import ProfileDatabase
from chatdesk.core.storage.transfer.importing import ImportRepository
from chatdesk.core.transfer.imports.import_service import ImportService
from tests.benchmarks.processes import python
from tests.benchmarks.table import Row
from tests.helpers.export_samples import large_chatgpt

_GROWTH = """
import asyncio, json, sys
from pathlib import Path
from tests.benchmarks.processes import peak_mb
from tests.benchmarks.transfer import bring
folder, source = Path(sys.argv[1]), Path(sys.argv[2])
messages, seconds, waits = asyncio.run(bring(folder, source, is_asking=len(sys.argv) > 3))
peak = peak_mb()
print(json.dumps({"messages": messages, "seconds": seconds, "waits": waits, "peak_mb": peak}))
"""


def importing(folder: Path, is_quick: bool) -> list[Row]:
    folder.mkdir(parents=True)
    threads = 100 if is_quick else 1_000
    source = large_chatgpt(folder / "conversations.json", threads=threads, messages=100)
    bare_s = _bare_inserts(folder / "bare.db", source)
    found = json.loads(python("-c", _GROWTH, str(folder / "data"), str(source)).splitlines()[-1])
    again = json.loads(python("-c", _GROWTH, str(folder / "data"), str(source)).splitlines()[-1])
    asked = json.loads(python("-c", _GROWTH, str(folder / "asked"), str(source), "asking").splitlines()[-1])
    count = threads * 100
    rate, bare_rate = found["messages"] / found["seconds"], count / bare_s
    worst = max(asked["waits"], default=0.0) * 1000
    usual = statistics.median(asked["waits"]) * 1000
    killed = json.loads(
        python("-m", "tests.helpers.killed_imports", str(_made(folder / "killed")), "10" if is_quick else "50", "5")
    )
    return [
        Row(
            f"import {count:,} messages of ChatGPT's export",
            rate,
            "/s",
            "at least 10,000 a second; yardstick: JSON decoded and inserted bare",
            rate >= 10_000,
            bare_rate,
            rate / bare_rate,
        ),
        Row(
            f"import {source.stat().st_size / 1e6:,.0f} MB, greatest memory",
            found["peak_mb"],
            "MB",
            "at most 400 MB",
            found["peak_mb"] <= 400,
        ),
        Row("a question asked while importing is stored after (median)", usual, "ms", "at most 50 ms", usual <= 50),
        Row("a question asked while importing waits at most", worst, "ms", "at most 50 ms", worst <= 50),
        Row("the same file again adds", again["messages"], "messages", "nothing", again["messages"] == 0),
        Row(
            f"killed while importing, {killed['cycles']} times: problems",
            len(killed["problems"]),
            "",
            "nothing lost, nothing doubled",
            not killed["problems"],
        ),
    ]


async def bring(folder: Path, source: Path, *, is_asking: bool) -> tuple[int, float, list[float]]:
    """Import a file and, if wanted, ask something every 50 ms in the meantime. Returns messages, seconds, and how long
    each question took to be stored."""
    folder.mkdir(parents=True, exist_ok=True)
    database = ProfileDatabase(folder / "chatdesk.db", clock=Clock(), backup_dir=folder / "backups")
    await database.open()
    waits: list[float] = []
    try:
        project = await ProjectRepository(database).default()
        thread = await ThreadRepository(database).create(project.id, "Asked", provider=None, model=None)
        messages = MessageRepository(database)

        async def ask() -> None:
            while is_asking:
                await asyncio.sleep(0.05)
                began = time.perf_counter()
                await messages.add_question(thread.id, "How long does this take?", with_answer=None)
                waits.append(time.perf_counter() - began)

        asking = asyncio.ensure_future(ask())
        service = ImportService(ImportRepository(database), BlobStore(folder / "blobs"), Clock(), EventBus())
        began = time.perf_counter()
        report = await service.run(source)
        seconds = time.perf_counter() - began
        asking.cancel()
        return report.messages, seconds, waits
    finally:
        await database.close()


def _bare_inserts(path: Path, source: Path) -> float:
    """Seconds that decoding the file and inserting its messages take without all else: one table, its key, its text."""
    began = time.perf_counter()
    with closing(sqlite3.connect(path)) as conn:
        conn.execute("PRAGMA journal_mode=WAL")
        conn.execute("CREATE TABLE messages (id TEXT PRIMARY KEY, parent TEXT, role TEXT, at INTEGER, text TEXT)")
        for conversation in json.loads(source.read_text(encoding="utf-8")):
            rows = [
                (
                    new_id(),
                    each["parent"],
                    message["author"]["role"],
                    message["create_time"],
                    message["content"]["parts"][0],
                )
                for each in conversation["mapping"].values()
                if (message := each["message"]) is not None
            ]
            with conn:
                conn.executemany("INSERT INTO messages VALUES (?, ?, ?, ?, ?)", rows)
    return time.perf_counter() - began


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder
