"""Damaged and hostile exports of local programs, and folders that lead elsewhere."""

from __future__ import annotations

import json
import os
import random
from pathlib import Path
from typing import Any

import pytest

from chatdesk.core.domain.imported import ImportOutcome
from chatdesk.core.errors import ChatDeskError, ImportRefused
from chatdesk.core.transfer.imports import (
    anythingllm,
    gemini,
    jan,
    source,
)
from chatdesk.core.transfer.imports import (
    cherry_studio as import_cherry_studio,
)
from chatdesk.core.transfer.imports.formats import LABELS
from tests.helpers.export_samples import PNG, mutated, with_odd_values, write_json, write_zip
from tests.helpers.import_world import ImportWorld
from tests.helpers.program_exports import (
    PROGRAMS,
    anythingllm_csv,
    anythingllm_row,
    chatbox,
    chatbox_message,
    chatbox_session,
    cherry_studio,
    gemini_activity,
    jan_message,
    lines,
    lm_studio,
    lm_user,
    sample_of,
    write_jan,
)


def _written(path: Path, program: str, value: Any) -> Path:
    text = lines(value) if program == "jan" and isinstance(value, list) else json.dumps(value, ensure_ascii=False)
    path.write_text(text, encoding="utf-8", errors="replace")
    return path


async def _bring_twice(world: ImportWorld, path: Path) -> None:
    try:
        await world.service.run(path)
    except ChatDeskError:
        return
    report = await world.service.run(path)
    assert report.messages == 0


@pytest.mark.parametrize("program", PROGRAMS)
async def test_wrong_types_anywhere_raise_nothing_else_and_a_second_import_adds_nothing(
    world: ImportWorld, program: str
) -> None:
    chance = random.Random(program)
    for _ in range(40):
        value = with_odd_values(sample_of(program), chance, share=0.05)
        await _bring_twice(world, _written(world.folder / "odd.json", program, value))
    await world.check()


@pytest.mark.parametrize("program", PROGRAMS)
async def test_damaged_bytes_raise_nothing_else_and_a_second_import_adds_nothing(
    world: ImportWorld, program: str
) -> None:
    chance = random.Random(program)
    data = _written(world.folder / "damaged.json", program, sample_of(program)).read_bytes()
    for _ in range(40):
        (world.folder / "damaged.json").write_bytes(mutated(data, chance))
        await _bring_twice(world, world.folder / "damaged.json")
    await world.check()


async def test_damaged_csv_raises_nothing_else(world: ImportWorld) -> None:
    chance = random.Random(3)
    path = world.folder / "damaged.csv"
    data = anythingllm_csv(sample_of("anythingllm")).encode()
    for _ in range(40):
        path.write_bytes(mutated(data, chance))
        await _bring_twice(world, path)
    await world.check()


@pytest.mark.parametrize("program", PROGRAMS)
@pytest.mark.parametrize("kept", [0.4, 0.95])
async def test_what_is_cut_off_is_refused_before_anything_is_stored(
    world: ImportWorld, program: str, kept: float
) -> None:
    path = _written(world.folder / "cut.json", program, sample_of(program))
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * kept)].rstrip(b"]}\n "))
    with pytest.raises(ImportRefused, match="cut off"):
        await world.service.run(path)
    entries = {"whole.json": json.dumps(lm_studio(lm_user("Hi"))).encode(), "z.json": path.read_bytes()}
    with pytest.raises(ImportRefused, match="cut off"):
        await world.service.run(write_zip(world.folder / "e.zip", entries))
    folder = world.folder / "chats"
    folder.mkdir()
    for name, content in entries.items():
        (folder / name).write_bytes(content)
    with pytest.raises(ImportRefused, match=r"z\.json is cut off"):
        await world.service.run(folder)
    assert await world.threads() == {}


async def test_deep_values_are_passed_over(world: ImportWorld) -> None:
    deep = "[" * 50_000 + "]" * 50_000
    whole = json.dumps(chatbox(chatbox_session("a", chatbox_message("q", "user", "Hi"))))
    path = world.folder / "deep.json"
    path.write_text(f'{{"session:x": {deep}, "odd": {deep}, {whole[1:]}', encoding="utf-8")
    report = await world.service.run(path)
    await world.check()
    assert list(await world.threads()) == ["Session a"]
    assert report.counts[ImportOutcome.SKIPPED] == 2
    settings = {"persist:cherry-studio": json.dumps({"assistants": deep})}
    topics = [{"id": "t", "messages": [{"id": "m", "role": "user", "content": "Hello"}]}]
    value = cherry_studio(topics, [], names={}) | {"localStorage": settings}
    assert (await world.service.run(write_json(world.folder / "data.json", value))).messages == 1


