"""The first screen: tiles of the programs to import from, reached by keyboard and named for screen readers."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QApplication
from pytestqt.qtbot import QtBot

from chatdesk.ui.features.first_screen.first_screen import FirstScreen
from chatdesk.ui.theme.theme import Theme


@pytest.mark.parametrize(("width", "columns"), [(744, 3), (400, 2)])
def test_tiles_lead_to_the_import_and_stand_in_columns(
    qapp: QApplication, qtbot: QtBot, width: int, columns: int
) -> None:
    screen = FirstScreen(Theme(qapp))
    qtbot.addWidget(screen)
    screen.resize(width, 700)
    screen.show()
    asked: list[str] = []
    screen.importRequested.connect(asked.append)
    tiles = [each for each in screen.findChildren(QAbstractButton) if each.objectName().startswith("wayInImport")]
    assert [each.text() for each in tiles] == ["ChatGPT", "Claude", "Open WebUI", "LibreChat", "LM Studio", "More…"]
    assert [each.accessibleName() for each in tiles[::5]] == ["Import from ChatGPT", "Import…"]
    assert len({each.x() for each in tiles}) == columns
    assert len({each.width() for each in tiles}) <= 2, "as wide as their columns, but for a pixel"
    for tile in (tiles[1], tiles[-1]):
        QTest.keyClick(tile, Qt.Key.Key_Return)
    assert asked == ["Claude", ""]
