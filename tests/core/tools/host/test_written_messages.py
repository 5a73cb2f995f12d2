"""Messages of servers in the forms that they are written in, alone and several at once."""

from __future__ import annotations

import json
from typing import Any

import mcp_types as types
import pytest

from chatdesk.core.tools.host.written_messages import answer_in, messages_in, words_of, written

ANSWER: dict[str, Any] = {"jsonrpc": "2.0", "id": 1, "result": {"tools": []}}
NEWS: dict[str, Any] = {"jsonrpc": "2.0", "method": "notifications/message", "params": {"data": "grüße"}}
ASKED: dict[str, Any] = {"jsonrpc": "2.0", "id": "a", "method": "ping"}
ERROR: dict[str, Any] = {"jsonrpc": "2.0", "id": 1, "error": {"code": -3, "message": "full"}}


@pytest.mark.parametrize("message", [ANSWER, NEWS, ASKED, ERROR])
@pytest.mark.parametrize("change", [{}, {"jsonrpc": None}, {"jsonrpc": "1.0"}, {"jsonrpc": 2}, {"more": 1}])
@pytest.mark.parametrize("is_list", [False, True])
def test_a_message_is_read_however_it_is_written(
    message: dict[str, Any], change: dict[str, Any], is_list: bool
) -> None:
    changed = {name: value for name, value in (message | change).items() if value is not None}
    data = json.dumps([changed, 7, None, NEWS] if is_list else changed).encode()
    found = [json.loads(written(each)) for each in messages_in(data)]
    assert [{name: each[name] for name in each if name != "more"} for each in found] == [message, NEWS][: 1 + is_list]


@pytest.mark.parametrize("data", [b"", b"ping", b"7", b"null", b"[]", b"{}", b"[[]]", b'{"id": 1}', b'{"result": 1}'])
def test_other_lines_are_not_read_as_messages(data: bytes) -> None:
    assert answer_in(data, 1) is None


@pytest.mark.parametrize(
    "error", ["full", {"message": "full"}, {"code": "E", "message": "full"}, {"error": {"detail": "full"}}]
)
def test_the_words_of_an_error_are_found_in_any_form(error: object) -> None:
    assert words_of(error) == "full"
    answer = answer_in(json.dumps({"error": error, "id": None}).encode(), 5)
    assert isinstance(answer, types.JSONRPCError) and (answer.id, answer.error.message) == (5, "full")


def test_an_answer_is_to_the_request_it_was_written_for() -> None:
    answer = answer_in(json.dumps([NEWS, ANSWER | {"id": "other"}]).encode(), 5)
    assert isinstance(answer, types.JSONRPCResponse) and answer.id == 5
    assert answer_in(json.dumps(NEWS).encode(), 5) is None
