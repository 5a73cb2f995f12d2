"""The buttons of a notice are painted in the language of the program, and on the side where it ends."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QImage, QPainter
from PySide6.QtWidgets import QApplication

from chatdesk.core.texts import Text, use_translation
from chatdesk.ui.theme.theme import Theme
from chatdesk.ui.transcript.drawing.item import PaintState
from chatdesk.ui.transcript.drawing.transcript_style import TranscriptStyle
from chatdesk.ui.transcript.items.notice_item import NoticeItem


@pytest.fixture(autouse=True)
def _german() -> Iterator[None]:
    use_translation(lambda source, _about, _count: {"Try again": "Erneut versuchen"}.get(source, ""))
    yield
    use_translation(None)


def test_a_constant_as_label_is_shown_in_the_language() -> None:
    notice = NoticeItem("Die Antwort kam nicht.", (("retry", Text("Try again")),))
    assert notice.actions == (("retry", "Erneut versuchen"),)
    assert notice.with_actions((("retry", Text("Try again")),)).actions == notice.actions


@pytest.mark.parametrize("width", [300.0, 700.0])
@pytest.mark.parametrize("count", [0, 1, 3])
def test_from_right_to_left_everything_stands_on_the_other_side(qapp: QApplication, width: float, count: int) -> None:
    theme = Theme(qapp, preference="light")
    notice = NoticeItem("You stopped it.", tuple((f"act{each}", f"Do it {each}") for each in range(count)), tone="line")
    places, pictures = [], []
    for is_mirrored in (False, True):
        style = TranscriptStyle(theme, device_pixel_ratio=1.0, is_mirrored=is_mirrored)
        notice.layout(style, width)
        picture = QImage(int(width), int(notice.height), QImage.Format.Format_RGB32)
        picture.fill(Qt.GlobalColor.white)
        painter = QPainter(picture)
        notice.paint(painter, PaintState(style, QRectF(picture.rect())))
        painter.end()
        places.append([each.area for each in notice.buttons()])
        sign = picture.copy(int(width) - 40 if is_mirrored else 8, 4, 32, picture.height() - 8)
        pictures.append(sum(sign.pixelColor(x, y).lightness() < 160 for x in range(32) for y in range(sign.height())))
    assert [(width - each.right(), each.y()) for each in places[0]] == [(each.left(), each.y()) for each in places[1]]
    assert pictures[0] > 0 and abs(pictures[0] - pictures[1]) <= pictures[0] / 4, "its sign is at the other side, too"
    theme.deleteLater()
