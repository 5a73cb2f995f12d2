"""Tells in words what the call of a tool did: own tools say it themselves, others whom was asked."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from chatdesk.core.domain.message import Part
from chatdesk.core.domain.tools import FIND_TOOLS, CallStatus
from chatdesk.core.hidden_characters import clean_line
from chatdesk.core.texts import Text, shown, tr

_LONGEST_READ: Final = 20_000
_ENDED_STATES: Final = frozenset({CallStatus.DONE, CallStatus.FAILED})
# By server and tool: what it does, what it did, and the argument that says to what.
OWN_WORDS: Final[Mapping[tuple[str, str], tuple[Text, Text, str]]] = {
    ("chatdesk-web", "search_web"): (Text("Search the web"), Text("Searched the web: {what}"), "query"),
    ("chatdesk-web", "read_web_page"): (Text("Read a web page"), Text("Read {what}"), "address"),
    ("chatdesk-chats", "search_chats"): (
        Text("Search your earlier threads"),
        Text("Searched your threads: {what}"),
        "query",
    ),
    ("chatdesk-chats", "read_chat"): (Text("Read an earlier thread"), Text("Read an earlier thread"), ""),
    ("chatdesk-chats", "read_chat_file"): (Text("Read a file of an earlier thread"), Text("Read {what}"), "name"),
    ("chatdesk-folder", "list_folder"): (
        Text("List a folder of the project"),
        Text("Looked into the folder {what}"),
        "path",
    ),
    ("chatdesk-folder", "find_files"): (Text("Find files of the project"), Text("Looked for files: {what}"), ""),
    ("chatdesk-folder", "read_file"): (Text("Read a file of the project"), Text("Read {what}"), "path"),
    ("chatdesk-folder", "propose_change"): (
        Text("Propose a change to a file of the project"),
        Text("Proposed a change to {what}"),
        "path",
    ),
}


def call_words(part: Part) -> str:
    """Return the line of a call: what was done once it has ended, else what is to be done."""
    content = part.content
    name = clean_line(part.tool_name or str(content.get("name", ""))) or tr("Tool")
    if FIND_TOOLS in (content.get("name"), part.tool_name):
        return tr("Looked for a tool")
    arguments = _arguments(content)
    hint = _first(arguments)
    server, tool = content.get("server"), clean_line(str(content.get("tool", ""))) or tr("Tool")
    if not isinstance(server, str) or not server:
        return _joined(name, hint)
    is_ended = content.get("status") in _ENDED_STATES
    own = OWN_WORDS.get((str(content.get("server_id", "")), str(content.get("tool", ""))))
    if own is not None:
        words = _own_words(own, _shortened(arguments.get(own[2])) if own[2] else hint, is_ended=is_ended)
    elif is_ended:
        words = tr("Asked {server}: {what}", server=clean_line(server), what=_joined(tool.replace("_", " "), hint))
    else:
        words = _joined(tr("{tool} of {server}", tool=tool, server=clean_line(server)), hint)
    problem = content.get("error")
    return f"{words}: {clean_line(problem)}" if isinstance(problem, str) and problem else words


def exact_name(part: Part) -> str:
    """Return the name of a call's tool as the model wrote it, for whoever wants to know exactly."""
    return clean_line(str(part.content.get("tool") or part.tool_name or part.content.get("name") or ""))


def _own_words(own: tuple[Text, Text, str], what: str, *, is_ended: bool) -> str:
    will, did, _argument = own
    if not is_ended:
        return _joined(shown(will), what)
    return shown(did.filled(what=what)) if what or "{what}" not in did else shown(will)


def _arguments(content: Mapping[str, Any]) -> Mapping[str, Any]:
    arguments = str(content.get("arguments", ""))
    if len(arguments) > _LONGEST_READ:
        return {}
    try:
        read = json.loads(arguments)
    except (ValueError, RecursionError):
        return {}
    return read if isinstance(read, dict) else {}


def _first(arguments: Mapping[str, Any]) -> str:
    """Return the first value of a call's arguments, which is enough to tell calls apart."""
    return next(filter(None, map(_shortened, arguments.values())), "")


def _shortened(value: object) -> str:
    return clean_line(" ".join(str(value)[:80].split())) if isinstance(value, str | int | float) else ""


def _joined(*words: str) -> str:
    return " · ".join(filter(None, words))
