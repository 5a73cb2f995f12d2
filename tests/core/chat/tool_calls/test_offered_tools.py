"""What a model is told of tools, and what is found when it searches."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from chatdesk.core.chat.tool_calls.offered_tools import MOST_TOKENS, OfferedTools, tokens_of
from chatdesk.core.domain.tools import FIND_TOOLS, Tool, ToolHints
from chatdesk.core.settings.presets import PRESETS

_ACTIONS = {
    "create_issue": "Create a new issue in a repository, with a title and a body.",
    "merge_pull_request": "Merge a pull request.",
    "search_mail": "Search messages in the mailbox by sender, subject or words.",
    "send_mail": "Send a mail to one or several people.",
    "read_file": "Read the contents of a file on the disk.",
    "convert_currency": "Convert an amount of money from one currency to another.",
    "weather_forecast": "Forecast of temperature and rain for a city.",
    "run_query": "Run an SQL query against the database.",
    "translate_text": "Translate a text into another language.",
    "resize_image": "Make a picture larger or smaller.",
    "book_meeting": "Put a meeting into the calendar and invite people.",
    "play_song": "Play a song or a playlist.",
    "turn_on_light": "Switch a lamp in a room on or off.",
    "track_parcel": "Say where a parcel is.",
    "stock_price": "Current price of a share.",
}


def _tool(name: str, about: str, *, server: str = "s", schema: object = None) -> Tool:
    given = schema or {"type": "object", "properties": {"value": {"type": "string", "description": "x" * 200}}}
    return Tool(server, server.upper(), name, "", about, given, ToolHints(), name)  # type: ignore[arg-type]


def _many() -> OfferedTools:
    return OfferedTools(
        [
            _tool(name if number == 0 else f"{name}_{number}", about, server=f"server-{number}")
            for number in range(10)
            for name, about in _ACTIONS.items()
        ]
    )


def test_few_tools_are_sent_as_they_are() -> None:
    offered = OfferedTools([_tool("read_file", "Read a file.")])
    assert [each["function"]["name"] for each in offered.functions()] == ["s__read_file"]
    assert not offered.is_searched and OfferedTools([]).functions() == []


def test_many_tools_are_searched_and_take_few_tokens() -> None:
    offered = _many()
    assert offered.is_searched
    assert [each["function"]["name"] for each in offered.functions()] == [FIND_TOOLS]
    assert tokens_of(offered.functions()) <= MOST_TOKENS
    said = offered.search("how warm will it be in Oslo? forecast")
    assert "server-0__weather_forecast" in said
    names = [each["function"]["name"] for each in offered.functions()]
    assert names[0] == FIND_TOOLS and "server-0__weather_forecast" in names and len(names) <= 7
    offered.search("send a mail")
    assert set(names) < {each["function"]["name"] for each in offered.functions()}, "what was found stays"
    assert "No tool fits" in offered.search("zebra") and "No tool fits" in offered.search("")


def test_words_find_their_tool() -> None:
    offered = OfferedTools([_tool(name, about * 3) for name, about in _ACTIONS.items()])
    for query, wanted in (
        ("merge the pull request", "merge_pull_request"),
        ("sending an email to Anna", "send_mail"),
        ("querying a database", "run_query"),
        ("converting dollars into another currency", "convert_currency"),
        ("resizing pictures", "resize_image"),
    ):
        first = offered.search(query).splitlines()[1]
        assert wanted in first, (query, first)


def test_two_hundred_tasks_find_their_tool_among_a_hundred_and_fifty() -> None:
    """Tasks as people write them, against tools as their servers describe them: 95 in 100 find theirs at once."""
    written = json.loads((Path(__file__).parents[3] / "data" / "tool_tasks.json").read_text("utf-8"))
    tools = [
        _tool(name, about, server=server)
        for server, described in written["servers"].items()
        for name, about in described.items()
    ]
    assert (len(tools), len(written["servers"])) == (150, 10) and len(written["tasks"]) >= 200
    missed = []
    for task, right in written["tasks"]:
        offered = OfferedTools(tools)
        assert tokens_of(offered.functions()) <= MOST_TOKENS
        offered.search(task)
        found = {each["function"]["name"] for each in offered.functions()}
        if found.isdisjoint(each.replace("/", "__") for each in right):
            missed.append(task)
    assert len(missed) <= 0.05 * len(written["tasks"]), missed


def test_every_tool_has_a_name_that_protocols_take_and_no_other_has() -> None:
    odd = [_tool("a.b/c d", "x"), _tool("a_b_c_d", "x"), _tool("ü" * 90, "x"), _tool("ü" * 91, "x")]
    offered = OfferedTools(odd)
    names = [each["function"]["name"] for each in offered.functions()]
    assert len(set(names)) == 4 and all(re.fullmatch(r"[A-Za-z0-9_-]{1,64}", name) for name in names)
    assert [offered.find(name) for name in names] == odd
    assert offered.find("nothing") is None


def test_a_tool_cannot_take_the_place_of_the_search() -> None:
    imitating = Tool("find", "Find", "tools", "", "x", {}, ToolHints(), "d")
    assert imitating.full_name == "find__tools"
    offered = OfferedTools([imitating])
    assert offered.find(FIND_TOOLS) is None


def test_a_tool_with_an_invalid_schema_is_left_out() -> None:
    offered = OfferedTools([_tool("a", "x", schema={"type": "array"}), _tool("b", "x")])
    assert [each["function"]["name"] for each in offered.functions()] == ["s__b"]
    assert [each.name for each in offered.left_out] == ["a"] and offered.find("s__a") is None


@pytest.mark.parametrize(
    "words",
    [
        "Invalid schema for function 's__b': In context=(), object schema missing properties.",
        "tools.1.custom.input_schema: JSON schema is invalid.",
        "Invalid 'tools[1].function.parameters'",
        "GenerateContentRequest.tools[0].function_declarations[1].parameters.properties: should be non-empty",
        'tool "s__b" has an invalid schema',
    ],
)
def test_a_tool_that_a_vendor_names_is_dropped_and_no_other(words: str) -> None:
    offered = OfferedTools([_tool(name, "x") for name in ("a", "b", "b_2", "bb")])
    dropped = offered.drop_refused(words)
    assert dropped is not None and dropped.name == "b" and offered.find("s__b") is None
    assert [each["function"]["name"] for each in offered.functions()] == ["s__a", "s__b_2", "s__bb"]


@pytest.mark.parametrize("words", ["", "The model is overloaded.", "tools[9] is odd", "s__c", "s__bbb", "tools: [1]"])
def test_words_that_name_no_tool_drop_none(words: str) -> None:
    offered = OfferedTools([_tool(name, "x") for name in ("a", "b", "bb")])
    assert offered.drop_refused(words) is None and len(offered.functions()) == 3


def test_a_tool_without_arguments_has_no_schema_where_an_empty_one_is_refused() -> None:
    tools = [_tool("a", "x", schema={"type": "object"}), _tool("b", "x")]
    first, second = (each["function"] for each in OfferedTools(tools, PRESETS["gemini"].dialect).functions())
    assert "parameters" not in first and second["parameters"]["properties"]
    assert OfferedTools(tools).functions()[0]["function"]["parameters"] == {"type": "object", "properties": {}}
