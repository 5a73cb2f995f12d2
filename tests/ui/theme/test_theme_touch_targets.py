"""In touch mode whatever is pressed is large enough for a finger, in every sample of the gallery."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QCoreApplication
from PySide6.QtWidgets import QApplication

from chatdesk.ui.theme.theme import Theme
from tests.gallery.touch_targets import targets_of
from tests.helpers.examples import sample

GALLERY = Path(__file__).parents[2] / "gallery"
LEAST_PX = 40


@pytest.fixture
def theme(qapp: QApplication) -> Iterator[Theme]:
    made = Theme(qapp, preference="light")
    made.load_other_fonts()
    made.set_touched(True)
    made.apply()
    yield made
    made.set_touched(False)


@pytest.mark.parametrize("module", sample(sorted(path.stem for path in GALLERY.glob("*_samples.py")), 8))
def test_every_target_is_large_enough_for_a_finger(module: str, theme: Theme) -> None:
    small = []
    for shown, widget in importlib.import_module(f"tests.gallery.{module}").build_samples(theme):
        widget.show()
        for _round in range(3):
            QCoreApplication.processEvents()
        small += [
            f"{shown}: {name} is {width} × {height}"
            for name, width, height in targets_of(widget)
            if min(width, height) < LEAST_PX
        ]
        widget.close()
        widget.deleteLater()
    assert small == []


def test_without_touch_everything_is_as_dense_as_before(qapp: QApplication) -> None:
    theme = Theme(qapp)
    assert (theme.target_px(), theme.target_px(34)) == (28, 34)
    theme.set_scale(1.5)
    assert (theme.target_px(), theme.target_px(34)) == (42, 51)
    theme.set_touched(True)
    assert (theme.target_px(), theme.target_px(34), theme.target_px(0)) == (44, 51, 44)
