"""Stored JSON is read whatever stands in its place: one damaged row hides no other."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from chatdesk.core import storage
from chatdesk.core.storage.chat.artifacts import from_draft_json
from chatdesk.core.storage.engine.plain_text import from_json, to_json

# What a column can hold, whatever its declared type.
IMPOSSIBLE = (
    None,
    b"\xff",
    b"{}",
    7,
    -(2**63),
    1.5,
    float("inf"),
    "",
    "NaN",
    "7",
    "null",
    "[]",
    "\ud800",
    "[" * 100_000,
)


@pytest.mark.parametrize("value", IMPOSSIBLE, ids=lambda each: repr(each)[:12])
def test_text_other_than_a_json_object_reads_as_empty(value: object) -> None:
    assert from_json(value) == {}  # type: ignore[arg-type]
    assert from_draft_json(value) == ()  # type: ignore[arg-type]


def test_an_object_is_read_again() -> None:
    assert from_json(to_json({"text": "ä\n\x01\\u"})) == {"text": "ä\n\x01\\u"}


def test_what_is_spelt_out_reads_as_text_that_can_be_shown() -> None:
    stored = r'{"a\ud83d": ["\udfff\u0000", {"b": "\ud83d\ude00"}]}'
    assert from_json(stored) == {"a\N{REPLACEMENT CHARACTER}": ["\N{REPLACEMENT CHARACTER}" * 2, {"b": "😀"}]}


def test_sql_takes_no_value_out_of_what_may_be_no_json() -> None:
    """SQLite ends a whole statement at a text that is no JSON, and with it a list or a thread."""
    unguarded = re.compile(r"(json_valid\((?:\w+\.)?(\w+)\).{0,40})?json_extract\((?:\w+\.)?(\w+)", re.DOTALL)
    found = [
        f"{path.name}: {match[3]}"
        for path in sorted(Path(storage.__path__[0]).rglob("*.py"))
        for match in unguarded.finditer(path.read_text("utf-8"))
        if match[2] != match[3]
    ]
    assert found == []
