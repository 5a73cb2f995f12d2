"""Every command in a data directory that is not as it should be: a sentence, the right exit code, no traceback."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest

from chatdesk.cli.main import run

ROOT = Path(__file__).parents[1]
READING = (["threads"], ["show", "{id}"], ["export", "{id}", "--format", "md"])
EVERY = (["ask", "hello"], *READING)

# Runs commands one after another and prints what came of each; a process of its own can give privileges up.
_RUNNER = """
import contextlib, io, json, sys
from chatdesk.cli.main import run
for arguments in json.load(sys.stdin):
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = run(arguments)
    print(json.dumps([code, out.getvalue(), err.getvalue()]))
"""
# Root may read and write anything; without these rights permissions bind root, too.
_RIGHTS = "-dac_override,-dac_read_search,-fowner"
_AS_ANYBODY = ["setpriv", f"--inh-caps={_RIGHTS}", f"--bounding-set={_RIGHTS}"]


@dataclass(frozen=True, slots=True)
class Outcome:
    code: int
    out: str
    err: str


@pytest.fixture
def data_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A directory with one thread; it can be removed whatever a test did to it."""
    monkeypatch.setenv("CHATDESK_OFFLINE_SPEED_TOKENS_PER_S", "0")
    path = tmp_path / "data"
    assert run(["--data-dir", str(path), "ask", "hello"]) == 0
    yield path
    for each in (tmp_path, path):
        if each.is_dir():
            each.chmod(0o700)


def _thread_id(path: Path) -> str:
    with closing(sqlite3.connect(path / "chatdesk.db")) as conn:
        return str(conn.execute("SELECT id FROM threads").fetchone()[0])


def _run_all(path: Path, thread: str, commands: tuple[list[str], ...]) -> list[Outcome]:
    lines = [["--data-dir", str(path), *(word.format(id=thread) for word in command)] for command in commands]
    prefix = [] if os.geteuid() else _AS_ANYBODY
    done = subprocess.run(
        [*prefix, sys.executable, "-c", _RUNNER], input=json.dumps(lines), capture_output=True, text=True, cwd=ROOT
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return [Outcome(*json.loads(line)) for line in done.stdout.splitlines()]


needs_permissions = pytest.mark.skipif(
    os.name != "posix" or (os.geteuid() == 0 and shutil.which("setpriv") is None), reason="permissions do not bind here"
)


def _no_file_may_be_made(path: Path) -> None:
    path.chmod(0o500)


def _nothing_may_be_changed(path: Path) -> None:
    (path / "chatdesk.db").chmod(0o400)
    path.chmod(0o500)


def _only_the_file_may_not_be_changed(path: Path) -> None:
    (path / "chatdesk.db").chmod(0o400)


def _only_the_database_is_there(path: Path) -> None:
    for each in path.iterdir():
        if each.is_dir():
            shutil.rmtree(each)
        elif each.name != "chatdesk.db":
            each.unlink()
    path.chmod(0o500)


@needs_permissions
@pytest.mark.parametrize(
    "spoil",
    [
        _no_file_may_be_made,
        _nothing_may_be_changed,
        _only_the_file_may_not_be_changed,
        _only_the_database_is_there,
    ],
)
def test_a_read_only_database_is_read_and_questions_are_refused(data_dir: Path, spoil: object) -> None:
    thread = _thread_id(data_dir)
    assert callable(spoil)
    spoil(data_dir)
    asked, *read, examined = _run_all(data_dir, thread, (*EVERY, ["doctor"]))
    assert (asked.code, asked.out) == (1, "")
    assert "cannot be written to. You can still read everything." in asked.err
    assert "running" not in asked.err
    for outcome in read:
        assert outcome.code == 0
        assert "hello" in outcome.out
        assert outcome.err == asked.err
    assert examined.code == 1
    assert "problem database writing" in examined.out


@needs_permissions
@pytest.mark.parametrize("place", [".", "new"])
def test_a_directory_without_any_permission_is_named(data_dir: Path, place: str) -> None:
    thread = _thread_id(data_dir)
    data_dir.chmod(0)
    for outcome in _run_all(data_dir / place, thread, (*EVERY, ["doctor"])):
        assert (outcome.code, outcome.out) == (1, "")
        assert outcome.err.startswith("chatdesk: The data directory cannot be used: ")
        assert str(data_dir) in outcome.err
        assert outcome.err.count("\n") == 1


@needs_permissions
def test_a_database_that_may_not_be_opened_is_named_and_nothing_is_promised(data_dir: Path) -> None:
    thread = _thread_id(data_dir)
    (data_dir / "chatdesk.db").chmod(0)
    for outcome in _run_all(data_dir, thread, EVERY):
        assert (outcome.code, outcome.out) == (1, "")
        assert f"{data_dir / 'chatdesk.db'} may not be opened by this user. Nothing was changed." in outcome.err
        assert "still read" not in outcome.err
        assert outcome.err.count("\n") == 1


def _refused_backup(data_dir: Path, target: Path, capsys: pytest.CaptureFixture[str]) -> str:
    capsys.readouterr()
    assert run(["--data-dir", str(data_dir), "backup", str(target)]) == 1
    printed = capsys.readouterr()
    assert printed.out == ""
    assert "database" not in printed.err
    assert "window" not in printed.err
    return printed.err.removeprefix("chatdesk: ")


def test_the_place_of_a_backup_that_cannot_be_written_is_named(
    data_dir: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    missing = tmp_path / "missing" / "x.zip"
    assert _refused_backup(data_dir, missing, capsys).startswith(f"The folder of {missing} is not there.")
    assert _refused_backup(data_dir, tmp_path, capsys).startswith(f"{tmp_path} is a folder.")
    if sys.platform.startswith("linux"):
        said = _refused_backup(data_dir, Path("/proc/x.zip"), capsys)
        assert said.startswith(("No file can be made in /proc.", "/proc/x.zip may not be written by this user."))


@needs_permissions
def test_a_backup_into_a_foreign_folder_names_it(data_dir: Path, tmp_path: Path) -> None:
    folder = tmp_path / "stick"
    folder.mkdir()
    folder.chmod(0o500)
    (outcome,) = _run_all(data_dir, "", (["backup", str(folder / "x.zip")],))
    assert outcome.code == 1
    assert outcome.err.startswith(f"chatdesk: {folder / 'x.zip'} may not be written by this user.")


def _trash_header(path: Path) -> None:
    with (path / "chatdesk.db").open("r+b") as file:
        file.write(b"no database at all")


def _empty(path: Path) -> None:
    (path / "chatdesk.db").write_bytes(b"")


def _remove(path: Path) -> None:
    (path / "chatdesk.db").unlink()


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (_trash_header, "chatdesk.db is damaged"),
        (_empty, "now it is missing or empty"),
        (_remove, "now it is missing or empty"),
    ],
)
def test_a_database_that_cannot_be_used_is_refused_and_left_as_it_is(
    data_dir: Path, capsys: pytest.CaptureFixture[str], spoil: object, words: str
) -> None:
    thread = _thread_id(data_dir)
    capsys.readouterr()
    assert callable(spoil)
    spoil(data_dir)
    database = data_dir / "chatdesk.db"
    before = database.read_bytes() if database.exists() else None
    for command in EVERY:
        assert run(["--data-dir", str(data_dir), *(word.format(id=thread) for word in command)]) == 1
        printed = capsys.readouterr()
        assert printed.out == ""
        assert words in printed.err
        assert printed.err.count("\n") == 1
    assert run(["--data-dir", str(data_dir), "doctor"]) == 1
    assert words in capsys.readouterr().out
    assert (database.read_bytes() if database.exists() else None) == before


