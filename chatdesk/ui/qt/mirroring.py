"""Mirrors margins of layouts and the alignment of labels where windows run from right to left; Qt mirrors the rest."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QLabel, QLayout


def set_margins(layout: QLayout, start: int, top: int, end: int, bottom: int) -> None:
    """Set the margins of a layout in px; ``start`` is on the side where the lines of the window begin."""
    left, right = (end, start) if _is_mirrored() else (start, end)
    layout.setContentsMargins(left, top, right, bottom)


def align_to_start(label: QLabel) -> None:
    """Align the text of a label to the side where lines of the window begin, whatever its letters are. In a window that
    runs from right to left, Qt would put English words to the left."""
    if _is_mirrored():
        upright = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignAbsolute
        label.setAlignment(Qt.AlignmentFlag.AlignRight | upright)


def _is_mirrored() -> bool:
    return QGuiApplication.layoutDirection() is Qt.LayoutDirection.RightToLeft
