"""How a copy was installed is found out by where it is."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from chatdesk.core import child_process
from chatdesk.core.updates import installation
from chatdesk.core.updates.feed_source import read_feed_source
from chatdesk.core.updates.installation import Installation, InstallKind, find_installation


def _packaged(monkeypatch: pytest.MonkeyPatch, program: Path | str) -> Installation:
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    monkeypatch.setattr(sys, "executable", str(program))
    assert child_process.is_packaged()
    return find_installation()


def test_a_portable_program_is_told_by_its_links(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "versions" / "0.2.0"
    folder.mkdir(parents=True)
    (folder / "chatdesk").touch()
    assert _packaged(monkeypatch, folder / "chatdesk").kind is InstallKind.OTHER
    (tmp_path / "current").symlink_to("versions/0.2.0")
    found = Installation(InstallKind.PORTABLE, tmp_path)
    assert _packaged(monkeypatch, folder / "chatdesk") == found
    assert _packaged(monkeypatch, tmp_path / "current" / "chatdesk") == found


def test_a_program_of_the_system_is_left_to_it(monkeypatch: pytest.MonkeyPatch) -> None:
    assert _packaged(monkeypatch, "/usr/lib/chatdesk/chatdesk").kind is InstallKind.APT
    assert _packaged(monkeypatch, "/app/chatdesk/chatdesk").kind is InstallKind.FLATPAK
    assert _packaged(monkeypatch, "/snap/chatdesk/7/chatdesk").kind is InstallKind.SNAP


def test_pipx_pip_and_checkouts_are_told_apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert find_installation().kind is InstallKind.CHECKOUT  # the tests run in one
    monkeypatch.setattr(installation, "package_parent", lambda: str(tmp_path))
    monkeypatch.setattr(sys, "prefix", str(tmp_path))
    assert find_installation().kind is InstallKind.PIP
    (tmp_path / "pipx_metadata.json").touch()
    assert find_installation().kind is InstallKind.PIPX


def test_a_feed_is_what_was_built_in_and_needs_https(tmp_path: Path) -> None:
    assert read_feed_source(tmp_path) is None
    folder = tmp_path / "updates"
    folder.mkdir()
    (folder / "root.json").write_bytes(b"{}")
    for address, found in (
        ('{"address": "https://example.test/feed"}', "https://example.test/feed/"),
        ('{"address": "http://example.test/feed/"}', None),
        ('{"address": 3}', None),
        ("[]", None),
        ("{", None),
    ):
        (folder / "feed.json").write_text(address)
        source = read_feed_source(tmp_path)
        assert (source and source.address) == found
