"""The PostgreSQL of the tests itself: it ends with its process, also when that is killed, and leaves nothing behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.helpers import postgres_binaries
from tests.helpers.postgres import Cluster
from tests.helpers.postgres_binaries import NoPostgres
from tests.helpers.system_processes import is_running
from tests.helpers.waiting import wait_until

ROOT = Path(__file__).resolve().parents[2]
CHILD = """
import sys
from tests.helpers import postgres
if sys.argv[1] == "copy":
    postgres._is_open_to_others = lambda path: False
made = postgres.cluster()
print(made.folder, (made.data / "postmaster.pid").read_text().split()[0], flush=True)
sys.stdin.read()
"""


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="processes are looked up in /proc")
@pytest.mark.parametrize(("way", "sent"), [("copy", signal.SIGKILL), ("in place", signal.SIGTERM)])
def test_a_server_ends_with_its_process_and_its_files_are_gone(
    postgres: Cluster, way: str, sent: signal.Signals
) -> None:
    """Also where the programs had to be copied, because another user cannot read them where they are."""
    with subprocess.Popen(
        [sys.executable, "-c", CHILD, way], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as child:
        assert child.stdout is not None
        folder, pid = child.stdout.readline().split()
        assert Path(folder).is_dir()
        assert is_running(int(pid))
        os.kill(child.pid, sent)
    wait_until(lambda: not is_running(int(pid)) and not Path(folder).exists())


def test_writes_survive_a_kill_of_the_server(postgres: Cluster) -> None:
    database = postgres.empty_database()
    with database.connect() as conn:
        conn.execute("CREATE TABLE kept (n int)")
        conn.execute("INSERT INTO kept VALUES (1)")
    for end in (postgres.kill, postgres.stop):
        end()
        postgres.start()
        with database.connect() as conn:
            assert conn.execute("SELECT n FROM kept").fetchall() == [(1,)]
    postgres.drop(database)


def test_a_version_that_is_not_here_is_told() -> None:
    with pytest.raises(NoPostgres, match="9"):
        postgres_binaries.find(9)


def test_a_folder_that_was_chosen_comes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    other = postgres_binaries.found()[-1]
    monkeypatch.setenv(postgres_binaries.VARIABLE, str(other.folder))
    postgres_binaries.found.cache_clear()
    assert postgres_binaries.find().folder == other.folder
    monkeypatch.undo()
    postgres_binaries.found.cache_clear()
