"""Names that other people and programs choose cannot pass for others."""

from __future__ import annotations

import pytest

from chatdesk.core.hidden_characters import distinct_name


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("good", "good"),
        ("good\u200b", "good⟦U+200B⟧"),
        ("g\u043e\u043ed", "g⟦U+043E⟧⟦U+043E⟧d"),
        ("go\u202eod", "go⟦U+202E⟧od"),
        ("\uff47ood", "⟦U+FF47⟧ood"),
        ("g\u03bf_good", "g⟦U+03BF⟧_good"),
        ("good\nbad", "good bad"),
        ("хорошо", "хорошо"),
        ("größe", "größe"),
        ("USBケーブル", "USBケーブル"),
        ("файл.txt", "файл.txt"),
    ],
)
def test_names_that_look_alike_are_shown_apart(name: str, shown: str) -> None:
    assert distinct_name(name) == shown
