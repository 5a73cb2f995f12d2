"""Tools of servers that others wrote: the protocol's own servers of everything, of files, times, git and pages, and
calls that a model streams."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import AsyncIterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from chatdesk.core.clock import Clock
from chatdesk.core.domain.message import Status
from chatdesk.core.domain.tools import Answer, ServerKind, ServerState, ToolResult, ToolServer
from chatdesk.core.providers.endpoint import Endpoint
from chatdesk.core.providers.openai_compatible import OpenAICompatibleProvider
from chatdesk.core.tools.call_reports import CallHooks
from chatdesk.core.tools.host_client import ToolHost
from chatdesk.core.tools.offers import PROMPTS, RESOURCES, Offers, ServerPrompt, ServerResource
from tests.helpers.fault_world import WHO
from tests.helpers.threaded_server import in_thread
from tests.helpers.tools_world import processes_with, tool_world
from tests.helpers.waiting import until
from tests.live_local.conftest import PYTHON_TOOL_SERVERS, TOOL_SERVERS


@pytest_asyncio.fixture
async def host(tmp_path: Path) -> AsyncIterator[ToolHost]:
    async def launch(wanted: ToolServer) -> Mapping[str, Any]:
        return {
            "argv": wanted.argv,
            "env": {"PATH": os.environ["PATH"], "HOME": str(tmp_path)},
            "cwd": str(tmp_path),
        }

    made = ToolHost(launch, Clock())
    yield made
    await made.close()
    await until(lambda: not processes_with(str(TOOL_SERVERS)) and not processes_with(str(PYTHON_TOOL_SERVERS)))


def _server(name: str, *arguments: str, folder: Path = TOOL_SERVERS) -> ToolServer:
    if not folder.exists():
        pytest.skip("the servers of tools are not installed: node, npm or the network was missing")
    return ToolServer(name, name.title(), ServerKind.COMMAND, (str(folder / f"mcp-server-{name}"), *arguments))


async def test_the_server_of_everything_is_listed_and_called(host: ToolHost) -> None:
    everything = _server("everything")
    tools = await host.tools([everything])
    assert host.status(everything).state is ServerState.READY and len(tools) > 5
    assert (await host.call(everything, "echo", {"message": "grüße"}, timeout_s=60)).text == "Echo: grüße"
    picture = await host.call(everything, "get-tiny-image", {}, timeout_s=60)
    assert [file.mime for file in picture.files] == ["image/png"]
    steps: list[str] = []
    arguments = {"duration": 1, "steps": 3}
    name = "trigger-long-running-operation"
    await host.call(everything, name, arguments, timeout_s=60, hooks=CallHooks(on_progress=steps.append))
    assert steps[:1] == ["33 %"]


async def test_the_server_of_everything_offers_prompts_and_resources_and_asks_a_person(host: ToolHost) -> None:
    everything = _server("everything")
    asked: list[str] = []

    async def answer(kind: str, _row: tuple[Any, ...]) -> tuple[str, Any]:
        asked.append(kind)
        return "decline", None

    offers = Offers(lambda: host)
    prompts = [each for each in await offers.list(PROMPTS, everything) if isinstance(each, ServerPrompt)]
    plain = next(each for each in prompts if not each.arguments)
    assert (await offers.use(plain, {})).text
    resources = await offers.list(RESOURCES, everything)
    assert isinstance(resources[0], ServerResource)
    (file,) = await offers.read(resources[0])
    assert file.data
    hooks = CallHooks(on_request=answer)
    result = await host.call(everything, "trigger-elicitation-request", {}, timeout_s=60, hooks=hooks)
    assert asked == ["form"] and "declined" in result.text.lower()


async def test_the_server_of_files_reads_in_its_folder_only(host: ToolHost, tmp_path: Path) -> None:
    (tmp_path / "files").mkdir()
    (tmp_path / "files" / "a.txt").write_text("hello", "utf-8")
    (tmp_path / "secret.txt").write_text("hidden", "utf-8")
    files = _server("filesystem", str(tmp_path / "files"))
    path = str(tmp_path / "files" / "a.txt")
    assert (await host.call(files, "read_text_file", {"path": path}, timeout_s=60)).text == "hello"
    outside = await host.call(files, "read_text_file", {"path": str(tmp_path / "secret.txt")}, timeout_s=60)
    assert outside.is_error and "hidden" not in outside.text


async def test_the_server_of_times_converts_between_zones(host: ToolHost) -> None:
    times = _server("time", "--local-timezone", "Europe/Oslo", folder=PYTHON_TOOL_SERVERS)
    assert {tool.name for tool in await host.tools([times])} == {"get_current_time", "convert_time"}
    arguments = {"source_timezone": "Europe/Oslo", "time": "12:00", "target_timezone": "Asia/Tokyo"}
    converted = json.loads((await host.call(times, "convert_time", arguments, timeout_s=60)).text)
    assert converted["time_difference"] in ("+7.0h", "+8.0h")
    wrong = await host.call(times, "get_current_time", {"timezone": "Moon/Far_Side"}, timeout_s=60)
    assert wrong.is_error and "Moon/Far_Side" in wrong.text


async def test_the_server_of_git_works_in_its_repository(host: ToolHost, tmp_path: Path) -> None:
    repository = tmp_path / "repository"
    repository.mkdir()
    for arguments in (["init", "-q"], ["config", "user.name", "Ann"], ["config", "user.email", "ann@example.com"]):
        subprocess.run(["git", *arguments], cwd=repository, check=True)
    (repository / "a.txt").write_text("hello\n", "utf-8")
    git = _server("git", "--repository", str(repository), folder=PYTHON_TOOL_SERVERS)

    async def call(name: str, **more: Any) -> ToolResult:
        return await host.call(git, name, {"repo_path": str(repository), **more}, timeout_s=60)

    assert "a.txt" in (await call("git_status")).text
    assert not (await call("git_add", files=["a.txt"])).is_error
    assert not (await call("git_commit", message="Begin")).is_error
    assert "Begin" in (await call("git_log")).text
    elsewhere = await host.call(git, "git_status", {"repo_path": str(tmp_path)}, timeout_s=60)
    assert elsewhere.is_error and elsewhere.text


async def test_the_server_of_pages_reads_one(host: ToolHost) -> None:
    page = b"<html><head><title>Tides</title></head><body><h1>Tides</h1><p>High at noon.</p></body></html>"

    class Pages(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            is_page = self.path == "/tides"
            self.send_response(200 if is_page else 404)
            self.send_header("Content-Type", "text/html")
            self.send_header("Content-Length", str(len(page) if is_page else 0))
            self.end_headers()
            self.wfile.write(page if is_page else b"")

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    fetch = _server("fetch", "--allow-private-ips", folder=PYTHON_TOOL_SERVERS)
    with in_thread(ThreadingHTTPServer(("127.0.0.1", 0), Pages)) as server:
        address = f"http://127.0.0.1:{server.server_port}"
        assert "High at noon." in (await host.call(fetch, "fetch", {"url": f"{address}/tides"}, timeout_s=60)).text
        missing = await host.call(fetch, "fetch", {"url": f"{address}/none"}, timeout_s=60)
        assert missing.is_error and "404" in missing.text


async def test_calls_that_a_server_streams_are_asked_about_and_answered(
    aimock: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    provider = OpenAICompatibleProvider("live", WHO, Endpoint.of(aimock.base_url, aimock.key))
    async with tool_world(tmp_path) as world:
        monkeypatch.setattr(world.chat.provider, "stream", provider.stream)
        answer_id = await world.ask("use two tools")
        approvals = world.chat.chat.tools.approvals
        await until(lambda: len(approvals.waiting()) == 2)
        for request in approvals.waiting():
            world.answer(request, Answer.ONCE)
        message = await world.finished(answer_id)
        assert message.status is Status.COMPLETE, message.error
        assert message.text == "Let me ask both.Both have said it."
        assert sorted(world.runs) == [["echo", {"text": "one – é"}], ["write_note", {"name": "a", "text": "two"}]]
    await provider.close()
