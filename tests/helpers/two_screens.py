"""Moves samples of the gallery from a screen of scale 1 to one of scale 2, and compares them there with samples that
were never anywhere else. Runs as a process of its own, because Qt reads about screens when it starts.

Prints JSON: how many samples there were, and what was wrong with which.
"""

from __future__ import annotations

import importlib
import json
import sys
from pathlib import Path

from PySide6.QtCore import QPoint
from PySide6.QtGui import QGuiApplication, QImage, QScreen
from PySide6.QtWidgets import QApplication, QLineEdit, QWidget

from chatdesk.ui.theme.theme import Theme

_SCREEN = {"y": 0, "width": 3200, "height": 2000, "logicalDpi": 96, "logicalBaseDpi": 96, "dpr": 1}
_CORNER = QPoint(20, 20)


def environment_of(folder: Path) -> dict[str, str]:
    """Return what a process needs for two screens, of scale 1 and of scale 2."""
    screens = [{**_SCREEN, "name": "one", "x": 0}, {**_SCREEN, "name": "two", "x": 3200}]
    described = folder / "screens.json"
    described.write_text(json.dumps({"screens": screens}), encoding="utf-8")
    return {"QT_QPA_PLATFORM": f"offscreen:configfile={described}", "QT_SCREEN_SCALE_FACTORS": "one=1;two=2"}


def main() -> None:
    application = QApplication([*sys.argv[:1], "-style", "Fusion"])
    theme = Theme(application, preference="light", has_style=True)
    theme.apply()
    theme.load_other_fonts()
    theme.motion.set_reduced(True)
    count, wrong = 0, {}
    for name in sys.argv[1:]:
        module = importlib.import_module(f"tests.gallery.{name}")
        for (sample, moved), (_same, settled) in zip(
            module.build_samples(theme), module.build_samples(theme), strict=True
        ):
            count += 1
            found = _difference(moved, settled)
            if found:
                wrong[sample] = found
    sys.stdout.write(json.dumps({"count": count, "wrong": wrong}) + "\n")


def _difference(moved: QWidget, settled: QWidget) -> str:
    """Return what is wrong with a sample that was moved; nothing where it is as sharp as one that was not."""
    one, two = QGuiApplication.screens()
    _show(moved, one)
    before = moved.grab().devicePixelRatio()
    size = moved.size()
    moved.windowHandle().setScreen(two)
    moved.move(two.geometry().topLeft() + _CORNER)
    QApplication.processEvents()
    moved.resize(size)  # the platform of tests keeps the pixels, a desktop the size
    _show(settled, two)
    pictures = [_picture(each) for each in (moved, settled)]
    ratios = before, moved.devicePixelRatioF(), settled.devicePixelRatioF()
    for each in (moved, settled):
        each.close()
        each.deleteLater()
    if ratios != (1.0, 2.0, 2.0):
        return f"its scales are {ratios}"
    if pictures[0].size() != pictures[1].size():
        return f"it is {pictures[0].size()} in place of {pictures[1].size()}"
    return "" if pictures[0] == pictures[1] else "its pixels differ"


def _show(widget: QWidget, screen: QScreen) -> None:
    widget.setScreen(screen)
    widget.move(screen.geometry().topLeft() + _CORNER)
    widget.show()
    for _round in range(4):
        QApplication.processEvents()


def _picture(widget: QWidget) -> QImage:
    if widget.focusWidget() is not None:
        widget.focusWidget().clearFocus()  # a caret blinks
    for field in widget.findChildren(QLineEdit):
        field.deselect()  # the first focus selects words, which only an active window has
    for _round in range(4):
        QApplication.processEvents()
    return widget.grab().toImage().convertToFormat(QImage.Format.Format_RGB32)


if __name__ == "__main__":
    main()
