"""Every front end over a database of a newer version: it reads, refuses to write with a sentence, and leaves each byte;
and the way back to the version before, with the backup that the upgrade made."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from chatdesk.cli.main import run
from chatdesk.core.storage.engine import tables
from tests.helpers.local_service import served_world
from tests.helpers.newer_database import REVISION, make_newer, sums

V1 = "/api/v1"
SAMPLES = Path(__file__).parent / "data" / "old_databases"


@pytest.fixture
def database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Path:
    """The database of a newer version, with one thread."""
    monkeypatch.setenv("CHATDESK_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("CHATDESK_PROVIDER", "offline")
    monkeypatch.setenv("CHATDESK_OFFLINE_SPEED_TOKENS_PER_S", "0")
    assert run(["ask", "How do herons fish?"]) == 0
    capsys.readouterr()
    path = tmp_path / "data" / "chatdesk.db"
    make_newer(path)
    return path


def _thread(database: Path) -> str:
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as conn:
        return str(conn.execute("SELECT id FROM threads").fetchone()[0])


def test_commands_that_read_work_and_say_once_why_nothing_can_be_written(
    database: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    thread, before = _thread(database), sums(database)
    for command in (
        ["threads"],
        ["show", thread],
        ["search", "herons"],
        ["export", thread, "--format", "md"],
        ["export", "--all", "--format", "json", "--output", str(tmp_path / "all.zip")],
        ["backup", str(tmp_path / "kept.zip")],
    ):
        assert run(command) == 0, command
        said = capsys.readouterr()
        assert "herons" in said.out or command[-1].endswith(".zip")
        assert said.err.count("can only read") == (command[0] != "backup"), said.err
    assert sums(database) == before


@pytest.mark.parametrize(
    "command",
    [["ask", "more"], ["import", "{exported}"], ["doctor", "--repair"], ["demo-data", "--messages", "10"]],
    ids=lambda each: each[0],
)
def test_commands_that_write_are_refused_with_the_sentence(
    database: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], command: list[str]
) -> None:
    exported = tmp_path / "all.json"
    assert run(["export", "--all", "--format", "json", "--output", str(exported)]) == 0
    before = sums(database)
    capsys.readouterr()
    assert run([word.format(exported=exported) for word in command]) == 1
    said = capsys.readouterr().err
    assert f"This data belongs to a newer ChatDesk (schema {REVISION}," in said
    assert "Update ChatDesk to continue writing" in said
    assert "Traceback" not in said
    assert sums(database) == before


def test_doctor_says_it(database: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = sums(database)
    run(["doctor", "--json"])
    found = json.loads(capsys.readouterr().out)
    assert any(each["level"] == "problem" and "can only read" in each["message"] for each in found["findings"])
    assert sums(database) == before


async def test_the_service_reads_and_refuses_to_write(database: Path) -> None:
    thread, before = _thread(database), sums(database)
    async with served_world(database.parent) as world:
        page = await world.http.get(f"{V1}/threads/{thread}/messages")
        assert page.json()["messages"][0]["parts"][0]["text"] == "How do herons fish?"
        for method, address, body in (
            ("POST", "/threads", {"title": "More"}),
            ("POST", f"/threads/{thread}/messages", {"text": "More"}),
            ("PATCH", f"/threads/{thread}", {"title": "Other"}),
            ("DELETE", f"/threads/{thread}", None),
        ):
            refused = await world.http.request(method, f"{V1}{address}", json=body)
            assert (refused.status_code // 100, refused.json()["code"]) == (5, "schema_too_new"), refused.text
            assert "can only read" in refused.text
    assert sums(database) == before


@pytest.mark.parametrize("sample", sorted(SAMPLES.glob("*.sql"))[:-1], ids=lambda path: path.stem)
def test_the_backup_of_an_upgrade_leads_back_to_the_version_before(
    sample: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """What the version before would open is compared with the frozen sample that it wrote."""
    data = tmp_path / "data"
    data.mkdir()
    with closing(sqlite3.connect(data / "chatdesk.db")) as conn:
        conn.executescript(sample.read_text("utf-8"))
        wanted = _contents(conn)
    monkeypatch.setenv("CHATDESK_DATA_DIR", str(data))
    monkeypatch.setenv("CHATDESK_PROVIDER", "offline")
    monkeypatch.setenv("CHATDESK_OFFLINE_SPEED_TOKENS_PER_S", "0")
    assert run(["ask", "Written after the upgrade"]) == 0
    revision = sample.stem.rpartition("_")[2]
    (backup,) = data.glob(f"backups/chatdesk-pre-{tables.HEAD_REVISION}-from-{revision}.db*")
    with closing(sqlite3.connect(f"file:{backup}?mode=ro", uri=True)) as conn:
        assert _contents(conn) == wanted
        assert conn.execute("SELECT version_num FROM alembic_version").fetchone() == (revision,)
    capsys.readouterr()
    assert run(["restore", backup.name, "--yes"]) == 0
    said = capsys.readouterr()
    assert "Written since, and not in it: 2 messages, in “Written after the upgrade”." in said.err
    assert "is kept at" in said.out
    assert run(["threads"]) == 0
    assert "Written after the upgrade" not in capsys.readouterr().out


def _contents(conn: sqlite3.Connection) -> list[list[tuple[object, ...]]]:
    """Return every thread, message, part and draft as it is stored."""
    return [
        conn.execute(f"SELECT * FROM {table} ORDER BY 1").fetchall()
        for table in ("projects", "threads", "messages", "message_parts", "part_chunks", "drafts")
    ]


def test_an_older_version_restores_over_a_newer_database_and_brings_back_what_was_exported(
    database: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The whole way of docs/upgrades.md: this program is the older one here."""
    with closing(sqlite3.connect(database)) as conn:  # what the upgrade of the newer one kept before it began
        conn.execute("DELETE FROM moods")
        for statement in (
            "DROP TRIGGER moods_noted",
            "DROP VIEW loud_messages",
            "DROP INDEX ix_messages_mood",
            "DROP TABLE moods",
            "ALTER TABLE messages DROP COLUMN mood",
            "ALTER TABLE threads DROP COLUMN seal",
            f"UPDATE alembic_version SET version_num = '{tables.HEAD_REVISION}'",
        ):
            conn.execute(statement)
        conn.commit()
    kept = tmp_path / "pre-upgrade.db"
    kept.write_bytes(database.read_bytes())
    assert run(["ask", "Only the newer one has this"]) == 0
    make_newer(database)
    since = tmp_path / "since.zip"
    assert run(["export", "--all", "--format", "json", "--output", str(since)]) == 0
    capsys.readouterr()
    assert run(["restore", str(kept), "--yes"]) == 0
    assert "in “Only the newer one has this”" in capsys.readouterr().err
    assert run(["threads"]) == 0
    said = capsys.readouterr()
    assert "How do herons fish?" in said.out
    assert "Only the newer" not in said.out
    assert "can only read" not in said.err
    assert run(["import", str(since)]) == 0
    assert run(["ask", "And it writes again"]) == 0
    capsys.readouterr()
    assert run(["threads"]) == 0
    assert "Only the newer one has this" in capsys.readouterr().out
