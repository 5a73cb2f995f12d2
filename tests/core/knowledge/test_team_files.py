"""Tests what a team knows of a shared project's files, through a real PostgreSQL: just what the person lets it know,
and nothing that another member could make of that."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from chatdesk.core.domain.knowledge import KnowledgeSource, Sharing, SourceKind, SourceStatus
from chatdesk.core.domain.sharing.team import TeamRole
from chatdesk.core.errors import NotPossible
from chatdesk.core.ids import new_id
from chatdesk.core.knowledge.file_reading import KnowledgeReader
from chatdesk.core.knowledge.knowledge_service import KnowledgeService
from chatdesk.core.knowledge.places import folder_of
from chatdesk.core.paths import AppPaths, encodings_dir
from chatdesk.core.storage.engine import change_log
from chatdesk.core.storage.knowledge import team_files
from tests.helpers.postgres import TeamDatabase
from tests.helpers.team_world import Desk, desks, member_of
from tests.helpers.waiting import until

QUESTION = "How many days of paid holiday?"


class Computer:
    """A desk of a team, and the files that it reads."""

    def __init__(self, desk: Desk, project_id: str) -> None:
        self.desk = desk
        self.project_id = project_id
        self.folder = desk.folder.parent / f"files of {desk.folder.name}" / "Handbook"
        self.folder.mkdir(parents=True)
        self.service = KnowledgeService(
            desk.database,
            AppPaths.find(str(desk.folder)),
            desk.bus,
            vectors_dir=encodings_dir(),
            make_pages=lambda: pytest.fail("nothing is fetched"),
        )

    def write(self, name: str, text: str) -> None:
        (self.folder / name).write_text(text, "utf-8")

    async def add(self) -> str:
        source = await self.service.add(self.project_id, SourceKind.FOLDER, str(self.folder))
        await self.service.wait_until_read()
        return source.id

    async def status(self, source_id: str) -> SourceStatus | None:
        return next(
            (each for each in await self.service.statuses(self.project_id) if each.source.id == source_id), None
        )

    async def finds(self, question: str = QUESTION) -> list[str]:
        return [each.passage.text for each in await self.service.search(self.project_id, question)]

    async def write_register(self, reg: str, body: Any) -> None:
        """Write a register as any program of a member could."""
        origin = self.desk.database.origin

        def work(conn: Any) -> None:
            change_log.log_change(
                conn,
                origin,
                project_id=self.project_id,
                kind="project",
                op="edit",
                entity=self.project_id,
                reg=reg,
                hlc=origin.hybrid_clock.next(),
                body=body,
            )

        await self.desk.database.write(work)


@asynccontextmanager
async def computers(
    folder: Path, workspace: TeamDatabase, role: TeamRole = TeamRole.VIEWER
) -> AsyncIterator[tuple[Computer, Computer]]:
    """The owner's computer and that of a member with this role."""
    async with desks(folder, workspace, ["ben"], role=role) as (project_id, made):
        ana, ben = (Computer(each, project_id) for each in made)
        ana.write("leave.md", "# Leave\n\nEach employee has thirty days of paid holiday.")
        ana.write("travel.md", "# Travel\n\nReceipts are handed in within a month.")
        await ana.service.start()
        await ben.service.start()
        try:
            yield ana, ben
        finally:
            await ana.service.close()
            await ben.service.close()


async def test_no_text_of_a_secret_goes_to_a_team(tmp_path: Path, workspace: TeamDatabase) -> None:
    async with computers(tmp_path, workspace) as (ana, ben):
        ana.write(".env", "PASSWORD=correct horse battery")
        source_id = await ana.add()
        await ana.service.exclude(source_id, "!/.env")
        await ana.service.share(source_id, Sharing.TEXT)
        await ana.service.wait_until_read()
        assert any("horse" in each for each in await ana.finds("correct horse battery"))
        await until(lambda: ben.status(source_id))
        await until(lambda: ben.finds())
        assert not any("horse" in each for each in await ben.finds("correct horse battery"))


