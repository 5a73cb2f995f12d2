"""One writer a data directory: the lock, what the owner says under it, and questions that another process asks."""

from __future__ import annotations

import errno
import json
import os
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from chatdesk.core.domain.library import ThreadQuery
from chatdesk.core.errors import StorageError, StorageFull, StorageReadOnly
from chatdesk.core.local_api.instance import Holder, InstanceLock, read_holder
from chatdesk.core.paths import AppPaths
from chatdesk.core.settings.schema import Settings
from chatdesk.services.asking import ask
from chatdesk.services.owner import open_services

FAST = Settings(offline_speed_tokens_per_s=0)


def test_one_process_owns_a_directory_and_the_lock_dies_with_it(tmp_path: Path) -> None:
    code = (
        "import sys, time; from pathlib import Path; from chatdesk.core.local_api.instance import InstanceLock\n"
        "lock = InstanceLock(Path(sys.argv[1]), purpose='window'); print(lock.acquire(), flush=True); time.sleep(60)"
    )
    owner = subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    assert owner.stdout is not None
    try:
        assert owner.stdout.readline().strip() == "True"
        mine = InstanceLock(tmp_path, purpose="window")
        assert not mine.acquire()
        owner.kill()
        owner.wait()
        assert mine.acquire()
        assert mine.acquire()
        mine.release()
    finally:
        owner.kill()
        owner.wait()
        owner.stdout.close()


def test_the_owner_says_under_its_lock_who_it_is(tmp_path: Path) -> None:
    (tmp_path / "instance.json").write_text('{"pid": 1, "purpose": "window"}')
    (tmp_path / ".instance.json.0123.part").write_text("left by a killed process")
    lock = InstanceLock(tmp_path, purpose="restore")
    assert lock.acquire()
    assert read_holder(tmp_path) == Holder(os.getpid(), "restore", listens=False)
    assert (tmp_path / "instance.json").stat().st_mode & 0o077 == 0
    lock.announce("/somewhere", b"\1" * 32)
    assert read_holder(tmp_path) == Holder(os.getpid(), "restore", False, "/somewhere", b"\1" * 32)
    lock.release()
    assert [path.name for path in tmp_path.iterdir()] == ["instance.lock"]


def test_a_lock_that_is_held_by_another_says_nothing_in_its_name(tmp_path: Path) -> None:
    owner, second = InstanceLock(tmp_path, purpose="window"), InstanceLock(tmp_path, purpose="ask")
    assert owner.acquire()
    assert not second.acquire()
    second.announce("/somewhere", b"\1" * 32)
    second.release()
    assert read_holder(tmp_path) == Holder(os.getpid(), "window", listens=False)
    owner.release()


@pytest.mark.parametrize("name", ["instance.lock", "instance.json", ".instance.json.0123.part"])
def test_no_file_of_the_person_is_written_through_a_link(tmp_path: Path, name: str) -> None:
    """A data directory that somebody else made."""
    mine = tmp_path / "mine.txt"
    mine.write_text("mine")
    data_dir = tmp_path / "given"
    data_dir.mkdir()
    (data_dir / name).symlink_to(mine)
    lock = InstanceLock(data_dir, purpose="window")
    assert lock.acquire() is (name != "instance.lock")
    lock.release()
    assert mine.read_text() == "mine"


async def test_two_processes_never_write_twice(tmp_path: Path) -> None:
    """The second one reads for itself and asks through the first; both see one thread."""
    paths = AppPaths.find(tmp_path)
    async with open_services(paths, FAST) as owner, open_services(paths, FAST) as other:
        assert owner.read_only_reason is None
        assert not owner.has_other_owner
        assert other.has_other_owner
        events = [event async for event in ask(other, "hello from outside")]
        assert (events[0]["event"], events[-1]["event"], events[-1]["status"]) == ("start", "finish", "complete")
        threads = (await other.library.list_threads(ThreadQuery())).threads
        assert [thread.id for thread in threads] == [events[0]["thread_id"]]
        assert threads == (await owner.library.list_threads(ThreadQuery())).threads
        with pytest.raises(StorageError):
            await other.chat.create_thread(None, "not through here")
        again = [event async for event in ask(other, "more", thread_id=threads[0].id)]
        assert again[0]["thread_id"] == threads[0].id


