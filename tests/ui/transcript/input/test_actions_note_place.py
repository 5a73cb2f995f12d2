"""Marks of footnotes are raised, lead to their notes inside the message, and are copied as they were written."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLabel

from chatdesk.core.rendering.markdown import parse_markdown
from chatdesk.ui.transcript.copying.copied_text import as_markdown
from chatdesk.ui.transcript.copying.excerpt import Excerpt
from chatdesk.ui.transcript.drawing.transcript_style import TranscriptStyle
from chatdesk.ui.transcript.input.actions import find_note_place
from chatdesk.ui.transcript.items.items_from_blocks import items_for
from tests.ui.transcript.conftest import World, make_thread
from tests.ui.transcript.items.test_math_item import WIDTH, style  # noqa: F401 - a fixture

TEXT = "A claim[^a].\n\n" + "Some more words.\n\n" * 60 + "[^a]: The source.\n"


def test_a_mark_and_the_way_back_find_each_other(style: TranscriptStyle) -> None:  # noqa: F811
    items = [item for block in parse_markdown(TEXT) for item in items_for(block)]
    for item in items:
        item.ensure_layout(style, WIDTH)
    assert [link.label for link in items[0].links()] == ["#fn-1"]
    assert [link.label for link in items[-1].links()] == ["#fnref-1"]
    assert find_note_place(items, "#fn-1") == len(items) - 1
    assert find_note_place(items, "#fnref-1") == 0
    assert find_note_place(items, "#fn-2") is None
    assert find_note_place(items, "#fnref-2") is None


def test_return_on_a_mark_shows_the_note_and_opens_nothing(world: World) -> None:
    view = world.open(make_thread(2, lambda place: TEXT if place else "?"))
    followed: list[str] = []
    view.parts.actions.linkActivated.connect(followed.append)
    view.setFocus()
    view.jump_to("m1")
    world.settle()
    before = view.verticalScrollBar().value()
    QTest.keyClick(view, Qt.Key.Key_Tab)
    assert not view.findChild(QLabel, "linkStatus").isVisible()
    QTest.keyClick(view, Qt.Key.Key_Return)
    world.settle()
    assert view.verticalScrollBar().value() > before + 500
    assert followed == []


def test_copied_marks_and_notes_are_markdown_again(style: TranscriptStyle) -> None:  # noqa: F811
    items = [item for block in parse_markdown("A **b**[^a].\n\n[^a]: The *source*.\n") for item in items_for(block)]
    excerpt = Excerpt("", tuple(items))
    assert [line.rstrip() for line in as_markdown([excerpt]).split("\n\n")] == ["A **b**[^1].", "[^1]: The *source*."]