@pytest.mark.parametrize(("role", "sharing"), list(product((TeamRole.VIEWER, TeamRole.ADMIN), Sharing)))
async def test_a_team_gets_what_its_owner_lets_it_know(
    tmp_path: Path, workspace: TeamDatabase, role: TeamRole, sharing: Sharing
) -> None:
    async with computers(tmp_path, workspace, role) as (ana, ben):
        source_id = await ana.add()
        await ana.service.share(source_id, sharing)
        await ana.service.wait_until_read()
        await until(lambda: ana_is_through(ana))
        if sharing is Sharing.NOTHING:
            await until(lambda: is_taken_back(ben, source_id))
            assert await ben.finds() == []
            return
        await until(lambda: ben.status(source_id))
        if sharing is Sharing.TEXT:
            await until(lambda: has_read(ben, source_id, 2))
            assert "thirty days" in (await ben.finds())[0]
        status = await ben.status(source_id)
        assert status is not None and status.source.place == "team:Handbook"
        assert status.total == (2 if sharing is Sharing.TEXT else 0)
        assert str(ana.desk.folder) not in json.dumps(await said_to_the_team(ben))


async def ana_is_through(computer: Computer) -> bool:
    return await computer.desk.waiting() == 0


async def is_taken_back(computer: Computer, source_id: str) -> bool:
    """Return whether the project's registers arrived, and none of them names the source."""
    rows = await said_to_the_team(computer)
    return rows.get(f"{change_log.FILES}{source_id}") == {} and await computer.status(source_id) is None


async def has_read(computer: Computer, source_id: str, files: int) -> bool:
    status = await computer.status(source_id)
    return status is not None and status.read == files and not status.waiting


async def said_to_the_team(computer: Computer) -> dict[str, Any]:
    """Return the newest body of each register of the project's files."""

    def work(conn: Any) -> dict[str, Any]:
        rows = conn.exec_driver_sql(
            "SELECT reg, body FROM changes WHERE project_id = ? AND reg LIKE 'lww.file%' ORDER BY hlc",
            (computer.project_id,),
        )
        return {row[0]: json.loads(row[1] or "{}") for row in rows}

    return await computer.desk.database.read(work)


async def test_what_changes_is_current_and_what_goes_is_gone(tmp_path: Path, workspace: TeamDatabase) -> None:
    async with computers(tmp_path, workspace) as (ana, ben):
        source_id = await ana.add()
        await ana.service.share(source_id, Sharing.TEXT)
        await until(lambda: has_read(ben, source_id, 2))
        ana.write("leave.md", "# Leave\n\nEach employee has forty days of paid holiday.")
        await until(lambda: finds(ben, "forty days"))
        assert not any("thirty" in each for each in await ben.finds())
        (ana.folder / "travel.md").unlink()
        await until(lambda: has_read(ben, source_id, 1))
        await ana.service.share(source_id, Sharing.NAME)
        await until(lambda: has_read(ben, source_id, 0))
        assert await ben.finds() == []
        await ana.service.share(source_id, Sharing.TEXT)
        await until(lambda: has_read(ben, source_id, 1))
        await ana.service.remove(source_id)
        await until(lambda: is_taken_back(ben, source_id))
        assert await ben.finds() == []


async def finds(computer: Computer, words: str) -> bool:
    return any(words in each for each in await computer.finds())


async def test_a_project_shared_later_brings_its_files(tmp_path: Path, workspace: TeamDatabase) -> None:
    async with desks(tmp_path, workspace, ["ben"]) as (_, [ana_desk, ben_desk]):
        ana = Computer(ana_desk, await ana_desk.project("Later"))
        ben = Computer(ben_desk, ana.project_id)
        ana.write("leave.md", "Each employee has thirty days of paid holiday.")
        await ana.service.start()
        await ben.service.start()
        try:
            source_id = await ana.add()
            with pytest.raises(NotPossible):
                await ana.service.share(source_id, Sharing.TEXT)
            await ana_desk.team.sharing.share(ana.project_id, ana_desk.workspace_id)
            ben_id = (await member_of(ana_desk, "ben")).id
            await asyncio.to_thread(let_in, workspace, ana.project_id, ben_id)
            await until(lambda: ben.status(source_id))
            await ana_desk.team.sharing.unshare(ana.project_id)
            await until(lambda: is_gone(ben, source_id))
        finally:
            await ana.service.close()
            await ben.service.close()


