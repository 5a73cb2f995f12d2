"""A caller talks to the owner of the lock and to nobody else; owners that begin or end are waited for."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from chatdesk.core.errors import AlreadyRunning
from chatdesk.core.local_api import client
from chatdesk.core.local_api.client import OwnerLeft, ask_owner, own_or_show_window, show_owner_window
from chatdesk.core.local_api.instance import InstanceLock
from chatdesk.core.local_api.listener import InstanceServer
from tests.helpers.owned_directory import NOBODY, holder_of, is_root, owner_of, two_events
from tests.helpers.waiting import PATIENCE_S

SECRET = "TOP SECRET question"


@asynccontextmanager
async def imposter(place: Path) -> AsyncIterator[list[bytes]]:
    """Somebody else listens there, writes down what it hears and forges an answer."""
    heard: list[bytes] = []
    listening = socket.socket(socket.AF_UNIX)
    listening.bind(str(place))
    place.chmod(0o777)
    listening.listen()

    def answer() -> None:
        while True:
            try:
                connection, _ = listening.accept()
            except OSError:
                return
            with connection:
                connection.settimeout(20)
                try:
                    heard.append(connection.recv(65536))
                    forged = json.dumps({"pid": os.getpid(), "nonce": "00" * 16, "proof": "00" * 32}).encode()
                    connection.sendall(len(forged).to_bytes(4, "big") + forged)
                    heard.append(connection.recv(65536))
                except OSError:
                    pass

    thread = threading.Thread(target=answer, name="imposter")
    thread.start()
    try:
        yield heard
    finally:
        listening.shutdown(socket.SHUT_RDWR)
        listening.close()
        await asyncio.to_thread(thread.join)


@pytest.fixture
def scratch() -> Iterator[Path]:
    """A folder with a name that a socket can have."""
    with tempfile.TemporaryDirectory(prefix="line-") as folder:
        yield Path(folder)


def _note(data_dir: Path, **values: object) -> None:
    note = {"pid": os.getpid(), "purpose": "window", "listens": True, "secret": "11" * 32, **values}
    (data_dir / "instance.json").write_text(json.dumps(note))


async def _asked(data_dir: Path) -> list[object]:
    return [event async for event in ask_owner(data_dir, {"text": SECRET})]


async def test_an_owner_without_the_secret_receives_nothing(scratch: Path) -> None:
    """It took the place of the socket, as this user and even in this process."""
    async with owner_of(scratch):
        real = Path(holder_of(scratch).address)
        real.unlink()
        async with imposter(real) as heard:
            with pytest.raises(AlreadyRunning, match="Another process answers"):
                await _asked(scratch)
            assert not await show_owner_window(scratch)
    assert not any(SECRET.encode() in each for each in heard)
    assert all(b"secret" not in each for each in heard)


async def test_a_process_that_does_not_hold_the_lock_hears_nothing(scratch: Path) -> None:
    """The pid of the file is compared with the one that the system names."""
    async with imposter(scratch / "s.sock") as heard:
        _note(scratch, address=str(scratch / "s.sock"), pid=1)
        with pytest.raises(AlreadyRunning, match="Another process answers"):
            await _asked(scratch)
    assert b"".join(heard) == b""


@is_root
async def test_another_user_in_the_place_of_the_owner_hears_nothing(scratch: Path) -> None:
    scratch.chmod(0o777)
    code = """
        import os, socket, sys
        s = socket.socket(socket.AF_UNIX)
        s.bind(sys.argv[1])
        os.chmod(sys.argv[1], 0o777)
        s.listen()
        print("listening", flush=True)
        s.settimeout(20)
        print(s.accept()[0].recv(65536), flush=True)
    """
    # Imported before: Python's library may be where others cannot read it.
    become = f"import os, socket, time; os.setgroups([]); os.setgid({NOBODY}); os.setuid({NOBODY})\n"
    place = scratch / "s.sock"
    command = [sys.executable, "-I", "-c", become + "\n".join(line.strip() for line in code.splitlines()), str(place)]
    other = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd="/")
    assert other.stdout is not None
    try:
        assert other.stdout.readline() == "listening\n"
        _note(scratch, address=str(place), pid=other.pid)
        with pytest.raises(AlreadyRunning, match="Another process answers"):
            await _asked(scratch)
        assert other.stdout.readline() == "b''\n"
    finally:
        other.kill()
        other.wait()
        other.stdout.close()


@pytest.mark.parametrize("content", ["", "{", "[]", "5", '"x"', '{"pid": "1"}', "[" * 4000, "\udce9", "null"])
async def test_an_invalid_file_names_no_owner(tmp_path: Path, content: str) -> None:
    lock = InstanceLock(tmp_path, purpose="window")
    assert lock.acquire()
    (tmp_path / "instance.json").write_bytes(content.encode("utf-8", "surrogateescape"))
    assert not await show_owner_window(tmp_path)
    lock.release()


async def test_a_pipe_in_place_of_the_file_does_not_block_a_client(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "instance.json")
    async with asyncio.timeout(PATIENCE_S):
        assert not await show_owner_window(tmp_path)


async def test_the_files_of_a_killed_owner_are_ignored(scratch: Path) -> None:
    """Its file and socket are there, somebody else listens on it, and a command holds the lock without listening."""
    code = (
        "import asyncio, os, signal, sys; from pathlib import Path\n"
        "from tests.helpers.owned_directory import owner_of\n"
        "async def main():\n"
        "    async with owner_of(Path(sys.argv[1])):\n"
        "        os.kill(os.getpid(), signal.SIGKILL)\n"
        "asyncio.run(main())"
    )
    killed = await asyncio.create_subprocess_exec(
        sys.executable, "-c", code, str(scratch), cwd=Path(__file__).parents[3]
    )
    await killed.wait()
    left = Path(holder_of(scratch).address)
    left.unlink()
    restoring = InstanceLock(scratch, purpose="restore")
    async with imposter(left) as heard:
        assert restoring.acquire()
        with pytest.raises(AlreadyRunning, match=f"“chatdesk restore” .process {os.getpid()}. is using"):
            await _asked(scratch)
    assert heard == []
    restoring.release()


async def test_an_owner_that_does_not_listen_yet_is_waited_for(tmp_path: Path) -> None:
    lock = InstanceLock(tmp_path, purpose="ask", listens=True)
    assert lock.acquire()
    asking = asyncio.ensure_future(_asked(tmp_path))
    await asyncio.sleep(0)
    assert not asking.done()
    server = InstanceServer(lock, tmp_path / "instance.sock", {"ask": two_events})
    await server.start()
    assert len(await asking) == 2
    await server.close()
    lock.release()


async def test_an_owner_that_ended_before_it_was_asked_leaves_its_place(tmp_path: Path) -> None:
    lock = InstanceLock(tmp_path, purpose="ask", listens=True)
    assert lock.acquire()
    asking = asyncio.ensure_future(_asked(tmp_path))
    await asyncio.sleep(0)
    lock.release()
    with pytest.raises(OwnerLeft):
        await asking
    assert lock.acquire()
    lock.release()


async def test_an_owner_that_was_killed_leaves_its_place(tmp_path: Path) -> None:
    gone = await asyncio.create_subprocess_exec(sys.executable, "-c", "")
    await gone.wait()
    _note(tmp_path, pid=gone.pid, address="/nowhere")
    with pytest.raises(OwnerLeft):
        await _asked(tmp_path)


async def test_an_owner_that_never_listens_is_named_in_the_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "ASK_PATIENCE_S", 0.2)
    lock = InstanceLock(tmp_path, purpose="import", listens=True)
    assert lock.acquire()
    with pytest.raises(AlreadyRunning, match="“chatdesk import”"):
        await _asked(tmp_path)
    lock.release()


def test_a_window_that_is_about_to_listen_is_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    owner = InstanceLock(tmp_path, purpose="window")
    assert owner.acquire()
    answers = iter([False, False, True])

    async def ask(_data_dir: Path, _target: str) -> bool:
        return next(answers)

    monkeypatch.setattr(client, "show_owner_window", ask)
    monkeypatch.setattr(client.time, "sleep", lambda _s: None)
    assert not own_or_show_window(InstanceLock(tmp_path, purpose="window"), tmp_path)
    assert next(answers, None) is None
    owner.release()


def test_a_window_that_is_closing_is_waited_for_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    owner, second = InstanceLock(tmp_path, purpose="window"), InstanceLock(tmp_path, purpose="window")
    assert owner.acquire()
    monkeypatch.setattr(client.time, "sleep", lambda _s: owner.release())
    assert own_or_show_window(second, tmp_path)
    assert second.is_held
    monkeypatch.setattr(client, "_PATIENCE_S", -1.0)
    with pytest.raises(AlreadyRunning):
        own_or_show_window(owner, tmp_path)
    second.release()


async def test_a_command_has_no_window_to_bring_to_the_front(tmp_path: Path) -> None:
    """Before, a window that was opened while a script asked ended at once and said nothing."""
    async with owner_of(tmp_path, {"ask": two_events}, purpose="ask"):
        assert not await show_owner_window(tmp_path)
        client_error = client.in_use(holder_of(tmp_path))
        assert "“chatdesk ask”" in client_error.sentence
