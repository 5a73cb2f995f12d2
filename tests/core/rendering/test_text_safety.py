"""Hidden characters, links and hostile input."""

from __future__ import annotations

import time

import pytest

from chatdesk.core.rendering.markdown import parse_markdown
from chatdesk.core.rendering.safety import has_scheme, is_safe_link, link_host, visible_controls


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\u202eb", "a⟦U+202E⟧b"),
        ("a\u200bb", "a⟦U+200B⟧b"),
        ("x\x07y\x1b", "x⟦U+0007⟧y⟦U+001B⟧"),
        ("\U000e0041hidden", "⟦U+E0041⟧hidden"),
        ("\ud800", "\ufffd"),
        ("a\u200db", "a⟦U+200D⟧b"),
        ("\ufe0f", "⟦U+FE0F⟧"),
        ("☀\ufe0f\ufe0f", "☀\ufe0f⟦U+FE0F⟧"),
        ("\u2066x\u2069", "⟦U+2066⟧x⟦U+2069⟧"),
    ],
)
def test_hidden_characters_are_shown(text: str, shown: str) -> None:
    assert visible_controls(text) == shown


@pytest.mark.parametrize(
    "text",
    [
        "plain\ttext\n",
        "👩\u200d👩\u200d👧",
        "👨🏽\u200d💻",
        "❤\ufe0f",
        "می\u200cخواهم",
        "क्\u200dष",
        "e\u0301",
        "葛\U000e0100",
        "\U0001f3f4\U000e0067\U000e0062\U000e0073\U000e0063\U000e0074\U000e007f",
        "שלום",
    ],
)
def test_what_writing_needs_is_kept(text: str) -> None:
    assert visible_controls(text) == text


def test_only_three_schemes_are_safe() -> None:
    assert is_safe_link("https://a.org/x?y#z")
    assert is_safe_link("MAILTO:a@b.c")
    for url in (
        "javascript:x",
        "file:///x",
        "vscode://x",
        "//a.org",
        "/x",
        "https:",
        "https://",
        "http://a b",
        "data:x",
        "https://a.org/\u202e",
        "http://" + "a" * 5000,
    ):
        assert not is_safe_link(url)
    assert has_scheme("java\nscript:x")
    assert not has_scheme("a/b:c")
    assert link_host("https://user@h.org:1/x") == "h.org"


PATTERNS = [
    "[",
    "![",
    "](",
    "[a](",
    "<",
    "`",
    "``a",
    "*",
    "**a*",
    "_a",
    "~~a",
    "$a",
    "$$a",
    "\\(",
    "\\[a\n",
    "&#",
    "# ",
    "- ",
    "1. ",
    "> ",
    "> - ",
    "  - ",
    "|",
    "a|",
    "- a\n",
    "\n",
    "```\n",
    "[^a",
    "[^a]: ",
    "[a]: b\n",
    "http://",
    "www.a",
    "a@",
    "(",
    "*a_",
    "===\n",
    "\t",
    "    a\n",
    "\u202e",
    "👩\u200d",
    "[[]",
    "[^a]",
    "|-|\n",
    "- ```\n",
    "<br>",
]


@pytest.mark.parametrize("pattern", PATTERNS)
def test_hostile_patterns_end_in_time(pattern: str) -> None:
    started = time.process_time()
    for text in (pattern * (16_000 // len(pattern)), "| a | b |\n|---|---|\n" + pattern * (4000 // len(pattern))):
        parse_markdown(text)
    assert time.process_time() - started < 3
