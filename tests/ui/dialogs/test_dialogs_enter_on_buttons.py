"""Enter presses the button that has the focus: in every dialog of the gallery, and in the window."""

from __future__ import annotations

import importlib
from pathlib import Path

import pytest
from PySide6.QtCore import SIGNAL, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QApplication, QCheckBox, QPushButton, QRadioButton, QToolButton, QWidget
from shiboken6 import Shiboken

import tests.gallery
from chatdesk.ui.dialogs.panel import Panel
from chatdesk.ui.theme.theme import Theme
from tests.helpers.examples import sample

_MODULES = sorted(path.stem for path in Path(tests.gallery.__path__[0]).glob("*_samples.py"))


@pytest.fixture
def theme(qapp: QApplication) -> Theme:
    theme = Theme(qapp, preference="light")
    theme.apply()
    return theme


def buttons_of(root: QWidget) -> list[QAbstractButton]:
    """What Tab reaches and Enter should press. A button with a menu of Qt's own opens it and waits."""
    return [
        each
        for each in root.findChildren(QAbstractButton)
        if each.isVisible()
        and each.isEnabled()
        and each.focusPolicy() & Qt.FocusPolicy.TabFocus
        and not isinstance(each, QCheckBox | QRadioButton)
        and not (isinstance(each, QPushButton | QToolButton) and each.menu() is not None)
    ]


def unpressed(root: QWidget) -> list[str]:
    """The buttons that Enter does not press, or not alone."""
    found = []
    pressed: list[QAbstractButton] = []
    buttons = buttons_of(root)
    for each in buttons:
        if each.receivers(SIGNAL("clicked(bool)")):
            each.clicked.disconnect()  # what it does is not wanted here
        each.clicked.connect(lambda _checked=False, each=each: pressed.append(each))
    for each in buttons:
        pressed.clear()
        each.setFocus(Qt.FocusReason.TabFocusReason)
        QTest.keyClick(each, Qt.Key.Key_Return)
        if pressed != [each]:
            found.append(f"{type(each).__name__} {each.objectName()} {each.text()!r}")
    return found


def delete(widget: QWidget) -> None:
    if Shiboken.isValid(widget):
        widget.close()
        if Shiboken.isValid(widget):
            widget.deleteLater()


@pytest.mark.parametrize("module", sample(_MODULES, 9))
def test_enter_presses_every_focused_button(theme: Theme, module: str) -> None:
    wrong: dict[str, list[str]] = {}
    for name, widget in importlib.import_module(f"tests.gallery.{module}").build_samples(theme):
        if isinstance(widget, Panel):
            widget.show()
            widget.activateWindow()
            QApplication.processEvents()
            missed = unpressed(widget)
            if missed:
                wrong[name] = missed
        delete(widget)
    assert wrong == {}


def test_the_dialogs_of_the_gallery_are_found() -> None:
    assert len(_MODULES) > 10
