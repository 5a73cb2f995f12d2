"""What other programs add to a request, in the forms of Responses and of Anthropic's messages."""

from __future__ import annotations

import json
from typing import Any

import pytest

from chatdesk.core.domain.message import Role
from chatdesk.core.providers.anthropic.provider import AnthropicProvider
from chatdesk.core.providers.base import ChatRequest, RequestMessage, ToolCall
from chatdesk.core.providers.endpoint import Endpoint
from chatdesk.core.providers.offline.provider import OfflineProvider
from chatdesk.core.providers.openai_compatible import OpenAICompatibleProvider
from chatdesk.core.providers.responses.provider import ResponsesProvider

FUNCTION = {"name": "look", "description": "Looks.", "parameters": {"type": "object"}}
TOOLS = [{"type": "function", "function": FUNCTION}]
CHOICE = {"type": "function", "function": {"name": "look"}}
ASKED = RequestMessage(Role.USER, "What is it?")


def made(kind: type[OpenAICompatibleProvider]) -> OpenAICompatibleProvider:
    return kind("test", "Test", Endpoint.of("http://127.0.0.1:9/v1"))


async def body_of(
    kind: type[OpenAICompatibleProvider], *messages: RequestMessage, effort: str | None = None, **extra_fields: Any
) -> Any:
    request = ChatRequest("m", messages or (ASKED,), reasoning_effort=effort, extra_fields=extra_fields)
    assert made(kind).lacks(request) == []
    return json.loads(await made(kind).wire_body(request))


async def test_responses_has_tools_in_its_own_form() -> None:
    shape = {"type": "json_schema", "json_schema": {"name": "Pet", "schema": {"type": "object"}}}
    sent = await body_of(
        ResponsesProvider,
        tools=TOOLS,
        tool_choice=CHOICE,
        parallel_tool_calls=False,
        response_format=shape,
        verbosity="low",
    )
    assert sent["tools"] == [{"type": "function", "strict": False, **FUNCTION}]
    assert sent["tool_choice"] == {"type": "function", "name": "look"}
    assert sent["parallel_tool_calls"] is False
    wanted = {"type": "json_schema", "name": "Pet", "schema": {"type": "object"}}
    assert sent["text"] == {"format": wanted, "verbosity": "low"}


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"tool_choice": "auto"}, {"type": "auto"}),
        ({"tool_choice": "required"}, {"type": "any"}),
        ({"tool_choice": CHOICE}, {"type": "tool", "name": "look"}),
        ({"parallel_tool_calls": False}, {"type": "auto", "disable_parallel_tool_use": True}),
        ({"parallel_tool_calls": False, "tool_choice": "required"}, {"type": "any", "disable_parallel_tool_use": True}),
        ({"parallel_tool_calls": False, "tool_choice": "none"}, {"type": "none"}),
        ({"parallel_tool_calls": True}, None),
    ],
)
async def test_anthropic_has_tools_and_their_choice_in_its_own_form(
    fields: dict[str, Any], expected: dict[str, Any] | None
) -> None:
    sent = await body_of(AnthropicProvider, tools=TOOLS, **fields)
    assert sent["tools"] == [{"name": "look", "description": "Looks.", "input_schema": {"type": "object"}}]
    assert sent.get("tool_choice") == expected


async def test_results_of_tools_that_were_called_at_once_are_one_message_of_anthropic() -> None:
    calls = (ToolCall("c1", "look", "{}"), ToolCall("c2", "look", "{}"))
    results = [RequestMessage(Role.TOOL, text, tool_call_id=name) for name, text in (("c1", "fur"), ("c2", "paws"))]
    sent = await body_of(AnthropicProvider, ASKED, RequestMessage(Role.ASSISTANT, "", calls), *results, effort="high")
    assert [each["role"] for each in sent["messages"]] == ["user", "assistant", "user"]
    assert [each["tool_use_id"] for each in sent["messages"][-1]["content"]] == ["c1", "c2"]
    assert "thinking" not in sent  # it would have to come with the thoughts of the call
    assert sent["output_config"] == {"effort": "high"}


async def test_instructions_after_a_result_do_not_let_anthropic_think_again() -> None:
    call = RequestMessage(Role.ASSISTANT, "", (ToolCall("c1", "look", "{}"),))
    result = RequestMessage(Role.TOOL, "fur", tool_call_id="c1")
    last = RequestMessage(Role.SYSTEM, "Answer now.")
    sent = await body_of(AnthropicProvider, ASKED, call, result, last, effort="high")
    assert "thinking" not in sent and "Answer now." in str(sent["system"])


async def test_where_a_tool_has_to_be_called_anthropic_does_not_think() -> None:
    free = await body_of(AnthropicProvider, tools=TOOLS, effort="high")
    forced = await body_of(AnthropicProvider, tools=TOOLS, tool_choice="required", effort="high")
    assert ("thinking" in free, "thinking" in forced) == (True, False)


async def test_an_image_of_the_web_is_named_to_anthropic() -> None:
    url = "https://example.com/cat.png"
    sent = await body_of(AnthropicProvider, RequestMessage(Role.USER, "What?", images=(url,)))
    assert sent["messages"][0]["content"][0] == {"type": "image", "source": {"type": "url", "url": url}}


@pytest.mark.parametrize(
    ("fields", "of_responses", "of_anthropic"),
    [
        ({"seed": 1}, ["seed"], ["seed"]),
        ({"tools": [{"type": "custom", "custom": {"name": "x"}}]}, ["tools"], ["tools"]),
        ({"tools": [{"type": "function"}]}, ["tools"], ["tools"]),
        ({"tool_choice": {"type": "allowed_tools"}}, ["tool_choice"], ["tool_choice"]),
        ({"response_format": {"type": "json_object"}}, [], ["response_format"]),
        ({"response_format": {"type": "json_schema"}}, ["response_format"], ["response_format"]),
    ],
)
def test_what_a_protocol_has_no_form_for_is_named(
    fields: dict[str, Any], of_responses: list[str], of_anthropic: list[str]
) -> None:
    request = ChatRequest("m", (ASKED,), extra_fields=fields)
    assert made(ResponsesProvider).lacks(request) == of_responses
    assert made(AnthropicProvider).lacks(request) == of_anthropic
    assert made(OpenAICompatibleProvider).lacks(request) == []
    assert OfflineProvider().lacks(request) == list(fields)


def test_a_stop_and_an_image_that_would_be_left_out_are_named() -> None:
    image = RequestMessage(Role.USER, "What?", images=("http://example.com/cat.png",))
    assert made(AnthropicProvider).lacks(ChatRequest("m", (image,))) == ["image_url"]
    assert made(ResponsesProvider).lacks(ChatRequest("m", (ASKED,), stop=("END",))) == ["stop"]
