"""Files and a virus scanner: what comes in, what is kept out, and what happens when the scanner misbehaves."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from chatdesk.core.attachments import virus_scan
from chatdesk.core.attachments.blob_store import BlobStore
from chatdesk.core.attachments.virus_scan import (
    VARIABLE,
    FileInfected,
    FileNotScanned,
    ScannerNotAgreed,
    ScanRules,
    VirusScan,
)
from chatdesk.core.chat.attachment_service import AttachmentService
from chatdesk.core.domain.attachment import Attachment
from chatdesk.core.storage.chat.artifacts import ArtifactRepository
from tests.helpers.chat_world import chat_world
from tests.helpers.clamd import SIGNATURE, fake_clamd


def _store(folder: Path, address: str, *, is_strict: bool = True) -> BlobStore:
    return BlobStore(folder / "blobs", VirusScan(ScanRules(address, is_strict)))


@pytest.mark.parametrize("is_local", [True, False])
def test_a_clean_file_comes_in_and_an_infected_one_stays_out(tmp_path: Path, is_local: bool) -> None:
    with fake_clamd(tmp_path, is_local=is_local) as clamd:
        blobs = _store(tmp_path, clamd.address)
        data = bytes(range(256)) * 1_000  # several pieces
        blob = blobs.put(iter([data]), max_bytes=10**6)
        assert clamd.scanned == [data] and blobs.has(blob.sha256)
        with pytest.raises(FileInfected) as caught:
            blobs.put(iter([b"x" + SIGNATURE]), max_bytes=10**6)
        assert "Own." in caught.value.what and "\x1b" not in caught.value.what and "\u202e" not in caught.value.what
        assert [each.sha256 for each in blobs.list()] == [blob.sha256]
        assert not list((tmp_path / "blobs").glob(".part-*")), "nothing is left of it"
        blobs.put(iter([data]), max_bytes=10**6)
        assert len(clamd.scanned) == 2, "the same bytes are scanned once"
        blobs.scan.use(ScanRules(clamd.address, is_strict=False))
        blobs.put(iter([data]), max_bytes=10**6)
        assert len(clamd.scanned) == 3, "but again by other rules"


@pytest.mark.parametrize("how", ["garbage", "hang-up", "flood", "too-large"])
@pytest.mark.parametrize("is_strict", [True, False])
def test_the_setting_decides_where_the_scanner_does_not_answer(
    tmp_path: Path, how: str, is_strict: bool, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING, "chatdesk")
    with fake_clamd(tmp_path, how) as clamd:
        blobs = _store(tmp_path, clamd.address, is_strict=is_strict)
        if is_strict:
            with pytest.raises(FileNotScanned):
                blobs.put(iter([b"y" * 300_000]), max_bytes=10**6)
            assert not list(blobs.list())
        else:
            assert blobs.has(blobs.put(iter([b"y" * 300_000]), max_bytes=10**6).sha256)
        assert "was not scanned" in caplog.text


@pytest.mark.parametrize("address", ["/nowhere/clamd.ctl", "127.0.0.1:1", "x:99999", "\0"])
def test_a_scanner_that_is_not_there_keeps_files_out(tmp_path: Path, address: str) -> None:
    with pytest.raises(FileNotScanned) as caught:
        _store(tmp_path, address).put(iter([b"data"]), max_bytes=100)
    assert "does not answer" in caught.value.what and "Settings" in caught.value.next_step


def test_a_silent_scanner_is_not_waited_for_longer_than_the_limit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(virus_scan, "_WHOLE_S", 0.2)
    with fake_clamd(tmp_path, "silent") as clamd, pytest.raises(FileNotScanned):
        _store(tmp_path, clamd.address).put(iter([b"data"]), max_bytes=100)


def test_many_files_wait_once_for_a_scanner_that_is_not_needed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(virus_scan, "_WHOLE_S", 0.2)
    with fake_clamd(tmp_path, "silent") as clamd:
        blobs = _store(tmp_path, clamd.address, is_strict=False)
        for number in range(20):
            blobs.put(iter([bytes([number])]), max_bytes=100)
        assert len(clamd.scanned) == 1
        blobs.scan.use(ScanRules(clamd.address))
        with pytest.raises(FileNotScanned):
            blobs.put(iter([b"strict"]), max_bytes=100)


def test_without_a_scanner_nothing_is_asked(tmp_path: Path) -> None:
    assert BlobStore(tmp_path).put(iter([SIGNATURE]), max_bytes=100).size_bytes == len(SIGNATURE)


async def test_an_earlier_file_is_scanned_before_it_is_sent(tmp_path: Path) -> None:
    async with chat_world(tmp_path) as world:
        blobs = BlobStore(tmp_path / "blobs")
        service = AttachmentService(blobs, ArtifactRepository(world.database))
        blob = blobs.put(iter([SIGNATURE]), max_bytes=100)
        attachment = Attachment("x.png", "image/png", blob.sha256, blob.size_bytes, 1, 1)
        with fake_clamd(tmp_path) as clamd:
            blobs.scan.use(ScanRules(clamd.address))
            with pytest.raises(FileInfected):
                await service.save_copy(attachment, tmp_path / "copy")
            assert not (tmp_path / "copy").exists()
            assert "virus scanner" in str((await service.sent_image(attachment)).problem)
        await service.close()


@pytest.mark.parametrize("is_strict", [True, False])
@pytest.mark.parametrize("how", ["given", "environment", "entered", "entered before", "one's own", "on this computer"])
def test_only_a_scanner_that_this_person_named_gets_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: str, is_strict: bool
) -> None:
    """A data directory that somebody else made may name a computer of theirs."""
    with fake_clamd(tmp_path, is_local=False) as clamd:
        if how != "on this computer":
            monkeypatch.setattr(virus_scan, "is_loopback", lambda _host: False)
        agreed, rules = tmp_path / "own" / "scanner", ScanRules(clamd.address, is_strict)
        monkeypatch.setattr(
            virus_scan, "environment", lambda: {VARIABLE: clamd.address} if how == "environment" else {}
        )

        def scan_of() -> VirusScan:
            made = VirusScan(agreed=None if how == "one's own" else lambda: agreed)
            made.use(rules)
            return made

        scan = scan_of()
        if how.startswith("entered"):
            scan.use(ScanRules())
            scan.use(rules)
        if how == "entered before":
            BlobStore(tmp_path / "before", scan).put(iter([b"before"]), max_bytes=100)
            clamd.scanned.clear()
            scan = scan_of()
        blobs = BlobStore(tmp_path / "blobs", scan)
        if how == "given" and is_strict:
            with pytest.raises(ScannerNotAgreed, match="name a virus scanner on another computer"):
                blobs.put(iter([b"secret"]), max_bytes=100)
        else:
            assert blobs.has(blobs.put(iter([b"secret"]), max_bytes=100).sha256)
        assert clamd.scanned == ([] if how == "given" else [b"secret"])
