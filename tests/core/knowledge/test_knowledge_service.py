"""Tests that what is known of a project's files is what the files are now, through ends, damage and changes."""

from __future__ import annotations

import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from chatdesk.core.attachments.web_page import WebPage
from chatdesk.core.domain.knowledge import FilesQuestion, FileState, SourceKind
from chatdesk.core.errors import InvalidInput, NotPossible
from chatdesk.core.events import EventBus, ProjectFilesChanged
from chatdesk.core.fetching.connection import FetchFailed
from chatdesk.core.ids import new_id
from chatdesk.core.knowledge.file_questions import FileQuestions
from chatdesk.core.knowledge.knowledge_service import KnowledgeService
from chatdesk.core.knowledge.places import kind_of_place
from chatdesk.core.paths import AppPaths, encodings_dir
from tests.helpers.store import MovableClock, Store
from tests.helpers.waiting import running_tasks, until


class _Pages:
    """A web in which every address has the same page, while it is there."""

    is_there = True

    def close(self) -> None:
        """Nothing is open."""

    def address(self, written: str) -> str:
        return written

    def read(self, written: str) -> WebPage:
        if not self.is_there:
            raise FetchFailed("The server cannot be reached.")
        return WebPage("Expenses", written, "Receipts are handed in within a month.")


class World:
    def __init__(self, store: Store, service: KnowledgeService, project_id: str, folder: Path) -> None:
        self.store = store
        self.service = service
        self.project_id = project_id
        self.folder = folder
        self.told = 0

    def write(self, name: str, text: str) -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
        return path

    async def add(self, kind: SourceKind = SourceKind.FOLDER, place: Path | str | None = None) -> str:
        source = await self.service.add(self.project_id, kind, str(place or self.folder))
        await self.service.wait_until_read()
        return source.id

    async def found(self, question: str) -> list[str]:
        return [each.file.path for each in await self.service.search(self.project_id, question)]


@asynccontextmanager
async def opened(tmp_path: Path) -> AsyncIterator[World]:
    store = Store(tmp_path / "data" / "chatdesk.db", MovableClock())
    await store.db.open()
    folder = tmp_path / "files"
    folder.mkdir(exist_ok=True)
    bus = EventBus()
    service = KnowledgeService(
        store.db,
        AppPaths.find(str(tmp_path / "data")),
        bus,
        vectors_dir=encodings_dir(),
        make_pages=_Pages,  # type: ignore[arg-type]
    )
    projects = await store.projects.list()
    project = next((each for each in projects if each.name == "Files"), None)
    world = World(store, service, (project or await store.projects.create("Files", "#5B7DB1")).id, folder)
    subscription = bus.subscribe(ProjectFilesChanged, lambda _event: setattr(world, "told", world.told + 1))
    try:
        yield world
    finally:
        subscription.cancel()
        await service.close()
        await store.db.close()


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with opened(tmp_path) as made:
        yield made


async def test_a_folder_is_read_and_found(world: World) -> None:
    world.write("people/leave.md", "# Leave\n\nEach employee has thirty days of paid holiday.")
    world.write("travel.txt", "Receipts are handed in within a month.")
    await world.add()
    (best, *_) = await world.service.search(world.project_id, "paid holiday")
    assert best.file.path == "people/leave.md" and best.passage.heading == "Leave"
    (status,) = await world.service.statuses(world.project_id)
    assert (status.read, status.waiting, status.unreadable) == (2, 0, 0) and world.told > 0


async def test_changes_are_noticed_without_being_asked(world: World) -> None:
    path = world.write("a.md", "The meeting is on Thursday.")
    await world.add()

    async def finds_concert() -> bool:
        return await world.found("concert") == ["a.md"]

    async def finds_new() -> bool:
        return "new.md" in await world.found("violin")

    async def finds_nothing() -> bool:
        return await world.found("concert violin meeting") == []

    path.write_text("The concert is on Friday evening.")
    await until(finds_concert)
    world.write("new.md", "A violin was found in the hall.")
    await until(finds_new)
    for each in world.folder.iterdir():
        each.unlink()
    await until(finds_nothing)


async def test_what_changed_while_nobody_looked_is_read_at_the_next_start(tmp_path: Path) -> None:
    async with opened(tmp_path) as world:
        world.write("a.md", "The meeting is on Thursday.")
        world.write("b.md", "Bread is baked with rye.")
        await world.add()
    (tmp_path / "files" / "a.md").write_text("The concert is on Friday.")
    (tmp_path / "files" / "b.md").unlink()
    async with opened(tmp_path) as world:
        await world.service.start()
        await world.service.wait_until_read()
        assert await world.found("concert") == ["a.md"]
        assert await world.found("bread rye meeting Thursday") == []


