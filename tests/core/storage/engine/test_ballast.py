"""On a full disk the ballast goes, and what a person wrote still gets in."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy.engine import Connection

from chatdesk.core.clock import Clock
from chatdesk.core.domain.thread import NEW_DRAFT
from chatdesk.core.errors import StorageFull
from chatdesk.core.storage.chat.drafts import DraftRepository
from chatdesk.core.storage.engine.ballast import SIZE_BYTES, Ballast
from chatdesk.core.storage.profile_database import ProfileDatabase


def test_the_ballast_holds_real_room_and_gives_it_up(tmp_path: Path) -> None:
    ballast = Ballast(tmp_path / "chatdesk.db")
    assert not ballast.release()
    assert ballast.reserve()
    assert ballast.reserve()
    found = ballast.path.stat()
    assert found.st_size == SIZE_BYTES
    assert found.st_blocks * 512 >= SIZE_BYTES
    assert found.st_mode & 0o077 == 0
    assert ballast.release()
    assert not ballast.path.exists()


def test_no_ballast_is_reserved_with_little_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chatdesk.core.storage.engine.ballast._LEAST_FREE", 10**12)
    assert not Ballast(tmp_path / "chatdesk.db").reserve()


async def test_a_write_that_finds_the_disk_full_is_tried_once_more_without_the_ballast(tmp_path: Path) -> None:
    path = tmp_path / "chatdesk.db"
    database = ProfileDatabase(path, clock=Clock(), backup_dir=tmp_path / "backups")
    await database.open()
    try:
        assert await database.reserve_ballast()
        tries: list[bool] = []

        def fill(conn: Connection) -> None:
            tries.append(Ballast(path).path.exists())
            conn.exec_driver_sql("PRAGMA max_page_count = 1")
            conn.exec_driver_sql("CREATE TABLE filler AS SELECT zeroblob(1000000) AS bytes")

        with pytest.raises(StorageFull):
            await database.write(fill)
        assert tries == [True, False]
        with pytest.raises(StorageFull):
            await database.write(fill)
        assert tries == [True, False, False]
        await database.write(lambda conn: conn.exec_driver_sql("PRAGMA max_page_count = 1073741823"))
        await DraftRepository(database).save(NEW_DRAFT, "still here", 0)
        assert (await DraftRepository(database).get(NEW_DRAFT)).text == "still here"
    finally:
        await database.close()
