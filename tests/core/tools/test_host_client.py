"""Servers in the process that hosts them: real programs, good and bad ones, and nothing left of any of them."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from chatdesk.core.clock import Clock
from chatdesk.core.domain.tools import CheckStep, ServerKind, ServerState, ToolFailed, ToolServer
from chatdesk.core.tools.call_reports import CallHooks
from chatdesk.core.tools.host_client import MOST_RESTARTS, ToolHost
from tests.helpers.tools_world import processes_with, server
from tests.helpers.waiting import PATIENCE_S, until, wait_until

ROOT = Path(__file__).parents[3]


@pytest_asyncio.fixture
async def host(tmp_path: Path) -> AsyncIterator[ToolHost]:
    """Programs run in a folder of the test's, by which they are found again."""

    async def launch(wanted: ToolServer) -> Mapping[str, Any]:
        env = {"PATH": os.environ["PATH"], "CHATDESK_TEST": str(tmp_path), **wanted.env}
        return {"argv": (*wanted.argv, "--log", str(tmp_path / "log")), "env": env, "cwd": str(tmp_path)}

    made = ToolHost(launch, Clock())
    yield made
    await made.close()
    await until(lambda: not processes_with(str(tmp_path)))


async def test_tools_are_listed_and_called(host: ToolHost) -> None:
    (echo, *rest) = await host.tools([server()])
    assert (echo.full_name, echo.title, echo.hints.is_read_only) == ("notes__echo", "Echo", True)
    assert len(echo.digest) == 64 and len({each.digest for each in (echo, *rest)}) == len(rest) + 1
    assert (await host.call(server(), "echo", {"text": "grüße"}, timeout_s=30)).text == "grüße"
    assert host.status(server()).state is ServerState.READY


async def test_calls_run_at_the_same_time_and_tell_their_progress(host: ToolHost) -> None:
    said: list[str] = []
    hooks = CallHooks(on_progress=said.append)
    slow = host.call(server(), "sleep", {"seconds": 0.2}, timeout_s=30, hooks=hooks)
    echoed = host.call(server(server_id="other"), "echo", {"text": "1"}, timeout_s=30)
    assert [each.text for each in await asyncio.gather(slow, echoed)] == ["Slept.", "1"]
    assert said == ["10% · step 1"], "the rest came within half a second"


async def test_pictures_come_as_files(host: ToolHost) -> None:
    result = await host.call(server(), "picture", {}, timeout_s=30)
    assert [(file.name, file.mime, file.data[:4]) for file in result.files] == [("image 1", "image/png", b"\x89PNG")]
    assert not result.text


async def test_a_long_result_is_cut_and_says_so(host: ToolHost) -> None:
    result = await host.call(server(), "large", {"size": 3_000_000}, timeout_s=30)
    assert result.size_bytes == 3_000_000
    assert len(result.text) < 1_050_000 and result.text.endswith("1,951,424 more bytes were cut off.]")


async def test_an_error_of_a_tool_is_a_result_that_says_so(host: ToolHost) -> None:
    result = await host.call(server(), "nothing-like-it", {}, timeout_s=30)
    assert result.is_error and "There is no tool" in result.text


@pytest.mark.parametrize(
    ("how", "words"),
    [
        ("exit-at-start", "It ended with exit code 3."),
        ("exit-in-call", "It ended with exit code 4. It wrote: database is locked"),
        ("bad-bytes", "Its output is not valid UTF-8."),
        ("flood", "It sent more than 24 MB in one message."),
        ("hang-in-call", "It did not answer in time."),
        ("wrong-id", "It did not answer in time."),
    ],
)
async def test_a_bad_server_fails_with_a_sentence(host: ToolHost, how: str, words: str) -> None:
    with pytest.raises(ToolFailed) as failed:
        await host.call(server(how), "echo", {"text": "1"}, timeout_s=2)
    assert words in failed.value.what
    good = await host.call(server(server_id="good"), "echo", {"text": "fine"}, timeout_s=30)
    assert good.text == "fine"


