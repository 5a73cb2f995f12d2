"""Writes a tool server as lines that a person can change, and reads them back."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from dataclasses import replace

from chatdesk.core.domain.tools import ServerKind, ToolServer
from chatdesk.core.hidden_characters import visible_controls
from chatdesk.core.texts import Text
from chatdesk.core.tools.written_secrets import extract_secrets, is_secret

# Stands for a value that is kept where keys are.
KEPT = "••••••"
_NAME = re.compile(r"[A-Za-z0-9_!#$%&'*+.^`|~-]{1,128}\Z")


class NotAServerError(ValueError):
    """The text of a field cannot be used; the message is a sentence for the person who wrote it."""


def command_text(server: ToolServer) -> str:
    """Return the command line or the address of a server."""
    return visible_controls(server.address or shlex.join(server.argv))


def values_text(server: ToolServer) -> str:
    """Return the variables or headers of a server, a line each; secrets are masked."""
    plain, secret = (
        (server.headers, server.header_names) if server.kind is ServerKind.ADDRESS else (server.env, server.env_names)
    )
    return "\n".join([*(f"{name}={value}" for name, value in plain.items()), *(f"{name}={KEPT}" for name in secret)])


def is_address_text(command: str) -> bool:
    """Return whether an address was entered, and no command."""
    return command.strip().startswith(("http://", "https://"))


def read_server(
    before: ToolServer | None, server_id: str, name: str, command: str, values: str, folder: str
) -> tuple[ToolServer, dict[str, str]]:
    """Return the server that was described, and new secrets by name. Raises ``NotAServerError``."""
    command = command.strip()
    if not name.strip():
        raise NotAServerError(Text("Give it a name."))
    if not command:
        raise NotAServerError(Text("Enter the command that starts it, or its address."))
    plain, secrets, names = _read_values(values)
    is_on = True if before is None else before.is_on
    if is_address_text(command):
        made = ToolServer(
            server_id,
            name.strip(),
            ServerKind.ADDRESS,
            address=command,
            headers=plain,
            header_names=names,
            is_on=is_on,
            client_id="" if before is None else before.client_id,
        )
        made, written = extract_secrets(made)
        return _as_before(made, before), {**secrets, **written}
    try:
        argv = tuple(shlex.split(command))
    except ValueError:
        raise NotAServerError(Text("A quotation mark of the command is not closed.")) from None
    made = ToolServer(server_id, name.strip(), ServerKind.COMMAND, argv, env=plain, env_names=names, is_on=is_on)
    made, written = extract_secrets(replace(made, folder=folder.strip()))
    return _as_before(made, before), {**secrets, **written}


def _as_before(made: ToolServer, before: ToolServer | None) -> ToolServer:
    """Return a server with the permissions of the one with the same command or address."""
    is_same = before is not None and (before.argv, before.address) == (made.argv, made.address)
    return replace(made, may_ask_model=is_same and before is not None and before.may_ask_model)


def _read_values(text: str) -> tuple[dict[str, str], dict[str, str], tuple[str, ...]]:
    plain: dict[str, str] = {}
    secrets: dict[str, str] = {}
    names: list[str] = []
    for line in filter(None, map(str.strip, text.splitlines())):
        name, joint, value = line.partition("=")
        if not joint or not _NAME.match(name.strip()):
            raise NotAServerError(Text("Write each line as NAME=value, not “{line}”.", line=line[:40]))
        name, value = name.strip(), value.strip()
        if value == KEPT or is_secret(name, value):
            names.append(name)
            if value != KEPT:
                secrets[name] = value
        else:
            plain[name] = value
    return plain, secrets, tuple(dict.fromkeys(names))


def described(server: ToolServer, secrets: Mapping[str, str]) -> str:
    """Return the values of a pasted server with its secrets, for a field that they are changed in."""
    shown = values_text(server)
    for name, value in secrets.items():
        shown = shown.replace(f"{name}={KEPT}", f"{name}={value}")
    return shown
