"""Files that mean harm, or were harmed: a clear sentence, a bounded effort, and a database that is whole."""

# ruff: noqa: E501 - a value of an export a line

from __future__ import annotations

import json
import os
import random
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from chatdesk.core.attachments.virus_scan import ScanRules
from chatdesk.core.domain.imported import ImportOutcome
from chatdesk.core.errors import ChatDeskError, ImportRefused
from chatdesk.core.transfer.imports import files, json_stream, source
from chatdesk.core.transfer.imports.archive import Archive
from tests.helpers.clamd import SIGNATURE, fake_clamd
from tests.helpers.export_samples import (
    PNG,
    START_S,
    bomb,
    chatgpt,
    claude,
    claude_message,
    mutated,
    node,
    plain_chatgpt,
    with_odd_values,
    write_json,
    write_zip,
)
from tests.helpers.import_world import ImportWorld

SAMPLES = Path(__file__).parents[3] / "data" / "imports"


def _sample(name: str) -> Any:
    """A small export of a program."""
    return json.loads((SAMPLES / f"{name}.json").read_text("utf-8"))


# Archives


async def test_a_zip_bomb_is_refused_before_it_is_opened(world: ImportWorld) -> None:
    path = bomb(world.folder / "bomb.zip", size=64 * 1024 * 1024)
    with pytest.raises(ImportRefused, match="unpacks to far more"):
        await world.service.run(path)
    assert await world.threads() == {}


async def test_bombs_and_damage_inside_of_zips_in_the_zip_are_refused(world: ImportWorld) -> None:
    nothing = bytes(64 * 1024 * 1024)
    bomb = write_zip(world.folder / "inner.zip", {"conversations.json": nothing}).read_bytes()
    path = write_zip(world.folder / "e.zip", {"a/Conversations__1.zip": bomb})
    with pytest.raises(ImportRefused, match="unpacks to far more"):
        await world.service.run(path)
    path = write_zip(world.folder / "e.zip", {"a/Conversations__1.zip": nothing})
    with pytest.raises(ImportRefused, match="unpacks to far more"):
        await world.service.run(path)
    path = write_zip(world.folder / "e.zip", {"a/Conversations__1.zip": b"PK cut off"})
    with pytest.raises(ImportRefused, match="damaged or not complete"):
        await world.service.run(path)
    again = write_zip(world.folder / "inner.zip", {"conversations.zip": bomb}).read_bytes()
    with pytest.raises(ImportRefused, match="nothing in this file"):  # no deeper than one level
        await world.service.run(write_zip(world.folder / "e.zip", {"conversations.zip": again}))
    assert await world.threads() == {}


