"""What is read without loading ``json`` is what ``json`` would read."""

from __future__ import annotations

import json

import pytest

from chatdesk.core.local_api.light_json import read_json, string_json


@pytest.mark.parametrize(
    "text",
    [
        "{}",
        ' {"a": [1, -2.5, true, false, null], "b": {"c": "d"}}\n',
        '"\\u00e9\\ud83d\\ude00 \\n"',
        '"plain: é 😀"',
        "12345678901234567890",
    ],
)
def test_a_value_is_read_as_json_reads_it(text: str) -> None:
    assert read_json(text.encode()) == json.loads(text)


@pytest.mark.parametrize("data", [b"", b" ", b"{", b"{} {}", b"nothing", b'{"a": NaN}', b"Infinity", b'"\n"', b"\xff"])
def test_anything_else_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match=r"JSON|value|Expecting|Invalid|decode|Extra"):
        read_json(data)


def test_what_is_too_deep_is_refused() -> None:
    with pytest.raises(RecursionError):
        read_json(b"[" * 200_000)


@pytest.mark.parametrize("text", ["", "plain", 'a "quoted"\\ \n\t\x00\x7f', "é 😀 \ud800"])
def test_a_string_is_written_as_json_writes_it(text: str) -> None:
    assert string_json(text) == json.dumps(text)
