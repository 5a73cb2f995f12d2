"""It is in sight, not only under the pointer, that a message has versions, and in a shared thread whose is shown."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QRectF
from PySide6.QtGui import QImage, QPainter
from PySide6.QtWidgets import QApplication

from chatdesk.ui.theme.theme import Theme
from chatdesk.ui.transcript.drawing.item import PaintState
from chatdesk.ui.transcript.drawing.transcript_style import TranscriptStyle
from chatdesk.ui.transcript.items.footer_item import FooterItem, Tool

WIDTH = 700
TOOLS = (Tool("copy", "Copy", "copy"), Tool("more", "More", "ellipsis"))


@pytest.fixture
def style(qapp: QApplication) -> TranscriptStyle:
    return TranscriptStyle(Theme(qapp, preference="light"))


def painted(style: TranscriptStyle, footer: FooterItem) -> int:
    """How many columns have something in them while nobody points at the message."""
    footer.ensure_layout(style, WIDTH)
    picture = QImage(WIDTH, 40, QImage.Format.Format_Grayscale8)
    picture.fill(255)
    painter = QPainter(picture)
    footer.paint(painter, PaintState(style, QRectF(0, 0, WIDTH, 40)))
    painter.end()
    return sum(any(picture.pixelColor(x, y).value() != 255 for y in range(40)) for x in range(WIDTH))


def test_versions_stay_in_sight(style: TranscriptStyle) -> None:
    assert painted(style, FooterItem(TOOLS)) == 0, "tools are shown under the pointer only"
    alone = painted(style, FooterItem(TOOLS, versions=(1, 2)))
    assert alone > 0 and painted(style, FooterItem(TOOLS, versions=(1, 2), is_right_aligned=True)) > 0
    assert painted(style, FooterItem(TOOLS, version_by="you")) == 0, "there is one version"
    mine = painted(style, FooterItem(TOOLS, versions=(1, 2), version_by="you"))
    hers = painted(style, FooterItem(TOOLS, versions=(2, 2), version_by="Ana Ruiz"))
    assert alone < mine < hers, "names are written out"


@pytest.mark.parametrize("is_right_aligned", [True, False])
def test_a_long_name_leaves_room_for_the_tools(style: TranscriptStyle, is_right_aligned: bool) -> None:
    footer = FooterItem(TOOLS, versions=(2, 9), version_by="Ana " * 40, is_right_aligned=is_right_aligned)
    footer.ensure_layout(style, WIDTH)
    areas = [button.area for button in footer.buttons()]
    assert len(areas) == (4 if is_right_aligned else 5)
    assert all(area.left() >= -8 and area.right() <= WIDTH + 8 for area in areas)
    assert not any(one.intersects(other) for one in areas for other in areas if one is not other)


def test_the_versions_of_an_answer_can_be_seen_side_by_side(style: TranscriptStyle) -> None:
    footer = FooterItem(TOOLS, versions=(1, 2))
    footer.ensure_layout(style, WIDTH)
    by_place = [button.action for button in sorted(footer.buttons(), key=lambda button: button.area.x())]
    assert by_place == ["version-previous", "version-next", "compare", "copy", "more"]
    footer.ensure_layout(style, 180)
    assert "compare" not in [button.action for button in footer.buttons()], "the tools need the room"
    alone = FooterItem(TOOLS)
    alone.ensure_layout(style, WIDTH)
    assert "compare" not in [button.action for button in alone.buttons()]


def test_the_versions_of_a_question_stand_at_the_edge_of_its_bubble(style: TranscriptStyle) -> None:
    footer = FooterItem(TOOLS, versions=(1, 2), is_right_aligned=True)
    footer.ensure_layout(style, WIDTH)
    by_place = sorted(footer.buttons(), key=lambda button: button.area.x())
    assert [button.action for button in by_place] == ["copy", "more", "version-previous", "version-next"]
    assert WIDTH - 16 <= by_place[-1].area.right() <= WIDTH + 16


def test_of_the_figures_none_is_cut(style: TranscriptStyle) -> None:
    def shown(width: int) -> str:
        footer = FooterItem(TOOLS, note="1,204 tokens · 3.1 s · $0.02")
        footer.ensure_layout(style, width)
        drawn: list[str] = []
        picture = QImage(WIDTH, 40, QImage.Format.Format_Grayscale8)

        class Painter(QPainter):
            def drawText(self, area: QRectF, _flags: int, text: str) -> None:  # type: ignore[override]
                drawn.append(text)

        painter = Painter(picture)
        footer.paint(painter, PaintState(style, QRectF(0, 0, width, 40), is_active=True))
        painter.end()
        return drawn[-1]

    seen = [shown(width) for width in range(60, 400)]
    assert list(dict.fromkeys(seen)) == ["", "1,204 tokens", "1,204 tokens · 3.1 s", "1,204 tokens · 3.1 s · $0.02"]
