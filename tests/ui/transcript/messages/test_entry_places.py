"""The heights of a message's items are those of its layout, whatever widths and styles came between."""

from __future__ import annotations

from chatdesk.ui.transcript.drawing.transcript_style import TranscriptStyle
from chatdesk.ui.transcript.messages.entry import MessageEntry
from tests.ui.transcript.conftest import make_message
from tests.ui.transcript.items.test_math_item import style  # noqa: F401 - a fixture


def test_a_width_in_which_nothing_was_laid_out_leaves_no_guesses(style: TranscriptStyle) -> None:  # noqa: F811
    places = (entry := MessageEntry(make_message(1, "Some words. " * 40))).places

    def heights_at(width: float) -> list[float]:
        places.prepare(style, width)
        for index in range(len(entry.items)):
            places.measure(index)
        return [item.height for item in entry.items]

    before = heights_at(640)
    places.prepare(style, 320)
    assert [item.height for item in entry.items] != before
    assert heights_at(640) == before
