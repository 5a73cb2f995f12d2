"""Programs that ChatDesk did not write ask its service: OpenAI's package for JavaScript, the command line llm, and the
inspector of the Model Context Protocol."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from chatdesk.service.caller import Scope
from tests.helpers.fault_server import Exchange, answer, status
from tests.helpers.local_service import served_world
from tests.helpers.openai_world import MODEL, asked_world, ledger
from tests.helpers.waiting import until
from tests.live_local.conftest import INSPECTOR, LLM, OPENAI

SCRIPT = Path(__file__).with_name("openai_package.mjs")
_ENDS_S = 60
ANSWER = "Hello from a model that others play"


async def played(exchange: Exchange) -> None:
    """An answer, or the vectors of two texts."""
    if not exchange.request.path.endswith("/embeddings"):
        await answer(ANSWER)(exchange)
        return
    rows = [{"index": index, "embedding": [float(index), 0.5]} for index in (0, 1)]
    await status(200, {"data": rows, "usage": {"prompt_tokens": 2}})(exchange)


async def ran(
    *command: str, environment: Mapping[str, str] | None = None, folder: Path | None = None, ends_s: float = _ENDS_S
) -> str:
    """What a program prints that runs in a folder."""
    process = await asyncio.create_subprocess_exec(
        *command,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={**os.environ, **(environment or {})},
        cwd=folder,
    )
    try:
        async with asyncio.timeout(ends_s):
            out, problems = await process.communicate()
    except TimeoutError:
        process.kill()
        raise
    assert process.returncode == 0, (problems + out).decode()
    return out.decode()


async def test_the_package_for_javascript(tmp_path: Path) -> None:
    node = shutil.which("node")
    if node is None or not OPENAI.exists():
        pytest.skip("the openai package of npm is not installed: node, npm or the network was missing")
    async with asked_world(tmp_path, played) as (world, _vendor, client):
        base_url = str(client.base_url)
        found = json.loads(await ran(node, str(SCRIPT), str(OPENAI), base_url, client.api_key))

        async def are_entered() -> bool:
            return (await ledger(world))[0] == 7

        await until(are_entered)
    assert {found[name] for name in ("chat", "chatStream", "response", "final")} == {ANSWER}
    assert (found["events"][0], found["events"][-1]) == ("response.created", "response.completed")
    assert found["vectors"] == [[0.0, 0.5], [1.0, 0.5]]
    assert found["refused"] == [400, "previous_response_not_found"]


@pytest.mark.parametrize("options", [(), ("--no-stream",)])
async def test_llm_on_the_command_line(tmp_path: Path, options: tuple[str, ...]) -> None:
    if not LLM.exists():
        pytest.skip("llm is not installed")
    own = tmp_path / "llm"
    own.mkdir()
    async with asked_world(tmp_path / "chatdesk", played) as (world, _vendor, client):
        entry = f"- model_id: desk\n  model_name: {MODEL}\n  api_base: {client.base_url}\n  api_key_name: desk\n"
        (own / "extra-openai-models.yaml").write_text(entry, "utf-8")
        (own / "keys.json").write_text(json.dumps({"desk": client.api_key}), "utf-8")
        environment = {"LLM_USER_PATH": str(own)}
        said = await ran(str(LLM), "-m", "desk", *options, "Hello", environment=environment)
        assert said.strip() == ANSWER
        assert (await ledger(world))[0] == 1


async def test_the_inspector_of_the_model_context_protocol(tmp_path: Path) -> None:
    if not INSPECTOR.exists():
        pytest.skip("the inspector is not installed: node, npm or the network was missing")
    async with served_world(tmp_path / "chatdesk") as world:
        thread = (await world.services.chat.create_thread(None, "Plans for the harvest")).thread
        await world.services.chat.manual_messages.add_note(thread.id, "Ladders")
        token = world.token("inspector", [Scope.READ])

        async def inspected(method: str, *options: str) -> dict[str, Any]:
            command = [str(INSPECTOR), "--cli", f"{world.address.urls[0]}/mcp", "--transport", "http"]
            command += ["--header", f"Authorization: Bearer {token}", "--method", method, *options]
            found: dict[str, Any] = json.loads(await ran(*command, environment={"HOME": str(tmp_path)}))
            return found

        tools = {each["name"] for each in (await inspected("tools/list"))["tools"]}
        assert {"search_threads", "read_thread", "list_threads", "read_message"} == tools  # the token reads
        [resource] = (await inspected("resources/list"))["resources"]
        assert resource["title"] == "Plans for the harvest"
        read = await inspected("resources/read", "--uri", resource["uri"])
        assert "Ladders" in read["contents"][0]["text"]
        called = await inspected("tools/call", "--tool-name", "search_threads", "--tool-arg", "query=Ladders")
        assert thread.id in json.dumps(called["structuredContent"])
        assert (await inspected("resources/templates/list"))["resourceTemplates"]
