"""Which system packages set-up asks for, and which it can do without."""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[1]


@pytest.fixture
def libraries() -> ModuleType:
    spec = importlib.util.spec_from_file_location("system_libraries", ROOT / "packaging" / "system_libraries.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_only_tests_need_a_screen_reader_and_servers(libraries: ModuleType) -> None:
    assert {"screen_reader", "servers", "weston"} <= set(libraries.kinds_needed("test"))
    assert not {"test", "screen_reader", "servers", "weston"} & set(libraries.kinds_needed("run"))
    assert set(libraries.OPTIONAL) == {"screen_reader", "servers", "weston"}


def test_everything_that_is_missing_is_named_by_its_package(
    libraries: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "which", lambda _program: None)
    monkeypatch.setattr(libraries, "AT_SPI_LAUNCHERS", ("/no/such/file",))
    monkeypatch.setattr(libraries, "SYSTEM_PYTHON", "/no/such/python")
    wanted = {"dbus-daemon", "xdotool", "at-spi2-core", "python3-gi", "gir1.2-atspi-2.0"}
    assert wanted | {"xvfb"} <= set(libraries.missing_packages(["windowless", "x11", "test", "screen_reader"]))
    assert not wanted & set(libraries.missing_packages(["windowless", "x11", "test"]))


def test_a_python_without_the_bindings_is_noticed(libraries: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    failed = subprocess.CompletedProcess([], 1)
    monkeypatch.setattr(libraries, "SYSTEM_PYTHON", "/bin/sh")
    monkeypatch.setattr(libraries.subprocess, "run", lambda *_arguments, **_options: failed)
    assert {"python3-gi", "gir1.2-atspi-2.0"} <= set(libraries.missing_for_screen_reader())


def test_a_computer_without_a_postgres_of_its_own_gets_one(
    libraries: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(libraries, "SERVER_PLACE", str(tmp_path))
    assert "postgresql" in libraries.missing_packages(["windowless", "servers"])
    (tmp_path / "15" / "bin").mkdir(parents=True)
    (tmp_path / "15" / "bin" / "postgres").touch()
    monkeypatch.setattr(shutil, "which", lambda program: f"/usr/bin/{program}")
    assert libraries.missing_servers() == []


class _Installed:
    """Stands in for the programs that would install; keeps what they were asked."""

    def __init__(self, libraries: ModuleType, monkeypatch: pytest.MonkeyPatch, *, is_at_terminal: bool) -> None:
        self.commands: list[list[str]] = []
        monkeypatch.setattr(shutil, "which", lambda program: f"/usr/bin/{program}")
        monkeypatch.setattr(libraries.os, "geteuid", lambda: 0)
        monkeypatch.setattr(libraries.sys.stdin, "isatty", lambda: is_at_terminal)
        monkeypatch.setattr(libraries.subprocess, "run", self._run)

    def _run(self, command: list[str], **_options: object) -> subprocess.CompletedProcess[str]:
        self.commands.append(command)
        return subprocess.CompletedProcess(command, 0, "")


def test_what_is_installed_as_root_is_said_before(
    libraries: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    installed = _Installed(libraries, monkeypatch, is_at_terminal=False)
    assert libraries.install(["libegl1", "xvfb"])
    [command] = installed.commands
    assert command[-1] in capsys.readouterr().out
    assert command[-1].endswith("libegl1 xvfb")


@pytest.mark.parametrize(("answer", "is_installed"), [("", True), ("y", True), ("n", False), (None, False)])
def test_a_person_at_a_terminal_is_asked(
    libraries: ModuleType, monkeypatch: pytest.MonkeyPatch, answer: str | None, is_installed: bool
) -> None:
    def answered(_question: str) -> str:
        if answer is None:
            raise EOFError
        return answer

    installed = _Installed(libraries, monkeypatch, is_at_terminal=True)
    monkeypatch.setattr("builtins.input", answered)
    assert libraries.install(["libegl1"]) is is_installed
    assert bool(installed.commands) is is_installed


def test_a_postgres_for_tests_serves_nobody(
    libraries: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(libraries, "NO_CLUSTER", str(tmp_path / "createcluster.d" / "chatdesk-tests.conf"))
    installed = _Installed(libraries, monkeypatch, is_at_terminal=False)
    assert libraries.install(["postgresql"])
    [command] = installed.commands
    # The line itself, with another program in the place of apt-get that shows what apt-get would find.
    line = command[-1].replace("apt-get update && apt-get install -y --no-install-recommends postgresql", "cat *")
    (tmp_path / "createcluster.d").mkdir()
    with subprocess.Popen(["sh", "-c", line], cwd=tmp_path / "createcluster.d", stdout=subprocess.PIPE) as shell:
        assert shell.communicate()[0] == b"create_main_cluster = false\n"
    assert shell.returncode == 0
    assert list((tmp_path / "createcluster.d").iterdir()) == []