async def test_a_start_without_files_loads_nothing(world: World) -> None:
    await world.service.start()
    assert not running_tasks("knowledge")


async def test_a_folder_that_is_gone_says_so_and_keeps_what_is_known(world: World) -> None:
    world.write("a.md", "The meeting is on Thursday.")
    source_id = await world.add()
    moved = world.folder.rename(world.folder.with_name("moved"))
    await world.service.read_again(source_id)
    await world.service.wait_until_read()
    (status,) = await world.service.statuses(world.project_id)
    assert "cannot be read" in status.source.problem and await world.found("meeting") == ["a.md"]
    moved.rename(world.folder)
    await world.service.read_again(source_id)
    await world.service.wait_until_read()
    (status,) = await world.service.statuses(world.project_id)
    assert status.source.problem == ""


async def test_a_file_that_cannot_be_read_says_why_and_costs_no_other(world: World) -> None:
    world.write("a.md", "The meeting is on Thursday.")
    (world.folder / "broken.pdf").write_bytes(b"%PDF-1.7\n" + os.urandom(4_000))
    (world.folder / "broken.docx").write_bytes(b"PK\x03\x04" + os.urandom(4_000))
    (world.folder / "empty.md").write_bytes(b"")
    source_id = await world.add()
    files = {each.path: each for each in await world.service.repository.files(source_id)}
    assert files["a.md"].state is FileState.READ
    for name in ("broken.pdf", "broken.docx", "empty.md"):
        assert files[name].state is FileState.UNREADABLE and files[name].problem


async def test_a_paused_source_is_found_and_not_read(world: World) -> None:
    path = world.write("a.md", "The meeting is on Thursday.")
    source_id = await world.add()
    await world.service.pause(source_id, is_paused=True)
    path.write_text("The concert is on Friday.")
    await world.service.wait_until_read()
    assert await world.found("meeting") == ["a.md"]
    await world.service.pause(source_id, is_paused=False)
    await world.service.wait_until_read()
    assert await world.found("concert") == ["a.md"]


async def test_exclusions_take_out_what_was_read(world: World) -> None:
    world.write("a.md", "The meeting is on Thursday.")
    world.write("drafts/b.md", "The meeting is on Sunday.")
    source_id = await world.add()
    assert set(await world.found("meeting")) == {"a.md", "drafts/b.md"}
    await world.service.exclude(source_id, "drafts/")
    await world.service.wait_until_read()
    assert await world.found("meeting") == ["a.md"]


async def test_a_removed_source_is_forgotten_at_once(world: World) -> None:
    world.write("a.md", "The meeting is on Thursday.")
    await world.service.remove(await world.add())
    assert await world.found("meeting") == [] and await world.service.statuses(world.project_id) == ()


async def test_a_single_file_and_a_page_are_read(world: World) -> None:
    await world.add(SourceKind.FILE, world.write("only.md", "The meeting is on Thursday."))
    world.write("other.md", "The meeting is on Sunday.")
    await world.add(SourceKind.PAGE, "https://docs.example/expenses")
    assert await world.found("meeting") == ["only.md"]
    (best, *_) = await world.service.search(world.project_id, "receipts")
    assert best.file.path == "https://docs.example/expenses" and best.passage.heading == "Expenses"


async def test_places_that_a_project_cannot_have_are_refused(world: World, tmp_path: Path) -> None:
    for kind, place in (
        (SourceKind.FOLDER, tmp_path / "missing"),
        (SourceKind.FOLDER, tmp_path / "data"),
        (SourceKind.FOLDER, tmp_path),
        (SourceKind.FILE, tmp_path / "data" / "chatdesk.db"),
        (SourceKind.FILE, world.folder),
        (SourceKind.FOLDER, "relative"),
    ):
        with pytest.raises(InvalidInput):
            await world.service.add(world.project_id, kind, str(place))
    await world.add()
    with pytest.raises(NotPossible):
        await world.add()


