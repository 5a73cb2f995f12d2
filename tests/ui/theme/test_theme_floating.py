"""What lies over the window is painted on one ground with one edge, so that it is told from what is below it."""

from __future__ import annotations

import importlib
from collections.abc import Iterator

import pytest
from PySide6.QtGui import QColor, QImage
from PySide6.QtWidgets import QApplication, QComboBox, QMenu, QWidget

from chatdesk.ui.features.inspector.context_binding import ContextPopover
from chatdesk.ui.theme.theme import Theme
from chatdesk.ui.theme.tokens import DARK
from chatdesk.ui.widgets.toast import Toast
from tests.gallery.transcript_samples import build_view, sample_answer


@pytest.fixture
def theme(qapp: QApplication) -> Iterator[Theme]:
    made = Theme(qapp, preference="dark")
    made.apply()
    yield made
    made.set_preference("light")


# What is looked at, and what it ends with.
_Made = tuple[QWidget, ...]


def _sample(theme: Theme, module: str, name: str) -> _Made:
    samples = dict(importlib.import_module(f"tests.gallery.{module}_samples").build_samples(theme))
    chosen = samples.pop(name)
    for each in samples.values():
        each.close()
        each.deleteLater()
    return (chosen,)


def _toast(theme: Theme) -> _Made:
    page = QWidget()
    page.resize(600, 400)
    page.show()
    toast = Toast(theme, page)
    toast.show_message("Moved to the trash.", action_text="Undo")
    return toast, page


def _popover(theme: Theme) -> _Made:
    page = QWidget()
    return ContextPopover(theme, ["Half of it is taken."], parent=page), page


def _menu(theme: Theme) -> _Made:
    menu = QMenu()
    menu.addAction("Copy")
    return (menu,)


def _list_of_a_box(theme: Theme) -> _Made:
    box = QComboBox()
    box.addItems(["One", "Two"])
    box.show()
    box.showPopup()
    return box.view(), box


def _part_of_transcript(theme: Theme, name: str) -> _Made:
    _name, messages, blocks = sample_answer()
    view = build_view(theme, messages, blocks)
    view.show()
    view.finding.open("row")
    view.parts.link_status.show_target("https://example.com/far")
    return view.findChild(QWidget, name), view


_MAKERS = {
    "a toast": _toast,
    "a popover": _popover,
    "a menu": _menu,
    "a menu with icons": lambda theme: _sample(theme, "step", "step-menu"),
    "the list of a box": _list_of_a_box,
    "the palette": lambda theme: _sample(theme, "palette", "palette-nothing"),
    "the quick window": lambda theme: _sample(theme, "desktop", "quick-window"),
    "the list of models": lambda theme: _sample(theme, "widget", "model-menu"),
    "the list of projects": lambda theme: _sample(theme, "library", "project-menu"),
    "the field that finds": lambda theme: _part_of_transcript(theme, "findBar"),
    "where a link leads": lambda theme: _part_of_transcript(theme, "linkStatus"),
}


def _commonest(image: QImage) -> str:
    counted: dict[str, int] = {}
    for y in range(0, image.height(), 2):
        for x in range(0, image.width(), 2):
            name = QColor(image.pixel(x, y)).name().upper()
            counted[name] = counted.get(name, 0) + 1
    return max(counted, key=lambda name: counted[name])


def _edges_at_the_middle(image: QImage) -> list[str]:
    """Return the colours from the left edge to a quarter of the width, half-way down."""
    return [QColor(image.pixel(x, image.height() // 2)).name().upper() for x in range(image.width() // 4)]


@pytest.mark.parametrize("what", _MAKERS)
def test_it_has_the_ground_and_the_edge_of_what_floats(theme: Theme, what: str) -> None:
    widget, *_kept = _MAKERS[what](theme)
    if not widget.isVisible():
        widget.show()
    for _round in range(4):
        QApplication.processEvents()
    image = widget.grab().toImage()
    widget.close()
    assert _commonest(image) == DARK.floating
    assert DARK.field_line in _edges_at_the_middle(image)
