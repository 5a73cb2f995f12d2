"""Icons are read once, on a thread, and drawn from memory after that."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtGui import QPixmapCache
from pytestqt.qtbot import QtBot

from chatdesk.core.paths import resources_dir
from chatdesk.ui.theme.icons import icon_pixmap, read_icons


def test_icons_that_were_read_are_drawn_without_the_disk(qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    read_icons()

    def refuse(*_arguments: object, **_options: object) -> str:
        raise AssertionError("a file is read while an icon is drawn")

    monkeypatch.setattr(Path, "read_text", refuse)
    QPixmapCache.clear()
    names = sorted(path.stem for path in (resources_dir() / "icons").glob("*.svg"))
    assert len(names) > 50
    for name in names:
        drawn = icon_pixmap(name, "#123456", 16, device_pixel_ratio=1.0).toImage()
        assert any(drawn.pixelColor(x, y).alpha() for x in range(16) for y in range(16)), name
