"""Hidden characters, links and hostile input."""

from __future__ import annotations

import time

import pytest

from chatdesk.core.hidden_characters import visible_controls
from chatdesk.core.rendering.markdown import parse_markdown
from chatdesk.core.rendering.safety import has_scheme, is_safe_link, link_host
from tests.helpers.block_outline import outline_blocks


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\u202eb", "a⟦U+202E⟧b"),
        ("a\u200bb", "a⟦U+200B⟧b"),
        ("あ\u200dあ", "あ⟦U+200D⟧あ"),
        ("ខ\u200b\u200bខ", "ខ⟦U+200B⟧⟦U+200B⟧ខ"),
        ("x\x07y\x1b", "x⟦U+0007⟧y⟦U+001B⟧"),
        ("\U000e0041hidden", "⟦U+E0041⟧hidden"),
        ("\ud800", "\ufffd"),
        ("a\u200db", "a⟦U+200D⟧b"),
        ("\ufe0f", "⟦U+FE0F⟧"),
        ("☀\ufe0f\ufe0f", "☀\ufe0f⟦U+FE0F⟧"),
        ("\u2066x\u2069", "⟦U+2066⟧x⟦U+2069⟧"),
        ("a\ufe0fb", "a⟦U+FE0F⟧b"),
        ("a\ufe01", "a⟦U+FE01⟧"),
        ("1\ufe0f", "1⟦U+FE0F⟧"),
        ("x\xady", "x⟦U+00AD⟧y"),
        ("\ufeffstart", "⟦U+FEFF⟧start"),
        ("\0", "⟦U+0000⟧"),
        ("a\x85b\x9b", "a⟦U+0085⟧b⟦U+009B⟧"),
        ("a\u2028b", "a⟦U+2028⟧b"),
        ("ㅤ", "⟦U+3164⟧"),
        ("a\u200cb", "a⟦U+200C⟧b"),
        ("👩\u200da", "👩⟦U+200D⟧a"),
        ("x\U000e0101", "x⟦U+E0101⟧"),
        ("\U000e0fff\uffff", "⟦U+E0FFF⟧⟦U+FFFF⟧"),
        ("\U0001f3f4\U000e0067\U000e0062\U000e0068", "\U0001f3f4⟦U+E0067⟧⟦U+E0062⟧⟦U+E0068⟧"),
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
        "1\ufe0f\u20e3 #\ufe0f\u20e3",
        "☺\ufe0e ©\ufe0f ⚠\ufe0f",
        "🏳\ufe0f\u200d🌈",
        "∩\ufe00 、\ufe01",
        "ക്\u200d നമഃ",
        "ភាសា\u200bខ្មែរ",
        "emoji 👍🏽 🇩🇪 and é à ñ",
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


@pytest.mark.parametrize(
    "text",
    [
        "a\u202eb",
        "# h\u202e",
        "- i\u202e",
        "> q\u202e",
        "`c\u202e`",
        "```\nc\u202e\n```",
        "```py\u202e\nc\n```",
        "    c\u202e",
        "|a\u202e|\n|-|\n|b|",
        "|a|\n|-|\n|b\u202e|",
        "$x\u202e$",
        "$$\nx\u202e\n$$",
        "[l\u202e](http://a.b)",
        "![i\u202e](http://a.b/c.png)",
        "![i](http://a.b/\u202e.png)",
        "<b\u202e>",
        "&#x202e;",
        "n[^1]\n\n[^1]: t\u202e",
        "[^l\u202e]: t",
    ],
)
def test_no_place_in_a_text_hides_a_turned_line(text: str) -> None:
    shown = str(outline_blocks(parse_markdown(text)))
    assert "\u202e" not in shown
    assert "202E" in shown.upper() or "%E2%80%AE" in shown


def test_the_visible_form_is_bounded() -> None:
    for text in ("\u202e" * 1000, "\U000e0041" * 1000, "\x00" * 1000):
        assert len(visible_controls(text)) <= 9 * len(text)


def test_only_three_schemes_are_safe() -> None:
    assert is_safe_link("https://a.org/x?y#z")
    assert is_safe_link("MAILTO:a@b.c")
    assert is_safe_link("mailto:a@b.c?subject=attach=x&body=Hello")
    assert is_safe_link("https://a.org/@name?to=b@c.d#@")
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
        "https://evil.org\\@a.org",
        "https:a.org",
        "https:///a.org",
        "http://" + "a" * 5000,
        "https://good.com@evil.test/",
        "https://good.com:443@evil.test",
        "https://@evil.test/",
        "http://a@[::1]/",
        "mailto:a@b.c?attach=/etc/passwd",
        "mailto:a@b.c?subject=x&Attachment=~/.ssh/id",
        "mailto:?x-attach=x",
        "mailto:a@b.c?%61ttach=/etc/passwd",
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


def test_hostile_patterns_end_in_time() -> None:
    for pattern in PATTERNS:
        started = time.process_time()
        for text in (pattern * (16_000 // len(pattern)), "| a | b |\n|---|---|\n" + pattern * (4000 // len(pattern))):
            parse_markdown(text)
        assert time.process_time() - started < 3
