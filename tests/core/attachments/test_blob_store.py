"""Blobs are whole or not there, kept once, and only where the store says."""

from __future__ import annotations

import hashlib
import io
import os
import threading
import time
from pathlib import Path

import pytest

from chatdesk.core.attachments.blob_store import BlobStore, relative_path
from chatdesk.core.errors import AttachmentTooLarge, AttachmentUnusable

WORDS = b"ten years of words"
SUM = hashlib.sha256(WORDS).hexdigest()


@pytest.fixture
def store(tmp_path: Path) -> BlobStore:
    return BlobStore(tmp_path / "blobs")


def files_in(store: BlobStore) -> list[Path]:
    return [path for path in store.folder.rglob("*") if path.is_file()]


def test_bytes_lie_under_their_sum(store: BlobStore) -> None:
    blob = store.put(io.BytesIO(WORDS), max_bytes=100)
    assert (blob.sha256, blob.size_bytes) == (SUM, len(WORDS))
    assert store.path(SUM) == store.folder / SUM[:2] / SUM
    assert store.has(SUM)
    assert store.path(SUM).read_bytes() == WORDS == store.read(SUM, max_bytes=100)


def test_pieces_are_put_together(store: BlobStore) -> None:
    assert store.put((WORDS[i : i + 3] for i in range(0, len(WORDS), 3)), max_bytes=100).sha256 == SUM


@pytest.mark.skipif(os.name != "posix", reason="Windows has other permissions")
def test_only_the_owner_can_read(store: BlobStore) -> None:
    path = store.path(store.put([WORDS], max_bytes=100).sha256)
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert store.folder.stat().st_mode & 0o777 == 0o700


def test_equal_bytes_are_kept_once_and_become_young(store: BlobStore) -> None:
    store.put([WORDS], max_bytes=100)
    os.utime(store.path(SUM), (0, 0))
    store.put([WORDS], max_bytes=100)
    assert files_in(store) == [store.path(SUM)]
    assert next(store.list()).age_s < 60


def test_a_damaged_blob_is_mended(store: BlobStore) -> None:
    store.put([WORDS], max_bytes=100)
    store.path(SUM).write_bytes(b"x")
    store.put([WORDS], max_bytes=100)
    assert store.path(SUM).read_bytes() == WORDS


def test_too_much_is_refused_before_it_is_read_to_the_end(store: BlobStore) -> None:
    def endless():  # type: ignore[no-untyped-def]
        while True:
            yield b"x" * 10

    with pytest.raises(AttachmentTooLarge, match="larger than 1,000 bytes"):
        store.put(endless(), max_bytes=1000)
    assert files_in(store) == []


def test_a_source_that_fails_leaves_nothing_behind(store: BlobStore) -> None:
    def broken():  # type: ignore[no-untyped-def]
        yield b"abc"
        raise OSError("gone")

    with pytest.raises(OSError, match="gone"):
        store.put(broken(), max_bytes=1000)
    assert files_in(store) == []


@pytest.mark.parametrize("name", ["", "../../etc/passwd", SUM.upper(), SUM + "\n", SUM[:-1], "/" + SUM])
def test_only_sums_name_blobs(store: BlobStore, name: str) -> None:
    with pytest.raises(AttachmentUnusable):
        store.path(name)
    with pytest.raises(AttachmentUnusable):
        relative_path(name)


def test_a_folder_that_cannot_be_written_to_says_so(tmp_path: Path) -> None:
    (tmp_path / "blobs").write_text("a file where the folder should be")
    with pytest.raises(AttachmentUnusable, match="could not be stored"):
        BlobStore(tmp_path / "blobs").put([WORDS], max_bytes=100)


def test_a_full_disk_says_so(store: BlobStore, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_descriptor: int, _data: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("chatdesk.core.attachments.blob_store.os.write", full)
    with pytest.raises(AttachmentUnusable, match="No space left"):
        store.put([WORDS], max_bytes=100)
    monkeypatch.undo()
    assert files_in(store) == []


def test_reading_says_when_a_blob_is_gone_or_grew(store: BlobStore) -> None:
    with pytest.raises(AttachmentUnusable, match="no longer there"):
        store.read(SUM, max_bytes=100)
    store.put([WORDS], max_bytes=100)
    with pytest.raises(AttachmentUnusable, match="larger"):
        store.read(SUM, max_bytes=3)


def test_the_list_has_blobs_only(store: BlobStore) -> None:
    assert list(store.list()) == []
    store.put([WORDS], max_bytes=100)
    (store.folder / "notes.txt").write_text("x")
    (store.folder / SUM[:2] / "other").write_text("x")
    (store.folder / "ab").mkdir(exist_ok=True)
    assert [(each.sha256, each.size_bytes) for each in store.list()] == [(SUM, len(WORDS))]
    store.remove(SUM)
    store.remove(SUM)
    assert list(store.list()) == []


def test_unfinished_files_go_once_they_are_old(store: BlobStore) -> None:
    store.put([WORDS], max_bytes=100)
    old, young = store.folder / ".part-1", store.folder / ".part-2"
    old.write_bytes(b"x")
    young.write_bytes(b"x")
    os.utime(old, (time.time() - 100, time.time() - 100))
    store.remove_unfinished(older_than_s=50)
    assert not old.exists()
    assert young.exists()
    assert store.has(SUM)


def test_many_threads_put_the_same_bytes(store: BlobStore) -> None:
    found: list[str] = []
    threads = [
        threading.Thread(target=lambda: found.append(store.put([WORDS], max_bytes=100).sha256)) for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [SUM] * 8
    assert files_in(store) == [store.path(SUM)]
