"""Servers and programs that others wrote, on loopback while these tests run. ``make test-servers`` installs them.

Without that target, or where one could not be installed, the tests are skipped and say why.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SERVERS = ROOT / ".tools" / "servers"
AIMOCK = SERVERS / "aimock" / "node_modules" / "@copilotkit" / "aimock" / "dist" / "cli.js"
LITELLM = SERVERS / "litellm" / "bin" / "litellm"
OPENAI = SERVERS / "openai" / "node_modules" / "openai" / "index.mjs"
INSPECTOR = SERVERS / "inspector" / "node_modules" / ".bin" / "mcp-inspector"
TOOL_SERVERS = SERVERS / "tool_servers" / "node_modules" / ".bin"
PYTHON_TOOL_SERVERS = SERVERS / "python_tool_servers" / "bin"
LLM = SERVERS / "programs" / "bin" / "llm"
SCHEMATHESIS = SERVERS / "programs" / "bin" / "schemathesis"
ANSWERS = Path(__file__).with_name("aimock.json")
_UP_S = 120

_CONFIG = """
model_list:
  - model_name: relayed
    litellm_params: {{model: openai/relayed, api_base: "{upstream}", api_key: "{key}"}}
  - model_name: canned
    litellm_params: {{model: openai/canned, api_key: none, mock_response: "A canned answer."}}
litellm_settings: {{telemetry: false, num_retries: 0}}
"""


@dataclass(frozen=True)
class Running:
    """A server of others: its address, a model, and a key where it wants one."""

    name: str
    base_url: str
    model: str
    key: str = ""

    @property
    def root(self) -> str:
        return self.base_url.removesuffix("/v1")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    is_wanted = "live_local" in (config.option.markexpr or "")
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.live_local)
            item.add_marker(pytest.mark.timeout(300))
            if not is_wanted:
                item.add_marker(pytest.mark.skip(reason="run by 'make test-servers', which installs the servers"))


@pytest.fixture(scope="session")
def aimock(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    node = shutil.which("node")
    if node is None or not AIMOCK.exists():
        pytest.skip("aimock is not installed: node, npm or the network was missing")
    port = _free_port()
    command = [node, str(AIMOCK), "--port", str(port), "--fixtures", str(ANSWERS), "--log-level", "warn"]
    key = f"sk-{secrets.token_hex(24)}"
    log = tmp_path_factory.mktemp("aimock") / "log"
    with _program(command, {"AIMOCK_API_KEYS": key}, log, f"http://127.0.0.1:{port}/v1/models"):
        yield Running("aimock", f"http://127.0.0.1:{port}/v1", "gpt-4o", key)


@pytest.fixture(scope="session")
def litellm(aimock: Running, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """LiteLLM's proxy, which passes on to aimock: two programs between a question and its answer."""
    if not LITELLM.exists():
        pytest.skip("LiteLLM is not installed: the network or the room for it was missing")
    folder = tmp_path_factory.mktemp("litellm")
    config = folder / "config.yaml"
    config.write_text(_CONFIG.format(upstream=aimock.base_url, key=aimock.key), encoding="utf-8")
    key = f"sk-{secrets.token_hex(24)}"
    port = _free_port()
    environment = {
        "LITELLM_MASTER_KEY": key,
        "LITELLM_LOCAL_MODEL_COST_MAP": "True",  # else it would ask the network for prices
        "LITELLM_TELEMETRY": "False",
        "NO_PROXY": "127.0.0.1",
    }
    command = [str(LITELLM), "--config", str(config), "--host", "127.0.0.1", "--port", str(port)]
    with _program(command, environment, folder / "log", f"http://127.0.0.1:{port}/health/liveliness"):
        yield Running("LiteLLM", f"http://127.0.0.1:{port}/v1", "relayed", key)


@pytest.fixture(params=["aimock", "litellm"])
def server(request: pytest.FixtureRequest) -> Running:
    """Each of them."""
    running: Running = request.getfixturevalue(request.param)
    return running


@contextlib.contextmanager
def _program(command: list[str], environment: dict[str, str], log: Path, address: str) -> Iterator[None]:
    """A program that is up once ``address`` answers, and gone afterwards."""
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            env={**os.environ, **environment},
            cwd=log.parent,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        end = time.monotonic() + _UP_S
        while not _answers(address):
            if process.poll() is not None or time.monotonic() > end:
                pytest.fail(f"{Path(command[0]).name} did not come up:\n{log.read_text(errors='replace')[-2000:]}")
            time.sleep(0.1)
        yield
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(10)


def _answers(address: str) -> bool:
    try:
        with urllib.request.urlopen(address, timeout=2):
            return True
    except urllib.error.HTTPError:
        return True  # it wants a key
    except OSError:
        return False


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
