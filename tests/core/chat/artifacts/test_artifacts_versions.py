"""Documents opened from answers: how their versions are found, and what they survive."""

from __future__ import annotations

import zipfile
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from chatdesk.core.attachments.blob_store import BlobStore
from chatdesk.core.chat.artifacts.artifact_service import ArtifactService
from chatdesk.core.chat.attachment_service import AttachmentService
from chatdesk.core.domain.artifacts.artifact import Artifact, ArtifactView, grouped
from chatdesk.core.domain.attachment import Attachment
from chatdesk.core.domain.exports import Choice, ExportFormat
from chatdesk.core.errors import MessageNotFound, NotPossible
from chatdesk.core.events import EventBus
from chatdesk.core.storage.chat.artifacts import ArtifactRepository
from chatdesk.core.storage.chat.documents import DocumentRepository
from chatdesk.core.storage.engine.tables import HEAD_REVISION
from chatdesk.core.storage.sync.wire.bodies import message_texts
from chatdesk.core.storage.transfer.export_reader import open_reader
from chatdesk.core.storage.transfer.importing import ImportRepository
from chatdesk.core.storage.upkeep.backup_files import names_of
from chatdesk.core.storage.upkeep.restored_rows import copy_rows
from chatdesk.core.transfer.exports.export_service import ExportService
from chatdesk.core.transfer.imports.import_service import ImportService
from tests.helpers import shown_digest
from tests.helpers.checks import integrity_check
from tests.helpers.make_old_database import MIGRATIONS
from tests.helpers.store import PLAN, MovableClock, Store

CODE = "def fib(n):\n" + "".join(f"    step_{number}()\n" for number in range(20))
CHANGED = CODE.replace("step_3", "other")


class World:
    """A database with blobs beside it, and the service over both."""

    def __init__(self, folder: Path) -> None:
        self.store = Store(folder / "chatdesk.db", MovableClock())
        self.blobs = BlobStore(folder / "blobs")
        self.begin()

    def begin(self) -> None:
        self.attachments = AttachmentService(self.blobs, ArtifactRepository(self.store.db))
        self.service = ArtifactService(DocumentRepository(self.store.db), self.attachments)

    async def ask(self, thread_id: str, answer: str, files: tuple[Attachment, ...] = ()) -> str:
        _, pending, _ = await self.store.messages.add_question(
            thread_id, "question", with_answer=PLAN, attachments=list(files)
        )
        assert pending is not None
        await self.store.answer(pending.id, answer)
        return pending.id

    async def only(self, thread_id: str) -> Artifact:
        (artifact,) = await self.service.of_thread(thread_id)
        return artifact

    async def texts(self, artifact: Artifact) -> list[str]:
        return [(await self.service.text_of(each)).text for each in artifact.versions]

    async def opened(self) -> tuple[str, str, Artifact]:
        """Return a thread, its answer, and the document opened from it."""
        thread = await self.store.thread()
        answer = await self.ask(thread, f"Here is `fib.py`:\n```python\n{CODE}```\n")
        await self.service.open_code(answer, CODE, "python")
        return thread, answer, await self.only(thread)

    async def close(self) -> None:
        await self.attachments.close()
        await self.store.db.close()


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    made = World(tmp_path / "data")
    await made.store.db.open()
    yield made
    await made.close()


async def test_a_code_block_is_opened_once_under_its_name(world: World) -> None:
    thread, answer, artifact = await world.opened()
    version = artifact.newest
    assert (version.name, version.language, version.message_id) == ("fib.py", "python", answer)
    assert version.view is ArtifactView.SOURCE
    assert await world.texts(artifact) == [CODE]
    assert await world.service.open_code(answer, CODE, "python") == artifact.id
    assert len((await world.only(thread)).versions) == 1


async def test_an_edit_is_a_version_and_overwrites_nothing(world: World) -> None:
    thread, answer, artifact = await world.opened()
    await world.service.edit(artifact.newest, CHANGED)
    artifact = await world.only(thread)
    assert [each.is_by_hand for each in artifact.versions] == [False, True]
    assert await world.texts(artifact) == [CODE, CHANGED]
    shown = await world.store.shown(thread)
    assert CODE in shown[1]
    assert artifact.newest.message_id == answer


async def test_an_edit_without_changes_makes_no_version(world: World) -> None:
    thread, _, artifact = await world.opened()
    with pytest.raises(NotPossible):
        await world.service.edit(artifact.newest, CODE)
    assert len((await world.only(thread)).versions) == 1


async def test_the_answer_to_a_request_for_a_change_is_the_next_version(world: World) -> None:
    thread, _, artifact = await world.opened()
    answer = await world.ask(thread, f"Done:\n```python\n{CHANGED}```\nRun\n```sh\nls\n```\n", (artifact.newest.file,))
    artifact = await world.only(thread)
    assert await world.texts(artifact) == [CODE, CHANGED]
    assert artifact.newest.message_id == answer
    assert len((await world.only(thread)).versions) == 2


