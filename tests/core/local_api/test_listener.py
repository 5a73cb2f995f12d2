"""What a listener bears: strangers, garbage, floods and callers that vanish, on either loop, and nobody notices."""

from __future__ import annotations

import asyncio
import gc
import json
import os
import random
import socket
import struct
import sys
import tempfile
from collections.abc import AsyncGenerator, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from chatdesk.core.errors import AlreadyRunning, ChatDeskError, EmptyMessage
from chatdesk.core.local_api.client import ask_owner, exchange, show_owner_window
from chatdesk.core.local_api.frames import read_object, write_object
from chatdesk.core.local_api.instance import InstanceLock
from chatdesk.core.local_api.listener import InstanceServer, Limits
from chatdesk.core.local_api.proof import prove_to_owner
from tests.helpers.owned_directory import (
    as_nobody,
    connected,
    holder_of,
    is_root,
    owner_of,
    run_on,
    said,
    two_events,
)
from tests.helpers.waiting import PATIENCE_S, until

pytestmark = pytest.mark.usefixtures("qapp")
LOOPS = pytest.mark.parametrize("loop", ["asyncio", "window"])


def _frame(payload: bytes, *, has_more: bool = False) -> bytes:
    return struct.pack(">I", len(payload) | (has_more << 31)) + payload


_HELLO = _frame(json.dumps({"chatdesk": 1, "nonce": "00" * 16}).encode())
HOSTILE = [
    b"",
    b"\n",
    b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
    b'{"token":"\xc3\xa9"}\n',
    b"[" * 200_000,
    _frame(b"[" * 500),
    _frame(b"[" * 60_000),
    _frame(b"null"),
    _frame(b"{}"),
    _frame(b'{"nonce": 5}'),
    _frame(b'{"nonce": "\xc3\xa9"}'),
    _frame('{"nonce": "é"}'.encode()),
    _frame(b'{"nonce": "zz"}'),
    _frame(b'{"nonce": "' + b"0" * 480 + b'"}'),
    _frame(b" " * 512, has_more=True) * 40,
    _HELLO + _frame(b"{}"),
    _HELLO + _frame('{"proof": "é"}'.encode()),
    _HELLO + _frame(b'{"proof": "' + b"00" * 32 + b'"}') + _frame(b'{"verb": "raise"}'),
    _HELLO + _frame(b'{"proof": 1e999}'),
    _HELLO + _frame(b"[" * 400),
    b"\xff" * 4,
    random.Random(12).randbytes(3000),
]


@pytest.fixture
def open_to_all() -> Iterator[Path]:
    """A data directory that everybody may enter, with a name that a socket can have."""
    with tempfile.TemporaryDirectory(prefix="open-") as folder:
        Path(folder).chmod(0o777)
        yield Path(folder)


@LOOPS
def test_no_input_reaches_a_verb_or_the_handler_of_crashes(tmp_path: Path, loop: str) -> None:
    verbs_called = []

    async def verb(request: dict[str, Any]) -> AsyncGenerator[dict[str, Any], None]:
        verbs_called.append(request)
        yield {}

    async def work() -> None:
        async with owner_of(tmp_path, {"ask": verb, "raise": verb}, limits=Limits(proof_s=0.3)):
            for pieces in HOSTILE:
                answer = await said(tmp_path, pieces)
                assert len(answer) < 300  # at most the owner's half of the proof

    assert run_on(loop, work) == []
    gc.collect()
    assert verbs_called == []


@LOOPS
def test_idle_connections_cost_a_fixed_number_of_descriptors_and_nobody_their_answer(tmp_path: Path, loop: str) -> None:
    def sockets() -> int:
        """Not all descriptors: each thread of the window's executor opens one of its own, whenever it gets to run."""
        count = 0
        for each in os.scandir("/proc/self/fd"):
            with suppress(OSError):  # closed in the meantime
                count += os.readlink(each.path).startswith("socket:")
        return count

    async def work() -> None:
        async with owner_of(tmp_path):
            before, idle = sockets(), []
            try:
                for _ in range(120):
                    idle.append(await asyncio.to_thread(connected, tmp_path))
                await until(lambda: sockets() - before - len(idle) <= Limits().unproven)
                found = [event async for event in ask_owner(tmp_path, {"text": "hi"})]
                assert [event["event"] for event in found] == ["text", "finish"]
            finally:
                for connection in idle:
                    connection.close()

    assert run_on(loop, work) == []


