"""Blocks written as Markdown are the same blocks when they are read again; as HTML they have a closed list of tags."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path
from random import Random
from time import process_time

import pytest

from chatdesk.core.rendering.html_writer import TAGS, html_of
from chatdesk.core.rendering.markdown import parse_markdown
from chatdesk.core.rendering.markdown_writer import markdown_of
from tests.helpers.random_markdown import random_markdown
from tests.helpers.same_blocks import structure

_DATA = Path(__file__).parents[2] / "data"


def _again(text: str) -> str:
    return markdown_of(parse_markdown(text))


def _is_kept(text: str) -> bool:
    blocks = parse_markdown(text)
    return structure(parse_markdown(markdown_of(blocks))) == structure(blocks)


def test_the_texts_that_models_write_are_kept() -> None:
    texts = [path.read_text("utf-8") for path in sorted((_DATA / "markdown").glob("*.md"))]
    assert len(texts) > 40
    assert [text for text in texts if not _is_kept(text)] == []


def test_the_examples_of_commonmark_are_kept() -> None:
    paths = (_DATA / "commonmark").glob("*.json")
    examples = [each for path in paths for each in json.loads(path.read_text("utf-8"))]
    texts = [each["markdown"] for each in examples if isinstance(each, dict) and "markdown" in each]
    assert len(texts) > 600
    # A tab written as a reference is the one thing that cannot begin a paragraph of ours.
    assert [text for text in texts if not _is_kept(text)] == ["&#9;foo\n"]


@pytest.mark.parametrize("start", range(0, 400, 50))
def test_random_texts_are_kept(start: int) -> None:
    assert [seed for seed in range(start, start + 50) if not _is_kept(random_markdown(Random(seed), 3))] == []


@pytest.mark.parametrize(
    "text",
    [
        "10. **Deploy** it\n    - k\n11. next",
        "3) three\n4) four\n\n1) one",
        "- [ ] open\n- [x] done",
        "- a\n\n  second\n\n  ```py\n  code\n  ```\n- b",
        "> - a\n>   > b\n>\n> | a | b |\n> |--:|:-:|\n> | **x** | `\\|` |",
        "> [!NOTE]\n> Words\n\n> other",
        "> [!TIP]\n> ```\n> code\n> ```",
        "<details>\n<summary>More *of* it</summary>\n\nInside\n\n- a\n\n</details>\n\nAfter",
        "A[^1] and[^b].\n\n[^1]: The *source*.\n\n    Second.\n[^b]: Other",
        "[^lost]: Nobody refers to it",
        "````\n```\nin\n```\n````",
        "~~~a`b\ncode\n~~~",
        "one\\\n- two\\\n\\# three\\\n2\\. four",
        "`` a`b `` and ` `` `",
        "*a***b** **a***b* ***a** b* **«a»**b",
        "Price $5 and \\$6, $x$ and $n$th",
        "wow![a](https://a.example) \\![b](https://a.example/x_(y))",
        "![a [b]](https://i.example/a.png)\n\n***\n\n\\[\na $$ b + c\n\\]",
        "# a #\\#\n\n## x<br>y",
        "- - -",
        "- -\n\n- - a",
        "| a |\n|---|\n|  |\n| b<br>c |",
    ],
)
def test_shapes_are_kept(text: str) -> None:
    assert _is_kept(text), _again(text)


@pytest.mark.parametrize(
    "text",
    [
        "Plain words, 3 * 4, snake_case, a [1], (b) & c < d, C:/x; $5!",
        "- one\n  - inner\n- two",
        "1. first\n2. second",
        "A **bold** and *leaning* `code` [link](https://a.example/) ~~gone~~",
        "> quoted\n>\n> more",
        "Visit https://a.example/ now",
    ],
)
def test_what_needs_no_escape_is_written_as_a_person_would(text: str) -> None:
    assert _again(text) == text


def test_a_control_character_in_code_comes_out_as_it_went_in() -> None:
    text = "```\na\x1bb\n```"
    assert _again(text) == text


ATTRIBUTES = {"href", "start", "class", "style", "border", "sdnum", "data-sheets-value"}


class _Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[tuple[str, list[tuple[str, str | None]]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, attrs))
        if tag not in ("br", "hr"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def _tags(text: str) -> list[tuple[str, list[tuple[str, str | None]]]]:
    parser = _Tags()
    parser.feed(html_of(parse_markdown(text)))
    assert parser.open == []
    return parser.seen


def test_html_has_only_tags_of_the_list_and_all_are_closed() -> None:
    hostile = "<script>x</script> [a](javascript:x) ![i](http://e.example/p.png) <b onclick=x> `</code>`"
    for text in [hostile, *(random_markdown(Random(seed), 4) for seed in range(60))]:
        for tag, attributes in _tags(text):
            assert tag in TAGS
            assert {name for name, _ in attributes} <= {
                "href",
                "start",
                "class",
                "style",
                "border",
                "sdnum",
                "data-sheets-value",
            }
            assert all((value or "").startswith(("http", "mailto")) for name, value in attributes if name == "href")


def test_html_has_the_structure() -> None:
    html = html_of(
        parse_markdown(
            "3. three\n4. four\n   - in\n\n"
            "> ```py\n> x = 1\n> ```\n\n| a | b |\n|--:|---|\n| **x** | =1 |\n\n- [x] done\n\n"
            "$$\nx^2\n$$\n\n<details>\n<summary>More</summary>\n\nInside\n\n</details>\n\nEnd[^1]\n\n***\n\n[^1]: note"
        )
    )
    flat = re.sub(r"\n(?=<)", "", html)
    for piece in (
        '<ol start="3"><li>three</li><li>four<ul><li>in</li></ul></li></ol>',
        '<blockquote><pre><code class="language-py">x = 1</code></pre></blockquote>',
        '<th style="text-align:right">a</th><th>b</th>',
        '<td style="text-align:right"><strong>x</strong></td><td style="mso-number-format:\'\\@\'" ',
        ">=1</td>",
        "<ul><li>☑ done</li></ul>",
        "<pre><code>x^2</code></pre>",
        "<details><summary>More</summary><p>Inside</p></details>",
        "<p>End<sup>1</sup></p><hr><ol><li>note </li></ol>",
    ):
        assert piece in flat, piece


@pytest.mark.parametrize(
    "text", ["{}", "`{}`", "```\n{}\n```", "| {} |\n|---|", "$${}$$", "# {}", "![{}](http://a.b/c)"]
)
def test_html_has_no_control_characters(text: str) -> None:
    for sign in [chr(code) for code in (*range(1, 9), *range(14, 32), *range(127, 160))]:
        assert sign not in html_of(parse_markdown(text.replace("{}", f"a{sign}[31mb")))


def test_hostile_texts_take_bounded_time() -> None:
    for text in (
        "*" * 20_000,
        "[" * 20_000,
        "`" * 20_000,
        "_a" * 20_000,
        "\\" * 20_000,
        "**a** " * 5_000,
        "- " * 3_000,
    ):
        blocks = parse_markdown(text)
        began = process_time()
        markdown_of(blocks)
        html_of(blocks)
        assert process_time() - began < 2.0, text[:4]
