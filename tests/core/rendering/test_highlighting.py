"""Which lexer a fence means, and what the heads of a diff are."""

from __future__ import annotations

import pytest

from chatdesk.core.rendering.highlighting import find_lexer, highlight


def coloured(language: str, code: str) -> list[tuple[str, str]]:
    found, place = [], 0
    for run in highlight(language, code):
        if run.kind != "plain":
            found.append((code[place : place + run.length], run.kind))
        place += run.length
    return found


@pytest.mark.parametrize("language", ["patch", "svg", "jsonc", "jsonl", "mjs", "golang", "Diff", "{.svg}"])
def test_fences_that_models_write_have_a_lexer(language: str) -> None:
    assert find_lexer(language) is not None


def test_comments_in_json_are_comments() -> None:
    assert ("// c", "comment") in coloured("jsonc", '{\n  // c\n  "a": 1}')


def test_the_heads_of_a_diff_are_no_changes() -> None:
    code = "--- a/x\n+++ b/x\n@@ -1 +1 @@\n--- an SQL comment\n+new\n+++ more"
    assert coloured("diff", code) == [
        ("--- a/x", "keyword"),
        ("+++ b/x", "keyword"),
        ("@@ -1 +1 @@", "function"),
        ("--- an SQL comment", "deleted"),
        ("+new", "inserted"),
        ("+++ more", "inserted"),
    ]
