"""The files that start ``chatdesk serve`` on a computer without a window, as far as they can be tried without systemd
and Docker: what they start is started, and the health checks are those of the files."""

from __future__ import annotations

import configparser
import json
import os
import re
import select
import shlex
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from chatdesk.core.paths import AppPaths
from chatdesk.core.settings.store import SettingsStore
from tests.helpers import setting_documents
from tests.helpers.signals import heeded_by_children

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "packaging" / "service"
UNIT = FOLDER / "chatdesk.service"
COMPOSE = FOLDER / "compose.yaml"
PATIENCE_S = 60

pytestmark = pytest.mark.skipif(os.name != "posix", reason="systemd and containers are not of Windows")


def _unit() -> configparser.ConfigParser:
    parser = configparser.ConfigParser(interpolation=None, strict=False)
    parser.optionxform = str  # type: ignore[assignment, method-assign]
    parser.read_string(UNIT.read_text("utf-8"))
    return parser


def _command_of_unit() -> list[str]:
    """What the unit starts, with the ChatDesk of the tests in the place of an installed one."""
    program, *arguments = shlex.split(_unit()["Service"]["ExecStart"])
    assert program == "%h/.local/bin/chatdesk"
    return [sys.executable, "-m", "chatdesk", *arguments]


def _check_of_compose() -> list[str]:
    found = re.search(r"^ +test: (\[.*\])$", COMPOSE.read_text("utf-8"), re.MULTILINE)
    assert found is not None
    kind, program, *arguments = json.loads(found[1])
    assert (kind, program) == ("CMD", "python")
    return [sys.executable, *arguments]


def _run_check(data_dir: Path) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "CHATDESK_DATA_DIR": str(data_dir)}
    return subprocess.run(
        _check_of_compose(), cwd=ROOT, env=environment, capture_output=True, text=True, timeout=PATIENCE_S
    )


@contextmanager
def _started(data_dir: Path, **more: str) -> Iterator[subprocess.Popen[str]]:
    environment = {**os.environ, "CHATDESK_DATA_DIR": str(data_dir), "CHATDESK_SERVICE_PORT": "0", **more}
    with heeded_by_children(signal.SIGINT, signal.SIGTERM):
        process = subprocess.Popen(
            _command_of_unit(), cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
    try:
        assert process.stdout is not None
        assert process.stdout.readline().startswith("Listening on http://127.0.0.1:")
        yield process
    finally:
        process.kill()
        process.communicate()


class _Systemd:
    """The end of the notifications at which systemd listens."""

    def __init__(self, path: Path) -> None:
        self.address = str(path)
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(self.address)

    def heard(self, within_s: float = PATIENCE_S) -> str:
        """The next notification; an empty text where none comes."""
        readable, _, _ = select.select([self._socket], [], [], within_s)
        return self._socket.recv(1000).decode() if readable else ""

    def forget(self) -> None:
        """Drop what was said so far."""
        while self.heard(within_s=0):
            pass

    def close(self) -> None:
        self._socket.close()


@pytest.fixture
def systemd(tmp_path: Path) -> Iterator[_Systemd]:
    found = _Systemd(tmp_path / "notify")
    yield found
    found.close()


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="needs systemd-analyze")
def test_systemd_finds_nothing_wrong_with_the_unit(tmp_path: Path) -> None:
    program = tmp_path / ".local" / "bin" / "chatdesk"
    program.parent.mkdir(parents=True)
    program.write_text("#!/bin/sh\n")
    program.chmod(0o700)
    unit = tmp_path / UNIT.name
    unit.write_text(UNIT.read_text("utf-8").replace("%h", str(tmp_path)), "utf-8")
    runtime = tmp_path / "run"
    runtime.mkdir(mode=0o700)
    environment = {**os.environ, "HOME": str(tmp_path), "XDG_RUNTIME_DIR": str(runtime)}
    command = ["systemd-analyze", "--user", "--man=no", "--recursive-errors=no", "verify", str(unit)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=PATIENCE_S)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


def test_systemd_is_told_that_the_service_is_ready_and_that_it_answers(tmp_path: Path, systemd: _Systemd) -> None:
    service = _unit()["Service"]
    assert service["Type"] == "notify" and int(service["WatchdogSec"]) > 0
    told = {"NOTIFY_SOCKET": systemd.address, "WATCHDOG_USEC": "300000", "CHATDESK_URL": "http://127.0.0.1:9"}
    with _started(tmp_path / "data", **told) as process:
        assert systemd.heard() == "READY=1"
        assert [systemd.heard() for _ in range(3)] == ["WATCHDOG=1"] * 3
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=PATIENCE_S)
        assert str(process.returncode) in service["SuccessExitStatus"].split()
        said = ""
        while said in ("", "WATCHDOG=1"):
            said = systemd.heard()
        assert said == "STOPPING=1"


