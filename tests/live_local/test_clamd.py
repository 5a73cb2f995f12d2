"""Files through Debian's own clamd, with a signature of our own."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from chatdesk.core.attachments.blob_store import BlobStore
from chatdesk.core.attachments.virus_scan import FileInfected, FileNotScanned, ScanRules, VirusScan
from tests.helpers.waiting import wait_until

pytestmark = pytest.mark.live_local
_INFECTED = b"Words that only this test takes for a virus." * 20
_LARGEST_BYTES = 1_000_000


@pytest.fixture
def clamd(tmp_path: Path) -> Iterator[str]:
    """The address of a clamd that knows one virus, and takes files up to 1 MB."""
    program = shutil.which("clamd")
    if program is None:
        pytest.skip("clamd is not here: packaging/servers.py installs it")
    signatures = tmp_path / "signatures"
    signatures.mkdir()
    digest = hashlib.md5(_INFECTED, usedforsecurity=False).hexdigest()
    (signatures / "own.hdb").write_text(f"{digest}:{len(_INFECTED)}:Own.Test\n")
    socket = tmp_path / "clamd.ctl"
    rules = tmp_path / "clamd.conf"
    rules.write_text(
        f"LocalSocket {socket}\nDatabaseDirectory {signatures}\nForeground yes\nStreamMaxLength {_LARGEST_BYTES}\n"
    )
    running = subprocess.Popen([program, f"--config-file={rules}"], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    try:
        wait_until(lambda: socket.exists() or running.poll() is not None)
        assert running.poll() is None, running.communicate()[1]
        yield str(socket)
    finally:
        running.kill()
        running.communicate()


def test_a_real_scanner_lets_files_in_and_keeps_them_out(clamd: str, tmp_path: Path) -> None:
    blobs = BlobStore(tmp_path / "blobs", VirusScan(ScanRules(clamd)))
    clean = blobs.put(iter([b"Nothing to see here. " * 20_000]), max_bytes=10**7)
    with pytest.raises(FileInfected, match=r"Own\.Test"):
        blobs.put(iter([_INFECTED]), max_bytes=10**7)
    with pytest.raises(FileNotScanned):
        blobs.put(iter([b"z" * (3 * _LARGEST_BYTES)]), max_bytes=10**7)
    assert [each.sha256 for each in blobs.list()] == [clean.sha256]
