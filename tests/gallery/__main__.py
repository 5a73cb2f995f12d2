"""Draws every widget in its states, light and dark, to PNG files and contact sheets.

    python -m tests.gallery --out build/gallery [--only NAME] [--language CODE] [--mockups FOLDER]
        [--pictures FOLDER] [--before COMMIT]

Each module here named ``*_samples.py`` has ``build_samples(theme) -> list[tuple[str, QWidget]]``. A sample may set the
property ``focusOn`` to the object name of the child that has the focus in its picture, and ``keys`` to a list of keys
that are pressed there.
"""

from __future__ import annotations

import argparse
import gc
import importlib
import os
import sys
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PySide6.QtCore import QPoint, QRect, Qt
from PySide6.QtGui import QPainter, QPixmap
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget

from chatdesk.core.languages import LANGUAGES
from chatdesk.core.texts import is_translated
from chatdesk.translation import translate_qt, use_language
from chatdesk.ui.theme.theme import Preference, Theme
from tests.helpers.pseudo_language import speak

_SHEET_WIDTH_PX = 1600
_GAP_PX = 24
_LOOKS: tuple[tuple[str, Preference, float], ...] = (
    ("light", "light", 1.0),
    ("dark", "dark", 1.0),
    ("light-200", "light", 2.0),
    ("light-contrast", "light-contrast", 1.0),
    ("dark-contrast", "dark-contrast", 1.0),
)


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.gallery")
    parser.add_argument("--out", type=Path, default=Path("build/gallery"))
    parser.add_argument("--only", default="", help="part of a sample's name")
    parser.add_argument("--modules", default="*_samples.py", help="pattern of the sample modules")
    parser.add_argument("--language", default="en", choices=(*LANGUAGES, "pseudo"), help="pseudo: 40 %% longer")
    parser.add_argument(
        "--mockups", type=Path, help="folder of mockups to draw beside the real window, and nothing else"
    )
    parser.add_argument("--pictures", type=Path, help="folder for the pictures of the documents, and nothing else")
    parser.add_argument("--before", default="", help="commit to draw the steps of the design beside, and nothing else")
    options = parser.parse_args(arguments)
    if options.language == "pseudo":
        speak(1.4)
    elif use_language(options.language) != "en" and not is_translated():
        parser.error("the catalogues are not compiled: make translations")
    application = QApplication([])
    gc.disable()  # as in a window: see ``ui/qt/garbage.py``
    translate_qt(application)
    theme = Theme(application)
    theme.apply()
    theme.load_other_fonts()
    if options.mockups is not None:
        from tests.gallery.pairs import write_pairs

        count = write_pairs(theme, options.mockups, options.out / "pairs")
        sys.stdout.write(f"{count} pairs in {options.out / 'pairs'}\n")
        return 0 if count else 1
    if options.before:
        from tests.gallery.steps import write_steps

        count = write_steps(options.before, options.out / "steps")
        sys.stdout.write(f"{count} pairs in {options.out / 'steps'}\n")
        return 0
    if options.pictures is not None:
        from tests.gallery.pictures import write_pictures

        count = write_pictures(theme, options.pictures)
        sys.stdout.write(f"{count} pictures in {options.pictures}\n")
        return 0
    count = 0
    for look, scheme, scale in _LOOKS:
        theme.set_preference(scheme)
        theme.set_scale(scale)
        pictures = _draw_all(theme, options.only, options.modules)
        folder = options.out / look
        folder.mkdir(parents=True, exist_ok=True)
        for name, picture in pictures:
            picture.save(str(folder / f"{name}.png"))
        _contact_sheet(theme, pictures).save(str(options.out / f"sheet-{look}.png"))
        count += len(pictures)
    sys.stdout.write(f"{count} pictures in {options.out}\n")
    return 0 if count else 1


def _draw_all(theme: Theme, only: str, only_modules: str) -> list[tuple[str, QPixmap]]:
    modules = sorted(Path(__file__).parent.glob(only_modules))
    pictures = []
    for path in modules:
        module = importlib.import_module(f"tests.gallery.{path.stem}")
        for name, widget in module.build_samples(theme):
            if only in name:
                pictures.append((name, _draw(widget)))
            widget.close()
            widget.deleteLater()
        gc.collect()
    return pictures


def _draw(widget: QWidget) -> QPixmap:
    widget.show()
    widget.activateWindow()
    QApplication.processEvents()
    target = widget.findChild(QWidget, widget.property("focusOn")) if widget.property("focusOn") else None
    if target is not None:
        target.setFocus(Qt.FocusReason.TabFocusReason)
    elif widget.focusWidget() is not None:
        widget.focusWidget().clearFocus()
    for key, *modifiers in widget.property("keys") or ():
        QTest.keyClick(target or widget, key, *modifiers)
    for _round in range(5):
        QApplication.processEvents()
    return widget.grab()


def _contact_sheet(theme: Theme, pictures: list[tuple[str, QPixmap]]) -> QPixmap:
    """All pictures in rows, each with its name above."""
    places: list[QRect] = []
    left, top, row_height = _GAP_PX, _GAP_PX, 0
    for _name, picture in pictures:
        if left + picture.width() > _SHEET_WIDTH_PX - _GAP_PX and left > _GAP_PX:
            left, top, row_height = _GAP_PX, top + row_height + _GAP_PX, 0
        places.append(QRect(QPoint(left, top + 24), picture.size()))
        left += max(picture.width(), 160) + _GAP_PX
        row_height = max(row_height, picture.height() + 24)
    width = max([_SHEET_WIDTH_PX, *(place.right() + _GAP_PX for place in places)])
    sheet = QPixmap(width, top + row_height + _GAP_PX)
    sheet.fill(theme.colour("background"))
    painter = QPainter(sheet)
    painter.setPen(theme.colour("muted"))
    painter.setFont(QApplication.font())
    for (name, picture), place in zip(pictures, places, strict=True):
        painter.drawText(place.topLeft() - QPoint(0, 6), name)
        painter.drawPixmap(place.topLeft(), picture)
    painter.end()
    return sheet


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
