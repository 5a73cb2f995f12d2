"""Passages of a Markdown text are readable one by one."""

from __future__ import annotations

import pytest

from chatdesk.core.knowledge.rejoining import readable_each

_HEAD = "| a | b |\n| --- | --- |"


@pytest.mark.parametrize(
    ("texts", "shown"),
    [
        (["One", "Two"], ["One", "Two"]),
        ([f"{_HEAD}\n| 1 | 2 |", "| 3 | 4 |"], [f"{_HEAD}\n| 1 | 2 |", f"{_HEAD}\n| 3 | 4 |"]),
        ([f"{_HEAD}\n| 1 | 2 |", "| 3 | 4 |", "| 5 | 6 |\n\nEnd", "| x |"],
         [f"{_HEAD}\n| 1 | 2 |", f"{_HEAD}\n| 3 | 4 |", f"{_HEAD}\n| 5 | 6 |\n\nEnd", "| x |"]),
        ([f"{_HEAD}\n| 1 | 2 |\n\nWords", "| 3 | 4 |"], [f"{_HEAD}\n| 1 | 2 |\n\nWords", "| 3 | 4 |"]),
        ([f"{_HEAD}\n| 1 | 2 |", "| c |\n|---|\n| 3 |"], [f"{_HEAD}\n| 1 | 2 |", "| c |\n|---|\n| 3 |"]),
        (["```py\na = 1", "b = 2\n```\nEnd", "Next"], ["```py\na = 1", "```py\nb = 2\n```\nEnd", "Next"]),
        (["~~~\n```", "x\n~~~", "y"], ["~~~\n```", "~~~\nx\n~~~", "y"]),
        ([], []),
    ],
)  # fmt: skip
def test_tables_and_code_begin_anew(texts: list[str], shown: list[str]) -> None:
    assert list(readable_each(texts)) == shown
