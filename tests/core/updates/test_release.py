"""What a feed says of a release, made fit to be shown."""

from __future__ import annotations

import pytest

from chatdesk.core.updates.release import shown_notes


@pytest.mark.parametrize(
    ("notes", "shown"),
    [
        ("- One line that\n  goes on here.\n- Two.", "- One line that goes on here.\n- Two."),
        ("- One:\n  - inner that\n    goes on\n- Two.", "- One:\n  - inner that goes on\n- Two."),
        ("1. First,\n\tgoes on.\n\nRun:\n    make\n", "1. First, goes on.\n\nRun:\n    make"),
        ("- One.\n\n  Another paragraph.", "- One.\n\n  Another paragraph."),
        ("The light\nis brighter.", "The light\nis brighter."),
        (" " * 4_000 + "x", "x"),
        (7, ""),
    ],
)
def test_the_lines_of_a_bullet_are_joined_and_inner_bullets_stay_indented(notes: object, shown: str) -> None:
    assert shown_notes(notes) == shown
