"""A data directory from somebody else may hold pipes and links in the place of files: no command waits for one, and no
file of the person is written over through one."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from chatdesk.cli.main import run
from chatdesk.core.paths import AppPaths
from chatdesk.services.file_checks import own_files

_PATHS = AppPaths.find("/data")
# Those that *doctor* names, and the rest.
_NAMED = tuple(
    str(path.relative_to("/data"))
    for path in (
        _PATHS.settings_file,
        *(_PATHS.config_dir / each for each in ("providers.json", "tools.json", "tool-permissions.json")),
        *(each.path for each in own_files(_PATHS)),
    )
)
NAMES = (*_NAMED, "chatdesk.db.mark.new", "instance.json", "logs/chatdesk.log")


def _run(folder: Path, *words: str, by: tuple[str, ...] = ()) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*by, sys.executable, "-m", "chatdesk", "--data-dir", str(folder), *words],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        stdin=subprocess.DEVNULL,
        env={**os.environ, "CHATDESK_PROVIDER": "offline", "CHATDESK_OFFLINE_SPEED_TOKENS_PER_S": "0"},
    )


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    given = tmp_path / "given"
    monkeypatch.setenv("CHATDESK_PROVIDER", "offline")
    assert run(["--data-dir", str(given), "ask", "How do herons fish?"]) == 0
    for name in NAMES:
        (given / name).parent.mkdir(parents=True, exist_ok=True)
        (given / name).unlink(missing_ok=True)
    return given


@pytest.mark.parametrize("words", [("threads",), ("ask", "And kingfishers?"), ("doctor",)], ids=lambda each: each[0])
def test_no_command_waits_for_a_pipe(folder: Path, words: tuple[str, ...]) -> None:
    for name in NAMES:
        os.mkfifo(folder / name)
    ended = _run(folder, *words)
    assert "Traceback" not in ended.stderr
    assert ended.stdout or words[0] == "doctor", ended.stderr


def test_nothing_is_written_through_a_link(folder: Path, tmp_path: Path) -> None:
    mine = tmp_path / "mine"
    mine.write_text("kept")
    for name in NAMES:
        (folder / name).symlink_to(mine)
    for words in (("ask", "And kingfishers?"), ("threads",), ("doctor",)):
        _run(folder, *words)
    assert mine.read_text() == "kept"


@pytest.mark.parametrize("words", [("threads",), ("doctor",)], ids=lambda each: each[0])
def test_no_command_reads_a_device(folder: Path, words: tuple[str, ...]) -> None:
    for name in NAMES:
        (folder / name).symlink_to("/dev/zero")
    assert "Traceback" not in _run(folder, *words).stderr


def _as_one_who_is_refused() -> tuple[str, ...]:
    """The words before a command that make what nobody may read unreadable for root, too."""
    if os.geteuid() != 0:
        return ()
    if shutil.which("setpriv") is None:
        pytest.skip("root reads every file here: setpriv (util-linux) is missing")
    return ("setpriv", "--bounding-set=-dac_override,-dac_read_search")


def test_doctor_names_what_may_not_be_read_and_it_stays(folder: Path) -> None:
    by = _as_one_who_is_refused()
    for name in _NAMED:
        (folder / name).write_text("{}")
        (folder / name).chmod(0)
    told = _run(folder, "doctor", by=by)
    assert [name for name in _NAMED if str(folder / name) not in told.stdout] == []
    for words in (("threads",), ("ask", "And kingfishers?")):
        assert "Traceback" not in (ended := _run(folder, *words, by=by)).stderr
        assert (ended.returncode, bool(ended.stdout)) == (0, True)
    again = _run(folder, "doctor", by=by)
    replaced = {"chatdesk.db.mark"}  # each start replaces the mark; a database that lost messages is said before
    assert [name for name in _NAMED if str(folder / name) not in again.stdout] == sorted(replaced)
    kept = [folder / name for name in _NAMED if name not in replaced]
    for each in kept:
        each.chmod(0o600)
    assert [each.name for each in kept if each.read_text() != "{}"] == []
