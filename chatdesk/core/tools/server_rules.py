"""Decides which tool servers can be saved: they have a name and an address or command, and no secret travels openly.
Names the origin that their secrets are bound to. Pure."""

from __future__ import annotations

import hashlib
import json

from chatdesk.core.domain.key_origin import KeyOrigin
from chatdesk.core.domain.tools import ServerKind, ToolServer
from chatdesk.core.errors import InvalidInput
from chatdesk.core.texts import Text


class ServerNotUsable(InvalidInput):
    code = "tool_server_not_usable"
    what = Text("This tool server cannot be used as it is.")
    safe = Text("Nothing was changed.")
    next_step = Text("Correct this and save again.")


def check_usable(server: ToolServer) -> None:
    """Raise ``ServerNotUsable`` for a server without a name, without an address or command, or with secrets that would
    travel unencrypted."""
    if not server.name.strip():
        raise ServerNotUsable(Text("The tool server has no name."))
    if server.kind is ServerKind.COMMAND:
        if not server.argv or not server.argv[0].strip():
            raise ServerNotUsable(Text("The tool server has no command."))
        if any("\x00" in each for each in (*server.argv, server.folder, *server.env.values())):
            raise ServerNotUsable(Text("The command has a character that no command can have."))
        return
    origin = KeyOrigin.of(server.address)
    if origin.scheme not in ("http", "https") or not origin.host:
        raise ServerNotUsable(Text("The address of a tool server begins with https:// or http://."))
    if origin.is_open and server.header_names:
        raise ServerNotUsable(Text("Secrets are sent over https only: anybody on the way could read them."))


def secret_origin(server: ToolServer) -> KeyOrigin:
    """Return the origin that the secrets of a server are bound to: its address, or its exact command."""
    if server.kind is ServerKind.ADDRESS:
        return KeyOrigin.of(server.address)
    return KeyOrigin("command", hashlib.sha256(json.dumps(list(server.argv)).encode()).hexdigest()[:40], 0)


def sign_in_of(server: ToolServer) -> tuple[str, str]:
    """Return the address and the client that a sign-in is bound to."""
    return server.address, server.client_id


def secret_name(server: ToolServer, name: str) -> str:
    """Return the name under which a secret of a server is kept."""
    return f"tools/{server.id}/{name}"