@LOOPS
def test_a_caller_without_proof_is_disconnected_after_a_time(tmp_path: Path, loop: str) -> None:
    async def work() -> None:
        async with owner_of(tmp_path, limits=Limits(proof_s=0.2)):
            assert await said(tmp_path) == b""
            assert await said(tmp_path, _HELLO[:7]) == b""
        async with owner_of(tmp_path, limits=Limits(proof_s=2.0)):  # long enough for its first words to arrive
            assert b"proof" in await said(tmp_path, _HELLO)

    assert run_on(loop, work) == []


@LOOPS
def test_a_caller_that_vanishes_ends_its_own_request_only(tmp_path: Path, loop: str) -> None:
    """Killed while an answer was written to it: the stream is closed, and nothing of it reaches the loop's handler."""
    ended = asyncio.Event()

    async def endless(_request: dict[str, Any]) -> AsyncGenerator[dict[str, Any], None]:
        try:
            while True:
                yield {"event": "text", "delta": "x" * 200_000}
        finally:
            ended.set()

    async def work() -> None:
        async with owner_of(tmp_path, {"ask": endless}):
            for reads in range(4):
                ended.clear()
                asking = ask_owner(tmp_path, {})
                for _ in range(reads + 1):
                    await anext(asking)
                await asking.aclose()
                await asyncio.wait_for(ended.wait(), PATIENCE_S)

    assert run_on(loop, work) == []


async def test_a_chatdesk_error_is_sent_and_any_other_does_not_crash(tmp_path: Path) -> None:
    async def refuse(_request: dict[str, Any]) -> AsyncGenerator[dict[str, Any], None]:
        raise EmptyMessage
        yield {}

    async def break_down(_request: dict[str, Any]) -> AsyncGenerator[dict[str, Any], None]:
        yield {"event": "start"}
        raise KeyError("a secret word")

    async with owner_of(tmp_path, {"refuse": refuse, "break": break_down}):
        with pytest.raises(ChatDeskError, match="empty") as refused:
            [event async for event in exchange(tmp_path, "refuse", {})]
        assert refused.value.code == "empty_message"
        with pytest.raises(ChatDeskError, match="unexpected") as broken:
            [event async for event in exchange(tmp_path, "break", {})]
        assert "secret" not in broken.value.sentence
        with pytest.raises(ChatDeskError, match="does not do that"):
            [event async for event in exchange(tmp_path, "destroy", {})]


async def test_more_requests_than_the_limit_are_refused_with_a_sentence(tmp_path: Path) -> None:
    may_end = asyncio.Event()

    async def wait(_request: dict[str, Any]) -> AsyncGenerator[dict[str, Any], None]:
        yield {"event": "start"}
        await may_end.wait()

    async with owner_of(tmp_path, {"ask": wait}, limits=Limits(proven=2)):
        running = [ask_owner(tmp_path, {}) for _ in range(2)]
        for each in running:
            await anext(each)
        with pytest.raises(ChatDeskError, match="Too many"):
            await anext(ask_owner(tmp_path, {}))
        may_end.set()
        for each in running:
            assert [event async for event in each] == []


async def test_an_answer_of_twelve_megabytes_comes_whole_with_its_end(tmp_path: Path) -> None:
    async def large(_request: dict[str, Any]) -> AsyncGenerator[dict[str, Any], None]:
        yield {"event": "finish", "text": "long “answer” " * 1_000_000, "status": "complete"}

    async with owner_of(tmp_path, {"ask": large}):
        (event,) = [event async for event in ask_owner(tmp_path, {})]
        assert len(event["text"]) == 14_000_000
        assert event["status"] == "complete"


async def test_an_owner_that_ends_first_answers_those_who_ask_it(tmp_path: Path) -> None:
    may_end = asyncio.Event()

    async def wait(_request: dict[str, Any]) -> AsyncGenerator[dict[str, Any], None]:
        yield {"event": "start"}
        await may_end.wait()
        yield {"event": "finish"}

    async with owner_of(tmp_path, {"ask": wait}) as server:
        asking = ask_owner(tmp_path, {})
        await anext(asking)
        settling = asyncio.ensure_future(server.wait_until_idle())
        rest = asyncio.ensure_future(anext(asking))
        await asyncio.sleep(0)
        assert not settling.done()
        may_end.set()
        assert (await rest)["event"] == "finish"
        await asking.aclose()
        await settling


