"""A data directory on a disk that is mounted to read: all that only reads works, and what cannot be written is said,
by the name of the place."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from chatdesk.cli.main import run


def _can_mount() -> bool:
    if not sys.platform.startswith("linux") or shutil.which("unshare") is None:
        return False
    return subprocess.run(["unshare", "-rm", "true"], capture_output=True, check=False).returncode == 0


pytestmark = pytest.mark.skipif(not _can_mount(), reason="NOT PROVEN HERE: no disk can be mounted to read")


@pytest.fixture
def mounted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    given = tmp_path / "given"
    monkeypatch.setenv("CHATDESK_PROVIDER", "offline")
    assert run(["--data-dir", str(given), "ask", "How do herons fish?"]) == 0
    return given


def _run(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    command = 'mount --bind "$0" "$0" && mount -o remount,bind,ro "$0" && exec "$@"'
    chatdesk = (sys.executable, "-m", "chatdesk", "--data-dir", str(folder))
    return subprocess.run(
        ["unshare", "-rm", "sh", "-c", command, str(folder), *chatdesk, *words],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        stdin=subprocess.DEVNULL,
    )


def test_a_read_only_profile_can_be_listed_exported_and_backed_up(mounted: Path, tmp_path: Path) -> None:
    assert "herons" in _run(mounted, "threads").stdout
    exported, packed = tmp_path / "all.json", tmp_path / "all.zip"
    assert _run(mounted, "export", "--all", "--format", "json", "--out", str(exported)).returncode == 0
    assert "herons" in exported.read_text(encoding="utf-8")
    ended = _run(mounted, "backup", str(packed))
    assert ended.returncode == 0, ended.stderr
    with zipfile.ZipFile(packed) as made:
        assert json.loads(made.read("backup.json"))["messages"] == 2
    assert {each.name for each in tmp_path.iterdir()} == {"given", "all.json", "all.zip"}


@pytest.mark.parametrize(
    ("words", "place"),
    [(("backup",), "backups/chatdesk-000001-"), (("serve", "--port", "0"), "service")],
    ids=["backup", "serve"],
)
def test_a_read_only_path_is_named(mounted: Path, words: tuple[str, ...], place: str) -> None:
    ended = _run(mounted, *words)
    assert ended.returncode == 1
    said = ended.stderr.splitlines()[-1]
    assert str(mounted / place) in said
    assert "port" not in said
    assert ".new" not in said
