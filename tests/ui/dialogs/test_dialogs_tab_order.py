"""Tab goes through the forms of the gallery as the eye does: line by line, and each line from its beginning."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from itertools import pairwise

import pytest
from PySide6.QtCore import QPoint, QRect, Qt
from PySide6.QtWidgets import QApplication, QScrollArea, QWidget

from chatdesk.ui.dialogs.panel import Panel
from chatdesk.ui.theme.theme import Theme
from chatdesk.ui.widgets.empty_state import EmptyState

# Those of forms in one column.
_MODULES = ("first", "import", "library", "tools", "usage")
_MOST = 200
_LINE_PX = 8  # what is nearer than that is in one line


@pytest.fixture
def theme(qapp: QApplication) -> Iterator[Theme]:
    made = Theme(qapp, preference="light")
    made.apply()
    yield made
    made.deleteLater()


def _chain(root: QWidget) -> list[QWidget]:
    """Return what Tab reaches in ``root``, from the topmost on."""
    found: list[QWidget] = []
    widget = root
    for _ in range(_MOST):
        widget = widget.nextInFocusChain()
        if widget is root:
            break
        takes_tab = widget.isEnabled() and bool(widget.focusPolicy() & Qt.FocusPolicy.TabFocus)
        if root.isAncestorOf(widget) and widget.isVisible() and takes_tab and not isinstance(widget, QScrollArea):
            found.append(widget)
    first = min(range(len(found)), key=lambda place: _place(found[place], root).topLeft().toTuple()[::-1], default=0)
    return found[first:] + found[:first]


def _place(widget: QWidget, root: QWidget) -> QRect:
    return QRect(widget.mapTo(root, QPoint(0, 0)), widget.size())


def _goes_back(before: QRect, after: QRect) -> bool:
    is_same_line = abs(after.center().y() - before.center().y()) < _LINE_PX
    return after.bottom() < before.top() or (is_same_line and after.left() < before.left())


@pytest.mark.parametrize("module", _MODULES)
def test_tab_never_goes_back(theme: Theme, module: str) -> None:
    wrong, forms = [], 0
    for name, sample in importlib.import_module(f"tests.gallery.{module}_samples").build_samples(theme):
        if isinstance(sample, Panel | EmptyState):
            sample.show()
            for _round in range(4):
                QApplication.processEvents()
            chain = _chain(sample)
            places = [_place(each, sample) for each in chain]
            for index, (before, after) in enumerate(pairwise(places)):
                if _goes_back(before, after):
                    wrong.append((name, chain[index].objectName(), chain[index + 1].objectName()))
            forms += len(chain) > 1
        sample.close()
        sample.deleteLater()
    assert forms
    assert wrong == []
