"""Rows of the context: making a request after one new message, and the meter while typing, in long threads."""

from __future__ import annotations

import json
from pathlib import Path

from tests.benchmarks.processes import python
from tests.benchmarks.table import Row, against


def building(folder: Path, is_quick: bool) -> list[Row]:
    folder.mkdir(parents=True)
    large = 10_000 if is_quick else 100_000
    rounds = 30 if is_quick else 100
    found = json.loads(python("-c", _BUILD, str(folder / "chatdesk.db"), str(large), str(rounds)).splitlines()[-1])
    name = f"request after one message, {large:,} messages"
    return [
        Row(name, found["large_ms"], "ms", "at most 10 ms median", found["large_ms"] <= 10),
        against(
            f"{name}, against 1,000",
            found["large_ms"],
            found["small_ms"],
            unit="ms",
            most=1.5,
            goal="at most 1.5 times",
        ),
        Row(
            f"meter after one key, {large:,} messages",
            found["key_ms"],
            "ms",
            "at most 8 ms",
            found["key_ms"] <= 8,
        ),
    ]


def summarising(folder: Path, is_quick: bool) -> list[Row]:
    folder.mkdir(parents=True)
    messages, seconds = ("2000", "4") if is_quick else ("10000", "20")
    found = json.loads(
        python("-m", "tests.benchmarks.summary_probe", str(folder / "chatdesk.db"), messages, seconds).splitlines()[-1]
    )
    return [
        Row(
            "loop lateness while summarising, p99",
            found["busy_ms"],
            "ms",
            "below 8 ms",
            found["busy_ms"] < 8,
            found["rest_ms"],
            found["busy_ms"] / found["rest_ms"],
        )
    ]


_BUILD = """
import asyncio, json, statistics, sys, time
from pathlib import Path
from chatdesk.core.chat.context.shipped import shipped_context
from chatdesk.core.chat.chat_service import ChatService
from chatdesk.core.clock import Clock
from chatdesk.core.domain.turn import AnswerPlan
from chatdesk.core.events import EventBus, MessageAdded
from tests.helpers.registries import build_registry
from chatdesk.core.storage.profile_database import ProfileDatabase
from chatdesk.core.storage.repositories import Repositories
from tests.helpers.bulk_data import load_many

async def main(path, large, rounds):
    db = ProfileDatabase(path, clock=Clock(), backup_dir=path.parent / "backups")
    await db.open()
    ids = {"small": (await load_many(db, threads=1, messages_per_thread=1000))[0],
           "large": (await load_many(db, threads=1, messages_per_thread=large))[0]}
    repositories, bus = Repositories.of(db), EventBus()
    registry = build_registry(openai_api_key="k", openai_base_url=None, model="gpt-4o", offline_speed=None)
    context = shipped_context(repositories, registry, bus, Clock())
    await context.models.load_encoding("gpt-4o")
    found = {}
    times = {"small": [], "large": []}
    for number in range(rounds + 1):
        for name, thread in ids.items():
            question, answer, _ = await repositories.messages.add_question(
                thread, f"one more question {number}", with_answer=AnswerPlan("openai", "gpt-4o"))
            bus.publish(MessageAdded(question)); bus.publish(MessageAdded(answer))
            began = time.perf_counter()
            request = await context.request_for(answer)
            times[name].append(time.perf_counter() - began)
            assert request.messages[-1].text == f"one more question {number}"
    for name in ids:
        found[name + "_ms"] = statistics.median(times[name][1:]) * 1000
        found[name + "_first_ms"] = times[name][0] * 1000
    keys = []
    for number in range(rounds):
        began = time.perf_counter()
        await context.totals(ids["large"], "a draft of some words " * number)
        keys.append(time.perf_counter() - began)
    found["key_ms"] = statistics.median(keys[1:]) * 1000
    found["sent"] = len(request.messages)
    await context.close(); await db.close()
    print(json.dumps(found))

asyncio.run(main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])))
"""