@pytest.mark.skipif(sys.platform == "win32", reason="connects to a socket")
async def test_an_owner_that_ends_hears_those_who_came_before_their_request(tmp_path: Path) -> None:
    async with owner_of(tmp_path) as server:
        holder = holder_of(tmp_path)
        reader, writer = await asyncio.open_unix_connection(holder.address)
        assert await prove_to_owner(reader, writer, holder.secret) == os.getpid()
        settling = asyncio.ensure_future(server.wait_until_idle())
        await until(lambda: not Path(holder.address).exists())  # it takes no more
        assert not settling.done()
        await write_object(writer, {"verb": "ask", "text": "heard"})
        assert (await read_object(reader, 10_000))["delta"] == "heard"
        assert (await read_object(reader, 10_000))["event"] == "finish"
        writer.close()
        await settling
        with pytest.raises(AlreadyRunning):
            await anext(exchange(tmp_path, "ask", {}))
    async with owner_of(tmp_path) as server:
        await server.wait_until_idle()  # nobody asks


@is_root
def test_another_user_is_not_listened_to(open_to_all: Path) -> None:
    """Even where the folder would let it through: its connection is closed before a byte of it is read."""

    async def work() -> None:
        async with owner_of(open_to_all):
            address = holder_of(open_to_all).address
            Path(address).chmod(0o777)
            code = """
                import socket, sys
                with socket.socket(socket.AF_UNIX) as s:
                    s.settimeout(20)
                    s.connect(sys.argv[1])
                    try:
                        s.sendall(b"hello")
                        print(s.recv(10))
                    except OSError as error:
                        print("closed")
            """
            result = await asyncio.to_thread(as_nobody, code, address)
            assert result.stdout.strip() in ("b''", "closed"), result.stderr
            assert await show_owner_window(open_to_all)

    assert run_on("asyncio", work) == []


@is_root
def test_another_user_does_not_get_to_the_socket(open_to_all: Path) -> None:
    async def work() -> None:
        async with owner_of(open_to_all):
            address = Path(holder_of(open_to_all).address)
            assert address.stat().st_mode & 0o077 == 0
            code = "import socket, sys; socket.socket(socket.AF_UNIX).connect(sys.argv[1])"
            result = await asyncio.to_thread(as_nobody, code, str(address))
            assert "PermissionError" in result.stderr

    assert run_on("asyncio", work) == []


@pytest.mark.parametrize("folder", ["short", "long" * 60])
async def test_a_long_name_is_no_reason_to_be_deaf(tmp_path: Path, folder: str) -> None:
    """The name of a socket has about 100 bytes; a folder may have thousands."""
    place = tmp_path / folder
    place.mkdir(mode=0o700)
    async with owner_of(place):
        assert await show_owner_window(place)
        address = Path(holder_of(place).address)
        assert len(os.fsencode(address)) < 104
        assert address.parent.stat().st_mode & 0o077 == 0 or address.parent == place
    assert not address.exists()
    assert address.parent == place or not address.parent.exists()


async def test_a_file_system_without_sockets_is_no_reason_either(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = socket.socket.bind

    def bind(self: socket.socket, address: Any) -> None:
        if os.fsencode(tmp_path) in os.fsencode(address):
            raise PermissionError
        real(self, address)

    monkeypatch.setattr(socket.socket, "bind", bind)
    async with owner_of(tmp_path):
        assert await show_owner_window(tmp_path)


async def test_where_no_socket_can_be_made_all_else_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A full disk at the start; once there is room the same owner listens."""

    def refuse(*_arguments: object) -> None:
        raise OSError(28, "No space left on device")

    lock = InstanceLock(tmp_path, purpose="window", listens=True)
    assert lock.acquire()
    server = InstanceServer(lock, tmp_path / "instance.sock", {"ask": two_events})
    with monkeypatch.context() as patched:
        patched.setattr(socket.socket, "bind", refuse)
        await server.start()
    await server.start()
    found = [event async for event in ask_owner(tmp_path, {"text": "hi"})]
    assert len(found) == 2
    await server.close()
    lock.release()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["instance.lock"]
