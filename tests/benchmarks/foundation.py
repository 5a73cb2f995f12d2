"""Rows of the foundation: starting, memory, the newest page, streaming from the offline provider, kill -9."""

from __future__ import annotations

import json
import statistics
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.benchmarks.processes import python
from tests.benchmarks.table import Row, against


def start_and_memory(folder: Path, is_quick: bool) -> list[Row]:
    """Starts in turn, bare, small, in German, large, so that a drifting machine drifts for all of them."""
    small, large = folder / "small", folder / "large"
    threads = 1000 if is_quick else 10_000
    for directory, count in ((small, 1), (large, threads)):
        directory.mkdir(parents=True)
        python("-c", _FILL, str(directory / "chatdesk.db"), str(count), "10")
    rounds = 3 if is_quick else 9
    bare: list[Any] = []
    on_small: list[Any] = []
    in_german: list[Any] = []
    on_large: list[Any] = []
    for _ in range(rounds + 1):
        bare.append(start("bare"))
        on_small.append(start("app", str(small)))
        in_german.append(start("app", str(small), more={"CHATDESK_LANGUAGE": "de"}))
        on_large.append(start("app", str(large)))

    def median(found: list[Any], key: str) -> float:
        return statistics.median(each[key] for each in found[1:])  # the first warms the file cache

    heavy = sorted({name for each in on_large for name in each["heavy"]})
    extra_mb = median(on_large, "memory_mb") - median(bare, "memory_mb")
    messages = threads * 10
    return [
        against(
            f"start to typing, {messages:,} messages (wall)",
            median(on_large, "seconds") * 1000,
            median(bare, "seconds") * 1000,
            unit="ms",
            most=2.2,
            goal="at most 2.2 bare windows",
        ),
        against(
            f"start to typing, {messages:,} messages (CPU)",
            median(on_large, "cpu_seconds") * 1000,
            median(bare, "cpu_seconds") * 1000,
            unit="ms",
            most=2.2,
            goal="at most 2.2 bare windows",
        ),
        against(
            f"start, {messages:,} messages against 10 (CPU)",
            median(on_large, "cpu_seconds") * 1000,
            median(on_small, "cpu_seconds") * 1000,
            unit="ms",
            most=1.1,
            goal="within 10 %",
        ),
        against(
            "start to typing, in German against English (CPU)",
            median(in_german, "cpu_seconds") * 1000,
            median(on_small, "cpu_seconds") * 1000,
            unit="ms",
            most=1.1,
            goal="within 10 %",
        ),
        Row(
            f"memory at idle above bare, {messages:,} messages",
            extra_mb,
            "MB",
            "at most 90 MB",
            extra_mb <= 90,
            median(bare, "memory_mb"),
        ),
        Row("heavy packages before typing", len(heavy), "", f"none ({', '.join(heavy) or 'none'})", not heavy),
    ]


def newest_page(folder: Path, is_quick: bool) -> list[Row]:
    folder.mkdir(parents=True)
    threads = 1000 if is_quick else 10_000
    found = json.loads(python("-c", _PAGES, str(folder / "chatdesk.db"), str(threads), "100"))
    return [
        Row(
            f"newest page of {threads * 100:,} messages, at the service",
            found["service_ms"],
            "ms",
            "at most 5 ms median",
            found["service_ms"] <= 5,
            found["bare_ms"],
            found["service_ms"] / found["bare_ms"],
        )
    ]


def streaming(folder: Path, is_quick: bool) -> list[Row]:
    rows: list[Row] = []
    questions = {"long answer": "/demo long", "code": "/demo code"}
    for name, question in questions.items():
        all_found = []
        for number in range(2 if is_quick else 5):
            data = folder / f"{name.replace(' ', '-')}-{number}"
            all_found.append(json.loads(python("-m", "tests.benchmarks.stream_probe", str(data), question)))
        per_second = statistics.median(each["characters"] / each["seconds"] for each in all_found)
        p99 = statistics.median(_p99(each["slices_ms"]) for each in all_found)
        largest = statistics.median(max(each["slices_ms"]) for each in all_found)
        turn = statistics.median(max(each["turns_ms"]) for each in all_found)
        label = f"GUI thread (CPU), {name}, {per_second:.0f} characters/s"
        rows.append(Row(f"{label}, slice, p99", p99, "ms", "below 8 ms", p99 < 8))
        rows.append(Row(f"{label}, slice, largest", largest, "ms", "none above 16 ms", largest <= 16))
        rows.append(Row(f"{label}, turn of the loop, largest", turn, "ms", "none above 8 ms", turn <= 8))
    return rows


