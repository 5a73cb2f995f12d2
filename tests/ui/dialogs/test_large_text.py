"""With text of twice the size every dialog stays within a small window, and all of it can be reached."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QCoreApplication, QEvent, QPoint, QRect
from PySide6.QtWidgets import QApplication, QComboBox, QPushButton, QScrollArea, QWidget
from pytestqt.qtbot import QtBot

import tests.gallery
from chatdesk.ui.dialogs.outline import OutlineDialog
from chatdesk.ui.dialogs.panel import Panel
from chatdesk.ui.theme.theme import Theme

_MODULES = sorted(path.stem for path in Path(tests.gallery.__path__[0]).glob("*_samples.py"))
_SIZE = (1000, 700)
#: They take their size from the window that they are made for, and here get another one later.
_FIT_WHERE_THEY_WERE_MADE = ("outline", "palette", "provider-models")


@pytest.fixture
def theme(qapp: QApplication) -> Iterator[Theme]:
    made = Theme(qapp, preference="light")
    made.set_scale(2.0)
    made.apply()
    yield made
    made.set_scale(1.0)
    made.apply()
    made.deleteLater()


def _squeezed(panel: Panel) -> list[str]:
    """Buttons and boxes that are lower than their words."""
    return [
        f"{type(each).__name__} {each.objectName()}"
        for kind in (QPushButton, QComboBox)
        for each in panel.findChildren(kind)
        if each.isVisible() and each.height() < each.fontMetrics().height()
    ]


def _out_of_reach(panel: Panel) -> list[str]:
    """Buttons that lie outside of the dialog, with nothing to scroll them into view."""
    found = []
    for each in panel.findChildren(QPushButton):
        place = QRect(each.mapTo(panel, QPoint(0, 0)), each.size())
        if each.isVisible() and not panel.rect().contains(place) and not _scrolls(each, panel):
            found.append(f"{each.objectName()} {each.text()!r} at {place}")
    return found


def _scrolls(widget: QWidget, panel: Panel) -> bool:
    above = widget.parentWidget()
    while above is not None and above is not panel:
        if isinstance(above, QScrollArea):
            return True
        above = above.parentWidget()
    return False


@pytest.mark.parametrize("module", _MODULES)
def test_nothing_of_a_dialog_is_cut_off(theme: Theme, module: str) -> None:
    wrong: dict[str, list[str]] = {}
    for name, panel in importlib.import_module(f"tests.gallery.{module}").build_samples(theme):
        if isinstance(panel, Panel) and not name.startswith(_FIT_WHERE_THEY_WERE_MADE):
            window = QWidget()
            window.resize(*_SIZE)
            window.show()
            panel.setParent(window, panel.windowFlags())
            panel.open()
            for _round in range(5):
                QApplication.processEvents()
            panel.layout().activate()
            found = [*_squeezed(panel), *_out_of_reach(panel)]
            if panel.width() > window.width() or panel.height() > window.height():
                found.append(f"it is {panel.width()} x {panel.height()}")
            if found:
                wrong[name] = found
            panel.close()
            window.close()
            window.deleteLater()
        else:
            panel.close()
            panel.deleteLater()
    assert wrong == {}


def test_dialogs_that_are_gone_hear_no_more_of_the_look(theme: Theme, qtbot: QtBot) -> None:
    """An exception there would come with every later change of the theme."""
    for module in _MODULES:
        for _name, widget in importlib.import_module(f"tests.gallery.{module}").build_samples(theme):
            widget.close()
            widget.deleteLater()
        QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)
    with qtbot.captureExceptions() as raised:
        theme.set_preference("dark")
        theme.set_preference("light")
        QApplication.processEvents()
    assert raised == []


def test_nothing_of_the_questions_is_cut_off(theme: Theme) -> None:
    window = QWidget()
    window.resize(*_SIZE)
    window.show()
    panel = OutlineDialog(theme, parent=window)
    panel.open()
    QApplication.processEvents()
    assert [*_squeezed(panel), *_out_of_reach(panel)] == []
    assert panel.height() <= window.height()
    panel.close()
    window.close()