@pytest.mark.parametrize("command", EVERY)
def test_a_file_in_the_directorys_place_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], command: list[str]
) -> None:
    (tmp_path / "file").write_text("kept")
    assert run(["--data-dir", str(tmp_path / "file"), *(word.format(id="0123") for word in command)]) == 1
    assert f"{tmp_path / 'file'} is a file. Nothing was changed." in capsys.readouterr().err
    assert (tmp_path / "file").read_text() == "kept"


def test_a_missing_directory_is_a_first_start(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--data-dir", str(tmp_path / "a" / "b"), "threads"]) == 0
    assert "no threads here yet" in capsys.readouterr().err


needs_small_disk = pytest.mark.skipif(
    not sys.platform.startswith("linux") or os.geteuid() != 0, reason="needs to mount a small disk"
)


def _mount(small: Path, size: str) -> None:
    small.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size},mode=700", "tmpfs", small], check=False).returncode:
        pytest.skip("a tmpfs cannot be mounted here")


@needs_small_disk
def test_a_backup_onto_a_full_disk_names_it(data_dir: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    small = tmp_path / "stick"
    _mount(small, "4k")
    try:
        said = _refused_backup(data_dir, small / "x.zip", capsys)
        assert said.startswith(f"The disk of {small / 'x.zip'} is full.")
        assert list(small.iterdir()) == []
    finally:
        subprocess.run(["umount", small], check=True)


@needs_small_disk
def test_on_a_full_disk_everything_is_read(data_dir: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    small = tmp_path / "small"
    _mount(small, "3m")
    try:
        shutil.copytree(data_dir, small, dirs_exist_ok=True)
        thread = _thread_id(small)
        with (small / "filler").open("wb") as file:
            file.write(bytes(shutil.disk_usage(small).free))
        capsys.readouterr()
        assert run(["--data-dir", str(small), "ask", "hello"]) == 1
        assert f"The disk of {small} is full, so ChatDesk can only read." in capsys.readouterr().err
        for command in READING:
            assert run(["--data-dir", str(small), *(word.format(id=thread) for word in command)]) == 0
            assert "hello" in capsys.readouterr().out
        (small / "filler").unlink()
        assert run(["--data-dir", str(small), "ask", "again"]) == 0
    finally:
        subprocess.run(["umount", small], check=True)
