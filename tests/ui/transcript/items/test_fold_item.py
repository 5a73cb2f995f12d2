"""The label of a fold is beside its sign, and what is told of it at the other end."""

from __future__ import annotations

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QImage, QPainter

from chatdesk.ui.transcript.drawing.item import PaintState
from chatdesk.ui.transcript.drawing.transcript_style import TranscriptStyle
from chatdesk.ui.transcript.items.fold_item import FoldItem
from tests.ui.transcript.items.test_math_item import style  # noqa: F401 - a fixture


def _painted(fold: FoldItem, style: TranscriptStyle, direction: Qt.LayoutDirection) -> QImage:  # noqa: F811
    fold.ensure_layout(style, 400)
    image = QImage(400, round(fold.height), QImage.Format.Format_RGB32)
    image.fill(style.colour("background"))
    painter = QPainter(image)
    painter.setLayoutDirection(direction)
    fold.paint(painter, PaintState(style, QRectF(image.rect())))
    painter.end()
    return image


def test_the_label_and_the_aside_keep_apart_in_a_window_that_is_read_from_the_right(
    style: TranscriptStyle,  # noqa: F811
) -> None:
    fold = FoldItem("a", "read_file")
    fold.set_progress("done", is_done=True)
    ways = (Qt.LayoutDirection.LeftToRight, Qt.LayoutDirection.RightToLeft)
    from_left, from_right = (_painted(fold, style, way) for way in ways)
    assert from_left == from_right
