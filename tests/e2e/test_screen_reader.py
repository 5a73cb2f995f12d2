"""ChatDesk as someone uses it who does not see it: started on a display and a bus of its own, driven by
keys or by actions alone, heard."""

from __future__ import annotations

import sys
from pathlib import Path
from socket import socket

import pytest

from tests.helpers.desktop_session import SYSTEM_PYTHON, DesktopSession, what_is_missing

_HERE = Path(__file__).parent
_PRINT_CLIPBOARD = (
    "import sys; from PySide6.QtGui import QGuiApplication; application = QGuiApplication([]); "
    "sys.stdout.write(application.clipboard().text())"
)


@pytest.mark.long
@pytest.mark.timeout(300)
@pytest.mark.parametrize("walk", ["walk", "actions", "threads", "consent"])
def test_everything_can_be_done_by_ear(tmp_path: Path, walk: str) -> None:
    missing = what_is_missing()
    if missing:
        pytest.skip(f"NOT PROVEN HERE: accessibility from outside needs apt-get install {' '.join(missing)}")
    arguments = [sys.executable, "-c", _PRINT_CLIPBOARD]
    settings = {"CHATDESK_READ_ANSWERS": "sentences", "CHATDESK_OFFLINE_SPEED_TOKENS_PER_S": "300"}
    if walk == "consent":
        with socket() as free:
            free.bind(("127.0.0.1", 0))
            port = str(free.getsockname()[1])
        arguments = [port]
        settings |= {"CHATDESK_PROVIDER": "openai", "OPENAI_MODEL": "model", "OPENAI_API_KEY": "sk-test"}
        settings["OPENAI_BASE_URL"] = f"http://127.0.0.1:{port}/v1"
    with DesktopSession(tmp_path) as desktop:
        chatdesk = desktop.start_chatdesk(tmp_path / "data", **settings)
        walked = desktop.run(
            [SYSTEM_PYTHON, "-W", "ignore", str(_HERE / f"screen_reader_{walk}.py"), *arguments], timeout_s=240
        )
        assert walked.returncode == 0, f"after {walked.stdout.split()}:\n{walked.stderr[-3000:]}\n{desktop.log()}"
        assert walked.stdout.split()[-1] == "quit"
        assert chatdesk.wait(30) == 0