async def test_a_server_that_is_slow_to_start_is_told_from_one_that_ended(tmp_path: Path) -> None:
    async def launch(wanted: ToolServer) -> Mapping[str, Any]:
        return {"argv": wanted.argv, "env": {"PATH": os.environ["PATH"]}, "cwd": str(tmp_path), "start_s": 1}

    host = ToolHost(launch, Clock())
    try:
        steps = [each async for each in host.check(server("hang-at-start"))]
    finally:
        await host.close()
    assert [each.step for each in steps] == [CheckStep.FOUND, CheckStep.STARTED, CheckStep.SPOKE]
    assert "It did not answer in 1 s" in steps[-1].problem and "installing 300 packages" in steps[-1].stderr


async def test_a_list_that_changed_is_read_again_from_the_same_program(host: ToolHost) -> None:
    before = await host.tools([server()])
    pid = (await host.call(server(), "learn", {}, timeout_s=30)).text
    await until(lambda: not host.known_tools(server()))
    assert [each.name for each in (await host.tools([server()]))[len(before) :]] == [f"learnt-{len(before)}"]
    assert (await host.call(server(), "learn", {}, timeout_s=30)).text == pid


async def test_a_tool_that_changed_since_it_was_offered_is_not_called(host: ToolHost, tmp_path: Path) -> None:
    (echo, *_rest) = await host.tools([server()])
    assert (await host.call(server(), "echo", {"text": "1"}, timeout_s=30, digest=echo.digest)).text == "1"
    await host.call(server(), "reword", {}, timeout_s=30)
    await until(lambda: not host.known_tools(server()))
    with pytest.raises(ToolFailed, match="was changed by its server") as failure:
        await host.call(server(), "echo", {"text": "2"}, timeout_s=30, digest=echo.digest)
    assert "as it is now" in failure.value.sentence
    ran = [json.loads(line)[0] for line in (tmp_path / "log").read_text("utf-8").splitlines()]
    assert ran == ["echo", "reword"]


async def test_a_missing_program_is_named(host: ToolHost) -> None:
    missing = ToolServer("x", "X", ServerKind.COMMAND, ("/nowhere/server",))
    assert await host.tools([missing, server()]) == await host.tools([server()])
    assert "The program /nowhere/server was not found." in host.status(missing).problem


async def test_noise_is_skipped_and_kept_to_be_read(host: ToolHost) -> None:
    assert (await host.call(server("noise"), "echo", {"text": "1"}, timeout_s=30)).text == "1"
    assert "Server is listening" in host.status(server("noise")).stderr


async def test_what_a_server_writes_to_its_standard_error_can_be_read(host: ToolHost) -> None:
    await host.tools([server("exit-at-start")])
    await until(lambda: "no such database" in host.status(server("exit-at-start")).stderr)


async def test_stopping_a_call_ends_the_program_that_runs_it(host: ToolHost, tmp_path: Path) -> None:
    await host.tools([server()])
    call = asyncio.ensure_future(host.call(server(), "sleep", {"seconds": 100}, timeout_s=200))
    await until(lambda: (tmp_path / "log").exists())
    assert processes_with(str(tmp_path))
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    assert (await host.call(server(), "echo", {"text": "again"}, timeout_s=30)).text == "again"
    assert len(processes_with(f"{tmp_path}/log")) == 1


@pytest.mark.parametrize("turns", [0, 1, 3, 10, 100])
async def test_a_call_at_any_instant_after_stop_is_answered(host: ToolHost, tmp_path: Path, turns: int) -> None:
    await host.tools([server()])
    call = asyncio.ensure_future(host.call(server(), "sleep", {"seconds": 100}, timeout_s=200))
    await until(lambda: (tmp_path / "log").exists())
    call.cancel()
    for _turn in range(turns):
        await asyncio.sleep(0)
    results = await asyncio.gather(*(host.call(server(), "echo", {"text": each}, timeout_s=30) for each in "ab"))
    assert [each.text for each in results] == ["a", "b"]


