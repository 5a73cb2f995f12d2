"""The examples of the CommonMark and GFM specifications, compared by structure.

Raw HTML is shown as text: what is in tags must be there as words; whole blocks of HTML are read as Markdown.
"""

from __future__ import annotations

import json
import re
from functools import cache
from html import escape
from pathlib import Path
from typing import Any

import pytest
from markdown_it import MarkdownIt

from chatdesk.core.rendering.blocks import Block
from chatdesk.core.rendering.markdown import parse_markdown
from tests.helpers.block_outline import Outline, outline_blocks
from tests.helpers.block_words import blocks_to_plain
from tests.helpers.html_outline import outline_html

DATA = Path(__file__).parents[2] / "data" / "commonmark"
COMMONMARK = "commonmark-0.31.2"
GFM = ("gfm-0.29-extensions", "github-footnotes")

# What differs on purpose. These count as failures in the figures below.
DIFFERENT = {
    COMMONMARK: {
        297: "a list two or more to the right of a number belongs to the item: models indent by two or three",
        602: "GFM links bare addresses, CommonMark does not",
        606: "the same, for mail",
        608: "the same",
        611: "the same",
        612: "the same, for mail",
    },
    "gfm-0.29-extensions": {628: "only http, https and mailto are links; ftp stays words"},
    "github-footnotes": {},
}


def examples(name: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((DATA / f"{name}.json").read_text(encoding="utf-8"))
    return found


@cache
def raw_html(markdown: str) -> tuple[list[str], list[str]]:
    """The blocks and the tags of raw HTML that a parser with HTML finds in ``markdown``."""
    tokens = MarkdownIt("commonmark").parse(markdown)
    blocks = [token.content for token in tokens if token.type == "html_block"]
    tags = [child.content for token in tokens for child in token.children or () if child.type == "html_inline"]
    return blocks, tags


def squashed(text: str) -> str:
    return re.sub(r"\s+", "", text)


def closed(outline: Outline) -> Outline:
    """HTML does not say whether a fence was closed."""
    return [[line[0], str(line[1]).removesuffix(" (open)"), *line[2:]] for line in outline]


def is_faithful(example: dict[str, Any]) -> bool:
    blocks: tuple[Block, ...] = parse_markdown(example["markdown"])
    html_blocks, tags = raw_html(example["markdown"])
    if html_blocks:
        shown = squashed(blocks_to_plain(blocks))
        return all(squashed(tag) in shown for block in html_blocks for tag in re.findall(r"<[^<>]*>", block))
    html: str = example["html"]
    for tag in set(tags):
        html = html.replace(tag, escape(tag))
    return closed(outline_blocks(blocks)) == outline_html(html)


def failing(name: str) -> list[int]:
    return [example["number"] for example in examples(name) if not is_faithful(example)]


@pytest.mark.parametrize("name", DIFFERENT)
def test_only_what_is_meant_differs(name: str) -> None:
    assert failing(name) == list(DIFFERENT[name])


def test_share_of_commonmark(record_property: pytest.RecordProperty) -> None:
    share = 1 - len(failing(COMMONMARK)) / len(examples(COMMONMARK))
    print(f"CommonMark 0.31.2: {share:.2%} of 652 by structure, failing {failing(COMMONMARK)}")  # noqa: T201
    assert len(examples(COMMONMARK)) == 652
    assert share >= 0.99


def test_share_of_gfm_extensions() -> None:
    bad = [(name, number) for name in GFM for number in failing(name)]
    count = sum(len(examples(name)) for name in GFM)
    share = 1 - len(bad) / count
    print(f"GFM extensions: {share:.2%} of {count} by structure, failing {bad}")  # noqa: T201
    assert share >= 0.95


def test_the_comparison_notices_what_is_wrong() -> None:
    good = {"markdown": "*a*\n", "html": "<p><em>a</em></p>\n"}
    assert is_faithful(good)
    for html in ("<p>a</p>", "<p><strong>a</strong></p>", "<blockquote><p><em>a</em></p></blockquote>", ""):
        assert not is_faithful(good | {"html": html})