async def test_leaving_early_stops_the_answer_and_keeps_it(tmp_path: Path) -> None:
    paths = AppPaths.find(tmp_path)
    async with open_services(paths, Settings(offline_speed_tokens_per_s=50)) as owner:
        asking = ask(owner, "/demo long")
        start = await anext(asking)
        async for event in asking:
            if event["event"] == "text":
                break
        await asking.aclose()
        message = await owner.chat.reader.get_message(start["message_id"])
        assert message.status.value == "stopped"
        assert message.text


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="needs a user whom permissions bind")
async def test_a_directory_that_cannot_be_written_is_read(tmp_path: Path) -> None:
    await _read_only_directory(tmp_path)


@pytest.mark.parametrize(
    ("where", "number", "error", "words"),
    [
        ("os.open", errno.EACCES, StorageReadOnly, "cannot be written to"),
        ("os.open", errno.EROFS, StorageReadOnly, "cannot be written to"),
        ("os.open", errno.ENOSPC, StorageFull, "disk is full"),
        ("_lock", errno.ENOLCK, StorageReadOnly, "cannot lock files"),
        ("_lock", errno.EOPNOTSUPP, StorageReadOnly, "cannot lock files"),
    ],
)
async def test_a_lock_that_cannot_be_had_is_told_apart_from_a_lock_that_is_held(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: str, number: int, error: type[StorageError], words: str
) -> None:
    """Another user's file, a full disk, a network file system without locks: nothing is said to be running."""
    async with open_services(AppPaths.find(tmp_path), FAST) as owner:
        await owner.chat.create_thread(None, "kept")

    def refuse(*_arguments: object) -> int:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(f"chatdesk.core.local_api.instance.{where}", refuse)
    lock = InstanceLock(tmp_path, purpose="window")
    assert not lock.acquire()
    assert type(lock.problem) is error
    async with open_services(AppPaths.find(tmp_path), FAST) as reader:
        assert [thread.title for thread in (await reader.library.list_threads(ThreadQuery())).threads] == ["kept"]
        with pytest.raises(error, match=words):
            [event async for event in ask(reader, "hello?")]


async def test_an_address_left_by_a_killed_process_is_replaced_by_the_next_one(tmp_path: Path) -> None:
    (tmp_path / "instance.json").write_text('{"pid": 1, "purpose": "window", "address": "/x", "secret": "00"}')
    async with open_services(AppPaths.find(tmp_path), FAST), open_services(AppPaths.find(tmp_path), FAST) as b:
        holder = read_holder(tmp_path)
        assert holder is not None
        assert holder.pid == os.getpid()
        events = [event async for event in ask(b, "hello")]
        assert events[-1]["status"] == "complete"


async def _read_only_directory(path: Path) -> None:
    paths = AppPaths.find(path)
    async with open_services(paths, FAST) as owner:
        await owner.chat.create_thread(None, "kept")
    paths.database.chmod(0o400)
    paths.data_dir.chmod(0o500)
    try:
        async with open_services(paths, FAST) as reader:
            assert [thread.title for thread in (await reader.library.list_threads(ThreadQuery())).threads] == ["kept"]
    finally:
        paths.data_dir.chmod(0o700)


def test_a_private_directory_that_a_killed_owner_left_is_removed_and_nothing_else(tmp_path: Path) -> None:
    with tempfile.TemporaryDirectory(prefix="line-") as folder:
        left, mine = Path(folder) / "chatdesk-abc", Path(folder) / "chatdesk-mine"
        for place in (left, mine):
            place.mkdir(mode=0o700)
        with socket.socket(socket.AF_UNIX) as listening:
            listening.bind(str(left / "instance.sock"))
        (mine / "instance.sock").write_text("no socket")
        for place, is_removed in ((left, True), (mine, False)):
            note = {"pid": 1, "purpose": "window", "address": str(place / "instance.sock"), "secret": "11" * 32}
            (tmp_path / "instance.json").write_text(json.dumps(note))
            lock = InstanceLock(tmp_path, purpose="window")
            assert lock.acquire()
            lock.release()
            assert place.exists() is not is_removed
