"""Titles: from a question's first line that says something; never a forged or hidden one."""

from __future__ import annotations

import pytest

from chatdesk.core.chat.titles import NEW_THREAD_TITLE, checked_title, title_from_answer, title_from_text
from chatdesk.core.errors import InvalidTitle


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("Hello", "Hello"),
        ("\n\n## **Plan** for\nlater", "Plan** for"),
        ("```\ncode", "code"),
        ("   \n---\n", NEW_THREAD_TITLE),
        ("a\u202eb\u200bc\x00d", "Abc d"),
        ("word " * 30, "Word word word word word word word word word word word…"),
        ("x" * 100, "x" * 59 + "…"),
        ("how do I sort a list?", "How do I sort a list?"),
        ("ähren im Wind", "Ähren im Wind"),
        ("iPhone or Android", "iPhone or Android"),
        ("make_it go", "make_it go"),
        ("notes.md, draft.md", "notes.md, draft.md"),
        ("x = 5", "x = 5"),
        ("pytest", "pytest"),
        ("你好 世界", "你好 世界"),
    ],
)
def test_a_title_is_the_first_line_that_says_something(text: str, title: str) -> None:
    assert title_from_text(text) == title


def test_a_given_title_is_one_line_of_bounded_length() -> None:
    assert checked_title(" a\n b ") == "a b"
    assert len(checked_title("y" * 5000)) == 300
    with pytest.raises(InvalidTitle):
        checked_title("\u202e\n")


@pytest.mark.parametrize(
    ("answer", "title"),
    [
        ("Sorting lists", "Sorting lists"),
        (' "Sorting lists." ', "Sorting lists"),
        ("«Tri de listes»", "Tri de listes"),
        ("**Title: Sorting lists**\n", "Sorting lists"),
        ("# Title: “Sorting”", "Sorting"),
        ("<think>The person\nwants…</think>\n\nSorting", "Sorting"),
        ("リストの並べ替え。", "リストの並べ替え"),
        ("a\u202eb", "ab"),
        ("What is C++?", "What is C++?"),
        ("x" * 100, "x" * 59 + "…"),
        ("", None),
        ("…", None),
        ("<think>never ends", None),
        ("Thinking…\n</think>\n\nSorting", "Sorting"),
        ("[THINK]hm[/THINK]Sorting", "Sorting"),
        ("<|channel|>analysis<|message|>hm<|end|><|start|>assistant<|channel|>final<|message|>Sorting", "Sorting"),
        ("Sure!\nSorting lists", None),
        ("y" * 121, None),
        ("one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen", None),
    ],
)
def test_a_model_s_answer_is_a_title_or_nothing(answer: str, title: str | None) -> None:
    assert title_from_answer(answer) == title