async def test_ids_that_stand_twice_lose_nothing_of_the_first(world: ImportWorld) -> None:
    messages = [jan_message("same", "user", "One"), jan_message("same", "assistant", "Two", at=5)]
    folder = write_jan(world.folder / "threads", messages)
    await _bring_twice(world, folder)
    await world.check()
    shown = await world.shown((await world.threads())["A Jan thread"])
    assert [message.text for message in shown] == ["One"]


@pytest.mark.parametrize(
    ("module", "value"),
    [
        (anythingllm, [anythingllm_row(number, "x" * 400, "y" * 400) for number in range(9)]),
        (gemini, [gemini_activity(number, "Prompted " + "x" * 800) for number in range(9)]),
        (jan, [jan_message(str(number), "user", "x" * 800) for number in range(9)]),
        (import_cherry_studio, sample_of("cherry_studio")),
    ],
)
async def test_what_would_fill_the_memory_is_refused_before_anything_is_stored(
    world: ImportWorld, module: Any, value: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "LARGEST_IN_PARTS", 500)
    with pytest.raises(ImportRefused, match="can be read at once"):
        await world.service.run(write_json(world.folder / "large.json", value))
    assert await world.threads() == {}


async def test_a_csv_field_without_an_end_is_given_up(world: ImportWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(anythingllm, "_LARGEST_FIELD", 10_000)
    path = world.folder / "long.csv"
    whole = anythingllm_csv([anythingllm_row(1, "a", "b")])
    path.write_text(f'{whole}\n"2","' + "x" * 50_000, encoding="utf-8")
    with pytest.raises(ImportRefused, match="cut off or damaged"):
        await world.service.run(path)
    path.write_bytes(b"\x89PNG\r\n" + bytes(40_000))
    with pytest.raises(ImportRefused, match="not an export that ChatDesk knows") as refused:
        await world.service.run(path)
    assert [each for each in LABELS.values() if each not in refused.value.next_step] == []


@pytest.mark.skipif(not hasattr(os, "symlink"), reason="no links here")
async def test_a_folder_with_links_reads_nothing_outside_of_it(world: ImportWorld) -> None:
    outside = world.folder / "outside"
    write_jan(outside, [jan_message("o", "user", "A secret")], key="out", title="Outside")
    (outside / "secret.png").write_bytes(PNG)
    inside = write_jan(
        world.folder / "threads",
        [jan_message("m", "user", "Hi", {"type": "image_url", "image_url": {"url": "../../outside/secret.png"}})],
    )
    (inside / "linked").symlink_to(outside / "out", target_is_directory=True)
    (inside / "secret.png").symlink_to(outside / "secret.png")
    (inside / "linked.json").symlink_to(outside / "out" / "messages.jsonl")
    os.mkfifo(inside / "pipe.json")
    report = await world.service.run(inside)
    assert list(await world.threads()) == ["A Jan thread"]
    assert report.missing_files == 1


async def test_a_folder_that_was_changed_meanwhile_says_so(world: ImportWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = source.Folder(write_jan(world.folder / "threads", sample_of("jan")))
    place = world.folder / "threads" / "jan1" / "messages.jsonl"
    place.unlink()
    with pytest.raises(ImportRefused, match="could not be read"):
        folder.open("jan1/messages.jsonl")
    place.mkdir()
    with pytest.raises(ImportRefused):
        folder.open("jan1/messages.jsonl")
    monkeypatch.setattr(source, "_MOST_FILES", 1)
    (world.folder / "threads" / "a.json").write_text("{}")
    with pytest.raises(ImportRefused, match="far more files"):
        await world.service.run(world.folder / "threads")


async def test_a_damaged_title_beside_the_messages_costs_only_the_title(world: ImportWorld) -> None:
    entries = {"t/messages.jsonl": lines(sample_of("jan")).encode(), "t/thread.json": b"\xff not JSON"}
    await world.service.run(write_zip(world.folder / "e.zip", entries))
    assert list(await world.threads()) == ["Hi"]