def test_systemd_hears_nothing_of_a_service_that_hangs(tmp_path: Path, systemd: _Systemd) -> None:
    with _started(tmp_path / "data", NOTIFY_SOCKET=systemd.address, WATCHDOG_USEC="300000") as process:
        assert systemd.heard() == "READY=1"
        assert systemd.heard() == "WATCHDOG=1"
        process.send_signal(signal.SIGSTOP)
        os.waitid(os.P_PID, process.pid, os.WSTOPPED | os.WNOWAIT)
        systemd.forget()
        assert systemd.heard(within_s=1) == ""
        process.send_signal(signal.SIGCONT)
        assert systemd.heard() == "WATCHDOG=1"


def test_the_check_of_the_container_answers_for_a_served_process_and_fails_without_one(tmp_path: Path) -> None:
    before = _run_check(tmp_path)
    assert before.returncode == 1 and "The local service is off." in before.stderr
    with _started(tmp_path) as process:
        during = _run_check(tmp_path)
        assert (during.returncode, during.stderr) == (0, "")
        assert during.stdout.startswith("ready")
        process.kill()
        process.wait()
        after = _run_check(tmp_path)
    assert after.returncode == 1 and "does not answer" in after.stderr


def test_the_container_starts_what_the_unit_starts_and_copies_what_is_there() -> None:
    compose, dockerfile = COMPOSE.read_text("utf-8"), (FOLDER / "Dockerfile").read_text("utf-8")
    started = ["chatdesk", *_command_of_unit()[3:]]
    assert f"command: {json.dumps(started)}" in compose
    assert f"CMD {json.dumps(started)}" in dockerfile
    for name in re.findall(r"^COPY (\S+) ", dockerfile, re.MULTILINE):
        assert (ROOT / name).exists(), name
        assert f"!{name}" in (FOLDER / "Dockerfile.dockerignore").read_text("utf-8").split(), name
    for name in re.findall(r"-r (requirements/\S+)", dockerfile):
        assert (ROOT / name).exists(), name
    assert "dockerfile: packaging/service/Dockerfile" in compose


def test_all_that_the_container_writes_is_in_volumes(monkeypatch: pytest.MonkeyPatch) -> None:
    compose, dockerfile = COMPOSE.read_text("utf-8"), (FOLDER / "Dockerfile").read_text("utf-8")
    assert "read_only: true" in compose
    volumes = [Path(each) for each in re.findall(r"^ +- [a-z]+:(/\S+)$", compose, re.MULTILINE)]
    declared = re.search(r"^ENV (.*)$", dockerfile, re.MULTILINE)
    assert declared is not None
    for name, value in (each.split("=", 1) for each in declared[1].split()):
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("HOME", "/home/chatdesk")
    paths = AppPaths.find()
    for place in (paths.data_dir, paths.config_dir, paths.log_dir, paths.backup_dir, paths.token_dir):
        assert any(place.is_relative_to(volume) for volume in volumes), place


def test_the_example_of_variables_is_made_from_the_declarations() -> None:
    text = setting_documents.EXAMPLE.read_text("utf-8")
    assert text == setting_documents.example(), "run python -m tests.helpers.setting_documents --write"
    named = re.findall(r"^#?([A-Z_]+)=", text, re.MULTILINE)
    assert len(named) == len(set(named)) and set(named) == setting_documents.variables()


def test_no_variable_of_the_service_is_missing_in_the_example() -> None:
    """Every name in the code that looks like a variable of ChatDesk is in the file, or declared as one of commands."""
    elsewhere = setting_documents.variables_of_commands()
    found: set[str] = set()
    for path in (ROOT / "chatdesk").rglob("*.py"):
        found.update(re.findall(r"\"(CHATDESK_[A-Z_]+)\"", path.read_text("utf-8")))
    assert found - elsewhere <= setting_documents.variables()
    assert not elsewhere & setting_documents.variables()


def test_the_defaults_in_the_example_are_valid_and_change_nothing(tmp_path: Path) -> None:
    lines = setting_documents.EXAMPLE.read_text("utf-8").splitlines()
    environ = dict(line[1:].split("=", 1) for line in lines if re.match(r"#[A-Z_]+=", line))
    store = SettingsStore(tmp_path / "settings.toml")
    loaded = store.load(environ)
    assert loaded.problems == ()
    assert loaded.settings == store.load({}).settings
