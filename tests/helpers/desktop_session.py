"""A desktop of a test's own: an X server, a session bus with the accessibility bus on it, and one ChatDesk in them.

Nothing outlives ``close``: every process carries a mark in its environment, also those that the bus starts by itself.
"""

from __future__ import annotations

import os
import secrets
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import IO

from tests.helpers.programs import system_libraries

ROOT = Path(__file__).resolve().parents[2]
SYSTEM_PYTHON = "/usr/bin/python3"
_MARK = "CHATDESK_TEST_DESKTOP"
_WAIT_S = 20.0


def what_is_missing() -> list[str]:
    """Debian packages that this machine lacks for a screen reader's walk; set-up installs the same."""
    if not sys.platform.startswith("linux"):
        return ["linux"]
    return list(system_libraries().missing_packages(["x11", "test", "screen_reader"]))


class DesktopSession:
    """``with DesktopSession(folder) as desktop``: ``environment`` is what programs on it need."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._token = secrets.token_hex(8)
        self._log = (folder / "desktop.log").open("wb")
        self._children: list[subprocess.Popen[bytes]] = []
        runtime = folder / "runtime"
        runtime.mkdir(mode=0o700)
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith(("AT_SPI", "DBUS", "WAYLAND"))},
            _MARK: self._token,
            "HOME": str(folder),
            "XDG_RUNTIME_DIR": str(runtime),
            "QT_QPA_PLATFORM": "xcb",
            "QT_LINUX_ACCESSIBILITY_ALWAYS_ON": "1",
            "NO_AT_BRIDGE": "0",
        }

    def __enter__(self) -> DesktopSession:
        try:
            self.environment["DISPLAY"] = ":" + self._start_x()
            self.environment["DBUS_SESSION_BUS_ADDRESS"] = self._start_bus()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def start_chatdesk(self, data_dir: Path, **settings: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "chatdesk", "--data-dir", str(data_dir)]
        return self._start(command, {**self.environment, **settings})

    def start_talking(self, command: list[str]) -> subprocess.Popen[bytes]:
        """A program that takes lines on its stdin, once it has written its first one."""
        process = self._start(command, self.environment, subprocess.PIPE, talks=True)
        _first_line(process)
        return process

    def run(self, command: list[str], *, timeout_s: float) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command, env=self.environment, cwd=ROOT, capture_output=True, text=True, timeout=timeout_s, check=False
        )

    def log(self) -> str:
        """What the programs on this desktop wrote, and what ChatDesk reported of its own failures."""
        self._log.flush()
        files = [self._folder / "desktop.log", *self._folder.rglob("crash-*.txt")]
        return "\n".join(file.read_text(errors="replace")[-5000:] for file in files)

    def close(self) -> None:
        for stop in (signal.SIGTERM, signal.SIGKILL):
            deadline = time.monotonic() + _WAIT_S / 4
            while (left := self._own_processes()) and time.monotonic() < deadline:
                for process_id in left:
                    _send(process_id, stop)
                time.sleep(0.05)
        for process in self._children:
            process.wait(_WAIT_S)
            for stream in (process.stdin, process.stdout):
                if stream is not None:
                    stream.close()
        self._log.close()

    # Processes

    def _start(
        self,
        command: list[str],
        environment: dict[str, str],
        output: IO[bytes] | int | None = None,
        *,
        talks: bool = False,
    ) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(
            command,
            env=environment,
            cwd=ROOT,
            stdin=subprocess.PIPE if talks else subprocess.DEVNULL,
            stdout=self._log if output is None else output,
            stderr=self._log,
        )
        self._children.append(process)
        return process

    def _start_x(self) -> str:
        # The server chooses a free number itself and writes it down.
        command = ["Xvfb", "-displayfd", "1", "-screen", "0", "1280x820x24", "-nolisten", "tcp"]
        return _first_line(self._start(command, self.environment, subprocess.PIPE))

    def _start_bus(self) -> str:
        command = ["dbus-daemon", "--session", "--nofork", "--nopidfile", "--print-address=1"]
        return _first_line(self._start(command, self.environment, subprocess.PIPE))

    def _own_processes(self) -> list[int]:
        mark = f"{_MARK}={self._token}".encode()
        for process in self._children:
            process.poll()
        found = []
        for place in Path("/proc").iterdir():
            if place.name.isdigit() and int(place.name) != os.getpid():
                try:
                    is_ours = mark in (place / "environ").read_bytes().split(b"\0")
                except OSError:
                    continue
                if is_ours:
                    found.append(int(place.name))
        return found


def _first_line(process: subprocess.Popen[bytes]) -> str:
    assert process.stdout is not None
    line = process.stdout.readline().decode().strip()
    if not line:
        raise RuntimeError(f"{process.args!r} did not start")
    return line


def _send(process_id: int, which: signal.Signals) -> None:
    try:
        os.kill(process_id, which)
    except ProcessLookupError:
        return
