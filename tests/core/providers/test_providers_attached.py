"""What providers make of files and pictures that came with a message."""

from __future__ import annotations

import json

import pytest

from chatdesk.core.domain.attachment import Attachment, Enclosed
from chatdesk.core.domain.message import Role
from chatdesk.core.providers.base import ChatRequest, RequestMessage, TextDelta, UsageReported
from chatdesk.core.providers.offline.provider import OfflineProvider, count_pieces
from chatdesk.core.providers.wire import wire_message

FILE = Attachment("my_notes.txt", "text/plain", "a" * 64, 1350)
IMAGE = Attachment("cat.png", "image/png", "b" * 64, 99, 640, 480)
URL = "data:image/png;base64,AAAA"


def test_images_follow_the_words() -> None:
    message = RequestMessage(Role.USER, "Look", files=("[one]", "[two]"), images=(URL, URL))
    assert wire_message(message) == {
        "role": "user",
        "content": [
            {"type": "text", "text": "[one]\n\n[two]\n\nLook"},
            {"type": "image_url", "image_url": {"url": URL}},
            {"type": "image_url", "image_url": {"url": URL}},
        ],
    }


def test_where_there_is_no_image_the_content_stays_plain() -> None:
    assert wire_message(RequestMessage(Role.USER, "Look", files=("[one]",)))["content"] == "[one]\n\nLook"
    assert wire_message(RequestMessage(Role.USER, "", files=("[one]",)))["content"] == "[one]"
    assert wire_message(RequestMessage(Role.USER, "", images=(URL,)))["content"] == [
        {"type": "image_url", "image_url": {"url": URL}}
    ]


@pytest.mark.parametrize("model", ["offline-demo", "offline-echo"])
async def test_the_offline_model_names_what_it_got(model: str) -> None:
    enclosed = (Enclosed(FILE, 5, 9), Enclosed(IMAGE, 9, 9))
    message = RequestMessage(Role.USER, "/demo table", enclosed=enclosed, files=("words " * 10,), images=(URL,))
    provider = OfflineProvider(speed_tokens_per_s=None)
    events = [event async for event in provider.stream(ChatRequest(model, (message,)))]
    text = "".join(event.text for event in events if isinstance(event, TextDelta))
    assert text.startswith("With your message I got these 2 files:")
    assert "my\\_notes\\.txt, a file of 1,350 bytes (text/plain), of which the beginning and the end fit" in text
    assert "cat\\.png, an image of 640 × 480 pixels" in text
    (usage,) = [event.usage for event in events if isinstance(event, UsageReported)]
    assert usage.input_tokens >= count_pieces("words " * 10)
    body = json.loads(await provider.wire_body(ChatRequest(model, (message,))))
    assert len(body["messages"][0]["content"]) == 2


async def test_attachments_alone_are_answered() -> None:
    message = RequestMessage(Role.USER, "", enclosed=(Enclosed(FILE, 9, 9),), files=("x",))
    provider = OfflineProvider(speed_tokens_per_s=None)
    events = [event async for event in provider.stream(ChatRequest("", (message,)))]
    text = "".join(event.text for event in events if isinstance(event, TextDelta))
    assert text.strip().splitlines() == [
        "With your message I got this:",
        "",
        "- my\\_notes\\.txt, a file of 1,350 bytes (text/plain)",
    ]
