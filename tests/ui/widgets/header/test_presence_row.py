"""Initials, and who is at a thread."""

from __future__ import annotations

import pytest

from chatdesk.ui.theme.tokens import DARK, DARK_CONTRAST, LIGHT, LIGHT_CONTRAST, contrast
from chatdesk.ui.widgets.badges import badge_colours, initials
from chatdesk.ui.widgets.header.presence_row import here_words, typing_words
from chatdesk.ui.widgets.header.thread_header import ThreadHeader


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


def test_a_member_has_the_same_colour_everywhere():
    assert badge_colours("a", LIGHT) == badge_colours("a", LIGHT)
    assert len({badge_colours(f"member {number}", LIGHT) for number in range(60)}) > 5


def test_words_of_presence():
    assert typing_words([]) == ""
    assert typing_words(["Ana"]) == "Ana is typing…"
    assert typing_words(["Ana", "Ben"]) == "Ana and Ben are typing…"
    assert typing_words(["Ana", "Ben", "Eve"]) == "3 people are typing…"
    assert here_words([]) == ""
    assert here_words(["Ana", "Ben"]) == "Here now: Ana, Ben"


def test_the_header_makes_its_row_when_somebody_comes_and_hides_it_when_all_are_gone(qtbot, theme):
    header = ThreadHeader(theme)
    qtbot.addWidget(header)
    header.show()
    header.set_people(())
    assert header.presence is None
    header.set_people(["Ana Ruiz", "Ben"], ["Ana Ruiz"])
    assert header.presence.isVisible()
    assert header.presence.text() == "Ana Ruiz is typing…"
    assert header.presence.accessibleName() == "Here now: Ana Ruiz, Ben, Ana Ruiz is typing…"
    assert header.accessibleDescription() == header.presence.accessibleName()
    header.set_people(["Ben"])
    assert header.presence.text() == "Here now: Ben"
    header.set_people(())
    assert not header.presence.isVisible()
    assert header.accessibleDescription() == ""
