"""What a window imports to take a key, and what it has loaded when nobody does anything: nothing that can wait."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SCRIPT = """
import sys
from chatdesk.app import run_window
from chatdesk.core.paths import AppPaths
from chatdesk.core.settings.schema import Settings

async def script(window):
    print("\\n".join(sorted(sys.modules)), flush=True)
    await window.services()
    return 0

sys.exit(run_window(AppPaths.find(sys.argv[1]), Settings(), script=script))
"""
IDLE_SCRIPT = """
import sys
from chatdesk.app import run_window  # before all else, as in the program
from PySide6.QtCore import QEvent
from PySide6.QtWidgets import QApplication
from chatdesk.core.paths import AppPaths
from chatdesk.core.settings.schema import Settings

async def script(window):
    import asyncio
    from tests.helpers.waiting import until
    await window.services()
    await until(lambda: window.panes.empty_state.first_screen is not None)
    await until(lambda: not [each for each in asyncio.all_tasks() if each.get_name() == "prepare to connect"])
    renderer = window.bindings.renderer
    print("\\n".join(sorted(sys.modules)), "worker runs" if renderer.is_running else "", sep="\\n", flush=True)
    QApplication.sendEvent(window.panes.sidebar, QEvent(QEvent.Type.Enter))
    await until(lambda: renderer.is_running)
    window.panes.empty_state.first_screen.provider.key.field.setText("s")
    await until(lambda: "keyring" in sys.modules)
    return 0

sys.exit(run_window(AppPaths.find(sys.argv[1]), Settings(), script=script))
"""
COMMAND_LINE_SCRIPT = """
import sys
import chatdesk.app
from chatdesk.cli.main import run

def run_window(paths, settings, *, target, can_be_played):
    print(paths.data_dir, *sorted(sys.modules), sep="\\n")
    return 0

chatdesk.app.run_window = run_window
sys.exit(run(sys.argv[1:]))
"""
NEEDED_BY_A_WINDOW = {
    "chatdesk.cli",
    "chatdesk.cli.parser",
    "chatdesk.cli.failures",
    "chatdesk.cli.main",
    "chatdesk.cli.opening",
}
LATER = (
    "_ssl",
    "chatdesk.services.",
    "chatdesk.core.domain.",
    "chatdesk.ui.transcript",
    "chatdesk.ui.widgets.found",
    "chatdesk.ui.features.compare",
    "chatdesk.ui.application.bindings",
    "chatdesk.core.chat",
    "chatdesk.core.context",
    "chatdesk.core.providers",
    "chatdesk.core.rendering",
    "chatdesk.core.search",
    "chatdesk.core.storage.engine.database",
    "chatdesk.core.transfer",
    "sqlalchemy",
    "alembic",
    "openai",
    "pygments",
    "tiktoken",
)


WHEN_WANTED = (
    "chatdesk.core.sync.team_service",
    "chatdesk.ui.features.team.team_dialogs",
    "chatdesk.ui.features.team.team_window",
    "_hashlib",
    "_ssl",
    "keyring",
    "secretstorage",
    "cryptography",
    "alembic",
    "markdown_it",
    "openai",
    "PIL",
    "psycopg",
    "pygments",
    "pypdfium2",
    "tiktoken",
)


def test_a_window_takes_keys_before_anything_else_is_imported(tmp_path: Path) -> None:
    ran = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(tmp_path / "data")], cwd=ROOT, capture_output=True, text=True, timeout=60
    )
    assert ran.returncode == 0, ran.stderr
    imported = ran.stdout.split()
    assert "chatdesk.ui.composer.composer" in imported
    early = [name for name in imported if name.startswith(LATER)]
    assert early == []


@pytest.mark.parametrize("more", [[], ["--debug"]], ids=["plain", "debug"])
def test_a_window_opens_without_the_modules_of_commands(tmp_path: Path, more: list[str]) -> None:
    data_dir = tmp_path / "data"
    command = [sys.executable, "-c", COMMAND_LINE_SCRIPT, "--data-dir", str(data_dir), *more]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert ran.returncode == 0, ran.stderr
    place, *imported = ran.stdout.splitlines()
    assert place == str(data_dir)
    assert {name for name in imported if name.startswith("chatdesk.cli")} == NEEDED_BY_A_WINDOW


def test_a_window_at_rest_has_loaded_nothing_before_it_is_wanted(tmp_path: Path) -> None:
    ran = subprocess.run(
        [sys.executable, "-c", IDLE_SCRIPT, str(tmp_path / "data")],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert ran.returncode == 0, ran.stderr
    loaded = ran.stdout.split("\n")
    assert "chatdesk.ui.features.providers.provider_form" in loaded
    assert [name for name in loaded if name in WHEN_WANTED or name.split(".")[0] in WHEN_WANTED] == []
    assert "worker runs" not in loaded