def let_in(workspace: TeamDatabase, project_id: str, member_id: str) -> None:
    with workspace.connect() as conn:
        conn.execute("SELECT cd.set_role(%s, %s, 'viewer')", (project_id, member_id))


async def is_gone(computer: Computer, source_id: str) -> bool:
    return await computer.status(source_id) is None


@pytest.mark.parametrize("role", [TeamRole.VIEWER, TeamRole.EDITOR])
async def test_only_owners_and_admins_share_their_files(
    tmp_path: Path, workspace: TeamDatabase, role: TeamRole
) -> None:
    async with computers(tmp_path, workspace, role) as (ana, ben):
        ben.write("own.md", "A note of Ben.")
        source_id = await ben.add()
        for sharing in Sharing:
            with pytest.raises(NotPossible):
                await ben.service.share(source_id, sharing)
        assert await said_to_the_team(ben) == {} and await ana.status(source_id) is None


async def test_a_source_of_the_team_is_paused_but_not_removed(tmp_path: Path, workspace: TeamDatabase) -> None:
    async with computers(tmp_path, workspace, TeamRole.ADMIN) as (ana, ben):
        source_id = await ana.add()
        await until(lambda: ben.status(source_id))
        with pytest.raises(NotPossible):
            await ben.service.remove(source_id)
        with pytest.raises(NotPossible):
            await ben.service.share(source_id, Sharing.TEXT)
        await ben.service.pause(source_id, is_paused=True)
        await ana.service.share(source_id, Sharing.TEXT)
        await until(lambda: texts_arrived(ben, source_id))
        await ben.service.wait_until_read()
        assert await ben.finds() == []


async def texts_arrived(computer: Computer, source_id: str) -> bool:
    source = await computer.service.repository.get(source_id)
    return len(await computer.service.team.texts(source)) == 2


_IDS = (new_id(), new_id())
_GOOD = {"path": "good.md", "stamp": "1", "mime": "text/plain", "characters": 40}
_ROW = [0, 40, None, "", "Each employee has thirty days of paid holiday."]
_IMPOSSIBLE: tuple[Any, ...] = (
    None,
    -1,
    2**70,
    0.5,
    True,
    "",
    "\ud800",
    "../../etc/passwd",
    "\x00",
    [],
    {},
    [[]],
    [None],
)


def hostile_texts() -> list[dict[str, Any]]:
    """Bodies of files in which one value is impossible: each column of a file and of a passage with each value."""
    files = [{**_GOOD, "passages": [_ROW], name: value} for name in [*_GOOD, "passages"] for value in _IMPOSSIBLE]
    rows = [[*_ROW[:at], value, *_ROW[at + 1 :]] for at in range(len(_ROW)) for value in _IMPOSSIBLE]
    return [*files, *({**_GOOD, "passages": [_ROW, row]} for row in rows)]


