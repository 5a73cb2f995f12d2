"""What is pressed is large enough to be hit, and what is written can be read, wherever the window shows it."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QColor, QImage
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractSpinBox,
    QApplication,
    QCheckBox,
    QComboBox,
    QLineEdit,
    QPushButton,
    QRadioButton,
    QScrollBar,
    QSlider,
    QTabBar,
    QVBoxLayout,
    QWidget,
)

import tests.gallery
from chatdesk.ui.theme.theme import Preference, Theme
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


def _drawn(widget: QWidget) -> QImage:
    QApplication.processEvents()
    return widget.grab().toImage()


def _clear_changes(one: QImage, other: QImage) -> int:
    """Count the pixels that differ with a contrast of at least 3:1 (WCAG 2.2, 1.4.11 and 2.4.13)."""
    pixels = ((x, y) for x in range(one.width()) for y in range(one.height()) if one.pixel(x, y) != other.pixel(x, y))
    return sum(contrast(QColor(one.pixel(x, y)).name(), QColor(other.pixel(x, y)).name()) >= 3 for x, y in pixels)


@pytest.mark.parametrize("preference", ["light", "dark", "light-contrast", "dark-contrast"])
@pytest.mark.parametrize("is_checked", [False, True])
@pytest.mark.parametrize("kind", [QCheckBox, QRadioButton, QPushButton])
def test_the_focus_of_a_button_is_seen(
    theme: Theme, preference: Preference, kind: type[QAbstractButton], is_checked: bool
) -> None:
    theme.set_preference(preference)
    page, other, button = QWidget(), QLineEdit(), kind("On")
    column = QVBoxLayout(page)
    for each in (other, button):
        column.addWidget(each)
    button.setCheckable(True)
    button.setChecked(is_checked)
    page.show()
    page.activateWindow()
    other.setFocus()
    unfocused, size = _drawn(button), button.size()
    button.setFocus(Qt.FocusReason.TabFocusReason)
    focused = _drawn(button)
    assert button.hasFocus()
    assert button.size() == size
    assert _clear_changes(unfocused, focused) >= 20
    page.close()
    page.deleteLater()
