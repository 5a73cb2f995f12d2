"""The settings for assistive programs reach what they are about."""

from __future__ import annotations

from pathlib import Path

import pytest

from chatdesk.app import run_window
from chatdesk.core.paths import AppPaths
from chatdesk.core.settings.schema import Settings
from chatdesk.ui.application.window_application import WindowApplication


@pytest.mark.usefixtures("qapp")
@pytest.mark.parametrize(("motion", "is_reduced"), [("none", True), ("full", False)])
def test_settings_decide_on_motion_contrast_and_reading(tmp_path: Path, motion: str, is_reduced: bool) -> None:
    seen: dict[str, object] = {}

    async def look(application: WindowApplication) -> int:
        await application.services()
        theme = application.panes.theme
        seen.update(reduced=theme.motion.is_reduced, contrast=theme.is_contrast_high)
        seen["reading"] = application.panes.transcript.parts.narrator.mode
        return 0

    settings = Settings(motion=motion, theme="dark-contrast", read_answers="end")
    assert run_window(AppPaths.find(tmp_path / "profile"), settings, script=look) == 0
    assert seen == {"reduced": is_reduced, "contrast": True, "reading": "end"}
