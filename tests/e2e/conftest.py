"""The profile that a window opens."""

from __future__ import annotations

from pathlib import Path

import pytest

from chatdesk.core.paths import AppPaths


@pytest.fixture
def paths(tmp_path: Path) -> AppPaths:
    return AppPaths.find(tmp_path / "profile")
