"""Pictures that a model drew, as gateways send them beside the text."""

from __future__ import annotations

import pytest

from chatdesk.core.providers.answer_reader import AnswerReader
from chatdesk.core.providers.base import TextDelta

URL = "data:image/png;base64,iVBORw0KGgo="


def text_of(delta: object) -> str:
    reader = AnswerReader()
    return "".join(each.text for each in reader.feed({"choices": [{"delta": delta}]}) if isinstance(each, TextDelta))


@pytest.mark.parametrize("images", [[{"type": "image_url", "image_url": {"url": URL}}], [{"image_url": URL}]])
def test_a_drawn_picture_is_part_of_the_answer(images: list[object]) -> None:
    assert text_of({"content": "Here", "images": images}) == f"Here\n\n![Image]({URL})\n\n"


@pytest.mark.parametrize(
    "images",
    [
        "text",
        [1, None, {}],
        [{"image_url": {"url": "http://a.b/c.png"}}],
        [{"image_url": {"url": "data:image/svg+xml;base64,AAAA"}}],
        [{"image_url": {"url": URL + ") [x](http://evil.test"}}],
    ],
)
def test_what_is_no_picture_is_left_out(images: object) -> None:
    assert text_of({"content": "Here", "images": images}) == "Here"
