"""Round corners of everything that opens over the window, with a compositor and without."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QApplication, QMenu
from pytestqt.qtbot import QtBot

import chatdesk.ui
from chatdesk.ui.theme import compositing
from chatdesk.ui.theme.compositing import round_corners

_OPENS_OVER = re.compile(r"\bQMenu\(|\baddMenu\(|WindowType\.Popup\b|\bDangerMenu\(")
_ROUNDED = "round_corners("
# The bar's menus are the system's own: there is a bar on macOS only.
_NATIVE = {"commands/registry.py"}


@pytest.fixture
def menu(qapp: QApplication, qtbot: QtBot) -> QMenu:
    made = QMenu()
    made.addAction("Pin")
    qtbot.addWidget(made)
    return made


def test_without_a_compositor_the_corners_are_cut_out(menu: QMenu, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compositing, "is_composited", lambda: False)
    round_corners(menu, 8)
    menu.popup(QPoint(0, 0))
    mask, area = menu.mask(), menu.rect()
    for corner in (area.topLeft(), area.topRight(), area.bottomLeft(), area.bottomRight()):
        assert not mask.contains(corner)
    assert mask.contains(area.center())
    menu.addAction("A much longer entry than the first one")
    menu.popup(QPoint(0, 0))
    assert menu.mask().contains(menu.rect().center()), "the shape follows the size"
    assert menu.mask().boundingRect().width() >= menu.width() - 1


def test_with_a_compositor_they_are_blended(menu: QMenu, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compositing, "is_composited", lambda: True)
    round_corners(menu, 8)
    menu.popup(QPoint(0, 0))
    assert menu.testAttribute(Qt.WidgetAttribute.WA_TranslucentBackground)
    assert menu.windowFlags() & Qt.WindowType.FramelessWindowHint
    assert menu.windowType() is Qt.WindowType.Popup, "still a popup: a click elsewhere closes it"
    assert menu.mask().isEmpty()


def test_every_menu_and_popup_of_the_window_has_them() -> None:
    root = Path(chatdesk.ui.__path__[0])
    square = []
    for path in sorted(root.rglob("*.py")):
        text = path.read_text("utf-8")
        opened = len(_OPENS_OVER.findall(text)) - text.count("class DangerMenu(QMenu)")
        if str(path.relative_to(root)) not in _NATIVE and opened and text.count(_ROUNDED) < 1:
            square.append(str(path.relative_to(root)))
    assert square == []
