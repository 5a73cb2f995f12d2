"""Whoever may write to a folder plants symlinks under every name that can be foreseen; no writer follows one."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import stat
import time
import zipfile
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from chatdesk.core.attachments.blob_store import BlobStore
from chatdesk.core.chat.attachment_service import AttachmentService
from chatdesk.core.chat.prompts.prompt_files import write_prompts
from chatdesk.core.domain.attachment import Attachment
from chatdesk.core.domain.exports import Choice, ExportFormat
from chatdesk.core.errors import ExportFailed
from chatdesk.core.settings.store import SettingsStore
from chatdesk.core.storage.chat.artifacts import ArtifactRepository
from chatdesk.core.storage.engine import backup
from chatdesk.core.storage.upkeep.backup_directory import BackupDirectory
from chatdesk.core.storage.upkeep.backup_service import BackupService
from chatdesk.core.storage.usage.days import UsageDayRepository
from chatdesk.core.storage.usage.events import UsageRepository
from chatdesk.core.system.file_writing import unfinished_name
from chatdesk.core.transfer.exports.export_service import ExportService
from chatdesk.core.usage.usage_service import UsageService
from chatdesk.ui.window.window_state import WindowState, WindowStateFile
from tests.helpers.store import MovableClock, Store

pytestmark = pytest.mark.skipif(os.name != "posix", reason="symlinks of POSIX")

MINE = "# what the victim keeps\n"  # a valid file of settings
PRINTING = ["sh", "-c", "cat > /dev/null; echo %PDF-1.4"]


@dataclass
class World:
    store: Store
    thread: str
    blobs: BlobStore
    file: Attachment

    @property
    def exports(self) -> ExportService:
        return ExportService(self.store.path, self.blobs.folder, self.store.clock, printing=PRINTING)


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    store = Store(tmp_path / "data" / "chatdesk.db", MovableClock())
    await store.db.open()
    thread = await store.thread()
    await store.ask(thread)
    blobs = BlobStore(tmp_path / "data" / "blobs")
    kept = blobs.put([b"attached"], max_bytes=100)
    yield World(store, thread, blobs, Attachment("a.txt", "text/plain", kept.sha256, kept.size_bytes))
    await store.db.close()


def _export(kind: ExportFormat) -> Callable[[World, Path], Awaitable[object]]:
    async def write(world: World, target: Path) -> object:
        return await world.exports.export(Choice(thread_ids=(world.thread,)), kind, target)

    return write


async def _backup(world: World, target: Path) -> object:
    shelf = BackupDirectory(world.store.path.parent / "backups", "chatdesk", daily=1, weekly=1)
    return await BackupService(world.store.path, shelf, world.blobs.folder, world.store.clock).make_zip(target)


async def _usage(world: World, target: Path) -> object:
    db = world.store.db
    service = UsageService(UsageRepository(db), UsageDayRepository(db), world.store.clock)
    return await service.write_csv(target, service.today(), service.today())


async def _copy(world: World, target: Path) -> object:
    return await AttachmentService(world.blobs, ArtifactRepository(world.store.db)).save_copy(world.file, target)


async def _prompts(_world: World, target: Path) -> object:
    return await asyncio.to_thread(write_prompts, target, ())


async def _settings(_world: World, target: Path) -> object:
    return await asyncio.to_thread(SettingsStore(target).save, {"theme": "dark"})


async def _window_state(_world: World, target: Path) -> object:
    file = WindowStateFile(target)
    file.save_soon(WindowState())
    return await asyncio.to_thread(file.close)


WRITERS: dict[str, Callable[[World, Path], Awaitable[object]]] = {
    "a.md": _export(ExportFormat.MARKDOWN),
    "a.html": _export(ExportFormat.HTML),
    "a.pdf": _export(ExportFormat.PDF),
    "a.json": _export(ExportFormat.JSON),
    "a.zip": _export(ExportFormat.JSON),
    "backup.zip": _backup,
    "usage.csv": _usage,
    "copy.txt": _copy,
    "prompts.json": _prompts,
    "settings.toml": _settings,
    "window.json": _window_state,
}


@pytest.mark.parametrize("name", WRITERS)
async def test_no_planted_symlink_is_followed(world: World, tmp_path: Path, name: str) -> None:
    victim, folder = tmp_path / "victim", tmp_path / "shared"
    victim.write_text(MINE, "utf-8")
    folder.mkdir()
    planted = [f"{hidden}{name}{pid}{end}" for hidden in ("", ".") for pid in ("", f".{os.getpid()}") for end in ENDS]
    for each in dict.fromkeys((*planted, name)):
        (folder / each).symlink_to(victim)
    before = set(os.listdir(folder))
    await WRITERS[name](world, folder / name)
    found = (folder / name).lstat()
    assert victim.read_text("utf-8") == MINE
    assert stat.S_ISREG(found.st_mode)
    assert found.st_mode & 0o777 == 0o600
    assert set(os.listdir(folder)) == before


ENDS = (".part", ".new", ".tmp", ".bak")


@pytest.mark.parametrize("name", WRITERS)
async def test_what_a_loss_of_power_left_goes_with_the_next_writing(world: World, tmp_path: Path, name: str) -> None:
    target = tmp_path / "shared" / name
    target.parent.mkdir()
    old, new = (unfinished_name(target) for _ in range(2))
    for each, age_s in ((old, 2 * 24 * 3600), (new, 3600)):
        each.write_text("half")
        os.utime(each, (time.time() - age_s,) * 2)
    await WRITERS[name](world, target)
    assert set(target.parent.iterdir()) == {target, new}


@pytest.mark.parametrize("free", [10**12, 0])
async def test_a_zip_is_copied_beside_its_place_where_the_backups_have_no_room(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, free: int
) -> None:
    copies, back_up = [], backup.back_up

    def watched(source: sqlite3.Connection, copy: Path, *, named: Path | None = None) -> Path:
        copies.append(copy)
        return back_up(source, copy, named=named)

    monkeypatch.setattr(backup, "back_up", watched)
    monkeypatch.setattr(BackupDirectory, "room", lambda *_: (1, free))
    target = tmp_path / "other disk" / "backup.zip"
    target.parent.mkdir()
    await _backup(world, target)
    [copy] = copies
    assert copy.parent == (world.store.path.parent / "backups" if free else target.parent)
    assert list(target.parent.iterdir()) == [target]
    assert zipfile.is_zipfile(target)


async def test_files_beside_an_export_go_through_no_planted_folder(world: World, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    question, _, _ = await world.store.messages.add_question(
        world.thread, "with a file", with_answer=None, attachments=(world.file,)
    )
    assert question is not None
    for kind, folder in ((ExportFormat.MARKDOWN, "a-files"), (ExportFormat.JSON, "a-attachments")):
        (tmp_path / folder).symlink_to(elsewhere, target_is_directory=True)
        target = tmp_path / f"a.{kind}"
        with pytest.raises(ExportFailed, match="not a folder"):
            await world.exports.export(Choice(thread_ids=(world.thread,)), kind, target)
        assert not target.exists()
    assert list(elsewhere.iterdir()) == []
