"""Attaching reads files of people, not views into the system; what is saved is marked as coming from elsewhere."""

from __future__ import annotations

import errno
import os
import sys
import tempfile
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace

import pytest

from chatdesk.core.attachments.blob_store import BlobStore
from chatdesk.core.attachments.origin_mark import ORIGIN
from chatdesk.core.chat.attachment_service import AttachmentService
from chatdesk.core.domain.attachment import Attachment
from chatdesk.core.errors import AttachmentUnusable


@pytest.fixture
def service(tmp_path: Path) -> AttachmentService:
    rows = SimpleNamespace(is_read_only=False)
    return AttachmentService(BlobStore(tmp_path / "blobs"), rows)  # type: ignore[arg-type]


@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="Linux")
@pytest.mark.parametrize(
    "path", ["/proc/self/environ", "/proc/version", "/sys/kernel/vmcoreinfo", "/dev/null", "/dev/zero"]
)
async def test_views_into_the_system_are_no_files(service: AttachmentService, tmp_path: Path, path: str) -> None:
    link = tmp_path / "notes.txt"
    link.symlink_to(path)
    for each in (Path(path), link, Path("/tmp") / f"..{path}"):
        with pytest.raises(AttachmentUnusable, match=r"not a file that can be read|no longer there"):
            await service.add_file(each)
    await service.close()


@pytest.mark.skipif(not os.access("/dev/shm", os.W_OK), reason="no file system in memory")
async def test_a_file_in_memory_is_one_and_a_link_from_there_is_none(service: AttachmentService) -> None:
    with tempfile.TemporaryDirectory(dir="/dev/shm") as folder:
        path, link = Path(folder, "notes.txt"), Path(folder, "link.txt")
        path.write_text("words")
        link.symlink_to("/proc/self/environ")
        assert (await service.add_file(path)).size_bytes == 5
        with pytest.raises(AttachmentUnusable, match="not a file that can be read"):
            await service.add_file(link)
    await service.close()


@pytest.mark.skipif(sys.platform != "linux", reason="extended attributes of Linux")
async def test_a_saved_copy_is_marked_as_coming_from_elsewhere(service: AttachmentService, tmp_path: Path) -> None:
    with suppress(OSError):
        os.setxattr(tmp_path, "user.test", b"x")
    if "user.test" not in os.listxattr(tmp_path):
        pytest.skip("a file system without extended attributes")
    blob = service.blobs.put([b"words"], max_bytes=10)
    await service.save_copy(Attachment("a.sh", "text/plain", blob.sha256, blob.size_bytes), tmp_path / "a.sh")
    assert os.getxattr(tmp_path / "a.sh", "user.xdg.origin.url") == ORIGIN.encode()
    assert (tmp_path / "a.sh").read_bytes() == b"words"
    await service.close()


async def test_a_file_system_without_marks_takes_the_copy_all_the_same(
    service: AttachmentService, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_arguments: object) -> None:
        raise OSError(errno.ENOTSUP, "not supported")

    monkeypatch.setattr(os, "setxattr", refuse, raising=False)
    blob = service.blobs.put([b"words"], max_bytes=10)
    await service.save_copy(Attachment("a.sh", "text/plain", blob.sha256, blob.size_bytes), tmp_path / "a.sh")
    assert (tmp_path / "a.sh").read_bytes() == b"words"
    await service.close()
