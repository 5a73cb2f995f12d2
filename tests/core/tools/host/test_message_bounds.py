"""Messages of servers are bounded before they are parsed: a result is cut, other answers fail, what else comes ends."""

from __future__ import annotations

import json
from typing import Any

import pytest

from chatdesk.core.tools.host.message_bounds import MOST_VALUES, TooManyValues, within_bounds

PART = {"type": "text", "text": "x"}


def _written(**message: Any) -> bytes:
    return json.dumps({"jsonrpc": "2.0", **message}).encode()


def test_a_message_within_bounds_is_unchanged() -> None:
    message = _written(id=1, result={"content": [PART] * 1000, "isError": False})
    assert within_bounds(message) is message


def test_signs_within_texts_are_no_values() -> None:
    text = '{"a": [1, 2, "\\"]}' * MOST_VALUES
    message = _written(id=1, result={"content": [{"type": "text", "text": text}]})
    assert within_bounds(message) is message


def test_a_result_of_too_many_parts_keeps_the_first_and_says_so() -> None:
    parts = [{"type": "text", "text": f"{n}, {{[“"} for n in range(MOST_VALUES)]
    read = json.loads(within_bounds(_written(id="a", result={"content": parts, "isError": True})))
    kept = read["result"]["content"]
    assert read["id"] == "a"
    assert MOST_VALUES / 4 < len(kept) < MOST_VALUES / 2
    assert kept[:-1] == parts[: len(kept) - 1]
    assert kept[-1] == {"type": "text", "text": "[More parts were cut off.]"}


@pytest.mark.parametrize(
    "result",
    [
        {"tools": [{}] * MOST_VALUES},
        {"structuredContent": {"rows": [[]] * MOST_VALUES}, "content": [PART]},
        {"content": [PART], "structuredContent": {"rows": [1] * MOST_VALUES}},
        {"content": {"a": [1] * MOST_VALUES}},
        [1] * MOST_VALUES,
    ],
)
def test_another_answer_of_too_many_values_is_an_error(result: object) -> None:
    read = json.loads(within_bounds(_written(id=7, result=result)))
    assert (read["jsonrpc"], read["id"], list(read)) == ("2.0", 7, ["jsonrpc", "id", "error"])
    assert "more than 100,000 values" in read["error"]["message"]


@pytest.mark.parametrize(
    "message",
    [
        _written(id=1, method="sampling/createMessage", params={"messages": [{}] * MOST_VALUES}),
        _written(method="notifications/message", params={"data": [1] * MOST_VALUES}),
        _written(result={"content": [PART] * MOST_VALUES}, id=1),  # whose answer it is comes too late
        json.dumps([[]] * MOST_VALUES).encode(),
    ],
)
def test_what_can_be_neither_cut_nor_answered_is_refused(message: bytes) -> None:
    with pytest.raises(TooManyValues, match="more than 100,000 values"):
        within_bounds(message + b", " * MOST_VALUES)


@pytest.mark.parametrize("start", [b'{"id": 1, "result": "', b'"', b""])
def test_a_text_without_an_end_is_read_once(start: bytes) -> None:
    """Looking for its end again from each quotation mark would take hours."""
    message = start + b'\\",' * 1_000_000
    assert within_bounds(message) is message


@pytest.mark.parametrize("step", [1, 7, 1013])
def test_wherever_the_bound_is_a_whole_message_comes_out(monkeypatch: pytest.MonkeyPatch, step: int) -> None:
    parts = [{"type": "text", "text": "a", "_meta": {"k": [1, {"x": None}]}}, {"type": "image", "data": "", "n": 1.5}]
    message = _written(id=1, result={"_meta": {"m": [True]}, "content": parts * 200})
    for most in range(3, 4000, step * 37):
        monkeypatch.setattr("chatdesk.core.tools.host.message_bounds.MOST_VALUES", most)
        read = json.loads(within_bounds(message))
        assert read["id"] == 1 and ("result" in read) != ("error" in read)


@pytest.mark.parametrize(("count", "fits"), [(MOST_VALUES - 3, True), (MOST_VALUES - 2, False)])
def test_the_bound_itself_is_within_bounds(count: int, fits: bool) -> None:
    message = _written(id=1, result=[1] * count)  # with the message, its id and the list itself three values more
    assert (within_bounds(message) is message) == fits
