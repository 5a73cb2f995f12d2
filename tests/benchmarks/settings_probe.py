"""Opening the settings and each of their pages for the first time through the whole application.

``settings_probe DATA``; prints, as JSON, the largest turn of the window's loop (CPU, ms) of each.
"""

from __future__ import annotations

import asyncio
import json
import sys
from typing import TYPE_CHECKING, Any

import chatdesk.ui  # noqa: F401 - it imports PySide, as in the program, before the probe does
from chatdesk.app import run_window
from chatdesk.core.paths import AppPaths
from chatdesk.core.settings.schema import PAGES, Settings
from tests.benchmarks.loop_probe import LoopProbe

if TYPE_CHECKING:
    from chatdesk.ui.features.settings.settings_dialog import SettingsDialog

_SETTLED_S = 0.5


async def measure(application: Any) -> int:
    await application.services()
    await asyncio.sleep(8 * _SETTLED_S)
    turns = {}
    with LoopProbe() as probe:
        for page in PAGES:
            probe.turns_ms.clear()
            if turns:
                _dialog().show_page(page)
            else:
                application.panes.commands.trigger("app.settings")
            await asyncio.sleep(_SETTLED_S)
            turns[page] = max(probe.turns_ms)
    _dialog().reject()
    print(json.dumps({"turns_ms": turns}))
    return 0


def _dialog() -> SettingsDialog:
    from PySide6.QtWidgets import QApplication

    dialog: Any = next(each for each in QApplication.topLevelWidgets() if each.objectName() == "settingsDialog")
    return dialog


if __name__ == "__main__":
    sys.exit(run_window(AppPaths.find(sys.argv[1]), Settings(), script=measure))
