"""What a window needs to take a key: nothing that only a thread, a dialog or a service needs."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

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
LATER = (
    "chatdesk.ui.transcript",
    "chatdesk.ui.dialogs",
    "chatdesk.ui.inspector",
    "chatdesk.ui.palette",
    "chatdesk.ui.compare",
    "chatdesk.ui.application.bindings",
    "chatdesk.core.chat",
    "chatdesk.core.context",
    "chatdesk.core.providers",
    "chatdesk.core.rendering",
    "chatdesk.core.search",
    "chatdesk.core.storage.database",
    "chatdesk.core.transfer",
    "sqlalchemy",
    "alembic",
    "openai",
    "pygments",
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
