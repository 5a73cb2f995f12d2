"""Pictures in the text itself: seen as pictures, bounded, and never sent back or shown as letters."""

from __future__ import annotations

import base64
import time

import pytest

from chatdesk.core.rendering.blocks import Block, ImagePlaceholder, Paragraph
from chatdesk.core.rendering.markdown import parse_markdown
from chatdesk.core.rendering.picture_data import MAX_PICTURE_BYTES, picture_url, without_pictures
from chatdesk.core.rendering.plain_text import MAX_MARKDOWN_CHARS
from chatdesk.core.rendering.streaming import StreamingMarkdown
from chatdesk.core.rendering.wire import decode_block, encode_block
from chatdesk.core.transfer.exports.html_blocks import HtmlBlocks
from tests.helpers.block_words import spans_to_plain

PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg=="
URL = f"data:image/png;base64,{PNG}"
DATA = base64.b64decode(PNG)


def pictures(blocks: tuple[Block, ...]) -> list[ImagePlaceholder]:
    return [block for block in blocks if isinstance(block, ImagePlaceholder)]


@pytest.mark.parametrize("text", [f"![a dot]({URL})", f"![a dot](<{URL}>)", f'![a dot]({URL} "title")'])
def test_a_picture_in_the_text_is_one(text: str) -> None:
    (block,) = parse_markdown(text)
    assert isinstance(block, ImagePlaceholder)
    assert (block.alt, block.url, block.data) == ("a dot", "", DATA)
    assert decode_block(encode_block(block)) == block
    assert f'<img alt="a dot" src="{URL}">' in HtmlBlocks("m").html([block])


def test_among_words_it_stands_below_them() -> None:
    words, picture = parse_markdown(f"See ![a dot]({URL}) here.")
    assert isinstance(words, Paragraph)
    assert spans_to_plain(words.spans) == "See a dot here."
    assert isinstance(picture, ImagePlaceholder)
    assert picture.data == DATA


@pytest.mark.parametrize("url", ["data:image/svg+xml;base64,AAAA", "data:text/html;base64,AAAA", "data:image/png,AAAA"])
def test_other_data_is_text(url: str) -> None:
    assert not pictures(parse_markdown(f"![x]({url})"))


def test_damaged_and_huge_data_is_said_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    (block,) = pictures(parse_markdown("![x](data:image/png;base64,AAAAA)"))
    assert block.data == b""
    assert "damaged or too large" in block.remark
    huge = "A" * (MAX_PICTURE_BYTES * 4 // 3 + 8)
    (block,) = pictures(parse_markdown(f"![x](data:image/png;base64,{huge})"))
    assert block.data == b""


def test_a_large_picture_does_not_make_the_text_plain() -> None:
    url = picture_url(DATA + b"\0" * (2 * MAX_MARKDOWN_CHARS))
    blocks = parse_markdown(f"# Title\n\n![x]({url})\n\n- item")
    assert [type(block).__name__ for block in blocks] == ["Heading", "ImagePlaceholder", "Paragraph"]


def test_a_picture_that_comes_in_pieces_is_never_seen_as_letters() -> None:
    url = picture_url(DATA + b"\0" * 300_000)
    text = f"Here:\n\n![a dot]({url})\n\nDone **now**.\n"
    stream = StreamingMarkdown()
    started = time.thread_time()
    for at in range(0, len(text), 4_000):
        stream.append(text[at : at + 4_000])
        for block in stream.blocks:
            assert not isinstance(block, Paragraph) or len(spans_to_plain(block.spans)) < 20
    assert time.thread_time() - started < 3.0
    stream.finish()
    assert stream.blocks == parse_markdown(text)


def test_models_are_sent_the_words_of_a_picture() -> None:
    assert without_pictures(f"a ![dot]({URL}) b ![]({URL})") == "a [picture: dot] b [picture]"
    assert without_pictures("![a](http://b.c/d.png)") == "![a](http://b.c/d.png)"


@pytest.mark.parametrize(
    ("beginning", "count", "end"),
    [("![a](data:image/png;base64,", 600, ""), ("![", 2_500, f"a]({URL})"), ("](data:image/", 10_000, "")],
)
def test_hostile_beginnings_of_pictures_take_little_time(beginning: str, count: int, end: str) -> None:
    """Twice as many take about twice as long, and not four times."""

    def taken_s(text: str) -> float:
        started = time.thread_time()
        parse_markdown(text)
        without_pictures(text)
        StreamingMarkdown().append(text)
        return time.thread_time() - started

    once, twice = (min(taken_s(beginning * each + end) for _ in range(3)) for each in (count, 2 * count))
    assert twice < 3 * once + 0.01
