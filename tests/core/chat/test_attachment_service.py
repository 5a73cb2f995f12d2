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

from chatdesk.core.attachments.attachment_limits import AttachmentLimits
from chatdesk.core.attachments.blob_store import BlobStore
from chatdesk.core.attachments.origin_mark import ORIGIN
from chatdesk.core.chat.attachment_service import AttachmentService
from chatdesk.core.domain.attachment import Attachment
from chatdesk.core.errors import AttachmentUnusable, InvalidInput
from chatdesk.core.storage.chat.artifacts import ArtifactRepository
from tests.helpers.chat_world import chat_world


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
        with pytest.raises(AttachmentUnusable, match=r"not a file that can be read|is not there|no longer there"):
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


async def test_a_day_takes_no_more_than_its_limit(tmp_path: Path) -> None:
    """What was sent counts, and what waits beside a draft; results of tools and what others sent do not."""
    async with chat_world(tmp_path) as world:
        limits = AttachmentLimits(day_bytes=1_000)
        files = AttachmentService(BlobStore(tmp_path / "blobs"), ArtifactRepository(world.database), limits=limits)
        sent = await files.add_bytes(b"a" * 400, "a.txt")
        created = await world.chat.create_thread(None, "", "read it", attachments=[sent])
        await world.answer_of(created)
        assert created.question is not None
        waiting = await files.add_bytes(b"b" * 400, "b.txt")
        await world.chat.drafts.save(created.thread.id, "and this", 0, attachments=[waiting])
        with pytest.raises(InvalidInput, match="the files attached today would have 1,100 bytes"):
            await files.add_bytes(b"c" * 300, "c.txt")
        await files.add_bytes(b"c" * 200, "c.txt")
        assert (await files.keep_bytes(b"d" * 300, "result.txt")).size_bytes == 300
        question = created.question.id
        await world.database.write(
            lambda conn: conn.exec_driver_sql("UPDATE messages SET created_at = 1 WHERE id = ?", (question,))
        )
        assert (await files.add_bytes(b"c" * 600, "c.txt")).size_bytes == 600  # that was another day
        await files.close()


async def test_a_kind_that_is_kept_out_says_so_whatever_its_name(tmp_path: Path) -> None:
    async with chat_world(tmp_path) as world:
        limits = AttachmentLimits(refused=("application/pdf",))
        files = AttachmentService(BlobStore(tmp_path / "blobs"), ArtifactRepository(world.database), limits=limits)
        with pytest.raises(AttachmentUnusable, match="of a kind that may not be attached: application/pdf"):
            await files.add_bytes(b"%PDF-1.7\n", "holiday.txt")
        await files.add_bytes(b"words", "report.pdf")  # its bytes are no PDF
        await files.close()


async def test_a_message_takes_as_many_files_as_the_limits_say(tmp_path: Path) -> None:
    async with chat_world(tmp_path) as world:
        world.chat.use_message_limits(1_000, AttachmentLimits(number=2, message_bytes=500))
        files = AttachmentService(BlobStore(tmp_path / "blobs"), ArtifactRepository(world.database))
        large = [await files.add_bytes(letter * 300, "a.txt") for letter in (b"a", b"b")]
        small = [await files.add_bytes(letter, "a.txt") for letter in (b"a", b"b", b"c")]
        with pytest.raises(InvalidInput, match="together; these have 600 bytes"):
            await world.chat.create_thread(None, "", "hi", attachments=large)
        with pytest.raises(InvalidInput, match="at most 2 files"):
            await world.chat.create_thread(None, "", "hi", attachments=small)
        await world.answer_of(await world.chat.create_thread(None, "", "hi", attachments=small[:2]))
        await files.close()