async def test_an_answer_without_the_whole_file_makes_no_version(world: World) -> None:
    thread, _, artifact = await world.opened()
    await world.ask(thread, "Replace it by\n```python\nother()\n```\n", (artifact.newest.file,))
    assert len((await world.only(thread)).versions) == 1


async def test_an_answer_to_another_question_makes_no_version(world: World) -> None:
    thread, _, _ = await world.opened()
    await world.ask(thread, f"```python\n{CHANGED}```\n")
    assert len((await world.only(thread)).versions) == 1


async def test_a_file_of_a_message_becomes_a_document_when_it_is_edited(world: World) -> None:
    thread = await world.store.thread()
    file = await world.attachments.add_bytes(b"a,b\n1,2\n", "data.csv")
    await world.ask(thread, "ok", (file,))
    artifact = await world.only(thread)
    assert (artifact.name, artifact.newest.view, artifact.newest.kind) == ("data.csv", ArtifactView.TABLE, "file")
    await world.service.edit(artifact.newest, "a,b\n1,3\n")
    artifact = await world.only(thread)
    assert await world.texts(artifact) == ["a,b\n1,2\n", "a,b\n1,3\n"]


async def test_versions_are_compared(world: World) -> None:
    thread, _, artifact = await world.opened()
    await world.service.edit(artifact.newest, CHANGED)
    old, new = (await world.only(thread)).versions
    found = await world.service.compare(old, new)
    assert (found.added, found.removed) == (1, 1)
    assert "-    step_3()\n+    other()\n" in found.text


async def test_a_removed_document_comes_back(world: World) -> None:
    thread, _, artifact = await world.opened()
    await world.service.edit(artifact.newest, CHANGED)
    removed = await world.service.remove(await world.only(thread))
    assert await world.service.of_thread(thread) == ()
    await world.service.restore(removed)
    assert await world.texts(await world.only(thread)) == [CODE, CHANGED]


async def test_versions_survive_a_restart_and_the_trash(world: World) -> None:
    thread, answer, artifact = await world.opened()
    await world.service.edit(artifact.newest, CHANGED)
    await world.store.paths.delete(answer, with_later=False)
    assert await world.service.of_thread(thread) == ()
    await world.store.paths.restore(answer)
    await world.attachments.close()
    await world.store.reopen()
    world.begin()
    assert await world.texts(await world.only(thread)) == [CODE, CHANGED]
    assert await integrity_check(world.store.db) == []


async def test_a_branch_has_versions_of_its_own(world: World) -> None:
    thread, answer, artifact = await world.opened()
    await world.service.edit(artifact.newest, CHANGED)
    branch = (await world.store.paths.branch(answer, "Branch")).id
    copied = await world.only(branch)
    assert await world.texts(copied) == [CODE, CHANGED]
    await world.service.edit(copied.newest, "x = 1\n")
    assert [each.number for each in (await world.only(branch)).versions] == [1, 2, 3]
    assert len((await world.only(thread)).versions) == 2


async def test_versions_come_back_with_an_export(world: World, tmp_path: Path) -> None:
    thread, _, artifact = await world.opened()
    await world.service.edit(artifact.newest, CHANGED)
    target = tmp_path / "out.zip"
    exports = ExportService(world.store.path, world.blobs.folder, world.store.clock, printing=["false"])
    await exports.export(Choice(thread_ids=(thread,)), ExportFormat.JSON, target)
    with zipfile.ZipFile(target) as archive:
        assert sum(name.startswith("attachments/") for name in archive.namelist()) == 2
    other = World(tmp_path / "other")
    await other.store.db.open()
    try:
        service = ImportService(ImportRepository(other.store.db), other.blobs, other.store.clock, EventBus())
        await service.run(target)
        found = await other.only(thread)
        assert await other.texts(found) == [CODE, CHANGED]
        assert [(each.name, each.is_by_hand, each.language) for each in found.versions] == [
            ("fib.py", False, "python"),
            ("fib.py", True, "python"),
        ]
        assert found.versions[0].created_at == artifact.newest.created_at
    finally:
        await other.close()


async def test_a_team_neither_gets_documents_nor_sees_a_difference(world: World) -> None:
    thread = await world.store.thread()
    file = await world.attachments.add_bytes(b"a,b\n1,2\n", "data.csv")
    answer = await world.ask(thread, f"```python\n{CODE}```\n", (file,))
    project = (await world.store.threads.get(thread)).project_id
    question = (await world.store.messages.get(answer)).parent_id
    assert question is not None

    async def seen() -> tuple[object, ...]:
        said = await world.store.db.read(lambda conn: message_texts(conn, [answer, question]))
        return await world.store.db.read(lambda conn: shown_digest.digest(conn, project)), said

    before = await seen()
    await world.service.open_code(answer, CODE, "python")
    for artifact in await world.service.of_thread(thread):
        await world.service.edit(artifact.newest, "changed\n")
    assert len(await world.service.of_thread(thread)) == 2
    assert await seen() == before


