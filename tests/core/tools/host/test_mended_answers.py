"""Answers that are malformed in one entry: the others come through, and what cannot be read is named."""

from __future__ import annotations

from typing import Any

import mcp_types as types
import pytest
from mcp_types import methods
from mcp_types.version import HANDSHAKE_PROTOCOL_VERSIONS

from chatdesk.core.tools.host.mended_answers import MendedAnswers

_LISTS: dict[str, tuple[str, type, dict[str, Any]]] = {
    "tools/list": ("tools", types.Tool, {"name": "good", "inputSchema": {"type": "object"}}),
    "prompts/list": ("prompts", types.Prompt, {"name": "good"}),
    "resources/list": ("resources", types.Resource, {"name": "good", "uri": "note://good"}),
    "tools/call": ("content", types.TextContent, {"type": "text", "text": "good"}),
    "prompts/get": ("messages", types.PromptMessage, {"role": "user", "content": {"type": "text", "text": "good"}}),
    "resources/read": ("contents", types.TextResourceContents, {"uri": "note://good", "text": "good"}),
}
_WRONG: tuple[Any, ...] = (5, True, "x", [3], {"type": "array"}, {}, None, -1.5)


_FIELDS = [
    (method, about.alias or field)
    for method, (_name, model, _good) in _LISTS.items()
    for field, about in model.model_fields.items()  # type: ignore[attr-defined]
]


def _mended(method: str, result: dict[str, Any], answers: MendedAnswers | None = None) -> dict[str, Any]:
    answers = answers or MendedAnswers()
    answers.sending(types.JSONRPCRequest(jsonrpc="2.0", id=1, method=method, params={}))
    answer = types.JSONRPCResponse(jsonrpc="2.0", id=1, result=result)
    assert answers.received(answer)
    return answer.result


def _check_neighbours(method: str, odd: Any) -> None:
    name, _model, good = _LISTS[method]
    answers = MendedAnswers()
    mended = _mended(method, {name: [odd, good, odd]}, answers)
    methods.validate_server_result(method, HANDSHAKE_PROTOCOL_VERSIONS[-1], mended)
    assert good in mended[name]
    if method == "tools/list":
        assert len(mended[name]) + len(answers.left_out) == 3, "what is left out is named"
    if method == "tools/call":
        assert len(mended[name]) == 3, "what cannot be read is named in its place"


@pytest.mark.parametrize(("method", "alias"), _FIELDS)
def test_an_odd_field_costs_its_entry_at_most(method: str, alias: str) -> None:
    good = _LISTS[method][2]
    _check_neighbours(method, {key: value for key, value in good.items() if key != alias})
    for wrong in _WRONG:
        _check_neighbours(method, {**good, alias: wrong})


@pytest.mark.parametrize("alias", [about.alias or field for field, about in types.PromptArgument.model_fields.items()])
def test_an_odd_field_of_an_argument_costs_this_argument_at_most(alias: str) -> None:
    good = {"name": "good", "required": True}
    for wrong in _WRONG:
        odd = {"name": "odd", alias: wrong}
        mended = _mended("prompts/list", {"prompts": [{"name": "p", "arguments": [odd, good, wrong]}]})["prompts"]
        assert [each["name"] for each in mended] == ["p"]
        assert good in mended[0]["arguments"]
        assert ("odd" in [each["name"] for each in mended[0]["arguments"]]) is (alias != "name")


@pytest.mark.parametrize(("more", "name"), [({}, "note://a"), ({"title": "A"}, "A"), ({"name": 5}, "note://a")])
def test_a_resource_without_a_name_has_that_of_its_address(more: dict[str, Any], name: str) -> None:
    mended = _mended("resources/list", {"resources": [{"uri": "note://a", **more}]})["resources"]
    assert [(each["uri"], each["name"]) for each in mended] == [("note://a", name)]


@pytest.mark.parametrize("method", _LISTS)
def test_an_entry_of_another_kind_costs_itself_only(method: str) -> None:
    for wrong in _WRONG:
        _check_neighbours(method, wrong)


@pytest.mark.parametrize(
    ("schema", "is_offered"),
    [
        ({}, True),
        (None, True),
        (True, True),
        ({"$schema": "http://json-schema.org/draft-07/schema#"}, True),
        ({"type": ["object", "null"]}, True),
        ({"type": "OBJECT"}, True),
        ({"type": "object", "properties": {"coin": {"type": "string"}, "required": ["coin"]}}, True),
        ({"anyOf": [{"type": "object"}]}, True),
        ({"type": "object", "properties": {"a": 5, "b": {}}, "required": True}, True),
        ({"type": "object", "properties": [], "required": "a"}, True),
        ({"type": "string"}, False),
        ({"type": "array", "items": {}}, False),
        (False, False),
        ("object", False),
        ([], False),
    ],
)
def test_a_schema_that_can_describe_an_object_does(schema: Any, is_offered: bool) -> None:
    answers = MendedAnswers()
    mended = _mended("tools/list", {"tools": [{"name": "odd", "inputSchema": schema}]}, answers)["tools"]
    assert [each["inputSchema"]["type"] for each in mended] == (["object"] if is_offered else [])
    assert answers.left_out == ([] if is_offered else ["odd"])


@pytest.mark.parametrize("extra", [{"nextCursor": 5}, {"_meta": 4}, {"ttlMs": "x"}])
def test_what_is_odd_around_a_list_costs_no_entry(extra: dict[str, Any]) -> None:
    good = {"name": "good", "inputSchema": {"type": "object"}}
    mended = _mended("tools/list", {"tools": [good], **extra})
    methods.validate_server_result("tools/list", HANDSHAKE_PROTOCOL_VERSIONS[-1], mended)
    assert mended["tools"] == [good]


def test_a_cursor_goes_back_as_it_came() -> None:
    answers = MendedAnswers()
    written = _mended("tools/list", {"tools": [], "nextCursor": 5}, answers)["nextCursor"]
    request = types.JSONRPCRequest(jsonrpc="2.0", id=2, method="tools/list", params={"cursor": written})
    answers.sending(request)
    assert request.params == {"cursor": 5}


@pytest.mark.parametrize(
    ("result", "text"),
    [
        ({"content": "plain"}, "plain"),
        ({"content": None}, None),
        ({}, None),
        ({"structuredContent": [1, 2]}, "[\n 1,\n 2\n]"),
        ({"content": [{"type": "text", "text": "x"}], "structuredContent": "y"}, "x"),
        ({"content": [{"type": "hologram"}]}, "[A part of the answer could not be read.]"),
        ({"content": [{"type": "text", "text": "x", "annotations": 5}]}, "x"),
    ],
)
def test_a_result_in_another_form_is_read(result: dict[str, Any], text: str | None) -> None:
    mended = _mended("tools/call", result)
    methods.validate_server_result("tools/call", HANDSHAKE_PROTOCOL_VERSIONS[-1], mended)
    assert [each["text"] for each in mended["content"]] == ([] if text is None else [text])


def test_an_answer_that_is_right_is_not_touched() -> None:
    for method, (name, _model, good) in _LISTS.items():
        result = {name: [good], "more": 1}
        assert _mended(method, result) == result


def test_a_tool_that_was_mended_has_the_digest_of_what_its_server_sent() -> None:
    answers = MendedAnswers()
    _mended("tools/list", {"tools": [{"name": "odd", "inputSchema": {}}]}, answers)
    first = answers.as_sent["odd"]
    answers.forget_list()
    _mended("tools/list", {"tools": [{"name": "odd", "inputSchema": {"$schema": "x"}}]}, answers)
    assert answers.as_sent["odd"] != first
