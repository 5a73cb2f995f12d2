"""The line of a tool's call: what was done, in words, from whoever made the call."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import pytest

from chatdesk.core.domain.message import Part, PartType
from chatdesk.core.domain.tools import FIND_TOOLS
from chatdesk.core.tools.web_search.choice import SearchChoice, SearchEngine
from chatdesk.services.own_chats import own_chats
from chatdesk.services.project_folder import project_folder
from chatdesk.services.web_tools import web_tools
from chatdesk.ui.transcript.messages import tool_sections as module
from chatdesk.ui.transcript.messages.tool_sections import call_words, exact_name


def call(server_id: str, tool: str, status: str = "done", **content: Any) -> Part:
    arguments = json.dumps(content.pop("arguments", {}))
    said = {"server": "Its name", "server_id": server_id, "tool": tool, "status": status, "arguments": arguments}
    return Part("p", "m", 0, PartType.TOOL_CALL, {**said, **content}, tool_name=tool)


def test_each_tool_that_comes_with_chatdesk_says_what_it_did_under_its_own_title() -> None:
    nothing: Any = None
    searching: Any = SimpleNamespace(choice=SearchChoice(SearchEngine.BRAVE))
    own = (
        own_chats(nothing, nothing, nothing),
        project_folder(nothing, nothing),
        web_tools(lambda: searching),
    )
    titles = {(each.server.id, tool.name): tool.title for each in own for tool in each.tools()}
    assert {place: words[0] for place, words in module.OWN_WORDS.items()} == titles


@pytest.mark.parametrize("status", ["waiting", "running", "done", "failed", "denied", "unknown"])
def test_own_calls_are_told_in_words_and_never_by_their_names(status: str) -> None:
    for place in module.OWN_WORDS:
        for what in ["", "a.txt"]:
            argument = module.OWN_WORDS[place][2] or "text"
            words = call_words(call(*place, status, arguments={argument: what}))
            assert place[1] not in words and "{" not in words and "Its name" not in words and words[0].isupper()
            assert (what in words) or place[1] == "read_chat"


@pytest.mark.parametrize(
    ("part", "words"),
    [
        (call("time", "current_time", arguments={"zone": "Vienna"}), "Asked Its name: current time · Vienna"),
        (call("time", "current_time", "running"), "current_time of Its name"),
        (call("chatdesk-web", "search_web", arguments={"query": "trams"}), "Searched the web: trams"),
        (call("chatdesk-web", "search_web", "running", arguments={"query": "trams"}), "Search the web · trams"),
        # A server of somebody else that calls its tool as ChatDesk calls its own.
        (call("mine", "read_file", arguments={"path": "a"}), "Asked Its name: read file · a"),
        (
            call("chatdesk-folder", "propose_change", "failed", arguments={"path": "a"}, error="It is gone."),
            "Proposed a change to a: It is gone.",
        ),
        (call("chatdesk-chats", "read_chat_file", arguments={"message_id": "0f", "name": "a.pdf"}), "Read a.pdf"),
        (call("x", "a\u202eb\nc", arguments={"q": ["x"]}), "Asked Its name: ab c"),
        (Part("p", "m", 0, PartType.TOOL_CALL, {"name": FIND_TOOLS, "arguments": "{}"}), "Looked for a tool"),
    ],
)
def test_the_words_of_a_call_name_tool_and_server(part: Part, words: str) -> None:
    assert call_words(part) == words


def test_the_exact_name_is_kept_for_the_details() -> None:
    assert exact_name(call("chatdesk-web", "search_web")) == "search_web"
