"""Files that are received: within their own limit, and never left behind."""

from __future__ import annotations

import errno
import gzip
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from chatdesk.core.errors import StorageFull
from chatdesk.service.gate import RequestLimits
from chatdesk.service.local_service import ServiceOptions
from chatdesk.service.problems import status_of
from chatdesk.service.uploads import UPLOADS, received_file
from tests.helpers.local_service import served_world

FILE = {"content-type": "application/octet-stream"}


async def test_a_full_disk_is_said_and_nothing_stays(tmp_path: Path) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        yield b"x" * 1000
        raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(StorageFull) as full:
        async with received_file(pieces(), tmp_path):
            pass
    assert status_of(full.value) == 507
    assert not list((tmp_path / "service" / UPLOADS).iterdir())


async def test_a_file_may_be_larger_than_other_bodies_up_to_its_own_limit(tmp_path: Path) -> None:
    options = ServiceOptions(requests=RequestLimits(body_bytes=1_000, file_bytes=3_000))
    async with served_world(tmp_path, options=options) as world:
        for url, size, status in (("attachments", 2_000, 201), ("attachments", 3_001, 413), ("prompts", 2_000, 413)):
            found = await world.http.post(f"/api/v1/{url}", content=b"x" * size, headers=FILE)
            assert found.status_code == status, url


async def test_nothing_that_is_packed_is_unpacked(tmp_path: Path) -> None:
    bomb = gzip.compress(bytes(10_000_000))
    async with served_world(tmp_path) as world:
        for kind, url in (("application/octet-stream", "attachments"), ("application/json", "threads")):
            for encoding in ("gzip", "deflate", "br", "zstd", "gzip, gzip", "GZIP"):
                packed = {"content-type": kind, "content-encoding": encoding}
                found = await world.http.post(f"/api/v1/{url}", content=bomb, headers=packed)
                assert found.status_code == 415, (url, encoding)
        assert not (tmp_path / "service" / UPLOADS).exists()


async def test_files_left_by_a_killed_service_are_removed_at_the_next_start(tmp_path: Path) -> None:
    for name in (UPLOADS, "jobs"):
        folder = tmp_path / "service" / name / "left"
        folder.mkdir(parents=True)
        (folder / "body").write_bytes(b"x")
    async with served_world(tmp_path):
        assert not list((tmp_path / "service").glob("*/left"))
