"""Lists, uses and reads the prompts and resources that tool servers offer to a person, on request.

Names and descriptions are untrusted: they are cleaned here. The address of a resource is only passed back to its own
server and never opened here, whatever its scheme.
"""

from __future__ import annotations

import json
import mimetypes
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import unquote

from chatdesk.core.domain.attachment import clean_name
from chatdesk.core.domain.tools import ServerKind, ToolFailed, ToolFile, ToolServer
from chatdesk.core.hidden_characters import clean_line, visible_controls
from chatdesk.core.texts import Text
from chatdesk.core.tools.host_client import ToolHost

PROMPTS: Final = "prompts"
RESOURCES: Final = "resources"
_LISTS: Final = {PROMPTS: Text("The list of prompts"), RESOURCES: Text("The list of resources")}
_ROLES: Final = {"user": "User", "assistant": "Assistant"}


@dataclass(frozen=True, slots=True)
class PromptArgument:
    """An argument of a server's prompt. ``name`` is as the server wrote it, ``label`` and ``description`` can be
    shown."""

    name: str
    label: str
    description: str
    is_required: bool


@dataclass(frozen=True, slots=True)
class ServerPrompt:
    """A prompt of a server. ``name`` is as the server wrote it, ``title`` and ``description`` can be shown."""

    server: ToolServer
    name: str
    title: str
    description: str
    arguments: tuple[PromptArgument, ...]


@dataclass(frozen=True, slots=True)
class ServerResource:
    """A resource of a server. ``address`` and ``mime`` are as the server wrote them, the rest can be shown."""

    server: ToolServer
    address: str
    title: str
    description: str
    mime: str


Offer = ServerPrompt | ServerResource


@dataclass(frozen=True, slots=True)
class UsedPrompt:
    """A prompt with its arguments filled in: its text, with who speaks where several do, and its files."""

    text: str
    files: tuple[ToolFile, ...]


class Offers:
    """The prompts and resources of tool servers; ``ToolService.offers`` exposes it. Lists are kept until their server
    reports a change, or ends."""

    def __init__(self, host: Callable[[], ToolHost]) -> None:
        self._host = host
        self._listed: dict[tuple[str, str], tuple[ToolServer, tuple[Offer, ...]]] = {}
        self._forgotten: dict[str, int] = {}

    def known(self, kind: str, server: ToolServer) -> tuple[Offer, ...] | None:
        """Return the list of a server; None where it has not been asked."""
        found = self._listed.get((server.id, kind))
        return found[1] if found is not None and found[0] == server else None

    async def list(self, kind: str, server: ToolServer) -> tuple[Offer, ...]:
        """Return the ``PROMPTS`` or ``RESOURCES`` of a server, which is started if it does not run. Raises
        ``ToolFailed``."""
        known = self.known(kind, server)
        if known is not None or server.kind is ServerKind.BUILT_IN:
            return known or ()
        before = self._forgotten.get(server.id, 0)
        rows = await self._host().ask(server, kind, about=_LISTS[kind])
        make = _prompt if kind == PROMPTS else _resource
        offers = tuple(make(server, row) for row in rows)
        # else the list changed in the meantime and is requested again later
        if self._forgotten.get(server.id, 0) == before:
            self._listed[server.id, kind] = server, offers
        return offers

    async def use(self, prompt: ServerPrompt, arguments: Mapping[str, str]) -> UsedPrompt:
        """Have a server fill in its prompt. Raises ``ToolFailed``."""
        about = f"“{prompt.title}”"
        given = json.dumps({name: value for name, value in arguments.items() if value})
        messages, files = await self._host().ask(prompt.server, "prompt", prompt.name, given, about=about)
        texts = [(role, visible_controls(text).strip()) for role, text in messages]
        has_both = any(role != "user" for role, _text in texts)
        said = (f"{_ROLES.get(role, 'User')}: {text}" if has_both else text for role, text in texts if text)
        used = UsedPrompt("\n\n".join(said), tuple(_file(prompt.title, row) for row in files))
        if not used.text and not used.files:
            raise ToolFailed(Text("{about} of {name} is empty.", about=about, name=prompt.server.name))
        return used

    async def read(self, resource: ServerResource) -> tuple[ToolFile, ...]:
        """Have a server read its resource: one file, or several. Raises ``ToolFailed``."""
        about = f"“{resource.title}”"
        rows = await self._host().ask(resource.server, "resource", resource.address, about=about)
        files = tuple(_file(resource.title if len(rows) == 1 else _last_of(row[0]), row, resource.mime) for row in rows)
        if not files:
            raise ToolFailed(Text("{about} of {name} is empty.", about=about, name=resource.server.name))
        return files

    def forget(self, server_id: str, kind: str = "") -> None:
        """Forget the lists of a server, of one kind or of all."""
        self._forgotten[server_id] = self._forgotten.get(server_id, 0) + 1
        for key in [key for key in self._listed if key[0] == server_id and kind in ("", key[1])]:
            del self._listed[key]


def _prompt(server: ToolServer, row: Sequence[Any]) -> ServerPrompt:
    name, title, description, arguments = row
    known = tuple(
        PromptArgument(each, clean_line(label or each) or "Value", clean_line(about), is_required)
        for each, label, about, is_required in arguments
    )
    return ServerPrompt(server, name, clean_line(title or name) or "Prompt", clean_line(description), known)


def _resource(server: ToolServer, row: Sequence[Any]) -> ServerResource:
    address, name, title, description, mime = row
    shown = clean_line(title or name) or clean_line(address) or "Resource"
    return ServerResource(server, address, shown, clean_line(description) or clean_line(address), mime)


def _file(name: str, row: Sequence[Any], mime: str = "") -> ToolFile:
    _address, own_mime, data = row
    name = clean_name(name)
    if "." not in name:
        name += mimetypes.guess_extension((own_mime or mime).partition(";")[0].strip()) or ""
    return ToolFile(name, own_mime or mime, data)


def _last_of(address: str) -> str:
    """Return the last name in an address; it names a file, and leads nowhere."""
    return unquote(address.rstrip("/").rpartition("/")[2]) or "resource"
