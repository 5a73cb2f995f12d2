"""``chatdesk serve`` as a process of its own, and what it takes of the machine."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx2

from chatdesk.core.paths import AppPaths
from chatdesk.service.address_book import ServiceFiles
from tests.helpers.signals import heeded_by_children

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class ServedProcess:
    """A running service. ``url`` is that of loopback, without a slash at its end; ``token`` is the owner's."""

    process: subprocess.Popen[str]
    url: str
    token: str

    @property
    def port(self) -> int:
        return int(self.url.rpartition(":")[2])

    @property
    def cpu_s(self) -> float:
        """Processor time until now, of all its threads."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text("ascii").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    @property
    def resident_mb(self) -> float:
        pages = int(Path(f"/proc/{self.process.pid}/statm").read_text("ascii").split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") / 1024 / 1024

    def client(self) -> httpx2.Client:
        headers = {"authorization": f"Bearer {self.token}"}
        return httpx2.Client(base_url=self.url, headers=headers, trust_env=False, timeout=30)


@contextmanager
def serving(data_dir: Path, environment: Mapping[str, str] | None = None) -> Iterator[ServedProcess]:
    """A service that listens; it is killed at the end, unless it was ended before."""
    command = [sys.executable, "-m", "chatdesk", "serve", "--data-dir", str(data_dir)]
    with heeded_by_children(signal.SIGINT, signal.SIGTERM):
        process = subprocess.Popen(
            command,
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, **(environment or {})},
        )
    try:
        assert process.stdout is not None
        listening = process.stdout.readline()
        assert listening.startswith("Listening on http://127.0.0.1:"), listening
        token = ServiceFiles.of(AppPaths.find(data_dir)).owner_token.read_text("utf-8")
        yield ServedProcess(process, listening.split()[-1], token)
    finally:
        process.kill()
        process.communicate()
