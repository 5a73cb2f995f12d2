"""A small text may hold more than a computer can."""

from __future__ import annotations

import json
import time

import pytest

from chatdesk.core.storage.engine.stored_bytes import MOST_IN_BODY, is_bounded
from chatdesk.core.storage.sync.wire.rows import read_object


@pytest.mark.parametrize(
    "text",
    [
        "[" + "{}," * 300_000 + "{}]",
        "[" + "1," * 300_000 + "1]",
        '["' + '","' * 300_000 + '"]',
        '{"a":[' + '"{",{},' * 100_000 + "1]}",
        "[" * 300_000,
        '{"a' * 300_000,
    ],
)
def test_text_with_millions_of_values_is_not_read(text: str) -> None:
    began = time.thread_time()
    assert not is_bounded(text, MOST_IN_BODY)
    assert read_object('{"x":' + text + "}") is None
    assert time.thread_time() - began < 2


def test_words_may_hold_whatever_they_like() -> None:
    words = json.dumps({"parts": [{"content": {"text": '[{}, "\\"] ' * 50_000}}]})
    assert is_bounded(words, MOST_IN_BODY)
    assert read_object(words) is not None
    assert is_bounded(json.dumps([{"n": each} for each in range(1000)]), 1001)
    assert not is_bounded(json.dumps([{"n": each} for each in range(1000)]), 1000)
