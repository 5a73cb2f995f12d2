"""Half-made copies go at the next start or backup once their maker is gone, whatever they are called."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from chatdesk.core.storage.engine import owner_token, unfinished_files
from chatdesk.core.storage.upkeep.backup_directory import BackupDirectory
from chatdesk.core.storage.upkeep.backup_service import BackupService
from tests.helpers.store import Store

EARLIER = (
    ".zip-12.db.new",
    ".zip-12.db.new.new",
    ".zip-12.db.new.new-journal",
    "chatdesk-look-77.db",
    "chatdesk-look-77.db-wal",
    "chatdesk-000003-20260302T120000Z.db.gz.new",
    "chatdesk-000003-20260302T120000Z.db.gz.plain.new",
    "chatdesk-000003-20260302T120000Z.db.gz.plain.new.new-journal",
    "before-restore-20260302T120000Z.db.plain.new",
    "before-restore-20260302T120000Z.db.plain.new.new",
    "before-restore-20260302T120000Z.db.gz.new",
    "before-restore-20260302T120000Z.damaged.zip.new",
    "chatdesk-pre-0008-from-0001.db.new",
)
KEPT = (
    "chatdesk.db",
    "chatdesk.db-wal",
    "chatdesk.db.mark",
    "chatdesk.db.restore",
    "chatdesk-000003-20260302T120000Z.db.gz",
    "chatdesk-000003-20260302T120000Z.db.gz.files",
    "before-restore-20260302T120000Z.damaged.zip",
    "chatdesk-pre-0008-from-0001.db",
    "notes.new",
    ".notes.1-2-zz.new",
    "my.db.new",
)


def _names(directory: Path) -> set[str]:
    return {path.name for path in directory.iterdir()}


def test_only_files_left_by_earlier_versions_are_removed(tmp_path: Path) -> None:
    for name in (*EARLIER, *KEPT):
        (tmp_path / name).write_text("x")
    assert unfinished_files.clear(tmp_path) == len(EARLIER)
    assert _names(tmp_path) == set(KEPT)
    assert unfinished_files.clear(tmp_path / "missing") == 0


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux tells reliably who lives")
def test_a_file_goes_with_its_maker_and_not_before(tmp_path: Path) -> None:
    mine = unfinished_files.name_for(tmp_path / "chatdesk.db")
    assert mine != unfinished_files.name_for(tmp_path / "chatdesk.db")
    mine.write_text("x")
    mine.with_name(f"{mine.name}-journal").write_text("x")
    # A later process that got the same number.
    started = owner_token.started(os.getpid())
    stale = mine.with_name(mine.name.replace(f"-{started}-", "-1-"))
    stale.write_text("x")
    code = (
        "import sys; from pathlib import Path; from chatdesk.core.storage.engine import unfinished_files as files;"
        " files.name_for(Path(sys.argv[1]) / 'x.db.gz').write_text('x')"
    )
    subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=True)
    assert len(_names(tmp_path)) == 4
    assert unfinished_files.clear(tmp_path) == 2
    assert _names(tmp_path) == {mine.name, f"{mine.name}-journal"}


async def test_a_start_and_a_zip_tidy_up(store: Store, tmp_path: Path) -> None:
    backups = store.path.parent / "backups"
    await store.db.close()
    for folder, name in ((store.path.parent, "chatdesk-look-77.db"), (backups, ".zip-12.db.new.new")):
        folder.mkdir(exist_ok=True)
        (folder / name).write_text("x")
    store.reset()
    await store.db.open()
    assert not list(backups.glob(".zip*"))
    assert not list(store.path.parent.glob("chatdesk-look*"))
    (backups / ".zip-12.db.new").write_text("x")
    shelf = BackupDirectory(backups, "chatdesk", daily=1, weekly=0)
    await BackupService(store.path, shelf, store.path.parent / "blobs", store.clock).make_zip(tmp_path / "x.zip")
    assert _names(backups) == set()
