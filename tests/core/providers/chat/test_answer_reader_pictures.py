"""Pictures that a model drew, as gateways send them beside the text."""

from __future__ import annotations

import pytest

from chatdesk.core.providers.base import PictureDelta, TextDelta
from chatdesk.core.providers.chat.answer_reader import AnswerReader, WrongShapeError

URL = "data:image/png;base64,iVBORw0KGgo="


def read(delta: object) -> list[object]:
    return list(AnswerReader().feed({"choices": [{"delta": delta}]}))


@pytest.mark.parametrize(
    "delta",
    [
        {"content": "Here", "images": [{"type": "image_url", "image_url": {"url": URL}}]},
        {"content": "Here", "images": [{"image_url": URL}]},
        {"content": [{"type": "text", "text": "Here"}, {"type": "image_url", "image_url": {"url": URL}}]},
    ],
)
def test_a_drawn_picture_is_part_of_the_answer(delta: object) -> None:
    assert read(delta) == [TextDelta("Here"), PictureDelta("image-1", URL)]


def test_a_picture_that_has_an_address_is_named_in_the_text_and_not_fetched() -> None:
    place = {"image_url": {"url": "https://pictures.example/a(b).png?x=1"}}
    assert read({"images": [place]}) == [TextDelta("\n\n![Image](<https://pictures.example/a(b).png?x=1>)\n\n")]


@pytest.mark.parametrize(
    "images",
    [
        "text",
        [1, None, {}],
        [{"image_url": {"url": "javascript:alert(1)"}}],
        [{"image_url": {"url": "file:///etc/passwd"}}],
        [{"image_url": {"url": "https://a.b/> [x](http://evil.test)"}}],
        [{"image_url": {"url": "https://user@a.b/c.png"}}],
    ],
)
def test_what_is_no_picture_is_left_out(images: object) -> None:
    assert read({"content": "Here", "images": images}) == [TextDelta("Here")]


def test_endless_pictures_are_an_error() -> None:
    with pytest.raises(WrongShapeError):
        read({"images": [{"image_url": URL}] * 1001})