async def test_a_question_gets_whole_files_where_they_fit(world: World) -> None:
    world.write("small.md", "# One\n\n" + "Bread is baked with rye. " * 40 + "\n\n# Two\n\n" + "Water boils. " * 60)
    await world.add()
    asked = FilesQuestion(world.project_id, new_id(), "offline", "How is bread baked with rye?", "", 100_000)
    questions = FileQuestions(world.service)
    found = await questions.for_question(asked)
    assert "Water boils" in found.text and len(found.sources) == 1
    narrow = await questions.for_question(replace(asked, window_tokens=1_500))
    assert "Water boils" not in narrow.text
    other = await world.store.projects.create("Other", "#5B7DB1")
    assert [await world.service.repository.has_passages(each) for each in (world.project_id, other.id)] == [True, False]


async def test_a_place_in_a_file_leads_to_its_passages(world: World) -> None:
    world.write("a.md", "".join(f"# Part {number}\n\n{'word ' * 150}\n\n" for number in range(9)))
    source_id = await world.add()
    (best, *_) = await world.service.search(world.project_id, "Part 6")
    around = await world.service.around_place(source_id, "a.md", best.passage.start)
    assert best.id in [each.id for each in around] and len(around) > 1
    assert await world.service.around_place(source_id, "gone.md", 3) == []


async def test_closing_in_the_middle_leaves_files_known_or_waiting(tmp_path: Path) -> None:
    async with opened(tmp_path) as world:
        for number in range(60):
            world.write(f"{number}.md", f"# {number}\n\nThe meeting number {number} is on Thursday.")
        source = await world.service.add(world.project_id, SourceKind.FOLDER, str(world.folder))
        await until(lambda: world.told > 1)
    async with opened(tmp_path) as world:
        files = await world.service.repository.files(source.id)
        assert {each.state for each in files} <= {FileState.READ, FileState.WAITING}
        await world.service.start()
        await world.service.wait_until_read()
        (status,) = await world.service.statuses(world.project_id)
        assert (status.read, status.passages) == (60, 60)


def test_a_place_is_told_apart_by_what_it_is(tmp_path: Path) -> None:
    (tmp_path / "file.md").write_text("x")
    assert kind_of_place(str(tmp_path)) == (SourceKind.FOLDER, str(tmp_path))
    assert kind_of_place(str(tmp_path / "file.md"))[0] is SourceKind.FILE
    assert kind_of_place("https://a.example/b") == (SourceKind.PAGE, "https://a.example/b")
    for wrong in ("", "  ", "/nowhere/x", "a\0b", "~nobody-of-that-name/x", "x" * 5_000):
        with pytest.raises(InvalidInput):
            kind_of_place(wrong)


async def test_a_read_only_profile_reads_nothing_and_still_finds(tmp_path: Path) -> None:
    async with opened(tmp_path) as world:
        world.write("a.md", "The meeting is on Thursday.")
        await world.add()
    shutil.copytree(tmp_path / "data", tmp_path / "copy")
    async with opened(tmp_path) as world:
        world.store.db.is_read_only = True
        await world.service.start()
        assert not running_tasks("knowledge") and await world.found("meeting") == ["a.md"]


async def test_a_page_that_cannot_be_fetched_again_keeps_its_text_and_says_why(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    source_id = await world.add(SourceKind.PAGE, "https://docs.example/expenses")
    for is_there, problem in ((False, "The server cannot be reached."), (True, "")):
        monkeypatch.setattr(_Pages, "is_there", is_there)
        await world.service.read_again(source_id)
        await world.service.wait_until_read()
        (status,) = await world.service.statuses(world.project_id)
        assert status.source.problem == problem
        assert await world.found("receipts handed in") == ["https://docs.example/expenses"]


async def test_a_file_beside_chatdesks_own_folder_may_be_added_and_one_in_it_not(world: World, tmp_path: Path) -> None:
    (tmp_path / "notes.md").write_text("The meeting is on Thursday.")
    await world.add(SourceKind.FILE, tmp_path / "notes.md")
    assert await world.found("meeting") == ["notes.md"]
    with pytest.raises(InvalidInput):
        await world.service.add(world.project_id, SourceKind.FILE, str(tmp_path / "data" / "chatdesk.db"))


async def test_what_is_never_listed_wakes_nobody(world: World) -> None:
    world.write("a.md", "The meeting is on Thursday.")
    await world.add()
    told = world.told
    for name in (".git/index", "node_modules/x/a.js", "sub/__pycache__/a.pyc", ".hidden"):
        world.write(name, "x")
    world.write("b.md", "A concert.")

    async def finds_new() -> bool:
        return "b.md" in await world.found("concert")

    await until(finds_new)
    world.write(".gitignore", "b.md")

    async def finds_nothing() -> bool:
        return await world.found("concert") == []

    await until(finds_nothing)
    assert world.told > told
