"""Rows of a crowd: twenty members write in one project at once, for ten minutes."""

from __future__ import annotations

import asyncio
import random
import statistics
import time
from pathlib import Path

from chatdesk.core.events import MessageAdded, MessageChanged
from tests.benchmarks.table import Row
from tests.helpers.postgres import TeamDatabase, cluster
from tests.helpers.team_world import Desk, desks, until_same

_MEMBERS = 20
_THREADS = 10
# Twenty people who each send something every so many seconds, in the mean.
_PAUSE_S = 6.0
_MOST_MS = 1_000.0


def crowding(folder: Path, is_quick: bool) -> list[Row]:
    """All of them live in this process, so that latencies here are those of a busy computer."""
    folder.mkdir(parents=True)
    server = cluster()
    team = server.workspace_database()
    try:
        return asyncio.run(_crowd(folder, team, 30.0 if is_quick else 600.0))
    finally:
        server.drop(team)


async def _crowd(folder: Path, team: TeamDatabase, seconds: float) -> list[Row]:
    names = [f"member {number}" for number in range(1, _MEMBERS)]
    async with desks(folder, team, names) as (project, members):
        threads = [await members[0].thread(project, f"thread {number}") for number in range(_THREADS)]
        await until_same(project, members, 60)
        sent: dict[str, float] = {}
        late_ms: list[float] = []
        for member in members:
            _listen(member, sent, late_ms)
        end = time.monotonic() + seconds
        lives = [_live(member, threads, sent, end, seed) for seed, member in enumerate(members)]
        await asyncio.gather(*lives)
        await until_same(project, members, 120)
        digests = {await member.digest(project) for member in members}
        counts = {await member.one("SELECT count(*) FROM messages") for member in members}
    return [
        Row(f"messages of {_MEMBERS} members in {seconds:.0f} s", float(2 * len(sent)), "", "some", len(sent) > 0),
        Row("different profiles at the end", float(len(digests)), "", "1", len(digests) == 1),
        Row("messages that each has", float(max(counts)), "", "all", counts == {2 * len(sent)}),
        Row(
            "from a question to its place at another member (median)",
            statistics.median(late_ms),
            "ms",
            f"at most {_MOST_MS:.0f} ms, with all twenty on this computer",
            statistics.median(late_ms) <= _MOST_MS,
        ),
        Row("the same, 95th percentile", sorted(late_ms)[int(len(late_ms) * 0.95)], "ms", "told only", True),
    ]


def _listen(member: Desk, sent: dict[str, float], late_ms: list[float]) -> None:
    seen: set[str] = set()

    def note(event: MessageAdded | MessageChanged) -> None:
        began = sent.get(event.message.id)
        if began is not None and event.message.id not in seen and event.message.author_id is not None:
            seen.add(event.message.id)
            late_ms.append((time.monotonic() - began) * 1000)

    member.bus.subscribe(MessageAdded, note)
    member.bus.subscribe(MessageChanged, note)


async def _live(member: Desk, threads: list[str], sent: dict[str, float], end: float, seed: int) -> None:
    chance = random.Random(seed)
    while True:
        await asyncio.sleep(chance.expovariate(1 / _PAUSE_S))
        if time.monotonic() > end:
            return
        began = time.monotonic()
        question, _ = await member.ask(chance.choice(threads), f"{seed} says {chance.random()}")
        sent[question] = began
