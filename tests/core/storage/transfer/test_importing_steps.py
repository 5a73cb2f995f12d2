"""Between any two steps of an import all is reachable, and at the end the thread is the one that one step makes."""

from __future__ import annotations

import asyncio
import random
import threading
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from chatdesk.core.domain.imported import ImportedMessage, ImportedPart, ImportedThread
from chatdesk.core.domain.message import PartType, Role
from chatdesk.core.storage.transfer.import_rows import Step, make_rows
from chatdesk.core.storage.transfer.importing import ImportRepository
from chatdesk.core.transfer.imports.import_service import ImportService
from tests.helpers.export_samples import START_S, chatgpt, node, plain_chatgpt
from tests.helpers.import_world import ImportWorld, import_world

AfterStep = Callable[[str], Coroutine[Any, Any, None]]


class _MessageByMessage(ImportRepository):
    """Writes one message a step and calls ``after_step`` with the thread, as if a kill left it so."""

    after_step: AfterStep

    async def write(self, steps: Sequence[Step]) -> int:
        for step in steps:
            end = len(step.messages) - 1
            for number, message in enumerate(step.messages):
                is_first, is_last = step.is_first and number == 0, step.is_last and number == end
                await super().write([replace(step, messages=[message], is_first=is_first, is_last=is_last)])
                await self.after_step(step.rows.thread_id)
        return len(steps)


@pytest.fixture
async def whole(tmp_path: Path) -> AsyncIterator[ImportWorld]:
    async with import_world(tmp_path / "whole") as made:
        yield made


@pytest.fixture
async def stepwise(tmp_path: Path) -> AsyncIterator[ImportWorld]:
    async with import_world(tmp_path / "stepwise") as made:
        _by_message(made, lambda _thread_id: made.check())
        yield made


def _by_message(world: ImportWorld, after_step: AfterStep) -> None:
    repository = _MessageByMessage(world.store.db)
    repository.after_step = after_step
    world.service = ImportService(repository, world.blobs, world.store.clock, world.bus)


def _tree(chance: random.Random, count: int) -> list[dict[str, Any]]:
    """Nodes of a thread with versions in many places, in the order of their moments."""
    nodes = [node("root", None)]
    for number in range(count):
        above = chance.choice(nodes[-3:] if chance.random() < 0.7 else nodes)
        role = chance.choice(("user", "assistant"))
        nodes.append(node(f"m{number}", above["id"], role, f"text {number}", at=START_S + number))
    return nodes


async def _texts(world: ImportWorld) -> list[str]:
    return [message.text for message in await world.shown((await world.threads())["A chat"])]


@pytest.mark.parametrize("seed", range(12))
async def test_a_new_thread_is_whole_after_every_step(whole: ImportWorld, stepwise: ImportWorld, seed: int) -> None:
    chance = random.Random(seed)
    nodes = _tree(chance, 14)
    value = [chatgpt("c", nodes, current=chance.choice(nodes[1:])["id"])]
    for world in (whole, stepwise):
        await world.bring(value)
        await world.check()
    assert await _texts(stepwise) == await _texts(whole)


@pytest.mark.parametrize("seed", range(12))
async def test_a_grown_thread_is_whole_after_every_step(whole: ImportWorld, stepwise: ImportWorld, seed: int) -> None:
    chance = random.Random(100 + seed)
    nodes = _tree(chance, 16)
    before, current = chance.choice(nodes[1:6])["id"], chance.choice(nodes[6:])["id"]
    for world in (whole, stepwise):
        await world.bring([chatgpt("c", nodes[:6], current=before)])
        await world.bring([chatgpt("c", nodes, current=current)])
        await world.check()
    assert await _texts(stepwise) == await _texts(whole)


@pytest.mark.parametrize("number", [0, 1, 4])
async def test_what_a_person_asks_between_two_steps_becomes_a_version(whole: ImportWorld, number: int) -> None:
    steps = 0

    async def ask_once(thread_id: str) -> None:
        nonlocal steps
        if steps == number:
            await whole.store.ask(thread_id, "my own question")
        steps += 1
        await whole.check()

    _by_message(whole, ask_once)
    nodes = [node("root", None)]
    for each in range(7):
        nodes.append(node(f"m{each}", nodes[-1]["id"], "user", f"text {each}", at=START_S + each))
    await whole.bring([chatgpt("c", nodes)])
    await whole.check()
    shown = await whole.shown((await whole.threads())["A chat"])
    assert [message.text for message in shown] == [f"text {each}" for each in range(7)]
    assert shown[number + 1].version_count == 2


def _threads_of(count: int, messages: int) -> list[ImportedThread]:
    def thread(number: int) -> ImportedThread:
        keys: list[str | None] = [None, *(f"m{place}" for place in range(messages))]
        parts = (ImportedPart(PartType.TEXT, {"text": f"word{number}"}),)
        made = tuple(
            ImportedMessage(key, above, Role.USER, 1, parts, keys=(key,))
            for above, key in pairwise(keys)
            if key is not None
        )
        chosen = {above: key for above, key in pairwise(keys) if key is not None}
        return ImportedThread("chatgpt", f"key {number}", f"Thread {number}", 1, 1, made, chosen)

    return [thread(number) for number in range(count)]


async def _steps_of(repository: ImportRepository) -> list[Step]:
    threads = _threads_of(30, 10)
    project, _ = await repository.project("Imported")
    rows = [
        make_rows(thread, known, repository.origin, lambda *_: None)
        for thread, known in zip(threads, await repository.look_up(threads), strict=True)
    ]
    return [Step(each, project.id, each.messages, is_first=True, is_last=True) for each in rows]


async def test_who_writes_meanwhile_waits_for_a_part_of_it_only(whole: ImportWorld) -> None:
    repository = ImportRepository(whole.store.db)
    steps = await _steps_of(repository)
    own = await whole.store.thread()
    may_begin = threading.Event()
    held = whole.store.db.start_write(lambda _conn: may_begin.wait(60))
    writing = asyncio.ensure_future(repository.write(steps))
    asking = asyncio.ensure_future(whole.store.ask(own, "my own question"))
    await asyncio.sleep(0)  # both are in the queue now
    may_begin.set()
    assert await asyncio.to_thread(held)
    count = await writing
    assert 0 < count < len(steps)
    await asking
    while count < len(steps):
        count += await repository.write(steps[count:])
    await whole.check()
    assert len(await whole.threads()) == 31


async def test_long_messages_go_over_more_steps_than_short_ones(whole: ImportWorld) -> None:
    sizes: list[int] = []

    class Counting(ImportRepository):
        async def write(self, steps: Sequence[Step]) -> int:
            count = await super().write(steps)
            sizes.extend(len(step.messages) for step in steps[:count])
            return count

    whole.service = ImportService(Counting(whole.store.db), whole.blobs, whole.store.clock, whole.bus)
    await whole.bring([plain_chatgpt("short", 40)], "short.json")
    assert sizes == [80]
    sizes.clear()
    await whole.bring([plain_chatgpt("long", 4, text="word " * 150_000)], "long.json")
    assert sum(sizes) == 8
    assert max(sizes) < 3
    await whole.check()
