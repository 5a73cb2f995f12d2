"""The script of the portable program: versions beside each other, one rename to switch, the way back, removing."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from chatdesk.core.updates import VERSIONS

ROOT = Path(__file__).parents[1]
# A program that is told apart by what it says of itself.
PROGRAM = '#!/bin/sh\ncase "$1" in --version) echo "chatdesk {version}" ;; esac\nexit 0\n'


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


def _unpacked(folder: Path, script: str) -> Path:
    """What the .run file unpacks before it starts install.sh."""
    (folder / "_internal").mkdir(parents=True)
    (folder / "chatdesk").write_text(script)
    (folder / "chatdesk").chmod(0o755)
    for name in ("install.sh", "chatdesk.desktop", "chatdesk.mime.xml"):
        shutil.copy(ROOT / "packaging" / "desktop" / name, folder)
    shutil.copy(ROOT / "resources" / "app" / "chatdesk.svg", folder)
    return folder


def _run(home: Path, script: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    home.mkdir(exist_ok=True)
    environment = {"HOME": str(home), "PATH": os.environ["PATH"]}
    command = ["sh", script.name, *arguments]
    return subprocess.run(command, cwd=script.parent, env=environment, capture_output=True, text=True, check=False)


def _install(home: Path, folder: Path, version: str) -> None:
    ended = _run(home, _unpacked(folder, PROGRAM.format(version=version)) / "install.sh")
    assert ended.returncode == 0, ended.stderr
    assert f"ChatDesk {version} is installed" in ended.stdout


def _place(home: Path) -> Path:
    return home / ".local" / "share" / "chatdesk-program"


def _starts(home: Path) -> str:
    command = [str(home / ".local" / "bin" / "chatdesk"), "--version"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()[1]


def test_a_newer_file_puts_the_version_beside_the_one_before(home: Path, tmp_path: Path) -> None:
    for version in ("0.1.0", "0.2.0", "0.3.0"):
        _install(home, tmp_path / version, version)
        assert _starts(home) == version
    assert sorted(os.listdir(_place(home) / VERSIONS)) == ["0.2.0", "0.3.0"]
    entry = (home / ".local" / "share" / "applications" / "chatdesk.desktop").read_text()
    assert f"Exec={_place(home)}/current/chatdesk" in entry


def test_the_way_back_leads_there_and_back_again(home: Path, tmp_path: Path) -> None:
    _install(home, tmp_path / "1", "0.1.0")
    script = _place(home) / "install.sh"
    refused = _run(home, script, "--previous")
    assert (refused.returncode, refused.stderr) == (1, "There is no version before this one. Nothing was changed.\n")
    _install(home, tmp_path / "2", "0.2.0")
    back = _run(home, script, "--previous")
    assert (back.returncode, _starts(home)) == (0, "0.1.0")
    assert "0.1.0 starts next time instead of 0.2.0" in back.stdout
    assert "chatdesk restore --list" in back.stdout
    assert _run(home, script, "--previous").returncode == 0
    assert _starts(home) == "0.2.0"


def test_the_same_version_again_leaves_the_one_in_use_until_it_starts(home: Path, tmp_path: Path) -> None:
    _install(home, tmp_path / "1", "0.1.0")
    in_use = (_place(home) / "current").resolve()
    _install(home, tmp_path / "2", "0.1.0")
    assert _starts(home) == "0.1.0"
    assert (_place(home) / "current").resolve() != in_use
    assert in_use.exists()


def test_a_version_that_runs_stays_until_it_has_ended(home: Path, tmp_path: Path) -> None:
    _install(home, tmp_path / "1", "0.1.0")
    running = (_place(home) / "current").resolve()
    shutil.copy(shutil.which("sleep") or "", running / "window")
    with subprocess.Popen([running / "window", "60"]) as process:
        try:
            for count in ("2", "3"):  # as whoever presses the new file twice
                _install(home, tmp_path / count, "0.2.0")
            assert (running / "_internal").exists()
        finally:
            process.kill()
    _install(home, tmp_path / "4", "0.2.0")
    assert not running.exists()


@pytest.mark.parametrize("script", ["#!/bin/sh\nexit 1\n", "#!/bin/sh\necho chatdesk ../../x\n", "no program"])
def test_a_program_that_does_not_start_here_is_not_installed(home: Path, tmp_path: Path, script: str) -> None:
    _install(home, tmp_path / "1", "0.1.0")
    ended = _run(home, _unpacked(tmp_path / "bad", script) / "install.sh")
    assert ended.returncode != 0
    assert _starts(home) == "0.1.0"
    assert os.listdir(_place(home) / VERSIONS) == ["0.1.0"]


def test_it_is_taken_away_and_the_data_stay(home: Path, tmp_path: Path) -> None:
    _install(home, tmp_path / "1", "0.1.0")
    data = home / ".local" / "share" / "chatdesk"
    data.mkdir()
    assert _run(home, _place(home) / "install.sh", "--remove").returncode == 0
    assert [path for path in home.rglob("*") if "chatdesk" in path.name] == [data]