async def test_a_server_that_keeps_ending_is_started_three_more_times_only(host: ToolHost, tmp_path: Path) -> None:
    bad = server("exit-in-call")
    for _each in range(MOST_RESTARTS + 1):
        with pytest.raises(ToolFailed, match="exit code 4"):
            await host.call(bad, "echo", {}, timeout_s=30)
        await until(lambda: host.status(bad).state is ServerState.FAILED)
    with pytest.raises(ToolFailed, match="cannot be used"):
        await host.call(bad, "echo", {}, timeout_s=30)
    assert len((tmp_path / "log").read_text("utf-8").splitlines()) == MOST_RESTARTS + 1
    steps = [step async for step in host.check(bad)]  # a person asks
    assert steps[-1].step is CheckStep.LISTED and steps[-1].is_well


@pytest.mark.skipif(sys.platform != "linux", reason="/proc is how it is found")
@pytest.mark.parametrize("how", ["leave-child", "ignore-end", "hang-at-end"])
async def test_nothing_outlives_a_server_that_is_ended(host: ToolHost, tmp_path: Path, how: str) -> None:
    await host.tools([server(how)])
    wanted = 2 if how == "leave-child" else 1
    await until(lambda: len(_running(tmp_path)) == wanted)
    await host.end("notes")
    await until(lambda: not _running(tmp_path))


def _running(folder: Path) -> list[int]:
    """The processes that have the folder in their environment, but for the host."""
    found = []
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdecimal() and f"CHATDESK_TEST={folder}".encode() in (entry / "environ").read_bytes():
                found.append(int(entry.name))
        except OSError:
            continue
    return found


