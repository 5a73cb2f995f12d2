"""``chatdesk mcp`` as a child process of an assistant, which speaks with it over stdin and stdout."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from chatdesk.cli.main import run
from chatdesk.core.domain.library import ThreadQuery
from chatdesk.core.domain.message import Message, Role
from chatdesk.core.local_api.instance import read_holder
from chatdesk.core.paths import AppPaths
from chatdesk.services.owner import open_services
from chatdesk.services.services import Services
from tests.helpers.assistants import child_assistant, data_of, refusal_of
from tests.helpers.local_service import FAST
from tests.helpers.waiting import until

ROOT = Path(__file__).parents[1]
INITIALIZE = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "initialize",
    "params": {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "test", "version": "1"}},
}


async def _child(directory: Path, *more: str, **options: Any) -> asyncio.subprocess.Process:
    arguments = ["-m", "chatdesk", "mcp", *more, "--data-dir", str(directory)]
    return await asyncio.create_subprocess_exec(
        sys.executable, *arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT, **options
    )


async def test_it_reads_asks_and_writes_where_nobody_owns_the_directory(tmp_path: Path) -> None:
    async with child_assistant(tmp_path, "--allow", "ask,write") as client:
        asked = data_of(await client.call_tool("ask", {"text": "Where is the zebra?"}))
        assert asked["status"] == "complete"
        (hit, *_more) = data_of(await client.call_tool("search_threads", {"query": "zebra"}))["hits"]
        assert hit["thread_id"] == asked["thread_id"]
        drafted = data_of(await client.call_tool("write_draft", {"text": "A draft"}))
        holder = read_holder(tmp_path)
        assert holder is None or not holder.is_alive() or holder.purpose != "mcp"  # a window can be opened now
    async with open_services(AppPaths.find(tmp_path), FAST) as services:
        assert not services.has_other_owner
        draft = await services.chat.drafts.get(drafted["thread_id"])
        assert draft is not None
        assert draft.text == "A draft"


async def test_it_asks_and_writes_through_the_owner(tmp_path: Path) -> None:
    async with open_services(AppPaths.find(tmp_path), FAST) as services:
        thread = (await services.chat.create_thread(None, "Open in the window")).thread
        async with child_assistant(tmp_path, "--allow", "ask,write") as client:
            listed = data_of(await client.call_tool("list_threads"))["threads"]
            assert [each["id"] for each in listed] == [thread.id]
            arguments = {"text": "Hello", "thread_id": thread.id}
            assert data_of(await client.call_tool("ask", arguments))["status"] == "complete"
            data_of(await client.call_tool("write_draft", arguments))
            again = arguments | {"text": "Other"}
            assert refusal_of(await client.call_tool("write_draft", again)) == "not_possible"
        draft = await services.chat.drafts.get(thread.id)
        assert draft is not None
        assert draft.text == "Hello"
        assert (await services.chat.get_thread(thread.id)).message_count == 2


async def test_it_only_reads_unless_more_is_allowed(tmp_path: Path) -> None:
    async with child_assistant(tmp_path) as client:
        assert "ask" not in {tool.name for tool in (await client.list_tools()).tools}
        assert refusal_of(await client.call_tool("ask", {"text": "x"})) == "not_allowed"
        assert refusal_of(await client.call_tool("write_draft", {"text": "x"})) == "not_allowed"
        assert data_of(await client.call_tool("list_threads"))["threads"] == []


async def test_calls_at_once_share_what_is_open(tmp_path: Path) -> None:
    async with child_assistant(tmp_path, "--allow", "write") as client:
        drafts = [client.call_tool("write_draft", {"text": f"Draft {number}"}) for number in range(5)]
        made = {data_of(each)["thread_id"] for each in await asyncio.gather(*drafts)}
        listed = data_of(await client.call_tool("list_threads"))["threads"]
        assert {each["id"] for each in listed} == made
        assert len(made) == 5


async def test_it_ends_with_stdin_and_prints_nothing_but_the_protocol(tmp_path: Path) -> None:
    child = await _child(tmp_path)
    lines = (json.dumps(INITIALIZE), "no json", json.dumps(INITIALIZE | {"id": 2, "method": "tools/list"}))
    assert child.stdin is not None
    assert child.stdout is not None
    child.stdin.write("".join(f"{line}\n" for line in lines).encode())
    answers = [json.loads(await child.stdout.readline())]
    child.stdin.close()
    answers += [json.loads(line) for line in (await child.stdout.read()).splitlines()]
    assert {answer["jsonrpc"] for answer in answers} == {"2.0"}
    assert await child.wait() == 0


async def test_an_answer_is_kept_when_the_assistant_dies(tmp_path: Path) -> None:
    child = await _child(tmp_path, "--allow", "ask", env=os.environ | {"CHATDESK_OFFLINE_SPEED_TOKENS_PER_S": "5"})
    assert child.stdin is not None
    assert child.stdout is not None
    arguments = {"text": "/demo long", "wait_s": 300}
    call = {"jsonrpc": "2.0", "id": 2, "method": "tools/call", "params": {"name": "ask", "arguments": arguments}}
    begun = {"jsonrpc": "2.0", "method": "notifications/initialized"}
    child.stdin.write(b"".join(json.dumps(each).encode() + b"\n" for each in (INITIALIZE, begun)))
    await child.stdout.readline()
    child.stdin.write(json.dumps(call).encode() + b"\n")
    await until(lambda: (holder := read_holder(tmp_path)) is not None and holder.purpose == "mcp")
    async with open_services(AppPaths.find(tmp_path), FAST) as services:
        assert services.has_other_owner
        while not await _answers(services):
            await asyncio.sleep(0)
    child.stdin.close()
    assert await child.wait() == 0
    async with open_services(AppPaths.find(tmp_path), FAST) as services:
        (answer,) = await _answers(services)
        assert answer.status.value not in ("pending", "streaming", "complete")


async def _answers(services: Services) -> list[Message]:
    threads = (await services.library.list_threads(ThreadQuery())).threads
    pages = [await services.chat.reader.get_thread_messages(thread.id) for thread in threads]
    return [message for page in pages for message in page.messages if message.role is Role.ASSISTANT]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signals")
async def test_a_signal_ends_it_while_stdin_is_open(tmp_path: Path) -> None:
    child = await _child(tmp_path)
    assert child.stdin is not None
    assert child.stdout is not None
    child.stdin.write(json.dumps(INITIALIZE).encode() + b"\n")
    await child.stdout.readline()
    os.kill(child.pid, signal.SIGTERM)
    assert await child.wait() == 128 + signal.SIGTERM
    child.stdin.close()


async def test_a_line_without_end_is_refused(tmp_path: Path) -> None:
    child = await _child(tmp_path, stderr=subprocess.PIPE)
    _out, complaints = await child.communicate(b"x" * (5 * 1024 * 1024))
    assert child.returncode == 1
    assert b"longer than 4 MiB" in complaints


def test_an_unknown_permission_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        run(["mcp", "--allow", "admin", "--data-dir", str(tmp_path)])
    assert "ask, write, or ask,write" in capsys.readouterr().err


def test_no_qt_is_imported(tmp_path: Path) -> None:
    program = (
        "import sys; from chatdesk.cli.main import run; "
        f"code = run(['mcp', '--data-dir', {str(tmp_path)!r}]); "
        "print(code, [name for name in sys.modules if name.startswith('PySide6')], file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", program], input="", capture_output=True, text=True, check=True)
    assert done.stderr.splitlines()[-1] == "0 []"
