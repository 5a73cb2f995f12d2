"""Code blocks are found as Markdown has them, in linear time, and a changed file is told from an excerpt."""

from __future__ import annotations

import time

import pytest

from chatdesk.core.domain.artifacts.code_blocks import changed_code, fenced, fenced_code

CODE = "".join(f"line {number}\n" for number in range(20))


def test_blocks_are_found_with_language_and_text() -> None:
    found = fenced_code("Look:\n```python\nx = 1\n\ny = 2\n```\nand\n~~~\nplain\n~~~\n")
    assert [(each.language, each.text) for each in found] == [("python", "x = 1\n\ny = 2\n"), ("", "plain\n")]


def test_a_longer_fence_holds_shorter_ones() -> None:
    (found,) = fenced_code("````markdown\n# Title\n```sh\nls\n```\n````\n")
    assert found.text == "# Title\n```sh\nls\n```\n"


def test_code_in_quotes_and_lists_loses_what_stands_before_it() -> None:
    assert [
        each.text for each in fenced_code("> ```js\n> let a\n>   b\n> ```\n\n- so:\n\n  ```py\n  a\n    b\n  ```\n")
    ] == [
        "let a\n  b\n",
        "a\n  b\n",
    ]


def test_unfinished_code_is_not_a_block() -> None:
    assert fenced_code("```python\nx = 1\n") == []


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ('```python title="src/fib.py"\nx\n```', "fib.py"),
        ("```python\n# app/models/user.py\nx\n```", "user.py"),
        ("```html\n<!-- index.html -->\n<p>\n```", "index.html"),
        ("Save this as `src/main.rs`:\n\n```rust\nfn main() {}\n```", "main.rs"),
        ("**notes.md**\n```markdown\n# x\n```", "notes.md"),
        ("```python\nx = 1  # see fib.py\n```", ""),
        ("See ../../etc/passwd\n```sh\nls\n```", ""),
        ("`../../x/evil.sh`\n```sh\nls\n```", "evil.sh"),
    ],
)
def test_a_file_is_called_as_the_answer_calls_it(text: str, name: str) -> None:
    assert fenced_code(text)[0].file_name == name


def test_the_longest_block_in_the_language_is_the_changed_file() -> None:
    answer = f"Run\n```sh\n{CODE * 3}```\nand\n```python\nx\n```\n```python\n{CODE}more\n```\n"
    found = changed_code(answer, before=CODE, language="Python")
    assert found is not None
    assert found.text == CODE + "more\n"


def test_an_excerpt_is_not_a_changed_file() -> None:
    assert changed_code("Change it to\n```python\nx = 2\n```\n", before=CODE, language="python") is None
    assert changed_code("No code at all", before=CODE, language="python") is None


def test_a_shorter_file_is_a_changed_one() -> None:
    short = "".join(f"{number}\n" for number in range(6))
    assert changed_code(f"```python\n{short}```", before=CODE, language="python") is not None


def test_a_block_without_language_is_taken_where_no_other_is() -> None:
    assert changed_code(f"```\n{CODE}```", before=CODE, language="python") is not None
    assert changed_code(f"```sql\n{CODE}```", before=CODE, language="python") is None


@pytest.mark.parametrize("text", ["", "plain", "a\n```\nb\n", "`````\n" * 3, "~~~\n```` x"])
def test_any_text_comes_back_from_a_fence(text: str) -> None:
    (found,) = fenced_code(fenced(text, "x"))
    assert found.text == (text if text.endswith("\n") or not text else f"{text}\n")


@pytest.mark.parametrize(
    "text",
    [
        "`" * 100_000,
        "```" + "a" * 100_000,
        "> " * 50_000,
        "```\n" * 25_000,
        "`" + "a/" * 50_000,
        " " * 100_000,
    ],
)
def test_hostile_texts_are_read_in_linear_time(text: str) -> None:
    def needed_s(whole: str) -> float:
        began = time.process_time()
        for each in fenced_code(whole):
            assert isinstance(each.file_name, str)
        return time.process_time() - began

    small_s = min(needed_s(text) for _ in range(3))
    assert needed_s(text * 8) < 8 * 4 * small_s + 0.1, "64 times as long if each part looked at all others"
