"""ChatDesk's own JSON: that nothing is missing from it, and what is left out on purpose."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import re
import threading
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO

import pytest

from chatdesk.core.domain.exports import Choice, ExportFormat, ExportProgress
from chatdesk.core.domain.message import PartType, Status
from chatdesk.core.domain.thread import NEW_DRAFT
from chatdesk.core.domain.turn import StreamChunk
from chatdesk.core.errors import ChatDeskError, ExportFailed, StorageMissing, ThreadNotFound
from chatdesk.core.ids import new_id
from chatdesk.core.storage.engine import tables
from chatdesk.core.storage.transfer.export_reader import COLUMNS, LEFT_OUT, open_reader
from chatdesk.core.system.file_writing import open_new, unfinished_name
from chatdesk.core.transfer.exports import export_service as client
from chatdesk.core.transfer.exports import export_service as exporting
from chatdesk.core.transfer.exports.export_service import ExportService
from tests.helpers.store import PLAN, Store
from tests.helpers.waiting import PATIENCE_S

ROOT = Path(__file__).parents[4]
PNG = b"\x89PNG\r\n\x1a\n not really"
SHA = hashlib.sha256(PNG).hexdigest()


async def _exported(service: ExportService, folder: Path, choice: Choice) -> dict[str, Any]:
    target = folder / "out.json"
    await service.export(choice, ExportFormat.JSON, target)
    found: dict[str, Any] = json.loads(target.read_text("utf-8"))
    return found


async def _attach(store: Store, message_id: str, sha256: str = SHA, *, is_there: bool = True) -> None:
    content = {"name": "a picture.png", "mime": "image/png", "sha256": sha256, "size_bytes": len(PNG)}

    def work(conn: Any) -> None:
        part = new_id()
        conn.exec_driver_sql(
            "INSERT INTO message_parts (id, message_id, part_index, type, content) VALUES (?, ?, 7, 'image', ?)",
            (part, message_id, json.dumps(content)),
        )
        conn.exec_driver_sql(
            "INSERT INTO artifacts (id, part_id, kind, path, mime, size_bytes, sha256)"
            " VALUES (?, ?, 'image', ?, 'image/png', ?, ?)",
            (new_id(), part, f"{sha256[:2]}/{sha256}", len(PNG), sha256),
        )

    await store.db.write(work)
    if is_there:
        path = store.path.parent / "blobs" / sha256[:2] / sha256
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(PNG)


@pytest.mark.skipif(os.name != "posix", reason="elsewhere files have no owner to tell them by")
async def test_an_export_removes_what_a_killed_one_left_beside_its_file(
    service: ExportService, store: Store, tmp_path: Path
) -> None:
    thread = await store.thread()
    await store.ask(thread)
    target = tmp_path / "out" / "out.json"
    target.parent.mkdir()
    abandoned = unfinished_name(target)
    open_new(abandoned).close()
    os.utime(abandoned, (1, 1))
    await service.export(Choice(thread_ids=(thread,)), ExportFormat.JSON, target)
    assert list(target.parent.iterdir()) == [target]


def test_every_column_is_carried_or_left_out_on_purpose() -> None:
    for name, carried in COLUMNS.items():
        columns = {column.name for column in tables.metadata.tables[name].columns}
        assert set(carried) <= columns
        assert columns - set(carried) <= LEFT_OUT, name


def test_every_field_is_in_the_document() -> None:
    text = (ROOT / "docs" / "export-format.md").read_text("utf-8")
    words = set(re.findall(r"`([a-z_0-9]+)`", text))
    for name, carried in COLUMNS.items():
        wanted = {"index" if column == "part_index" else column for column in carried}
        assert wanted <= words, name


async def test_all_versions_parts_marks_and_the_shown_path_are_there(
    store: Store, service: ExportService, tmp_path: Path
) -> None:
    thread = await store.thread("Title “ä”")
    question, answer = await store.ask(thread, "why?\n\u2028")
    other, _ = await store.messages.add_answer(question, PLAN)
    await store.answer(other.id, "another", Status.STOPPED)
    await _attach(store, question)
    data = await _exported(service, tmp_path, Choice(thread_ids=(thread,)))
    assert (data["format"], data["format_version"], data["scope"]) == ("chatdesk", 2, "threads")
    found = data["threads"][0]
    assert found["title"] == "Title “ä”"
    messages = {each["id"]: each for each in found["messages"]}
    assert set(messages) == {question, answer, other.id}
    assert messages[question]["chosen_child_id"] == other.id
    assert found["current_leaf_id"] == other.id
    assert found["chosen_root_id"] == question
    assert messages[answer]["parts"][0]["content"] == {"text": "answer to why?\n\u2028"}
    assert messages[other.id]["status"] == "stopped"
    assert messages[question]["parts"][1]["artifacts"][0]["sha256"] == SHA
    assert data["attachments"] == [{"sha256": SHA, "size_bytes": len(PNG)}]
    assert (tmp_path / "out-attachments" / SHA).read_bytes() == PNG
    assert [each["id"] for each in data["projects"]] == [found["project_id"]]


async def test_a_zip_holds_document_and_attachments(store: Store, service: ExportService, tmp_path: Path) -> None:
    thread = await store.thread()
    question, _ = await store.ask(thread)
    await _attach(store, question)
    await _attach(store, (await store.ask(thread))[0], "f" * 64, is_there=False)
    report = await service.export(Choice(has_trash=True), ExportFormat.JSON, tmp_path / "all.zip")
    assert (report.threads, report.messages, report.attachments, report.missing) == (1, 4, 1, 1)
    assert "1 attachment is missing" in report.sentence
    with zipfile.ZipFile(tmp_path / "all.zip") as archive:
        assert archive.testzip() is None
        assert sorted(archive.namelist()) == [f"attachments/{SHA}", "chatdesk.json"]
        data = json.loads(archive.read("chatdesk.json"))
    assert data["scope"] == "everything"
    assert data["attachments"][1] == {"sha256": "f" * 64, "size_bytes": len(PNG), "is_missing": True}


async def test_the_trash_comes_along_only_when_asked_and_leaves_the_tree_whole(
    store: Store, service: ExportService, tmp_path: Path
) -> None:
    thread, gone = await store.thread("kept"), await store.thread("gone")
    first, _ = await store.ask(thread, "secret")
    second, _ = await store.ask(thread, "open")
    await store.library.delete([gone])
    await store.paths.delete(first, with_later=False)
    without = await _exported(service, tmp_path, Choice())
    assert [each["title"] for each in without["threads"]] == ["kept"]
    messages = {each["id"]: each for each in without["threads"][0]["messages"]}
    assert messages[first]["parts"] == []
    assert "purged_at" in messages[first]
    assert "deleted_at" not in messages[first]
    assert "secret" not in json.dumps(without["threads"][0]["messages"][0])
    assert messages[second]["parts"]
    everything = await _exported(service, tmp_path, Choice(has_trash=True))
    assert {each["title"] for each in everything["threads"]} == {"kept", "gone"}
    assert "secret" in json.dumps(everything)


async def test_an_answer_that_is_being_written_comes_with_the_text_that_there_is(
    store: Store, service: ExportService, tmp_path: Path
) -> None:
    thread = await store.thread()
    _, answer, _ = await store.messages.add_question(thread, "q", with_answer=PLAN)
    assert answer is not None
    await store.messages.start_streaming(answer.id, 1)
    await store.messages.append_chunks(answer.id, [StreamChunk(0, PartType.TEXT, "half of ")])
    await store.messages.append_chunks(answer.id, [StreamChunk(0, PartType.TEXT, "it")])
    data = await _exported(service, tmp_path, Choice())
    found = data["threads"][0]["messages"][1]
    assert found["status"] == "interrupted"
    assert found["parts"][0]["content"] == {"text": "half of it"}


async def test_drafts_come_with_everything_only(store: Store, service: ExportService, tmp_path: Path) -> None:
    thread = await store.thread()
    await store.drafts.save(thread, "unsent", 3)
    await store.drafts.save(NEW_DRAFT, "", 0)
    data = await _exported(service, tmp_path, Choice())
    assert [(each["slot"], each["text"]) for each in data["drafts"]] == [(thread, "unsent")]
    assert "drafts" not in await _exported(service, tmp_path, Choice(thread_ids=(thread,)))


async def test_a_damaged_row_hides_nothing_else(store: Store, service: ExportService, tmp_path: Path) -> None:
    thread = await store.thread()
    question, _answer = await store.ask(thread)
    await store.db.write(
        lambda conn: conn.exec_driver_sql(
            "UPDATE message_parts SET content = CASE message_id WHEN ? THEN '{' ELSE '{\"text\":\"\\ud800!\"}' END",
            (question,),
        )
    )
    data = await _exported(service, tmp_path, Choice())
    assert data["threads"][0]["messages"][0]["parts"][0]["content"] == {"text": "{", "unreadable": True}
    assert data["threads"][0]["messages"][1]["parts"][0]["content"] == {"text": "\N{REPLACEMENT CHARACTER}!"}


async def test_a_missing_thread_and_a_missing_database_have_words(
    store: Store, service: ExportService, tmp_path: Path
) -> None:
    with pytest.raises(ThreadNotFound):
        await service.export(Choice(thread_ids=(new_id(),)), ExportFormat.JSON, tmp_path / "a.json")
    elsewhere = ExportService(tmp_path / "none.db", tmp_path, store.clock, printing=["false"])
    with pytest.raises(StorageMissing):
        await elsewhere.export(Choice(), ExportFormat.JSON, tmp_path / "a.json")
    assert list(tmp_path.glob("*.json")) == []


async def test_a_target_that_cannot_be_written_leaves_what_was_there(
    store: Store, service: ExportService, tmp_path: Path
) -> None:
    await store.ask(await store.thread())
    with pytest.raises(ExportFailed, match="is not there"):
        await service.export(Choice(), ExportFormat.JSON, tmp_path / "gone" / "a.json")
    (tmp_path / "taken").mkdir()
    with pytest.raises(ExportFailed):
        await service.export(Choice(), ExportFormat.JSON, tmp_path / "taken")
    assert sorted(each.name for each in tmp_path.iterdir()) == ["data", "taken"]


async def test_giving_up_leaves_nothing_and_ends_soon(store: Store, service: ExportService, tmp_path: Path) -> None:
    thread = await store.thread()
    for number in range(30):
        await store.ask(thread, str(number))
    begun = threading.Event()
    (tmp_path / "a.json").write_text("old")

    def told(_progress: ExportProgress) -> None:
        begun.set()
        task.cancel()

    task = asyncio.ensure_future(service.export(Choice(), ExportFormat.JSON, tmp_path / "a.json", on_progress=told))
    done = (await asyncio.gather(task, return_exceptions=True))[0]
    assert begun.is_set()
    if isinstance(done, BaseException):  # else it was quicker than the word to stop
        assert isinstance(done, asyncio.CancelledError)
        assert (tmp_path / "a.json").read_text() == "old"
    assert sorted(each.name for each in tmp_path.iterdir()) == ["a.json", "data"]


async def test_giving_up_too_late_is_told_as_written(
    store: Store, service: ExportService, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    thread = await store.thread()
    await store.ask(thread, "one")
    loop, replacing_text = asyncio.get_running_loop(), exporting.replacing_text

    @contextmanager
    def replaced_before_hearing(target: Path, **options: Any) -> Iterator[TextIO]:
        with replacing_text(target, **options) as sink:
            yield sink
        asked = threading.Event()

        def ask() -> None:
            task.cancel()
            asked.set()

        loop.call_soon_threadsafe(ask)
        assert asked.wait(20)

    monkeypatch.setattr(exporting, "replacing_text", replaced_before_hearing)
    task = asyncio.ensure_future(service.export(Choice(), ExportFormat.JSON, tmp_path / "a.json"))
    report = await task
    assert report.messages == 2 and not task.cancelled()
    assert json.loads((tmp_path / "a.json").read_text("utf-8"))["threads"]


async def test_what_is_written_meanwhile_is_not_half_there(store: Store) -> None:
    thread = await store.thread()
    await store.ask(thread)
    with open_reader(store.path) as reader:
        before = reader.counts(Choice())
        await store.ask(thread, "later")
        assert reader.counts(Choice()) == before == (1, 2)
        assert sum(len(rows) for rows in reader.messages(thread, has_trash=True)) == 2


async def test_a_process_of_its_own_writes_the_same(store: Store, service: ExportService, tmp_path: Path) -> None:
    thread = await store.thread()
    for number in range(5):
        await store.ask(thread, str(number))
    told: list[ExportProgress] = []
    here = await service.export(Choice(), ExportFormat.JSON, tmp_path / "here.json")
    there = await service.export(
        Choice(), ExportFormat.JSON, tmp_path / "there.json", on_progress=told.append, is_apart=True
    )
    assert (there.threads, there.messages) == (here.threads, here.messages) == (1, 10)
    one, other = (json.loads((tmp_path / name).read_text("utf-8")) for name in ("here.json", "there.json"))
    assert one | {"exported_at": 0} == other | {"exported_at": 0}
    assert told


async def test_the_errors_of_that_process_keep_their_words(
    store: Store, service: ExportService, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(ChatDeskError, match="is not there") as raised:
        await service.export(Choice(), ExportFormat.JSON, tmp_path / "gone" / "a.json", is_apart=True)
    assert raised.value.code == "export_failed"
    monkeypatch.setattr(client, "default_command", lambda: ["false"])
    with pytest.raises(ExportFailed, match="ended unexpectedly"):
        await service.export(Choice(), ExportFormat.JSON, tmp_path / "a.json", is_apart=True)


async def test_that_process_is_given_up_and_leaves_nothing(
    store: Store, service: ExportService, tmp_path: Path
) -> None:
    thread = await store.thread()
    for number in range(40):
        await store.ask(thread, f"{number} " + "a word and **another** one, " * 1_000)  # seconds of work
    task = asyncio.ensure_future(
        service.export(
            Choice(), ExportFormat.HTML, tmp_path, on_progress=lambda _progress: task.cancel(), is_apart=True
        )
    )
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(task, PATIENCE_S)
    assert [each.name for each in tmp_path.iterdir()] == ["data"]