async def test_stopping_while_zips_in_the_zip_are_opened_leaves_nothing(
    world: ImportWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    inner = write_zip(world.folder / "inner.zip", {"conversations.json": [plain_chatgpt("a", 1)]}).read_bytes()
    path = write_zip(world.folder / "e.zip", {"conversations-1.zip": inner})
    archive = source.Archive

    def opened_after_stopping(path: Path, *, tick: Callable[[], None]) -> Archive:
        world.service.stop()
        return archive(path, tick=tick)

    monkeypatch.setattr(source, "Archive", opened_after_stopping)
    report = await world.service.run(path)
    assert not report.is_whole
    assert await world.threads() == {}


def _with_picture(name: str) -> Any:
    """A question with a picture that is a file of the export."""
    image = {
        "content_type": "image_asset_pointer",
        "asset_pointer": f"file-service://{name}",
        "width": 1,
        "height": 1,
    }
    return node("q", None, "user", content={"content_type": "multimodal_text", "parts": [image, "Hi"]}, at=START_S)


async def test_a_picture_that_is_a_bomb_is_only_missing(world: ImportWorld) -> None:
    path = world.folder / "export.zip"
    question = _with_picture("file-BOMB12")
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("conversations.json", json.dumps([chatgpt("c", [question])]))
        archive.writestr("file-BOMB12-x.png", b"\0" * (32 * 1024 * 1024))
    report = await world.service.run(path)
    assert report.missing_files == 1
    assert len(await world.threads()) == 1


@pytest.mark.parametrize("is_running", [True, False])
async def test_an_infected_file_is_kept_out_and_said_so(world: ImportWorld, tmp_path: Path, is_running: bool) -> None:
    question = _with_picture("file-ILL123")
    path = world.folder / "export.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("conversations.json", json.dumps([chatgpt("c", [question])]))
        archive.writestr("file-ILL123-x.png", b"x" + SIGNATURE)
    with fake_clamd(tmp_path, "" if is_running else "hang-up") as clamd:
        world.blobs.scan.use(ScanRules(clamd.address))
        if not is_running:
            with pytest.raises(ImportRefused, match="does not answer"):
                await world.service.run(path)
            return
        report = await world.service.run(path)
    assert (report.messages, report.missing_files) == (1, 1)
    kept_out = [line for line in report.lines if line.outcome is ImportOutcome.SKIPPED]
    assert len(kept_out) == 1 and "virus scanner" in kept_out[0].reason
    assert not list(world.blobs.list())


async def test_a_file_that_is_larger_than_the_limit_is_only_missing(
    world: ImportWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "LARGEST_IMPORTED_BYTES", 50)
    question = _with_picture("file-LARGE1")
    entries = {"conversations.json": [chatgpt("c", [question])], "file-LARGE1.png": PNG}
    assert (await world.service.run(write_zip(world.folder / "e.zip", entries))).missing_files == 1


async def test_names_with_paths_reach_nothing(world: ImportWorld) -> None:
    outside = world.folder.parent / "outside.txt"
    pointers = [
        "../../outside.txt",
        "/etc/passwd",
        "..\\..\\outside.txt",
        "file-service://../../outside.txt",
        "C:\\x",
        "",
    ]
    parts: list[Any] = [{"content_type": "image_asset_pointer", "asset_pointer": pointer} for pointer in pointers]
    question = node("q", None, "user", content={"content_type": "multimodal_text", "parts": [*parts, "Hi"]}, at=START_S)
    entries = {
        "conversations.json": [chatgpt("../../etc/passwd", [question], title="../../../x")],
        "../../outside.txt": b"harm",
        "/absolute.json": b"[]",
    }
    before = {path for path in world.folder.parent.rglob("*") if path.is_file()}
    await world.service.run(write_zip(world.folder / "e.zip", entries))
    await world.check()
    assert not outside.exists()
    after = {path for path in world.folder.parent.rglob("*") if path.is_file()} - before
    assert all(
        path.is_relative_to(world.blobs.folder) or path.suffix == ".zip" or "chatdesk.db" in path.name for path in after
    )


async def test_an_encrypted_zip_says_so(world: ImportWorld) -> None:
    path = write_zip(world.folder / "e.zip", {"conversations.json": [plain_chatgpt("a", 1)]})
    data = bytearray(path.read_bytes())
    for magic, place in ((b"PK\x01\x02", 8), (b"PK\x03\x04", 6)):
        at = data.find(magic) + place
        data[at] |= 1
    path.write_bytes(bytes(data))
    with pytest.raises(ImportRefused, match="password"):
        await world.service.run(path)


async def test_a_zip_packed_in_an_unusual_way_says_so(world: ImportWorld) -> None:
    path = world.folder / "e.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_LZMA) as archive:
        archive.writestr("conversations.json", json.dumps([plain_chatgpt("a", 1)]))
    with pytest.raises(ImportRefused, match="packed in a way"):
        await world.service.run(path)


async def test_a_table_of_contents_that_would_fill_the_memory_is_refused(world: ImportWorld) -> None:
    path = world.folder / "e.zip"
    end = b"PK\x05\x06" + struct.pack("<HHHHIIH", 0, 0, 65_535, 65_535, 2_000_000_000, 0, 0)
    path.write_bytes(b"PK\x03\x04" + b"\0" * 100 + end)
    with pytest.raises(ImportRefused, match="claims more files"):
        await world.service.run(path)


async def test_every_cut_of_a_zip_is_refused_or_read_as_far_as_it_goes(world: ImportWorld) -> None:
    data = write_zip(world.folder / "e.zip", {"conversations.json": [plain_chatgpt("a", 40)]}).read_bytes()
    path = world.folder / "cut.zip"
    for size in (5, 30, len(data) // 2, len(data) - 30, len(data) - 1):
        path.write_bytes(data[:size])
        with pytest.raises(ImportRefused):
            await world.service.run(path)
    assert await world.threads() == {}


async def test_a_damaged_entry_keeps_what_came_before_it(world: ImportWorld) -> None:
    values = [plain_chatgpt(f"t{number}", 30, text=str(random.Random(number).random()) * 20) for number in range(60)]
    path = write_zip(world.folder / "e.zip", {"conversations.json": values})
    data = bytearray(path.read_bytes())
    at = len(data) * 3 // 4
    data[at : at + 40] = os.urandom(40)
    path.write_bytes(bytes(data))
    try:
        report = await world.service.run(path)
    except ImportRefused:
        assert await world.threads() == {}
        return
    await world.check()
    assert report.counts[ImportOutcome.SKIPPED] >= 1


@pytest.mark.parametrize("name", ["", "missing.json"])
async def test_a_path_without_an_export_is_refused(world: ImportWorld, name: str) -> None:
    with pytest.raises(ImportRefused):
        await world.service.run(world.folder / name)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes here")
async def test_a_pipe_is_not_waited_for(world: ImportWorld) -> None:
    os.mkfifo(world.folder / "pipe.json")
    with pytest.raises(ImportRefused, match="not a file"):
        await world.service.run(world.folder / "pipe.json")


# Documents


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32-be"])
async def test_a_document_that_is_cut_off_is_refused_before_anything_is_stored(
    world: ImportWorld, encoding: str
) -> None:
    whole = json.dumps([plain_chatgpt("one", 2), plain_chatgpt("two", 2)]) + "\n\n"
    path = world.folder / "cut.json"
    path.write_text(whole[: len(whole) * 3 // 4].rstrip("]"), encoding=encoding)
    before = await world.all_rows("changes"), await world.all_rows("projects")
    with pytest.raises(ImportRefused, match="cut off: its end is missing") as caught:
        await world.service.run(path)
    assert "Nothing was changed" in caught.value.sentence
    assert (await world.all_rows("changes"), await world.all_rows("projects")) == before
    path.write_text(whole, encoding=encoding)
    assert (await world.service.run(path)).counts[ImportOutcome.NEW] == 2


@pytest.mark.parametrize("kept", [0.3, 0.9])
async def test_a_document_that_is_cut_off_inside_of_a_zip_is_refused_before_anything_is_stored(
    world: ImportWorld, kept: float
) -> None:
    whole = json.dumps([plain_chatgpt(f"t{number}", 40) for number in range(3)]).encode()
    cut = whole[: int(len(whole) * kept)].rstrip(b"]}")
    path = write_zip(world.folder / "e.zip", {"conversations-000.json": whole, "conversations-001.json": cut})
    with pytest.raises(ImportRefused, match=r"conversations-001\.json is cut off"):
        await world.service.run(path)
    assert await world.threads() == {}


async def test_a_document_that_is_cut_off_behind_a_bracket_gives_what_is_whole(world: ImportWorld) -> None:
    whole = json.dumps([plain_chatgpt("one", 2), plain_chatgpt("two", 2)])
    path = world.folder / "cut.json"
    path.write_text(whole[: whole.index("]", len(whole) * 3 // 4) + 1], encoding="utf-8")
    report = await world.service.run(path)
    await world.check()
    assert list(await world.threads()) == ["Chat one"]
    assert report.lines[-1].reason == "It is cut off. Nothing after it could be read."


async def test_a_thread_that_is_too_large_is_passed_over(world: ImportWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_stream.JsonStream.__init__, "__kwdefaults__", {"streamed": frozenset(), "largest": 50_000, "at_once": 10_000})  # fmt: skip
    large = plain_chatgpt("large", 1, text="x" * 200_000)
    report = await world.bring([plain_chatgpt("one", 1), large, plain_chatgpt("two", 1)])
    await world.check()
    assert sorted(await world.threads()) == ["Chat one", "Chat two"]
    assert "larger than" in report.lines[1].reason


async def test_a_hundred_levels_and_a_hundred_thousand(world: ImportWorld) -> None:
    def deep(levels: int) -> str:
        value = json.dumps(plain_chatgpt("deep", 1))
        return value[:-1] + ', "odd": ' + "[" * levels + "]" * levels + "}"

    path = world.folder / "deep.json"
    path.write_text(f"[{deep(100)}, {json.dumps(plain_chatgpt('two', 1))}, {deep(100_000)}]", encoding="utf-8")
    report = await world.service.run(path)
    await world.check()
    assert sorted(await world.threads()) == ["Chat deep", "Chat two"]
    assert "levels deep" in report.lines[2].reason


async def test_deep_values_where_texts_belong_are_no_problem(world: ImportWorld) -> None:
    nested: Any = "x"
    for _ in range(900):
        nested = [nested]
    blocks = [{"type": "tool_use", "name": "t", "input": nested}, {"type": "mystery", "x": nested}]
    path = world.folder / "deep.json"
    text = json.dumps([claude("c", [claude_message("a", "assistant", "", content="HERE")])])
    levels = "[" * 5_000 + "]" * 5_000
    path.write_text(
        text.replace('"HERE"', f'[{{"type": "tool_use", "name": "t", "input": {levels}}}]'), encoding="utf-8"
    )
    await world.service.run(path)
    await world.bring([claude("d", [claude_message("a", "assistant", "", content=blocks)], name="Other")])
    await world.check()
    assert len(await world.threads()) == 2


async def test_lone_surrogates_and_nul_are_replaced(world: ImportWorld) -> None:
    text = "a\ud83d b\0 c"
    await world.bring([chatgpt("c\ud800", [node("q\ud800", None, "user", text, at=START_S)], title="t\ud83d\0")])
    await world.check()
    ((title, thread_id),) = (await world.threads()).items()
    assert title == "t\ufffd\ufffd"
    assert [message.text for message in await world.shown(thread_id)] == ["a\ufffd b\ufffd c"]


async def test_another_encoding_is_read_and_told(world: ImportWorld) -> None:
    path = world.folder / "latin.json"
    value = json.dumps([chatgpt("c", [node("q", None, "user", "Grüße", at=START_S)])], ensure_ascii=False)
    path.write_bytes(value.encode("latin-1"))
    report = await world.service.run(path)
    assert any("could not be read" in note for note in report.notes)
    assert (await world.shown((await world.threads())["A chat"]))[0].text == "Gr\ufffd\ufffde"


async def test_circles_and_links_to_nowhere_lose_nothing(world: ImportWorld) -> None:
    nodes = [
        node("a", "c", "user", "1", at=START_S),
        node("b", "a", "assistant", "2", at=START_S + 1),
        node("c", "b", "assistant", "3", at=START_S + 2),
        node("d", "nowhere", "user", "4", at=START_S + 3),
        node("e", "e", "user", "5", at=START_S + 4),
        node("t1", "t2", "tool", "6", at=START_S + 5),
        node("t2", "t1", "tool", "7", at=START_S + 6),
    ]
    await world.bring([chatgpt("c", nodes)])
    await world.check()
    thread = await world.store.threads.get((await world.threads())["A chat"])
    assert thread.message_count == 5  # the two circles of a model's steps are a turn each


async def test_a_newer_format_of_our_own_is_refused(world: ImportWorld) -> None:
    with pytest.raises(ImportRefused, match="newer ChatDesk"):
        await world.bring({"format": "chatdesk", "format_version": 99, "threads": [{"id": "x"}]})


# Anything at all


@pytest.mark.parametrize(
    ("name", "threads", "messages"),
    [("chatgpt", 2, 7), ("claude", 1, 2), ("open_webui", 1, 2), ("librechat", 1, 2), ("chatdesk", 1, 1)],
)
async def test_the_samples_are_read_whole(world: ImportWorld, name: str, threads: int, messages: int) -> None:
    report = await world.service.run(SAMPLES / f"{name}.json")
    await world.check()
    assert (len(report.lines), report.messages) == (threads, messages)
    assert set(report.counts) == {ImportOutcome.NEW}


@pytest.mark.parametrize("name", ["chatgpt", "claude", "open_webui", "librechat", "chatdesk"])
async def test_wrong_types_anywhere_raise_nothing_else_and_a_second_import_adds_nothing(
    world: ImportWorld, name: str
) -> None:
    chance = random.Random(name)
    for _ in range(60):
        value = with_odd_values(_sample(name), chance, share=0.04)
        await _bring_twice(world, write_json(world.folder / "odd.json", value))
    await world.check()


@pytest.mark.parametrize("name", ["chatgpt", "claude", "open_webui", "librechat", "chatdesk"])
async def test_damaged_bytes_raise_nothing_else_and_a_second_import_adds_nothing(world: ImportWorld, name: str) -> None:
    chance = random.Random(name)
    data = json.dumps(_sample(name), ensure_ascii=False).encode()
    path = world.folder / "damaged.json"
    for _ in range(60):
        path.write_bytes(mutated(data, chance))
        await _bring_twice(world, path)
    await world.check()


async def test_damaged_zips_raise_nothing_else_and_write_nothing_outside(world: ImportWorld) -> None:
    chance = random.Random(5)
    entries = {"conversations.json": _sample("chatgpt"), "file-ABC1234-x.png": PNG, "projects.json": [{}]}
    data = write_zip(world.folder / "whole.zip", entries).read_bytes()
    path = world.folder / "damaged.zip"
    for _ in range(80):
        path.write_bytes(mutated(data, chance))
        await _bring_twice(world, path)
    await world.check()
    top = {each.name.split(".")[0] for each in world.folder.parent.iterdir()}
    assert top <= {"chatdesk", "blobs", "files", "backups"}


async def _bring_twice(world: ImportWorld, path: Path) -> None:
    try:
        await world.service.run(path)
    except ChatDeskError:
        return
    before = await world.store.db.read(_counts)
    report = await world.service.run(path)
    assert report.messages == 0
    assert await world.store.db.read(_counts) == before


def _counts(conn: Any) -> list[int]:
    tables = ("threads", "messages", "message_parts", "artifacts", "tags", "projects", "summaries")
    return [conn.exec_driver_sql(f"SELECT count(*) FROM {table}").scalar() for table in tables]
