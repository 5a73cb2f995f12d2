"""A command that is told to end does so soon, whatever it is doing, and leaves nothing half done."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from tests.helpers.signals import heeded_by_children

pytestmark = pytest.mark.skipif(os.name != "posix", reason="signals as POSIX has them")
ROOT = Path(__file__).parents[3]
_LONGEST_S = 30

_BEGIN = """
import asyncio, sys, time
from pathlib import Path
from chatdesk.core.clock import Clock
from chatdesk.core.system.ending_signals import EndedBySignal, run_until_signal
from chatdesk.core.storage.profile_database import ProfileDatabase

ENDLESS = "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT max(x) FROM c"
path = Path(sys.argv[1])

def half(conn):
    conn.exec_driver_sql("UPDATE projects SET name = 'half done'")
    print("begun", flush=True)

def endless(conn):
    half(conn)
    conn.exec_driver_sql(ENDLESS).all()

def many(conn):
    half(conn)
    while True:
        conn.exec_driver_sql("WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c LIMIT 99999)"
                             " SELECT max(x) FROM c").all()

def busy():
    print("begun", flush=True)
    while True:
        time.monotonic()

async def main(work):
    database = ProfileDatabase(path, clock=Clock(), backup_dir=path.parent / "backups")
    await database.open()
    try:
        await work(database)
    finally:
        await database.close()

async def stubborn(database):
    print("begun", flush=True)
    while True:
        try:
            await asyncio.sleep(3600)
        except asyncio.CancelledError:
            print("told", flush=True)
"""
_PATIENT = (
    _BEGIN
    + f"""
from chatdesk.core.system import ending_signals
ending_signals._ENDED_AFTER_S = {_LONGEST_S * 9}
"""
)
_END = """
try:
    run_until_signal(main(WORK))
except EndedBySignal as ended:
    sys.exit(128 + ended.number)
"""
_WORKS = {
    "an endless statement that writes": "lambda database: database.write(endless)",
    "an endless statement that reads": "lambda database: database.read(lambda conn: (print('begun', flush=True),"
    " conn.exec_driver_sql(ENDLESS).all()))",
    "a transaction of many statements": "lambda database: database.write(many)",
    "a thread that heeds nothing": "lambda database: asyncio.to_thread(busy)",
    "a task that heeds nothing": "stubborn",
}


@contextmanager
def _running(path: Path, work: str, *, begin: str = _BEGIN) -> Iterator[subprocess.Popen[str]]:
    with heeded_by_children(signal.SIGTERM):
        process = subprocess.Popen(
            [sys.executable, "-c", begin + _END.replace("WORK", _WORKS[work]), str(path)],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
    assert process.stdout is not None
    try:
        assert process.stdout.readline() == "begun\n"
        yield process
    finally:
        process.kill()
        process.communicate()


def _names(path: Path) -> set[str]:
    with closing(sqlite3.connect(path)) as conn:
        return {row[0] for row in conn.execute("SELECT name FROM projects")}


@pytest.mark.parametrize("work", list(_WORKS))
def test_one_signal_ends_whatever_runs(tmp_path: Path, work: str) -> None:
    path = tmp_path / "chatdesk.db"
    with _running(path, work) as process:
        process.send_signal(signal.SIGTERM)
        process.wait(_LONGEST_S)
        assert process.returncode == 128 + signal.SIGTERM
    assert "half done" not in _names(path)


def test_a_second_signal_ends_it_at_once(tmp_path: Path) -> None:
    with _running(tmp_path / "chatdesk.db", "a task that heeds nothing", begin=_PATIENT) as process:
        assert process.stdout is not None
        process.send_signal(signal.SIGTERM)
        assert process.stdout.readline() == "told\n"
        process.send_signal(signal.SIGTERM)
        process.wait(_LONGEST_S)
        assert process.returncode == 128 + signal.SIGTERM
