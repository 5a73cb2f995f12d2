"""One writer a data directory: the lock, the token, and questions that another process asks."""

from __future__ import annotations

import asyncio
import errno
import json
import os
import subprocess
import sys
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import pytest

from chatdesk.app import open_services
from chatdesk.core.errors import AlreadyRunning, ChatDeskError, EmptyMessage, StorageError, StorageFull, StorageReadOnly
from chatdesk.core.local_api import instance
from chatdesk.core.local_api.instance import InstanceLock, InstanceServer, ask_owner, owner_pid, raise_owner
from chatdesk.core.paths import AppPaths
from chatdesk.core.settings.schema import Settings

FAST = Settings(offline_speed_tokens_per_s=0)


async def _two_events(request: dict[str, Any]) -> AsyncGenerator[dict[str, Any], None]:
    yield {"event": "text", "delta": request["text"]}
    yield {"event": "finish"}


async def _refuse(_request: dict[str, Any]) -> AsyncGenerator[dict[str, Any], None]:
    raise EmptyMessage
    yield {}


def test_one_process_owns_a_directory_and_the_lock_dies_with_it(tmp_path: Path) -> None:
    code = (
        "import sys, time; from pathlib import Path; from chatdesk.core.local_api.instance import InstanceLock\n"
        "lock = InstanceLock(Path(sys.argv[1])); print(lock.acquire(), flush=True); time.sleep(60)"
    )
    owner = subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    assert owner.stdout is not None
    try:
        assert owner.stdout.readline().strip() == "True"
        mine = InstanceLock(tmp_path)
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


async def test_a_second_start_brings_the_first_window_to_the_front(tmp_path: Path) -> None:
    raised = asyncio.Event()
    server = InstanceServer(tmp_path, on_raise=raised.set, on_ask=_two_events)
    assert not await raise_owner(tmp_path)
    await server.start()
    try:
        assert await raise_owner(tmp_path)
        assert raised.is_set()
        assert owner_pid(tmp_path) == os.getpid()
        assert (tmp_path / "instance.json").stat().st_mode & 0o077 == 0
    finally:
        await server.close()
    assert owner_pid(tmp_path) is None


async def test_without_the_token_nothing_is_answered(tmp_path: Path) -> None:
    raised = asyncio.Event()
    server = InstanceServer(tmp_path, on_raise=raised.set, on_ask=_two_events)
    await server.start()
    try:
        port = json.loads((tmp_path / "instance.json").read_text())["port"]
        for line in (b'{"op":"raise"}\n', b'{"op":"raise","token":"x"}\n', b"garbage\n", b"[]\n", b"\xff\xfe\n"):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(line)
            assert await reader.read() == b""
            writer.close()
        assert not raised.is_set()
    finally:
        await server.close()


async def test_the_owner_answers_and_passes_its_errors_on(tmp_path: Path) -> None:
    server = InstanceServer(tmp_path, on_raise=lambda: None, on_ask=_two_events)
    await server.start()
    try:
        found = [event async for event in ask_owner(tmp_path, {"text": "hi"})]
        assert [event["event"] for event in found] == ["text", "finish"]
    finally:
        await server.close()
    refusing = InstanceServer(tmp_path, on_raise=lambda: None, on_ask=_refuse)
    await refusing.start()
    try:
        with pytest.raises(ChatDeskError, match="empty"):
            [event async for event in ask_owner(tmp_path, {"text": ""})]
    finally:
        await refusing.close()


async def test_an_address_that_nobody_listens_on_means_already_running(tmp_path: Path) -> None:
    (tmp_path / "instance.json").write_text('{"port": 1, "token": "x", "pid": 1}')
    with pytest.raises(AlreadyRunning):
        [event async for event in ask_owner(tmp_path, {"text": "hi"})]
    (tmp_path / "instance.json").write_text("[]")
    assert not await raise_owner(tmp_path)


def test_a_window_that_is_about_to_listen_is_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    owner = InstanceLock(tmp_path)
    assert owner.acquire()
    answers = iter([False, False, True])

    async def ask(_data_dir: Path) -> bool:
        return next(answers)

    monkeypatch.setattr(instance, "raise_owner", ask)
    monkeypatch.setattr(instance.time, "sleep", lambda _s: None)
    assert not instance.own_or_raise(InstanceLock(tmp_path), tmp_path)
    assert next(answers, None) is None
    owner.release()


def test_a_window_that_is_closing_is_waited_for_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    owner, second = InstanceLock(tmp_path), InstanceLock(tmp_path)
    assert owner.acquire()
    monkeypatch.setattr(instance.time, "sleep", lambda _s: owner.release())
    assert instance.own_or_raise(second, tmp_path)
    assert second.is_held
    monkeypatch.setattr(instance, "_PATIENCE_S", -1.0)
    with pytest.raises(AlreadyRunning):
        instance.own_or_raise(owner, tmp_path)
    second.release()


async def test_two_processes_never_write_twice(tmp_path: Path) -> None:
    """The second one reads for itself and asks through the first; both see one thread."""
    paths = AppPaths.find(tmp_path)
    async with open_services(paths, FAST) as owner, open_services(paths, FAST) as other:
        assert owner.read_only_reason is None
        assert not owner.has_other_owner
        assert other.has_other_owner
        events = [event async for event in other.ask("hello from outside")]
        assert (events[0]["event"], events[-1]["event"], events[-1]["status"]) == ("start", "finish", "complete")
        threads = (await other.chat.list_threads()).threads
        assert [thread.id for thread in threads] == [events[0]["thread_id"]]
        assert threads == (await owner.chat.list_threads()).threads
        with pytest.raises(StorageError):
            await other.chat.create_thread(None, "not through here")
        again = [event async for event in other.ask("more", thread_id=threads[0].id)]
        assert again[0]["thread_id"] == threads[0].id


async def test_leaving_early_stops_the_answer_and_keeps_it(tmp_path: Path) -> None:
    paths = AppPaths.find(tmp_path)
    async with open_services(paths, Settings(offline_speed_tokens_per_s=50)) as owner:
        asking = owner.ask("/demo long")
        start = await anext(asking)
        async for event in asking:
            if event["event"] == "text":
                break
        await asking.aclose()
        message = await owner.chat.get_message(start["message_id"])
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
    lock = InstanceLock(tmp_path)
    assert not lock.acquire()
    assert type(lock.problem) is error
    async with open_services(AppPaths.find(tmp_path), FAST) as reader:
        assert [thread.title for thread in (await reader.chat.list_threads()).threads] == ["kept"]
        with pytest.raises(error, match=words):
            [event async for event in reader.ask("hello?")]


async def test_an_address_left_by_a_killed_process_is_replaced_by_the_next_one(tmp_path: Path) -> None:
    (tmp_path / "instance.json").write_text('{"port": 1, "token": "x", "pid": 1}')
    async with open_services(AppPaths.find(tmp_path), FAST), open_services(AppPaths.find(tmp_path), FAST) as b:
        assert owner_pid(tmp_path) == os.getpid()
        events = [event async for event in b.ask("hello")]
        assert events[-1]["status"] == "complete"


async def _read_only_directory(path: Path) -> None:
    paths = AppPaths.find(path)
    async with open_services(paths, FAST) as owner:
        await owner.chat.create_thread(None, "kept")
    paths.database.chmod(0o400)
    paths.data_dir.chmod(0o500)
    try:
        async with open_services(paths, FAST) as reader:
            assert [thread.title for thread in (await reader.chat.list_threads()).threads] == ["kept"]
    finally:
        paths.data_dir.chmod(0o700)
