"""Programs are found as a shell of the person would find them, also when ChatDesk was started from an icon."""

from __future__ import annotations

import os
import stat
import sys
from pathlib import Path

import pytest

from chatdesk.core.tools.programs import ProgramFinder, missing_text

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="shells and permissions of POSIX")


def _program(folder: Path, name: str, text: str = "#!/bin/sh\n") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    made = folder / name
    made.write_text(text, "utf-8")
    made.chmod(made.stat().st_mode | stat.S_IXUSR)
    return made


def _finder(home: Path, **environ: str) -> ProgramFinder:
    return ProgramFinder(home=home, environ={"PATH": "/usr/bin:/bin", "SHELL": "", **environ})


def test_the_path_of_the_login_shell_is_used(tmp_path: Path) -> None:
    wanted = _program(tmp_path / "own", "my-server")
    shell = _program(tmp_path, "shell", f'#!/bin/sh\necho Welcome!\nPATH={tmp_path}/own:/bin\nexec /bin/sh -c "$3"\n')
    assert _finder(tmp_path, SHELL=str(shell)).find("my-server") == str(wanted)


@pytest.mark.parametrize("text", ["#!/bin/sh\nexit 1\n", "#!/bin/sh\necho nothing\n", "#!/nowhere\n"])
def test_a_shell_that_fails_takes_nothing_away(tmp_path: Path, text: str) -> None:
    shell = _program(tmp_path, "shell", text)
    assert _finder(tmp_path, SHELL=str(shell)).find("sh") in ("/usr/bin/sh", "/bin/sh")


def test_a_shell_that_hangs_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chatdesk.core.tools.programs.SHELL_S", 0.2)
    shell = _program(tmp_path, "shell", "#!/bin/sh\nexec sleep 30\n")
    assert _finder(tmp_path, SHELL=str(shell)).find("sh")


def test_the_newest_node_of_nvm_is_found(tmp_path: Path) -> None:
    versions = tmp_path / ".nvm" / "versions" / "node"
    for version in ("v9.11.2", "v20.20.2", "v18.1.0"):
        _program(versions / version / "bin", "npx-of-nvm")
    assert _finder(tmp_path).find("npx-of-nvm") == str(versions / "v20.20.2" / "bin" / "npx-of-nvm")


@pytest.mark.parametrize("folder", [".local/bin", ".cargo/bin", ".bun/bin", ".volta/bin"])
def test_usual_folders_are_searched(tmp_path: Path, folder: str) -> None:
    wanted = _program(tmp_path / folder, "uvx-of-home")
    assert _finder(tmp_path).find("uvx-of-home") == str(wanted)


def test_paths_are_taken_as_they_are(tmp_path: Path) -> None:
    wanted = _program(tmp_path / "tools", "server")
    finder = _finder(tmp_path)
    assert finder.find(str(wanted)) == finder.find("~/tools/server") == str(wanted)
    assert finder.find("tools/server") is None
    assert finder.find(str(tmp_path / "nothing")) is None
    wanted.chmod(0o600)
    assert finder.find(str(wanted)) is None


def test_a_missing_program_is_named_with_its_install_command() -> None:
    assert "Node.js" in missing_text("npx") and "“npx”" in missing_text("npx")
    assert "pipx install uv" in missing_text("/opt/bin/uvx")
    assert "whole path" in missing_text("my-server")


def test_a_server_gets_where_things_are_and_no_key(tmp_path: Path) -> None:
    environ = {"HOME": str(tmp_path), "LC_ALL": "C", "OPENAI_API_KEY": "k", "DISPLAY": ":0", "XDG_RUNTIME_DIR": "/run"}
    found = _finder(tmp_path, **environ).environment({"LEVEL": "3"})
    assert set(found) == {"HOME", "LC_ALL", "SHELL", "PATH", "LEVEL"}
    assert "/usr/bin" in found["PATH"].split(os.pathsep)
