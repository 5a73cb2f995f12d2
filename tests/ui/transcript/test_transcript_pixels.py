"""What blocks look like, held against stored pictures, light and dark. ``--update-pixels`` stores them again: look at
them before they are committed.

Fonts are the bundled ones, so that letters are the same everywhere; the tolerance is for another rasteriser.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QApplication

from chatdesk.ui.theme.theme import Theme
from chatdesk.ui.transcript.drawing.transcript_style import TranscriptStyle
from tests.gallery.block_samples import draw, samples

FOLDER = Path(__file__).parents[2] / "data" / "pixels"
CHANNEL_TOLERANCE = 40
MOST_DIFFERENT = 0.004  # the share of pixels that may differ by more than that


def difference(one: QImage, other: QImage) -> float:
    """The share of pixels that differ visibly; 1 when the sizes do."""
    if one.size() != other.size():
        return 1.0
    first, second = (bytes(each.convertToFormat(QImage.Format.Format_RGB32).constBits()) for each in (one, other))
    if first == second:
        return 0.0
    count = sum(
        1
        for place in range(0, len(first), 4)
        if first[place : place + 3] != second[place : place + 3]
        and max(abs(first[place + channel] - second[place + channel]) for channel in range(3)) > CHANNEL_TOLERANCE
    )
    return count / (len(first) // 4)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_blocks_look_as_they_did(
    qapp: QApplication, request: pytest.FixtureRequest, scheme: str, tmp_path: Path
) -> None:
    theme = Theme(qapp, preference=scheme)  # type: ignore[arg-type]
    theme.apply()
    theme.load_other_fonts()
    style = TranscriptStyle(theme)
    wrong = []
    for name, sample in samples().items():
        image = draw(sample, style)
        stored = FOLDER / f"{name.replace(' ', '-')}-{scheme}.png"
        if request.config.getoption("--update-pixels"):
            FOLDER.mkdir(parents=True, exist_ok=True)
            assert image.save(str(stored))
        share = difference(image, QImage(str(stored)))
        if share > MOST_DIFFERENT:
            image.save(str(tmp_path / stored.name))
            wrong.append(f"{name}: {share:.1%}")
    theme.deleteLater()
    assert not wrong, f"{'; '.join(wrong)}; drawn now: {tmp_path}"


def test_a_moved_line_is_a_difference() -> None:
    one = QImage(40, 40, QImage.Format.Format_RGB32)
    one.fill(0xFFFFFF)
    other = one.copy()
    for x in range(10, 20):
        other.setPixel(x, 5, 0)
    assert difference(one, one.copy()) == 0.0
    assert difference(one, other) > MOST_DIFFERENT
    assert difference(one, one.copy(0, 0, 39, 40)) == 1.0