async def test_clean_up_keeps_the_bytes_of_every_version(world: World) -> None:
    thread, _, artifact = await world.opened()
    await world.service.edit(artifact.newest, CHANGED)
    assert await world.attachments.remove_unnamed(older_than_s=0) == 0
    await world.service.remove(await world.only(thread))
    assert await world.attachments.remove_unnamed(older_than_s=0) == 2


async def test_documents_are_not_read_for_the_search(world: World) -> None:
    await world.opened()
    assert await world.attachments.read_unread(pause_s=0) == 0


async def test_a_message_that_is_gone_is_told(world: World) -> None:
    with pytest.raises(MessageNotFound):
        await world.service.open_code("01900000-0000-7000-8000-00000000abcd", CODE, "python")


async def test_lost_bytes_are_told(world: World) -> None:
    _, _, artifact = await world.opened()
    world.blobs.remove(artifact.newest.sha256)
    found = await world.service.text_of(artifact.newest)
    assert (found.text, found.problem) == ("", "The attached file is no longer there.")


async def test_versions_come_back_with_a_backup(world: World, tmp_path: Path) -> None:
    thread, _, artifact = await world.opened()
    await world.service.edit(artifact.newest, CHANGED)
    sums = {each.sha256 for each in (await world.only(thread)).versions}
    backup = tmp_path / "backup.db"
    await world.store.db.back_up(backup)
    assert names_of(backup) == sums  # so that they are packed with it
    restored = tmp_path / "restored" / "chatdesk.db"
    restored.parent.mkdir()
    copy_rows(backup, restored, HEAD_REVISION, migrations=MIGRATIONS, name="backup.db")
    store = Store(restored, world.store.clock)
    await store.db.open()
    try:
        found = grouped(await DocumentRepository(store.db).of_thread(thread))
        assert [[each.sha256 for each in one.versions] for one in found] == [
            [each.sha256 for each in (await world.only(thread)).versions]
        ]
    finally:
        await store.db.close()


async def test_a_document_of_an_unnamed_block_is_called_after_its_language(world: World) -> None:
    thread = await world.store.thread()
    answer = await world.ask(thread, f"```svg\n{CODE}```\n")
    await world.service.open_code(answer, CODE, "svg")
    assert (await world.only(thread)).name == "code.svg"


async def test_equal_answers_to_several_requests_are_versions_each(world: World) -> None:
    thread, _, _ = await world.opened()
    for number in range(3):
        newest = (await world.only(thread)).newest
        await world.ask(thread, f"```python\n{CODE}# {number}\n```\n", (newest.file,))
    assert [each.number for each in (await world.only(thread)).versions] == [1, 2, 3, 4]


async def test_a_thread_that_is_only_read_lists_what_there_is(world: World) -> None:
    thread, _, artifact = await world.opened()
    await world.ask(thread, f"```python\n{CHANGED}```\n", (artifact.newest.file,))
    world.store.db.is_read_only = True
    try:
        assert len((await world.only(thread)).versions) == 1
        with pytest.raises(NotPossible):
            await world.service.edit(artifact.newest, CHANGED)
    finally:
        world.store.db.is_read_only = False


async def test_an_edit_that_was_cut_off_is_there_until_it_is_a_version(world: World) -> None:
    _, _, artifact = await world.opened()
    version = artifact.newest
    assert await world.service.unfinished_edit(version) is None
    await world.service.keep_edit(version, "half")
    await world.service.keep_edit(version, "half of it")
    await world.attachments.close()
    await world.store.reopen()
    world.begin()
    assert await world.service.unfinished_edit(version) == "half of it"
    await world.service.edit(version, "all of it\n")
    assert await world.service.unfinished_edit(version) is None
    await world.service.keep_edit(version, "not wanted")
    await world.service.forget_edit(version)
    assert await world.service.unfinished_edit(version) is None
    assert await integrity_check(world.store.db) == []


async def test_an_unfinished_edit_is_no_draft_of_its_thread(world: World) -> None:
    thread, _, artifact = await world.opened()
    await world.service.keep_edit(artifact.newest, "half")
    assert await world.store.drafts.get(thread) is None
    with open_reader(world.store.path) as reader:
        assert list(reader.drafts(has_trash=True)) == []


async def test_what_is_gone_for_good_takes_unfinished_edits_with_it(world: World) -> None:
    _thread, answer, artifact = await world.opened()
    await world.service.keep_edit(artifact.newest, "half of a secret")
    await world.store.paths.delete(answer, with_later=False)
    assert await world.service.unfinished_edit(artifact.newest) == "half of a secret", "it may come back"
    await world.store.trash.purge_expired(2**60)
    assert await world.service.unfinished_edit(artifact.newest) is None
