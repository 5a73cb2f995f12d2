"""Reads tool servers from the JSON of other programs: Claude Desktop, Cursor, VS Code, LM Studio, Zed and their like.

Nothing of it is run or saved here. A value that looks like a secret goes where keys are, by the name of its variable.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from chatdesk.core.domain.tools import ServerKind, ToolServer
from chatdesk.core.errors import InvalidInput
from chatdesk.core.texts import Text
from chatdesk.core.tools.written_secrets import PLACEHOLDER, extract_secrets, is_secret

_KEYS: Final = ("mcpServers", "servers", "context_servers", "mcp")
_LONGEST: Final = 200_000
_MOST: Final = 50
_COMMENTS: Final = re.compile(r'("(?:[^"\\]|\\.)*")|//[^\n]*|/\*.*?\*/', re.DOTALL)
_LAST_COMMA: Final = re.compile(r'("(?:[^"\\]|\\.)*")|,(?=\s*[}\]])', re.DOTALL)
_VARIABLE: Final = re.compile(r"\$\{(\w+)\}")
# A block of code in Markdown, as a page about a server has it.
_FENCED: Final = re.compile(r"^```[a-z]*\n(.*?)^```", re.DOTALL | re.MULTILINE)


class NotServers(InvalidInput):
    code = "tool_servers_not_read"
    what = Text("No tool server was found in this text.")
    safe = Text("Nothing was changed.")
    next_step = Text("Paste the whole block, from { to }.")


_TRANSPORT_KEYS: Final = ("type", "transport", "transportType")
OLD_TRANSPORT: Final = Text(
    "It is described with the older transport (SSE), which ChatDesk does not speak. Ask for its address for streamable "
    "HTTP, which often ends with /mcp."
)


@dataclass(frozen=True, slots=True)
class PastedServer:
    """A server as it was described. ``secrets`` are values by the names of variables or headers; ``missing`` names what
    the text leaves open, such as a key that is to be filled in. ``client_secret`` is that of its OAuth client;
    ``problem`` is a sentence where it cannot be used as it is."""

    server: ToolServer
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)
    missing: tuple[str, ...] = ()
    client_secret: str = field(default="", repr=False)
    problem: str = ""


def read_pasted(text: str) -> tuple[PastedServer, ...]:
    """Return the servers of a text; their ids are empty. Raises ``NotServers``."""
    document = _parsed(text)
    found = [_server(name, each) for name, each in _entries(document)[:_MOST]]
    servers = tuple(each for each in found if each is not None)
    if not servers:
        raise NotServers
    return servers


def _parsed(text: str) -> Any:
    if len(text) > _LONGEST:
        raise NotServers(Text("This text is too long for a description of tool servers."))
    text = text.removeprefix("\ufeff")
    if (fenced := _FENCED.search(text)) is not None:
        text = fenced[1]
    cleaned = _LAST_COMMA.sub(lambda found: found[1] or "", _COMMENTS.sub(lambda found: found[1] or "", text)).strip()
    if cleaned.startswith('"'):
        cleaned = f"{{{cleaned.rstrip(',')}}}"  # an entry without the braces around it
    try:
        return json.loads(cleaned)
    except (ValueError, RecursionError):
        raise NotServers(Text("This text is not valid JSON.")) from None


def _entries(document: Any) -> list[tuple[str, Any]]:
    if not isinstance(document, dict):
        return []
    if _is_server(document):
        return [(str(document.get("name") or ""), document)]
    for key in _KEYS:
        inner = document.get(key)
        if isinstance(inner, dict):
            return _entries(inner)
    return [(str(name), each) for name, each in document.items() if _is_server(each)]


def _is_server(value: Any) -> bool:
    return isinstance(value, dict) and any(name in value for name in ("command", "url", "serverUrl", "httpUrl"))


def _server(name: str, entry: Mapping[str, Any]) -> PastedServer | None:
    address = next((entry[key] for key in ("url", "serverUrl", "httpUrl") if isinstance(entry.get(key), str)), "")
    command = entry.get("command")
    if isinstance(command, dict):  # Zed
        entry, command = {**entry, **command}, command.get("path")
    arguments = [str(each) for each in _list(entry.get("args"))]
    argv = [*(str(each) for each in command), *arguments] if isinstance(command, list) else [str(command), *arguments]
    if not address and not command:
        return None
    values = {str(key): str(value) for key, value in _mapping(entry.get("headers" if address else "env")).items()}
    secret = {key: value for key, value in values.items() if is_secret(key, value)}
    plain = {key: value for key, value in values.items() if key not in secret}
    kept = {key: value for key, value in secret.items() if value and not PLACEHOLDER.search(value)}
    missing = [key for key, value in values.items() if not value or PLACEHOLDER.search(value)]
    missing += [each for each in (address, *argv[1:]) if each and _is_open(each, values)]
    name = name or (address or argv[-1])
    client = _mapping(entry.get("auth"))  # Cursor
    if address:
        server = ToolServer(
            "", name, ServerKind.ADDRESS, address=address, headers=plain, header_names=tuple(secret), is_on=False
        )
        server = replace(server, client_id=str(client.get("CLIENT_ID") or ""))
    else:
        folder = str(entry.get("cwd") or "")
        server = ToolServer(
            "", name, ServerKind.COMMAND, tuple(argv), env=plain, env_names=tuple(secret), folder=folder, is_on=False
        )
    server, written = extract_secrets(server)
    client_secret = str(client.get("CLIENT_SECRET") or "") if address else ""
    is_old = bool(address) and any(str(entry.get(key)).lower() == "sse" for key in _TRANSPORT_KEYS)
    problem = OLD_TRANSPORT if is_old else ""
    return PastedServer(server, {**kept, **written}, tuple(missing), client_secret, problem)


def _is_open(word: str, values: Mapping[str, str]) -> bool:
    """Return whether a word is to be filled in; a program fills in the variables that it gets by itself."""
    return bool(PLACEHOLDER.search(_VARIABLE.sub(lambda found: "" if found[1] in values else found[0], word)))


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _mapping(value: Any) -> dict[Any, Any]:
    return value if isinstance(value, dict) else {}
