"""How a copy was installed is found out by where it is, and a page of releases is asked for nothing but a version."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from chatdesk.core import updates
from chatdesk.core.fetching.guarded_fetch import Ask, Fetched, FetchFailed, FetchRules, GuardedFetcher
from chatdesk.core.system import child_process
from chatdesk.core.updates import Installation, InstallKind, Version, find_installation, newer_version, releases_page

PAGE = "https://releases.example/"


class Page(GuardedFetcher):
    """A page of releases that answers with fixed bytes."""

    def __init__(self, body: bytes) -> None:
        super().__init__()
        self._body = body

    def fetch(self, ask: Ask, rules: FetchRules, *, is_agreed: bool = False) -> Fetched:
        assert (ask, rules.schemes, rules.max_redirects) == (Ask(f"{PAGE}newest.json"), ("https",), 0)
        return Fetched(ask.url, "application/json", "utf-8", self._body)


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
    monkeypatch.setattr(updates, "package_parent", lambda: str(tmp_path))
    monkeypatch.setattr(sys, "prefix", str(tmp_path))
    assert find_installation().kind is InstallKind.PIP
    (tmp_path / "pipx_metadata.json").touch()
    assert find_installation().kind is InstallKind.PIPX


@pytest.mark.parametrize("kind", InstallKind)
def test_only_a_portable_program_asks_the_page_that_was_built_in(kind: InstallKind, tmp_path: Path) -> None:
    folder = tmp_path / "updates"
    folder.mkdir()
    assert releases_page(Installation(kind), tmp_path) == ""
    for address, found in (
        ('{"address": "https://releases.example"}', PAGE),
        ('{"address": "http://releases.example/"}', ""),
        ('{"address": 3}', ""),
        ("[]", ""),
        ("{", ""),
    ):
        (folder / "page.json").write_text(address)
        assert releases_page(Installation(kind), tmp_path) == (found if kind is InstallKind.PORTABLE else "")


@pytest.mark.parametrize(
    ("named", "found"), [("0.2.1", Version(0, 2, 1)), ("0.10.0", Version(0, 10, 0)), ("0.2.0", None), ("0.1.9", None)]
)
def test_a_version_is_newer_by_its_numbers(named: str, found: Version | None) -> None:
    assert newer_version(PAGE, Page(b'{"version": "%s"}' % named.encode()), than="0.2.0") == found


@pytest.mark.parametrize(
    "body",
    [b"", b"[]", b"{}", b'{"version": 1}', b'{"version": "1"}', b'{"version": "1.2.3; rm"}', b"\xff", b"[" * 4000],
)
def test_a_page_without_a_version_gives_no_newest_version(body: bytes) -> None:
    with pytest.raises(FetchFailed, match="does not say"):
        newer_version(PAGE, Page(body))
