"""What servers ask for, as the process that hosts them reads it: flat forms and safe addresses within bounds."""

from __future__ import annotations

from typing import Any

import mcp_types as types
import pytest

from chatdesk.core.tools.host.requests import RequestRefused, checked_address, fields_of, question_of


def _fields(**properties: Any) -> Any:
    return fields_of({"type": "object", "properties": properties, "required": ["a"]})


def test_fields_have_kinds_options_and_bounds() -> None:
    rows = _fields(
        a={"type": "string", "title": "A", "minLength": 1, "maxLength": 3},
        b={"type": "string", "oneOf": [{"const": "x", "title": "X"}, {"const": "y", "title": "Y"}], "default": "y"},
        c={"type": "array", "items": {"anyOf": [{"const": "x", "title": "X"}]}, "minItems": 1},
        d={"type": "boolean", "default": True},
        e={"type": "integer", "minimum": 1},
    )
    assert [(row[0], row[3], row[4]) for row in rows] == [
        ("a", "text", True),
        ("b", "choice", False),
        ("c", "choices", False),
        ("d", "switch", False),
        ("e", "integer", False),
    ]
    assert rows[0][8:] == (1, 3) and rows[1][5:7] == ("y", (("x", "X"), ("y", "Y"))) and rows[2][8:] == (1, None)


@pytest.mark.parametrize(
    "beyond", [10**400, -(10**400), float("inf"), float("nan")], ids=["much", "little", "inf", "nan"]
)
def test_numbers_beyond_any_use_and_endless_texts_are_left_out(beyond: float) -> None:
    (number,) = _fields(a={"type": "number", "default": beyond, "minimum": beyond, "maximum": beyond})
    assert (number[5], number[8], number[9]) == (None, None, None)
    text, choices = _fields(
        a={"type": "string", "default": "x" * 1_000_000},
        b={"type": "array", "items": {"enum": ["x"]}, "default": ["x" * 1_000_000]},
    )
    assert (text[5], choices[5]) == (None, None)


@pytest.mark.parametrize(
    "schema",
    [
        {},
        {"properties": {"a": {"type": "object", "properties": {}}}},
        {"properties": {"a": {"type": "array", "items": {"type": "number"}}}},
        {"properties": {"a": {"type": "string", "enum": [str(n) for n in range(101)]}}},
        {"properties": {f"a{n}": {"type": "string"} for n in range(21)}},
        {"properties": {"a" * 200: {"type": "string"}}},
        {"properties": {"a": "string"}},
    ],
)
def test_a_form_that_is_nested_or_too_large_is_refused(schema: dict[str, Any]) -> None:
    with pytest.raises(RequestRefused):
        fields_of(schema)


@pytest.mark.parametrize("address", ["https://pay.example.com/a?b=c", "http://127.0.0.1:8000/a", "http://localhost/"])
def test_safe_addresses_may_be_opened(address: str) -> None:
    assert checked_address(address) == address


@pytest.mark.parametrize(
    "address",
    [
        "http://pay.example.com/",
        "file:///etc/passwd",
        "javascript:alert(1)",
        "chatdesk://open",
        "https://you@evil.example/",
        "https://pay.example.com\\@evil.example/",
        "https://pay.example.com/\u202e",
        "https://",
        "https://[",
        "https://a.example/" + "x" * 3_000,
    ],
)
def test_other_addresses_are_refused(address: str) -> None:
    with pytest.raises(RequestRefused):
        checked_address(address)


def _question(**more: Any) -> types.CreateMessageRequestParams:
    text = types.TextContent(type="text", text="What is WAL?")
    values = {"messages": [types.SamplingMessage(role="user", content=text)], "max_tokens": 5, **more}
    return types.CreateMessageRequestParams(**values)


def test_a_question_to_a_model_is_text_within_bounds() -> None:
    assert question_of(_question(system_prompt="Be terse.")) == ("Be terse.", (("user", "What is WAL?"),), 5, None)
    picture = types.ImageContent(type="image", data="", mime_type="image/png")
    for more in (
        {"system_prompt": "x" * 60_000},
        {"messages": []},
        {"messages": [types.SamplingMessage(role="user", content=picture)]},
        {"tools": [types.Tool(name="a", input_schema={"type": "object"})]},
    ):
        with pytest.raises(RequestRefused):
            question_of(_question(**more))
