"""Calls are assembled from pieces, whatever order and ids a server gives them."""

from __future__ import annotations

import pytest

from chatdesk.core.chat.tool_calls.collected_calls import LARGEST_ARGUMENTS_CHARACTERS, CollectedCalls
from chatdesk.core.providers.base import ToolCallDelta


def test_interleaved_pieces_belong_to_their_calls() -> None:
    calls = CollectedCalls(4)
    passed_on = [
        calls.add(each)
        for each in (
            ToolCallDelta(7, "a", "one", '{"x"'),
            ToolCallDelta(2, None, "two", "{"),
            ToolCallDelta(7, None, None, ": 1}"),
            ToolCallDelta(2, "b", None, "}"),
        )
    ]
    assert [each.index for each in passed_on] == [4, 5, 4, 5]
    assert [(each.number, each.id, each.name, each.read()) for each in calls.finished()] == [
        (4, "a", "one", {"x": 1}),
        (5, "b", "two", {}),
    ]


def test_every_call_has_an_id_of_its_own() -> None:
    calls = CollectedCalls(0)
    for index, call_id in enumerate((None, "x", "x", "")):
        calls.add(ToolCallDelta(index, call_id, "f", "{}"))
    ids = [each.id for each in calls.finished()]
    assert len(set(ids)) == 4 and all(ids)


def test_arguments_other_than_an_object_are_none() -> None:
    calls = CollectedCalls(0)
    calls.add(ToolCallDelta(0, "a", "f", "[1"))
    calls.add(ToolCallDelta(1, "b", "f", '{"a": "' + "x" * LARGEST_ARGUMENTS_CHARACTERS + '"}'))
    broken, large = calls.finished()
    assert broken.read() is None and large.read() is None


@pytest.mark.parametrize("arguments", ['{"path": "a", "path": "b"}', '{"x": {"y": 1, "y": 2}}', '{"x": NaN}'])
def test_ambiguous_arguments_are_not_read(arguments: str) -> None:
    calls = CollectedCalls(0)
    calls.add(ToolCallDelta(0, "a", "f", arguments))
    (call,) = calls.finished()
    assert call.read() is None
