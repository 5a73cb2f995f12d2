"""A computer notices what its folder is brought, whether the system tells of it or not."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from chatdesk.core.clock import Clock
from chatdesk.core.ids import new_id
from chatdesk.core.sync.computers.folder_store import FolderStore, library_file
from chatdesk.core.sync.computers.library_key import LibraryKey
from chatdesk.core.sync.computers.place import LIBRARY, Place
from chatdesk.core.sync.team_store.listening import Notifications
from tests.helpers.waiting import until

KEY = LibraryKey(bytes(range(16)))
DEVICE = new_id()
OTHER = KEY.name_of("computer", new_id())


@pytest.fixture
def store(tmp_path: Path) -> Iterator[FolderStore]:
    place = Place(tmp_path / "place")
    place.make()
    place.write(LIBRARY, library_file(KEY, 1))
    place.write(f"{OTHER}/head", b"not read")
    store = FolderStore(place, KEY, tmp_path / "data", Clock(), device=DEVICE)
    store.view(DEVICE)
    yield store
    store.close()


@pytest.mark.parametrize("name", ["00000001.seg", "head", "files/picture"])
async def test_what_comes_while_it_waits_is_noticed(name: str, store: FolderStore, tmp_path: Path) -> None:
    (tmp_path / "place" / OTHER / "files").mkdir()
    while store.wait(1).people_at is not None:  # of the files that it wrote itself
        store.view(DEVICE)
    waiting = asyncio.create_task(asyncio.to_thread(store.wait, 60))
    target = tmp_path / "place" / OTHER / name
    await until(lambda: target.write_bytes(b"brought") and waiting.done())
    assert (await waiting).people_at is not None


def test_what_came_before_it_waits_is_noticed_at_once(store: FolderStore, tmp_path: Path) -> None:
    (tmp_path / "place" / OTHER / "00000001.seg").write_bytes(b"brought")
    assert store.wait(0).people_at is not None


async def test_waking_it_tells_of_nothing(store: FolderStore) -> None:
    while store.wait(1).people_at is not None:
        store.view(DEVICE)
    waiting = asyncio.create_task(asyncio.to_thread(store.wait, 60))
    store.wake()
    assert await waiting == Notifications()


def test_a_file_of_its_own_does_not_make_it_look_for_ever(store: FolderStore) -> None:
    looks = 0
    while store.wait(1).people_at is not None:
        looks += 1
        store.view(DEVICE)
        assert looks < 5
