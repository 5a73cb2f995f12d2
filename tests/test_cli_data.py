"""The command line's commands that take data out, keep it safe and repair it."""

from __future__ import annotations

import asyncio
import json
import sqlite3
import zipfile
from contextlib import closing
from pathlib import Path
from unittest.mock import AsyncMock

import pytest

from chatdesk.cli.main import run
from chatdesk.core.local_api.instance import InstanceLock
from chatdesk.core.paths import AppPaths
from chatdesk.core.settings.schema import Settings
from chatdesk.core.system import terminal
from chatdesk.services.owner import open_services


@pytest.fixture
def data_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("CHATDESK_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("CHATDESK_PROVIDER", "offline")
    monkeypatch.setenv("CHATDESK_OFFLINE_SPEED_TOKENS_PER_S", "0")
    assert run(["ask", "first question"]) == 0
    assert run(["ask", "second question"]) == 0
    return tmp_path / "data"


def _ids(capsys: pytest.CaptureFixture[str]) -> list[str]:
    capsys.readouterr()
    assert run(["threads", "--json"]) == 0
    return [each["id"] for each in json.loads(capsys.readouterr().out)]


def test_one_several_a_project_and_everything_are_exported(
    data_dir: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ids = _ids(capsys)
    assert run(["export", ids[0], "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out)["threads"][0]["id"] == ids[0]
    assert run(["export", *ids, "--format", "html", "--output", str(tmp_path)]) == 0
    assert "Exported 2 threads" in capsys.readouterr().err
    (folder,) = tmp_path.glob("ChatDesk export *")
    assert len(list(folder.glob("*.html"))) == 2
    assert run(["export", "--all", "--format", "json", "--output", str(tmp_path / "all.zip")]) == 0
    assert zipfile.is_zipfile(tmp_path / "all.zip")
    assert run(["export", "--project", "personal", "--with-trash", "--format", "json"]) == 0
    assert len(json.loads(capsys.readouterr().out)["threads"]) == 2


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--format", "md"], "Nothing to export was named"),
        (["--all", "--format", "md"], "needs a file or folder"),
        (["--all", "--format", "pdf"], "needs a file or folder"),
        (["0000", "--all", "--format", "md"], "a project, or everything"),
        (["--project", "nobody", "--format", "json"], "No project is called"),
    ],
)
def test_a_failed_export_is_reported(
    data_dir: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], words: str
) -> None:
    assert run(["export", *arguments]) == 1
    assert words in capsys.readouterr().err


@pytest.mark.parametrize(("data", "word"), [(b"", "empty"), (b"no backup at all", "no backup")], ids=["empty", "junk"])
def test_the_list_of_backups_says_which_are_none(
    data_dir: Path, capsys: pytest.CaptureFixture[str], data: bytes, word: str
) -> None:
    assert run(["backup"]) == 0
    folder = Path(capsys.readouterr().out.strip().splitlines()[-1]).parent
    name = "chatdesk-000007-20260101T000000Z.db.gz"
    (folder / name).write_bytes(data)
    assert run(["restore", "--list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [f" {word} " in line for line in lines] == [name in line for line in lines]
    assert len(lines) == 2


def test_a_backup_is_made_listed_and_restored(
    data_dir: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run(["backup"]) == 0
    name = Path(capsys.readouterr().out.strip().splitlines()[-1]).name
    assert run(["backup", str(tmp_path / "kept.zip")]) == 0
    assert run(["ask", "third question"]) == 0
    capsys.readouterr()
    assert run(["restore", "--list"]) == 0
    assert name in capsys.readouterr().out
    assert run(["restore", name]) == 1
    assert "Nobody can be asked" in capsys.readouterr().err
    monkeypatch.setattr(terminal, "agrees", AsyncMock(return_value=False))
    assert run(["restore", name]) == 1
    assert len(_ids(capsys)) == 3
    assert run(["restore", name, "--yes"]) == 0
    printed = capsys.readouterr()
    assert "Threads: 2" in printed.err
    assert "is kept at" in printed.out
    assert len(_ids(capsys)) == 2
    assert run(["restore", str(tmp_path / "kept.zip"), "--yes"]) == 0
    assert len(_ids(capsys)) == 2


def test_a_restore_needs_a_name_a_file_and_the_directory_to_itself(
    data_dir: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["restore"]) == 1
    assert "No backup was named" in capsys.readouterr().err
    assert run(["restore", "nothing.zip", "--yes"]) == 1
    assert "no backup at" in capsys.readouterr().err
    assert run(["backup", str(tmp_path / "kept.zip")]) == 0
    lock = InstanceLock(data_dir, purpose="window")
    assert lock.acquire()
    try:
        assert run(["restore", str(tmp_path / "kept.zip"), "--yes"]) == 1
        assert "already running" in capsys.readouterr().err
        assert run(["backup"]) == 1
        assert "makes the regular backups" in capsys.readouterr().err
        assert run(["backup", str(tmp_path / "other.zip")]) == 0
        assert run(["doctor", "--repair"]) == 1
        assert "already running" in capsys.readouterr().err
    finally:
        lock.release()


def test_repair_mends_and_says_so(data_dir: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with closing(sqlite3.connect(data_dir / "chatdesk.db")) as conn:
        for (name,) in conn.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            if "thread" in name:
                conn.execute(f"DROP TRIGGER {name}")
        conn.execute("UPDATE threads SET message_count = 50")
        conn.commit()
    assert run(["doctor"]) == 1
    assert "doctor --repair" in capsys.readouterr().out
    assert run(["doctor", "--repair"]) == 0
    assert "were corrected" in capsys.readouterr().out
    assert run(["doctor", "--repair"]) == 0
    assert "Nothing was wrong." in capsys.readouterr().out


def test_readable_rows_are_copied_out_of_a_damaged_database(data_dir: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = data_dir / "chatdesk.db"
    with closing(sqlite3.connect(path)) as conn:
        conn.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        conn.execute("PRAGMA journal_mode=DELETE")
        size = conn.execute("PRAGMA page_size").fetchone()[0]
        root = conn.execute("SELECT rootpage FROM sqlite_master WHERE name = 'ix_messages_roots'").fetchone()[0]
    data = bytearray(path.read_bytes())
    data[(root - 1) * size : root * size] = b"\xa5" * size
    path.write_bytes(data)
    assert run(["doctor"]) == 1
    capsys.readouterr()
    assert run(["doctor", "--repair"]) == 0
    printed = capsys.readouterr().out
    assert "copied into a new one" in printed
    assert "messages: all 4 rows" in printed
    assert run(["doctor", "--repair"]) == 0
    assert len(_ids(capsys)) == 2


def test_a_repair_that_lost_something_says_so_by_its_exit_code(
    data_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = data_dir / "chatdesk.db"
    with closing(sqlite3.connect(path, isolation_level=None)) as conn:
        conn.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        conn.execute("PRAGMA journal_mode=DELETE")
        conn.execute("PRAGMA foreign_keys=OFF")
        conn.execute("DELETE FROM messages WHERE rowid = (SELECT max(rowid) FROM messages)")
    with path.open("r+b") as file:
        file.truncate(path.stat().st_size - 4096)
    assert run(["doctor", "--repair"]) == 1
    assert "copied into a new one" in capsys.readouterr().out
    assert run(["doctor", "--repair"]) == 0


@pytest.mark.parametrize(
    ("arguments", "code"),
    [(["threads"], 0), (["doctor"], 0), (["doctor", "--repair"], 1), (["search", "first"], 0), (["backup"], 0)],
)
async def test_the_first_command_after_a_loss_tells_of_it(
    data_dir: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], code: int
) -> None:
    """And no program does that shows it to nobody."""
    path = data_dir / "chatdesk.db"
    before = path.read_bytes()
    assert await asyncio.to_thread(run, ["ask", "lost question"]) == 0
    path.write_bytes(before)
    for _ in range(2):
        async with open_services(AppPaths.find(data_dir), Settings()) as services:
            assert services.report.warning is not None
    capsys.readouterr()
    assert await asyncio.to_thread(run, arguments) == code
    printed = capsys.readouterr()
    assert "2 messages may be missing" in printed.out + printed.err
    assert await asyncio.to_thread(run, ["threads"]) == 0
    assert "missing" not in capsys.readouterr().err
    assert await asyncio.to_thread(run, ["doctor", "--repair"]) == 0


def test_a_database_that_is_none_cannot_be_repaired(data_dir: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (data_dir / "chatdesk.db").write_bytes(b"this is not a database" * 300)
    assert run(["doctor", "--repair"]) == 1
    assert "Restore the newest backup" in capsys.readouterr().err
    assert (data_dir / "chatdesk.db").read_bytes() == b"this is not a database" * 300
