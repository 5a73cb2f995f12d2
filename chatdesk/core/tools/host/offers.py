"""Asks a server for the prompts and resources that it offers, and turns them into plain values within bounds."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from typing import Any, Final

import mcp_types as types
from mcp.client.session import ClientSession

from chatdesk.core.texts import Text, size_text
from chatdesk.core.tools.host.failures import HostFailure
from chatdesk.core.tools.host.listing import LARGEST_FILES_BYTES, LONGEST_NAME, MOST_FILES, FileRow, read_block
from chatdesk.core.tools.host.pages import read_pages

MOST_PROMPTS: Final = 200
MOST_RESOURCES: Final = 500
MOST_ARGUMENTS: Final = 20
LONGEST_DESCRIPTION: Final = 400
LONGEST_ADDRESS: Final = 2_000
# The text of a prompt that is used, in characters.
LONGEST_PROMPT: Final = 100_000
LIST_S, READ_S = 20.0, 60.0

# name, title, description, arguments as (name, title, description, whether it is required).
PromptRow = tuple[str, str, str, tuple[tuple[str, str, str, bool], ...]]
# address, name, title, description, type.
ResourceRow = tuple[str, str, str, str, str]
# (role, text) of each message, files.
UsedPromptRow = tuple[tuple[tuple[str, str], ...], tuple[FileRow, ...]]


class Unreadable(HostFailure):
    """A prompt or resource is larger than the limit, or damaged."""


async def list_prompts(session: ClientSession) -> tuple[PromptRow, ...]:
    """Return the prompts of a server, each name once; none of one that has no prompts."""
    if session.server_capabilities is None or session.server_capabilities.prompts is None:
        return ()
    found: dict[str, PromptRow] = {}
    prompts, _reason = await read_pages(session.list_prompts, "prompts", MOST_PROMPTS)
    for prompt in prompts:
        if 0 < len(prompt.name) <= LONGEST_NAME and len(found) < MOST_PROMPTS:
            found.setdefault(prompt.name, _prompt_row(prompt))
    return tuple(found.values())


async def list_resources(session: ClientSession) -> tuple[ResourceRow, ...]:
    """Return the resources of a server, each address once; none of one that has no resources."""
    if session.server_capabilities is None or session.server_capabilities.resources is None:
        return ()
    found: dict[str, ResourceRow] = {}
    resources, _reason = await read_pages(session.list_resources, "resources", MOST_RESOURCES)
    for each in resources:
        if 0 < len(each.uri) <= LONGEST_ADDRESS and len(found) < MOST_RESOURCES:
            row = (each.uri, each.name[:LONGEST_NAME], *_shown(each), (each.mime_type or "")[:LONGEST_NAME])
            found.setdefault(each.uri, row)
    return tuple(found.values())


async def use_prompt(session: ClientSession, name: str, arguments: str) -> UsedPromptRow:
    """Return the messages of a prompt with these arguments, a JSON object of texts."""
    result = await session.get_prompt(name, json.loads(arguments))
    room = LONGEST_PROMPT
    messages: list[tuple[str, str]] = []
    files: list[FileRow] = []
    for place, message in enumerate(result.messages):
        text, file = read_block(message.content, place)
        if text is not None and room > 0:
            messages.append((message.role, text[:room] if len(text) <= room else f"{text[:room]}\n[It was cut off.]"))
            room -= len(text)
        if file is not None and len(files) < MOST_FILES:
            files.append(file)
    if sum(len(data) for _name, _type, data in files) > LARGEST_FILES_BYTES:
        raise Unreadable(_TOO_LARGE)
    return tuple(messages), tuple(files)


async def read_resource(session: ClientSession, address: str) -> tuple[FileRow, ...]:
    """Return the contents of a resource, named by their addresses. Raises ``Unreadable``."""
    result = await session.read_resource(address)
    files: list[FileRow] = []
    room = LARGEST_FILES_BYTES
    for each in result.contents[:MOST_FILES]:
        data = _bytes_of(each)
        room -= len(data)
        if room < 0:
            raise Unreadable(_TOO_LARGE)
        files.append((each.uri[:LONGEST_ADDRESS], (each.mime_type or "")[:LONGEST_NAME], data))
    return tuple(files)


_TOO_LARGE: Final = Text("It is larger than {most}.", most=size_text(LARGEST_FILES_BYTES))
# The requests by verb, each with its time limit in seconds.
VERBS: Final[Mapping[str, tuple[Callable[..., Awaitable[Any]], float]]] = {
    "prompts": (list_prompts, LIST_S),
    "resources": (list_resources, LIST_S),
    "prompt": (use_prompt, READ_S),
    "resource": (read_resource, READ_S),
}


def asked(verb: str, values: Sequence[Any]) -> Callable[[ClientSession], Awaitable[Any]]:
    """Return the coroutine function that asks a session for the list or item that ``verb`` names."""
    ask, _seconds = VERBS[verb]
    return partial(_ask_with, ask, tuple(values))


async def _ask_with(ask: Callable[..., Awaitable[Any]], values: tuple[Any, ...], session: ClientSession) -> Any:
    return await ask(session, *values)


def _prompt_row(prompt: types.Prompt) -> PromptRow:
    named = [each for each in prompt.arguments or () if 0 < len(each.name) <= LONGEST_NAME]
    arguments = tuple((each.name, *_shown(each), bool(each.required)) for each in named[:MOST_ARGUMENTS])
    return (prompt.name, *_shown(prompt), arguments)


def _shown(each: types.Prompt | types.PromptArgument | types.Resource) -> tuple[str, str]:
    return (each.title or "")[:LONGEST_NAME], (each.description or "")[:LONGEST_DESCRIPTION]


def _bytes_of(contents: types.TextResourceContents | types.BlobResourceContents) -> bytes:
    if isinstance(contents, types.TextResourceContents):
        return contents.text.encode("utf-8", "replace")
    try:
        return base64.b64decode(contents.blob, validate=True)
    except (ValueError, binascii.Error):
        raise Unreadable(Text("It is not valid base64.")) from None
