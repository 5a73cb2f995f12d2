"""The power goes at a random moment: whatever a person was told is kept is there when it is back."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.helpers.examples import examples
from tests.helpers.power_loss import can_record, lose_often, record

pytestmark = pytest.mark.skipif(
    not can_record(), reason="strace, with which writes are recorded, is missing or may not"
)


@pytest.mark.timeout(1200)
def test_nothing_that_was_told_is_lost_with_the_power(tmp_path: Path) -> None:
    found = lose_often(tmp_path, states=examples(200), seed=20261126, rounds=3)
    assert found["lost"] == []
    assert found["told"] > found["states"]


@pytest.mark.timeout(300)
def test_a_program_that_syncs_no_files_loses_them(tmp_path: Path) -> None:
    """What the test above finds where something is wrong."""
    careless = "import os; os.fsync = lambda _file: None; "
    found = lose_often(tmp_path, states=16, seed=1, rounds=3, before=careless)
    kinds = {each.rpartition(": ")[2].split()[0] for each in found["lost"]}
    assert {"file", "setting", "token", "export"} <= kinds


@pytest.mark.timeout(60)
def test_what_is_read_out_of_a_trace_is_what_is_on_the_disk(tmp_path: Path) -> None:
    """Written in pieces, at places, at the end, cut, moved, linked, removed, by two threads."""
    root = tmp_path / "root"
    root.mkdir()
    program = tmp_path / "program.py"
    program.write_text(_PROGRAM, encoding="utf-8")
    disk = record(root, [sys.executable, str(program), str(root)])
    assert disk.told(len(disk.operations)) == [{"kind": "half"}]
    disk.state_at_end(tmp_path / "state")

    def files(folder: Path) -> dict[str, bytes]:
        return {str(each.relative_to(folder)): each.read_bytes() for each in folder.rglob("*") if each.is_file()}

    assert files(tmp_path / "state") == files(root)
    assert len(files(root)) == 6


_PROGRAM = """
import os, sys, threading
from pathlib import Path
root = Path(sys.argv[1])
(root / "folder").mkdir()
(root / "folder" / "text").write_bytes(b"a" * 10_000)
with (root / "folder" / "text").open("r+b") as file:
    file.seek(5_000)
    file.write(b"b" * 20)
    file.flush()
    os.pwrite(file.fileno(), b"c", 20_000)
    file.truncate(15_000)
with (root / "log").open("ab") as file:
    file.write(b"one")
with (root / "log").open("ab", buffering=0) as file:
    file.write(b"two")
os.write(1, b'{"kind": "half"}\\n')
(root / "gone").write_bytes(b"x")
(root / "gone").unlink()
(root / "old").write_bytes(b"old")
(root / "new").write_bytes(b"new")
(root / "new").replace(root / "old")
os.link(root / "old", root / "second")
def write(name):
    for number in range(200):
        with (root / name).open("ab", buffering=0) as file:
            file.write(str(number).encode())
threads = [threading.Thread(target=write, args=(name,)) for name in ("first thread", "second thread")]
for each in threads: each.start()
for each in threads: each.join()
"""
