"""Bounds on what servers say: hostile lists and results become plain values of a known size."""

from __future__ import annotations

import base64
import json
from typing import Any

import mcp_types as types
import pytest

from chatdesk.core.tools.host.listing import (
    LARGEST_SCHEMA_BYTES,
    LONGEST_DESCRIPTION,
    LONGEST_NAME,
    LONGEST_RESULT_BYTES,
    MOST_FILES,
    MOST_TOOLS,
    result_row,
    tool_rows,
)

SCHEMA = {"type": "object", "properties": {"path": {"type": "string"}}}


def _tool(name: str = "read", **more: object) -> types.Tool:
    return types.Tool.model_validate({"name": name, "inputSchema": SCHEMA, **more})


def test_a_list_without_end_is_cut_and_names_come_once() -> None:
    rows = tool_rows([_tool(f"t{number}") for number in range(MOST_TOOLS + 50)])[0]
    assert len(rows) == MOST_TOOLS
    first, second = _tool(description="mine"), _tool(description="imitates it")
    assert [row[2] for row in tool_rows([first, second])[0]] == ["mine"]


@pytest.mark.parametrize(
    "tool",
    [
        _tool(""),
        _tool("x" * (LONGEST_NAME + 1)),
        _tool(inputSchema={"type": "object", "description": "x" * LARGEST_SCHEMA_BYTES}),
    ],
)
def test_a_tool_out_of_bounds_is_left_out(tool: types.Tool) -> None:
    assert [row[0] for row in tool_rows([tool, _tool("good")])[0]] == ["good"]


def test_a_description_is_cut_but_the_digest_is_over_all_of_it() -> None:
    text = "x" * (LONGEST_DESCRIPTION + 10)
    one, other = (tool_rows([_tool("a", description=each)])[0][0] for each in (text, text + "!"))
    assert one[2] == other[2] and len(one[2]) == LONGEST_DESCRIPTION
    assert one[-1] != other[-1]


@pytest.mark.parametrize(
    "change",
    [
        {"title": "Another"},
        {"description": "Another"},
        {"inputSchema": {**SCHEMA, "required": ["path"]}},
        {"annotations": {"readOnlyHint": True}},
    ],
)
def test_whatever_changes_of_a_tool_changes_its_digest(change: dict[str, object]) -> None:
    assert tool_rows([_tool()])[0][0][-1] != tool_rows([_tool(**change)])[0][0][-1]


def test_a_tool_without_hints_may_do_everything() -> None:
    (row,) = tool_rows([_tool()])[0]
    assert row[4:7] == (False, True, True)
    (row,) = tool_rows([_tool(annotations={"readOnlyHint": True, "destructiveHint": False, "openWorldHint": False})])[0]
    assert row[4:7] == (True, False, False)


def _result(*blocks: dict[str, object], **more: object) -> types.CallToolResult:
    return types.CallToolResult.model_validate({"content": list(blocks), **more})


def test_texts_files_and_links_of_a_result_are_told_apart() -> None:
    data = base64.b64encode(b"abc").decode()
    text, files, is_error, size = result_row(
        _result(
            {"type": "text", "text": "one"},
            {"type": "image", "data": data, "mimeType": "image/png"},
            {"type": "audio", "data": data, "mimeType": "audio/wav"},
            {"type": "resource", "resource": {"uri": "file:///etc/passwd", "text": "root"}},
            {"type": "resource", "resource": {"uri": "file:///a.bin", "blob": data}},
            {"type": "resource_link", "name": "log", "uri": "file:///etc/shadow"},
            isError=True,
        )
    )
    assert text == "one\n\nfile:///etc/passwd:\nroot\n\n[log: file:///etc/shadow]"  # a link is words, never opened
    assert [file[0] for file in files] == ["image 2", "sound 3", "file:///a.bin"]
    assert is_error and size == len("one") + len("file:///etc/passwd:\nroot") + len("[log: file:///etc/shadow]") + 9


def test_a_result_is_bounded_in_text_and_files() -> None:
    text, _files, _is_error, size = result_row(_result({"type": "text", "text": "é" * LONGEST_RESULT_BYTES}))
    assert size == 2 * LONGEST_RESULT_BYTES and text.endswith("more bytes were cut off.]")
    assert len(text.encode()) < LONGEST_RESULT_BYTES + 100
    image = {"type": "image", "data": base64.b64encode(b"abc").decode(), "mimeType": "image/png"}
    assert len(result_row(_result(*[image] * (MOST_FILES + 5)))[1]) == MOST_FILES


def test_a_file_with_invalid_base64_is_left_out() -> None:
    broken = {"type": "image", "data": "%%%", "mimeType": "image/png"}
    assert result_row(_result(broken, {"type": "text", "text": "fine"}))[:2] == ("fine", ())


@pytest.mark.parametrize(
    ("text", "structured", "is_added"),
    [
        (None, {"degrees": 7}, True),
        ("7", {"degrees": 7}, False),
        ("It is 7 degrees in OSLO.", {"degrees": 7, "place": "Oslo"}, False),
        ('{"degrees": 7, "is_warm": false}', {"degrees": 7, "is_warm": False}, False),
        ('{"text": "a\\nb"}', {"text": "a\nb"}, False),
        ("add returned 1 item.", {"sum": 3, "note": "only here"}, True),
        ("Done", {"ok": False}, True),
        ("1 row", {"rows": [{"name": "Ada"}]}, True),
        ("Nothing", {}, False),
        ("0 " * 300, {"rows": [0] * 300}, True),
    ],
)
def test_structured_content_is_added_where_the_text_does_not_say_it(
    text: str | None, structured: dict[str, Any], is_added: bool
) -> None:
    blocks = [] if text is None else [{"type": "text", "text": text}]
    found = result_row(_result(*blocks, structuredContent=structured))[0]
    added = json.dumps(structured, indent=1) if is_added else ""
    assert found == "\n\n".join(filter(None, (text, added)))