async def test_a_hostile_member_spoils_only_what_they_write(tmp_path: Path, workspace: TeamDatabase) -> None:
    async with computers(tmp_path, workspace) as (ana, ben):
        own = await ana.add()
        await ana.service.share(own, Sharing.TEXT)
        for name, source_id in product(_IMPOSSIBLE, _IDS[:1]):
            await ana.write_register(f"{change_log.FILES}{source_id}", {"name": name})
        for reg in ("", ".", "x" * 60, "../..", own.upper()):
            await ana.write_register(f"{change_log.FILES}{reg.lower()[:60].replace('/', '.')}.", {"name": "Other"})
        await ana.write_register(f"{change_log.FILES}{_IDS[0]}", {"name": "../../\u202eetc"})
        for at, body in enumerate(hostile_texts()):
            await ana.write_register(f"{change_log.FILE_TEXT}{_IDS[0]}.{at:032x}", body)
            if isinstance(body["path"], str) and body["path"]:
                await ana.write_register(register_of(_IDS[0], body["path"]), body)
        await ana.write_register(register_of(_IDS[0], "good.md"), {**_GOOD, "passages": [_ROW]})
        await until(lambda: has_read(ben, own, 2))
        await until(lambda: finds(ben, "Each employee has thirty days of paid holiday."))
        sources = {each.source.id: each.source.place for each in await ben.service.statuses(ben.project_id)}
        assert sources == {own: "team:Handbook", _IDS[0]: "team:....etc"}
        await until(lambda: is_listed(ben, _IDS[0]))
        assert {each.path for each in await ben.service.repository.files(_IDS[0])} <= {"good.md", "../../etc/passwd"}


async def is_listed(computer: Computer, source_id: str) -> bool:
    return "good.md" in {each.path for each in await computer.service.repository.files(source_id)}


def register_of(source_id: str, path: str) -> str:
    digest = hashlib.sha256(path.encode("utf-8", "replace")).hexdigest()[:32]
    return f"{change_log.FILE_TEXT}{source_id}.{digest}"


def test_a_body_of_another_member_is_read_or_refused_whatever_it_says() -> None:
    reader = KnowledgeReader(encodings_dir())
    try:
        assert reader.embed_shared(json.dumps({**_GOOD, "passages": [_ROW]})).passages
        bodies = [json.dumps(each) for each in hostile_texts()]
        for body in [*bodies, "", "[]", "null", "{", "[" * 100_000, '{"passages": 1e999}', "9" * 10_000]:
            found = reader.embed_shared(body)
            assert bool(found.passages) != bool(found.problem) or not found.passages
        many = {**_GOOD, "passages": [_ROW] * 10_001}
        assert reader.embed_shared(json.dumps(many)).problem
        assert reader.embed_shared(json.dumps({**_GOOD, "passages": [_ROW]})).passages, "the process goes on"
    finally:
        reader.close()


async def test_a_file_too_large_for_the_team_is_left_out_and_the_others_go(
    tmp_path: Path, workspace: TeamDatabase
) -> None:
    async with computers(tmp_path, workspace) as (ana, ben):
        for at in range(25):
            ana.write(f"large{at}.txt", "".join(f"Line {line} says little.\n" for line in range(50_000)))
        source_id = await ana.add()
        await ana.service.share(source_id, Sharing.TEXT)
        await ana.service.wait_until_read()
        await until(lambda: has_read(ben, source_id, 2))


@pytest.mark.parametrize(
    ("kind", "place", "name"),
    [
        (SourceKind.FOLDER, "/home/ana/Secret plans/Handbook", "Handbook"),
        (SourceKind.FOLDER, "/home/ana/Secret plans/Handbook/", "Handbook"),
        (SourceKind.FOLDER, "C:\\Users\\ana\\Handbook", "Handbook"),
        (SourceKind.FILE, "/home/ana/leave.md", "leave.md"),
        (SourceKind.PAGE, "https://example.org/a/b?token=abc", "example.org a b"),
    ],
)
def test_a_name_tells_nothing_of_where_it_is(kind: SourceKind, place: str, name: str) -> None:
    assert team_files.name_of(KnowledgeSource("", "", kind, place)) == name


@pytest.mark.parametrize("kind", [SourceKind.TEAM, SourceKind.PAGE])
def test_nothing_on_the_disk_is_opened_for_what_is_elsewhere(kind: SourceKind) -> None:
    with pytest.raises(NotPossible):
        folder_of(KnowledgeSource("", "", kind, "team:etc"))
