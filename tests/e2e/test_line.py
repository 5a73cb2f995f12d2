"""The line between real processes: a window under a flood, scripts at the same time, and ones that are killed."""

from __future__ import annotations

import asyncio
import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing, suppress
from pathlib import Path

import pytest

from chatdesk.core.local_api.client import show_owner_window
from chatdesk.core.local_api.instance import read_holder
from tests.helpers.owned_directory import holder_of
from tests.helpers.waiting import until

ROOT = Path(__file__).parents[2]
WAIT_S = 60
_FEW_DESCRIPTORS = 256

# Tries 2,000 connections, holds those that it gets, and goes on opening new ones for those that are closed.
FLOOD = """
import socket, sys, threading, time
held, tried, is_over = [], 0, threading.Event()
threading.Thread(target=lambda: (sys.stdin.read(), is_over.set()), daemon=True).start()
while not is_over.is_set():
    s = socket.socket(socket.AF_UNIX)
    s.setblocking(False)
    tried += 1
    try:
        s.connect(sys.argv[1])
        held.append(s)
    except BlockingIOError:
        s.close()
        time.sleep(0.001)
    if len(held) > 900:
        held.pop(0).close()
    if tried == 2000:
        print("flooded", flush=True)
"""


async def _start(*arguments: str, data_dir: Path, **more: object) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", "chatdesk", "--data-dir", str(data_dir), *arguments,
        cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        env={**os.environ, "QT_QPA_PLATFORM": "offscreen"}, **more,  # type: ignore[arg-type]
    )  # fmt: skip


async def _done(process: asyncio.subprocess.Process, words: str = "") -> tuple[int | None, str, str]:
    async with asyncio.timeout(WAIT_S):
        out, err = await process.communicate(words.encode())
    return process.returncode, out.decode(), err.decode()


@asynccontextmanager
async def _window(data_dir: Path) -> AsyncIterator[asyncio.subprocess.Process]:
    """A window of its own process, with few descriptors; killed in the end."""

    def few() -> None:
        import resource

        resource.setrlimit(resource.RLIMIT_NOFILE, (_FEW_DESCRIPTORS, _FEW_DESCRIPTORS))

    window = await _start(data_dir=data_dir, preexec_fn=few)
    try:

        async def is_up() -> bool:
            assert window.returncode is None
            return await show_owner_window(data_dir)

        await until(is_up, within_s=WAIT_S)
        yield window
    finally:
        with suppress(ProcessLookupError):
            window.kill()
        await window.communicate()


def _descriptors(pid: int) -> int:
    return len(os.listdir(f"/proc/{pid}/fd"))


def _crash_reports(data_dir: Path) -> list[str]:
    return sorted(path.name for path in (data_dir / "logs" / "crashes").glob("crash-*"))


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="counts descriptors as Linux shows them")
async def test_two_thousand_connections_leave_the_window_as_it_was(tmp_path: Path) -> None:
    """Before, 1,050 of them took all descriptors of the window, which then died painting."""
    async with _window(tmp_path) as window:
        before = _descriptors(window.pid)
        flood = await asyncio.create_subprocess_exec(
            sys.executable, "-I", "-c", FLOOD, holder_of(tmp_path).address,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        )  # fmt: skip
        assert flood.stdout is not None
        async with asyncio.timeout(WAIT_S):
            assert await flood.stdout.readline() == b"flooded\n"
        assert _descriptors(window.pid) <= before + 20
        code, out, err = await _done(await _start("ask", "still there?", data_dir=tmp_path))
        assert (code, err) == (0, "")
        assert "ChatDesk" in out
        await flood.communicate(b"")
        assert await show_owner_window(tmp_path)
        assert window.returncode is None
    assert _crash_reports(tmp_path) == []


async def test_a_script_that_is_killed_in_mid_answer_makes_no_crash_of_the_window(tmp_path: Path) -> None:
    async with _window(tmp_path) as window:
        for _ in range(4):
            asking = await _start("ask", "/demo long", "--json", data_dir=tmp_path)
            assert asking.stdout is not None
            async with asyncio.timeout(WAIT_S):
                while b'"text"' not in await asking.stdout.readline():
                    pass
            asking.send_signal(signal.SIGKILL)
            await asking.communicate()
        assert await show_owner_window(tmp_path)
        code, _out, err = await _done(await _start("ask", "and now?", data_dir=tmp_path))
        assert (code, err) == (0, "")
        assert window.returncode is None
    assert _crash_reports(tmp_path) == []


async def test_scripts_that_ask_at_once_are_all_answered(tmp_path: Path) -> None:
    """The first to come owns the directory; the others wait until it listens, and for their answers it waits."""
    for questions in (("one", "two", "three"), ("four", "five", "six", "seven")):
        scripts = await asyncio.gather(*(_start("ask", text, data_dir=tmp_path) for text in questions))
        for code, out, err in await asyncio.gather(*(_done(each) for each in scripts)):
            assert (code, err) == (0, ""), err
            assert out
    with closing(sqlite3.connect(tmp_path / "chatdesk.db")) as conn:
        found = conn.execute("SELECT role, status, count(*) FROM messages GROUP BY role, status").fetchall()
    assert sorted(found) == [("assistant", "complete", 7), ("user", "complete", 7)]


async def test_a_restore_that_waits_for_an_answer_is_named_to_whoever_asks(tmp_path: Path) -> None:
    assert (await _done(await _start("ask", "kept", data_dir=tmp_path)))[0] == 0
    assert (await _done(await _start("backup", str(tmp_path / "b.zip"), data_dir=tmp_path)))[0] == 0
    main, terminal = os.openpty()
    restoring = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "chatdesk", "--data-dir", str(tmp_path), "restore", str(tmp_path / "b.zip"),
        cwd=ROOT, stdin=terminal, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    os.close(terminal)
    try:
        await until(lambda: (found := read_holder(tmp_path)) and found.purpose == "restore", within_s=WAIT_S)
        code, out, err = await _done(await _start("ask", "TOP SECRET", data_dir=tmp_path))
        assert (code, out) == (1, "")
        assert f"“chatdesk restore” (process {restoring.pid}) is using this data directory." in err
    finally:
        restoring.kill()
        await restoring.communicate()
        os.close(main)
