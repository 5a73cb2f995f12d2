"""What is pressed is large enough to be hit, and what is written can be read, wherever the window shows it."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QSize
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractSpinBox,
    QApplication,
    QComboBox,
    QLineEdit,
    QScrollBar,
    QSlider,
    QTabBar,
    QWidget,
)

import tests.gallery
from chatdesk.ui.theme.theme import Theme
from chatdesk.ui.theme.tokens import DARK, DARK_CONTRAST, LIGHT, LIGHT_CONTRAST, Tokens
from tests.ui.transcript.test_transcript_context_marks import contrast

_MODULES = sorted(path.stem for path in Path(tests.gallery.__path__[0]).glob("*_samples.py"))
_PRESSED = (QAbstractButton, QAbstractSpinBox, QComboBox, QLineEdit, QSlider, QTabBar)
_LEAST_PX = 24  # WCAG 2.2, 2.5.8
_GROUNDS = ("background", "surface", "card", "question", "code", "hover", "selected", "warning_tint", "danger_tint")
_PAIRS = (
    *((ink, ground) for ink in ("text", "muted", "accent", "warning", "danger") for ground in _GROUNDS),
    ("on_accent", "accent"),
    ("on_accent", "accent_hover"),
)


@pytest.fixture
def theme(qapp: QApplication) -> Iterator[Theme]:
    made = Theme(qapp, preference="light")
    made.set_scale(1.0)
    made.apply()
    yield made
    made.deleteLater()


def _targets(widget: QWidget) -> Iterator[tuple[QWidget, QSize]]:
    """What a person presses in ``widget``, with the size of what takes the press."""
    for each in (widget, *widget.findChildren(QWidget)):
        is_part = isinstance(each.parentWidget(), QAbstractSpinBox | QComboBox)  # the field within a larger one
        if not each.isVisible() or is_part or isinstance(each, QScrollBar):
            continue
        if isinstance(each, QTabBar):
            for place in range(each.count()):
                yield each, each.tabRect(place).size()
        elif isinstance(each, _PRESSED):
            yield each, each.size()


@pytest.mark.parametrize("module", _MODULES)
def test_what_is_pressed_is_at_least_24_by_24(theme: Theme, module: str) -> None:
    small: set[str] = set()
    for name, widget in importlib.import_module(f"tests.gallery.{module}").build_samples(theme):
        widget.show()
        for _round in range(5):
            QApplication.processEvents()
        for each, size in _targets(widget):
            if min(size.width(), size.height()) < _LEAST_PX:
                words = each.accessibleName() or each.objectName()
                small.add(f"{name}: {type(each).__name__} {words!r} is {size.width()} x {size.height()}")
        widget.close()
        widget.deleteLater()
    assert small == set()


@pytest.mark.parametrize("tokens", [LIGHT, DARK, LIGHT_CONTRAST, DARK_CONTRAST])
def test_every_ink_can_be_read_on_every_ground(tokens: Tokens) -> None:
    found = {pair: contrast(getattr(tokens, pair[0]), getattr(tokens, pair[1])) for pair in _PAIRS}
    assert {pair: round(value, 2) for pair, value in found.items() if value < 4.5} == {}