def _p99(values: list[float]) -> float:
    return sorted(values)[int(len(values) * 0.99)]


def killing(folder: Path, is_quick: bool) -> list[Row]:
    folder.mkdir(parents=True)
    cycles = 50 if is_quick else 500
    tally = json.loads(python("-m", "tests.helpers.killed_turns", str(folder), str(cycles), str(int(time.time()))))
    for problem in tally["problems"][:10]:
        print(problem, file=sys.stderr)
    name = f"kill -9 x {cycles}: {tally['acknowledged']} acknowledged, {tally['shown_characters']:,} characters shown"
    lost = len(tally["problems"])
    return [Row(name, lost, "lost", "nothing lost", lost == 0)]


def losing_power(folder: Path, is_quick: bool) -> list[Row]:
    states = 200 if is_quick else 2000
    found = json.loads(python("-m", "tests.helpers.power_loss", str(folder), str(states), str(int(time.time()))))
    for problem in found["lost"][:10]:
        print(problem, file=sys.stderr)
    name = f"power lost in {states} states: {found['told']} things were told"
    return [Row(name, len(found["lost"]), "lost", "nothing lost", not found["lost"])]


_FILL = """
import asyncio, sys
from pathlib import Path
from tests.helpers.bulk_data import make_database
asyncio.run(make_database(Path(sys.argv[1]), threads=int(sys.argv[2]), messages_per_thread=int(sys.argv[3])))
"""

_PAGES = """
import asyncio, json, sqlite3, statistics, sys, time
from pathlib import Path
from chatdesk.core.chat.chat_service import ChatService
from chatdesk.core.clock import Clock
from chatdesk.core.events import EventBus
from tests.helpers.registries import build_registry
from chatdesk.core.storage.profile_database import ProfileDatabase
from chatdesk.core.storage.repositories import Repositories
from tests.helpers.bulk_data import make_database

async def main(path, threads, messages):
    ids = await make_database(path, threads=threads, messages_per_thread=messages)
    db = ProfileDatabase(path, clock=Clock(), backup_dir=path.parent / "backups")
    await db.open()
    registry = build_registry(openai_api_key=None, openai_base_url=None, model=None, offline_speed=None)
    chat = ChatService(repositories=Repositories.of(db), providers=registry, bus=EventBus(), clock=Clock())
    conn = sqlite3.connect(path)
    service, bare = [], []
    step = max(1, len(ids) // 400)
    for thread in ids[::step]:
        began = time.perf_counter(); page = await chat.reader.get_thread_messages(thread, 50); service.append(time.perf_counter() - began)
        assert len(page.messages) == 50
        began = time.perf_counter()
        rows = conn.execute("select * from messages where thread_id = ? and on_path = 1 and deleted_at is null "
                            "order by position desc limit 50", (thread,)).fetchall()
        conn.execute(f"select * from message_parts where message_id in ({','.join('?' * 50)})", [r[0] for r in rows]).fetchall()
        bare.append(time.perf_counter() - began)
    conn.close()
    await chat.close(); await db.close()
    print(json.dumps({"service_ms": statistics.median(service) * 1000, "bare_ms": statistics.median(bare) * 1000}))

asyncio.run(main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])))
"""


def start(*arguments: str, more: Mapping[str, str] | None = None) -> Any:
    """One start, as ``start_probe`` measured it."""
    kind, *rest = arguments
    said = python("-m", "tests.benchmarks.start_probe", kind, repr(time.monotonic()), *rest, more=more)
    return json.loads(said.splitlines()[-1])
