"""Translates the fields that other programs add to a request, from the form of chat completions, in which
``ChatRequest.extra_fields`` has them, into the forms of other protocols."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

_Fields = dict[str, Any]
# Writes the value of one field; None where the protocol has no form for it.
_Writer = Callable[[Any], _Fields | None]
_CHOICES: Final = {"auto": "auto", "none": "none", "required": "any"}
_FORMATS: Final = frozenset({"text", "json_object"})


def for_responses(extra_fields: Mapping[str, Any]) -> tuple[_Fields, list[str]]:
    """Return the fields as Responses has them, and the names of those that it has not."""
    return _translated(extra_fields, _RESPONSES)


def for_anthropic(extra_fields: Mapping[str, Any]) -> tuple[_Fields, list[str]]:
    """Return the fields as Anthropic's messages have them, and the names of those that they have not."""
    fields, lacking = _translated(extra_fields, _ANTHROPIC)
    if fields.get("tool_choice", {}).get("type") == "none":
        fields["tool_choice"] = {"type": "none"}  # without tools there are none in parallel
    return fields, lacking


def _translated(extra_fields: Mapping[str, Any], writers: Mapping[str, _Writer]) -> tuple[_Fields, list[str]]:
    found: _Fields = {}
    lacking = []
    for name, write in writers.items():
        written = write(extra_fields[name]) if name in extra_fields else {}
        if written is None:
            lacking.append(name)
        for field, value in (written or {}).items():
            found[field] = found.get(field, {}) | value if isinstance(value, dict) else value
    return found, sorted([*lacking, *(extra_fields.keys() - writers.keys())])


def _functions(tools: Any) -> list[_Fields] | None:
    """Return the functions among tools; None if there is any other tool."""
    found = [each.get("function") if each.get("type") == "function" else None for each in tools]
    are_named = all(isinstance(each, dict) and isinstance(each.get("name"), str) for each in found)
    return [each for each in found if each is not None] if are_named else None


def _chosen_function(choice: Any) -> str | None:
    """Return the name of the one function that a tool choice allows; None for any other choice."""
    function = choice.get("function") if isinstance(choice, dict) and choice.get("type") == "function" else None
    name = function.get("name") if isinstance(function, dict) else None
    return name if isinstance(name, str) else None


def _responses_tools(tools: Any) -> _Fields | None:
    functions = _functions(tools)
    # Without this field Responses treats a tool as strict, and chat completions do not.
    plain = {"type": "function", "parameters": {"type": "object", "properties": {}}, "strict": False}
    return None if functions is None else {"tools": [{**plain, **each} for each in functions]}


def _responses_choice(choice: Any) -> _Fields | None:
    if choice in tuple(_CHOICES):
        return {"tool_choice": choice}
    name = _chosen_function(choice)
    return None if name is None else {"tool_choice": {"type": "function", "name": name}}


def _responses_format(wanted: Any) -> _Fields | None:
    if wanted.get("type") in _FORMATS:
        return {"text": {"format": {"type": wanted["type"]}}}
    schema = wanted.get("json_schema") if wanted.get("type") == "json_schema" else None
    return {"text": {"format": {**schema, "type": "json_schema"}}} if isinstance(schema, dict) else None


def _anthropic_tools(tools: Any) -> _Fields | None:
    functions = _functions(tools)
    if functions is None:
        return None
    return {"tools": [_anthropic_tool(each) for each in functions]}


def _anthropic_tool(function: _Fields) -> _Fields:
    tool = {"name": function["name"], "input_schema": function.get("parameters") or {"type": "object"}}
    more = {name: function[name] for name in ("description", "strict") if function.get(name)}
    return tool | more


def _anthropic_choice(choice: Any) -> _Fields | None:
    if choice in tuple(_CHOICES):
        return {"tool_choice": {"type": _CHOICES[choice]}}
    name = _chosen_function(choice)
    return None if name is None else {"tool_choice": {"type": "tool", "name": name}}


_RESPONSES: Final[Mapping[str, _Writer]] = {
    "tools": _responses_tools,
    "tool_choice": _responses_choice,
    "parallel_tool_calls": lambda value: {"parallel_tool_calls": value},
    "response_format": _responses_format,
    "verbosity": lambda value: {"text": {"verbosity": value}},
}
_ANTHROPIC: Final[Mapping[str, _Writer]] = {
    "tools": _anthropic_tools,
    # Before the choice, which may say more than its type.
    "parallel_tool_calls": lambda value: (
        {} if value else {"tool_choice": {"type": "auto", "disable_parallel_tool_use": True}}
    ),
    "tool_choice": _anthropic_choice,
}
