"""A person's answers to calls that wait."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from chatdesk.core.chat.tool_calls.approvals import Approvals, ArgumentsNotUsable, problem_with
from chatdesk.core.domain.tools import Answer, ApprovalRequest, Tool, ToolHints
from chatdesk.core.errors import NotPossible
from chatdesk.core.events import EventBus

_SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {"path": {"type": "string"}, "depth": {"type": ["integer", "null"]}, "all": {"type": "boolean"}},
    "required": ["path"],
    "additionalProperties": False,
}
_TOOL = Tool("files", "Files", "list", "", "", _SCHEMA, ToolHints(), "0" * 64)


def _request(**more: Any) -> ApprovalRequest:
    return ApprovalRequest("r", "t", "m", _TOOL, '{"path": "."}', "here", **more)


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        ({"path": "a"}, ""),
        ({"path": "a", "depth": None, "all": True}, ""),
        ({}, "“path” is missing."),
        ({"path": 3}, "“path” is not of the type string."),
        ({"path": "a", "depth": True}, "“depth” is not of the type integer or null."),
        ({"path": "a", "all": 1}, "“all” is not of the type boolean."),
        ({"path": "a", "more": 1}, "There is no “more”."),
    ],
)
def test_arguments_are_compared_with_names_and_types(arguments: dict[str, Any], problem: str) -> None:
    assert problem_with(arguments, _SCHEMA) == problem


@pytest.mark.parametrize(
    "schema",
    [{}, {"properties": 3, "required": "x"}, {"required": [1]}, {"properties": {"a": 1, "b": {"type": [3, "no"]}}}],
)
def test_a_schema_that_is_none_checks_nothing(schema: dict[str, Any]) -> None:
    assert problem_with({"a": 1, "b": 2}, schema) == ""


async def test_a_call_is_answered_once_and_as_offered() -> None:
    approvals = Approvals(EventBus())
    asking = asyncio.ensure_future(approvals.ask(_request(answers=(Answer.DENY, Answer.ONCE))))
    await asyncio.sleep(0)
    with pytest.raises(NotPossible, match="not offered"):
        approvals.answer("r", Answer.ALWAYS)
    with pytest.raises(ArgumentsNotUsable, match="“path” is missing"):
        approvals.answer("r", Answer.ONCE, {})
    assert approvals.waiting("t") and not approvals.waiting("another thread")
    approvals.answer("r", Answer.ONCE, {"path": "ä"})
    assert not approvals.waiting()
    with pytest.raises(NotPossible, match="no longer waiting"):
        approvals.answer("r", Answer.DENY)
    answered = await asking
    assert (answered.answer, answered.arguments) == (Answer.ONCE, '{"path": "ä"}')


async def test_a_denied_call_needs_no_arguments_that_fit() -> None:
    approvals = Approvals(EventBus())
    asking = asyncio.ensure_future(approvals.ask(_request()))
    await asyncio.sleep(0)
    approvals.answer("r", Answer.DENY, {})
    assert (await asking).answer is Answer.DENY
