"""Lists of one line show what a message says, without the marks of Markdown."""

from __future__ import annotations

import pytest

from chatdesk.ui.features.inspector.rows import plain_preview


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("## Step one Do this.", "Step one Do this."),
        ("Intro ## Step one", "Intro Step one"),
        ("**Bold** and `code` and [a link](https://example.org/x)", "Bold and code and a link"),
        ("- [x] done", "done"),
        ("```python for x in y: ```", "for x in y:"),
        ("2 * 3 * 4 = 24", "2 * 3 * 4 = 24"),
        ("snake_case_name and __init__", "snake_case_name and __init__"),
        ("#hashtag", "#hashtag"),
        ("**", "**"),
        ("", ""),
    ],
)
def test_marks_are_left_out_and_words_are_kept(text: str, shown: str) -> None:
    assert plain_preview(text) == shown
