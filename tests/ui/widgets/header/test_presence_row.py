"""Initials, and who is at a thread."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication

from chatdesk.ui.theme.theme import Theme
from chatdesk.ui.theme.tokens import DARK, DARK_CONTRAST, LIGHT, LIGHT_CONTRAST, contrast
from chatdesk.ui.widgets.badges import badge_colours, initials
from chatdesk.ui.widgets.header.presence_row import PresenceRow, PresentMember, here_words, typing_words
from chatdesk.ui.widgets.header.thread_header import ThreadHeader

ANA, BEN = PresentMember("a", "Ana Ruiz"), PresentMember("b", "Ben")


@pytest.fixture
def theme(qapp: QApplication) -> Theme:
    return Theme(qapp, preference="light")


@pytest.mark.parametrize(
    ("name", "letters"),
    [
        ("Ana Ruiz", "AR"),
        ("ben", "B"),
        ("Ana Maria de la Cruz", "AC"),
        ("“Eve” (she)", "ES"),
        ("山田 太郎", "山太"),
        ("…", "?"),
        ("", "?"),
        ("ß", "SS"),
    ],
)
def test_initials_are_two_letters_at_most(name, letters):
    assert initials(name) == letters


@pytest.mark.parametrize("tokens", [LIGHT, DARK, LIGHT_CONTRAST, DARK_CONTRAST])
def test_letters_on_badges_are_read_in_every_look(tokens):
    least = 7.0 if tokens in (LIGHT_CONTRAST, DARK_CONTRAST) else 4.5
    for number in range(60):
        ground, ink = badge_colours(f"member {number}", tokens)
        assert contrast(ground, ink) >= least
        assert contrast(ground, tokens.background) >= 3


def test_somebody_has_the_same_colour_everywhere():
    assert badge_colours("a", LIGHT) == badge_colours("a", LIGHT)
    assert len({badge_colours(f"member {number}", LIGHT) for number in range(60)}) > 5


def test_words_of_presence():
    assert typing_words([]) == ""
    assert typing_words(["Ana"]) == "Ana is typing…"
    assert typing_words(["Ana", "Ben"]) == "Ana and Ben are typing…"
    assert typing_words(["Ana", "Ben", "Eve"]) == "3 people are typing…"
    assert here_words([]) == ""
    assert here_words([ANA, PresentMember("b", "Ben", is_in_thread=False)]) == (
        "Here now: Ana Ruiz, Ben (elsewhere in the project)"
    )


def test_the_header_makes_its_row_when_somebody_comes_and_hides_it_when_all_are_gone(qtbot, theme):
    header = ThreadHeader(theme)
    qtbot.addWidget(header)
    header.show()
    header.set_people(())
    assert header.presence is None
    header.set_people((BEN, PresentMember("a", "Ana Ruiz", is_typing=True)))
    assert header.presence.isVisible()
    assert [each.name for each in header.presence.people] == ["Ana Ruiz", "Ben"]
    assert header.presence.accessibleName() == "Here now: Ana Ruiz, Ben, Ana Ruiz is typing…"
    assert header.accessibleDescription() == header.presence.accessibleName()
    header.set_people(())
    assert not header.presence.isVisible()
    assert header.accessibleDescription() == ""


@pytest.mark.parametrize("direction", [Qt.LayoutDirection.LeftToRight, Qt.LayoutDirection.RightToLeft])
def test_more_than_four_are_counted_and_all_of_it_fits(qtbot, theme, direction):
    row = PresenceRow(theme)
    qtbot.addWidget(row)
    row.setLayoutDirection(direction)
    row.set_people([ANA, BEN])
    two = row.sizeHint().width()
    row.set_people([PresentMember(str(number), f"Somebody {number}", is_typing=number < 3) for number in range(7)])
    assert row.more == " +3"
    assert row.sizeHint().width() > two
    assert row.minimumSizeHint().width() < row.sizeHint().width()
    row.resize(row.sizeHint())
    picture = row.grab().toImage()
    row.set_people([PresentMember(str(number), f"Somebody {number}") for number in range(7)])
    assert row.grab().toImage() != picture


def test_the_same_people_change_nothing_and_another_size_of_text_does(qtbot, theme):
    row = PresenceRow(theme)
    qtbot.addWidget(row)
    row.set_people([ANA, BEN])
    before = row.people
    row.set_people([BEN, ANA])
    assert row.people is before
    width = row.sizeHint().width()
    theme.set_scale(2.0)
    try:
        assert row.sizeHint().width() > width
    finally:
        theme.set_scale(1.0)
