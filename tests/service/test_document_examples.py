"""A newcomer asks from other programs: the lines of docs/local-service.md, each run against a served process."""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import openai
import pytest

ROOT = Path(__file__).parents[2]
SECTION = (ROOT / "docs" / "local-service.md").read_text("utf-8").split("## From other programs\n")[1].split("\n## ")[0]
SERVE, CURL, PYTHON = (
    textwrap.dedent(block) for block in re.findall(r"(?:^    .*\n|^\n(?=    ))+", SECTION, re.MULTILINE)
)
PORT = "43117"
PATIENCE_S = 60

pytestmark = pytest.mark.skipif(
    os.name != "posix" or shutil.which("curl") is None, reason="the lines are for a shell with curl"
)


@dataclass(frozen=True)
class Newcomer:
    """Somebody in a fresh checkout, with a service that the first line started."""

    home: Path
    port: str

    def run(self, lines: str) -> str:
        """What lines for a shell print."""
        command = ["sh", "-euc", lines.replace(PORT, self.port)]
        done = subprocess.run(command, **self.options, capture_output=True, text=True, timeout=PATIENCE_S)  # type: ignore[call-overload]
        assert done.returncode == 0, done.stderr
        return str(done.stdout)

    @property
    def options(self) -> dict[str, object]:
        ours = {"PYTHONPATH": str(ROOT), "CHATDESK_DATA_DIR": str(self.home / "data"), "CHATDESK_MODEL_TITLES": "false"}
        unset = {"CHATDESK_URL": "", "CHATDESK_TOKEN": "", "CHATDESK_OFFLINE_SPEED_TOKENS_PER_S": "0"}
        return {"cwd": self.home, "env": {**os.environ, **ours, **unset}}


@pytest.fixture
def newcomer(tmp_path: Path) -> Iterator[Newcomer]:
    programs = tmp_path / ".venv" / "bin"
    programs.mkdir(parents=True)
    for name, arguments in (("python", ""), ("chatdesk", "-m chatdesk ")):
        program = programs / name
        program.write_text(f'#!/bin/sh\nexec "{sys.executable}" {arguments}"$@"\n')
        program.chmod(0o700)
    with socket.create_server(("127.0.0.1", 0)) as free:
        someone = Newcomer(tmp_path, str(free.getsockname()[1]))
    command = ["sh", "-euc", f"exec {SERVE.strip().replace(PORT, someone.port)}"]
    process = subprocess.Popen(command, **someone.options, stdout=subprocess.PIPE, text=True)  # type: ignore[call-overload]
    try:
        assert process.stdout.readline() == f"Listening on http://127.0.0.1:{someone.port}\n"
        yield someone
    finally:
        process.kill()
        process.communicate()


def test_a_question_is_asked_from_curl_and_from_an_editor(newcomer: Newcomer) -> None:
    answer, token = newcomer.run(CURL + '\necho "\n$TOKEN"').rsplit("\n", 2)[0:2]
    assert json.loads(answer)["choices"][0]["message"]["content"]

    rows = dict(re.findall(r"^\| ([a-z]+)[^|]* \| `([^`|]+)` \|$", SECTION, re.MULTILINE))
    address = rows["address"].replace(PORT, newcomer.port)
    with openai.OpenAI(base_url=address, api_key=token, max_retries=0) as editor:
        assert rows["model"] in [model.id for model in editor.models.list()]
        asked = [{"role": "user", "content": "Hello"}]
        chunks = editor.chat.completions.create(model=rows["model"], messages=asked, stream=True)  # type: ignore[call-overload]
        assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks)


def test_a_question_is_asked_from_python(newcomer: Newcomer) -> None:
    assert len(newcomer.run(PYTHON).split()) > 3
    assert "From Python" in newcomer.run(".venv/bin/chatdesk threads")