_OWNER = """
import asyncio, sys, os
from chatdesk.core.clock import Clock
from chatdesk.core.tools.host_client import ToolHost
from tests.helpers.tools_world import server

async def main(folder):
    async def launch(wanted):
        env = {"PATH": os.environ["PATH"], "CHATDESK_TEST": folder}
        return {"argv": wanted.argv, "env": env, "cwd": folder}

    host = ToolHost(launch, Clock())
    await host.tools([server("leave-child"), server("ignore-end", server_id="other")])
    print("ready", flush=True)
    await host.call(server("ignore-end", server_id="other"), "sleep", {"seconds": 600}, timeout_s=600)

asyncio.run(main(sys.argv[1]))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="/proc is how it is found")
def test_nothing_outlives_a_chatdesk_that_is_killed(tmp_path: Path) -> None:
    owner = subprocess.Popen([sys.executable, "-c", _OWNER, str(tmp_path)], cwd=ROOT, stdout=subprocess.PIPE)
    assert owner.stdout is not None
    with owner.stdout:
        assert owner.stdout.readline() == b"ready\n"
        wait_until(lambda: len(_running(tmp_path)) == 3)
        owner.kill()
        killed_at = time.monotonic()
        owner.wait()
    wait_until(lambda: not _running(tmp_path))
    assert time.monotonic() - killed_at < 20


async def test_a_server_gets_only_what_it_was_given(host: ToolHost, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-not-for-servers")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "not-for-servers")
    own = server(env={"NOTES_LEVEL": "3"})
    seen = json.loads((await host.call(own, "environment", {}, timeout_s=30)).text)["env"]
    assert set(seen) - {"LC_CTYPE", "PWD", "SHLVL", "_"} == {"PATH", "CHATDESK_TEST", "NOTES_LEVEL"}


async def test_a_test_says_at_which_step_it_failed(host: ToolHost) -> None:
    well = [(each.step, each.is_well) async for each in host.check(server())]
    assert well == [(step, True) for step in CheckStep]
    failed = [each async for each in host.check(server("exit-at-start"))]
    assert [(each.step, each.is_well) for each in failed] == [
        (CheckStep.FOUND, True),
        (CheckStep.STARTED, True),
        (CheckStep.SPOKE, False),
    ]
    assert "exit code 3" in failed[-1].problem


async def test_closing_fails_what_is_still_asked(tmp_path: Path) -> None:
    async def launch(wanted: ToolServer) -> Mapping[str, Any]:
        return {"argv": wanted.argv, "env": {"PATH": os.environ["PATH"]}, "cwd": str(tmp_path)}

    host = ToolHost(launch, Clock())
    slow = server(log=tmp_path / "log")
    call = asyncio.ensure_future(host.call(slow, "sleep", {"seconds": 100}, timeout_s=200))
    await until(lambda: (tmp_path / "log").exists())
    await host.close()
    with pytest.raises(ToolFailed):
        await call
    await until(lambda: not processes_with(str(tmp_path)))
    with pytest.raises(ToolFailed):
        await host.call(slow, "echo", {}, timeout_s=1)


async def _roots(host: ToolHost, root: str) -> tuple[int, list[str]]:
    pid, roots = json.loads((await host.call(server(), "roots", {}, root=root, timeout_s=30)).text)
    return pid, roots


async def test_a_server_that_asks_for_roots_is_told_the_folder_of_the_project_that_calls(host: ToolHost) -> None:
    pid, roots = await _roots(host, "/home/me/wörk")
    assert roots == ["file:///home/me/w%C3%B6rk"]
    assert await _roots(host, "/home/me/wörk") == (pid, roots), "it goes on as it is"
    other, roots = await _roots(host, "")
    assert roots == [] and other != pid, "what it remembers of a project's folder does not reach another project"
    assert (await host.call(server(), "echo", {"text": "1"}, root="", timeout_s=30)).text == "1"
    assert host.status(server()).state is ServerState.READY
    assert str(pid) not in map(str, processes_with("tool_server.py"))


async def test_a_call_for_another_folder_waits_for_those_before_it(host: ToolHost, tmp_path: Path) -> None:
    await _roots(host, "/one")
    slow = asyncio.ensure_future(host.call(server(), "sleep", {"seconds": 0.5}, root="/one", timeout_s=30))
    await until(lambda: len((tmp_path / "log").read_text().splitlines()) == 2)
    first, second = asyncio.ensure_future(_roots(host, "/two")), asyncio.ensure_future(_roots(host, "/two"))
    assert (await slow).text == "Slept."
    assert (await first)[1] == ["file:///two"] and await first == await second


async def test_a_server_that_never_asks_is_not_started_anew(host: ToolHost) -> None:
    environment = [(await host.call(server(), "learn", {}, root=root, timeout_s=30)).text for root in ("/one", "/two")]
    assert environment[0] == environment[1]


async def test_a_server_hears_that_its_call_is_cancelled(host: ToolHost, tmp_path: Path) -> None:
    asks = server("asks")
    asked = asyncio.Event()

    async def ask(_kind: str, _row: tuple[Any, ...]) -> tuple[str, Any]:
        asked.set()
        await asyncio.Event().wait()
        return "cancel", None

    call = asyncio.ensure_future(host.call(asks, "ask_form", {}, timeout_s=30, hooks=CallHooks(on_request=ask)))
    await asyncio.wait_for(asked.wait(), PATIENCE_S)
    call.cancel()
    await asyncio.wait([call])

    def heard() -> bool:
        lines = (tmp_path / "log").read_text("utf-8").splitlines()
        return json.loads(lines[-1])[0] == "cancelled"

    await until(heard)
    await until(lambda: not processes_with(str(tmp_path)))


async def test_a_result_of_too_many_parts_is_cut_before_it_is_read(host: ToolHost) -> None:
    result = await host.call(server(), "parts", {"count": 300_000}, timeout_s=30)
    assert result.text.startswith("x\n\nx\n\nx") and result.text.endswith("x\n\n[More parts were cut off.]")
    assert len(result.text) < 150_000
