"""Tools of servers that others wrote: the protocol's own server of everything, and the one for files."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from chatdesk.core.clock import SystemClock
from chatdesk.core.domain.tools import ServerKind, ServerState, ToolServer
from chatdesk.core.tools.host_client import ToolHost
from tests.helpers.tools_world import processes_with
from tests.helpers.waiting import until
from tests.live_local.conftest import TOOL_SERVERS


@pytest_asyncio.fixture
async def host(tmp_path: Path) -> AsyncIterator[ToolHost]:
    if not TOOL_SERVERS.exists():
        pytest.skip("the servers of tools are not installed: node, npm or the network was missing")

    async def launch(wanted: ToolServer) -> Mapping[str, Any]:
        return {
            "argv": wanted.argv,
            "env": {"PATH": os.environ["PATH"], "HOME": str(tmp_path)},
            "cwd": str(tmp_path),
        }

    made = ToolHost(launch, SystemClock())
    yield made
    await made.close()
    await until(lambda: not processes_with(str(TOOL_SERVERS)))


def _server(name: str, *arguments: str) -> ToolServer:
    return ToolServer(name, name.title(), ServerKind.COMMAND, (str(TOOL_SERVERS / f"mcp-server-{name}"), *arguments))


async def test_the_server_of_everything_is_listed_and_called(host: ToolHost) -> None:
    everything = _server("everything")
    tools = await host.tools([everything])
    assert host.status(everything).state is ServerState.READY and len(tools) > 5
    assert (await host.call(everything, "echo", {"message": "grüße"}, timeout_s=60)).text == "Echo: grüße"
    picture = await host.call(everything, "get-tiny-image", {}, timeout_s=60)
    assert [file.mime for file in picture.files] == ["image/png"]
    steps: list[float] = []
    arguments = {"duration": 1, "steps": 3}
    name = "trigger-long-running-operation"
    await host.call(everything, name, arguments, timeout_s=60, on_progress=lambda done, _all, _text: steps.append(done))
    assert steps[-1:] == [3]


async def test_the_server_of_files_reads_in_its_folder_only(host: ToolHost, tmp_path: Path) -> None:
    (tmp_path / "files").mkdir()
    (tmp_path / "files" / "a.txt").write_text("hello", "utf-8")
    (tmp_path / "secret.txt").write_text("hidden", "utf-8")
    files = _server("filesystem", str(tmp_path / "files"))
    path = str(tmp_path / "files" / "a.txt")
    assert (await host.call(files, "read_text_file", {"path": path}, timeout_s=60)).text == "hello"
    outside = await host.call(files, "read_text_file", {"path": str(tmp_path / "secret.txt")}, timeout_s=60)
    assert outside.is_error and "hidden" not in outside.text
