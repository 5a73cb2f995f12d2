"""``chatdesk mcp`` lets an editor or another assistant read threads, over stdin and stdout."""

from __future__ import annotations

import argparse
from typing import Any

from chatdesk.core.paths import AppPaths
from chatdesk.core.settings.schema import Settings
from chatdesk.core.system.background_import import import_beside
from chatdesk.core.texts import tr
from chatdesk.service.declaration import Scope

_ALLOWED = ("ask", "write")


def add_command(commands: Any, common: argparse.ArgumentParser) -> None:
    mcp = commands.add_parser("mcp", parents=[common], help=tr("let an editor or assistant read threads (MCP, stdio)"))
    mcp.add_argument(
        "--allow", type=_allowed, default=(), metavar="WHAT", help=tr("also allow ask, write (drafts), or ask,write")
    )


async def mcp(options: argparse.Namespace, paths: AppPaths, settings: Settings) -> int:
    """Answer until stdin is closed. Opens nothing until a tool is used."""

    transport = await import_beside("chatdesk.service.mcp_protocol.stdio_transport")
    await transport.StdioTransport(paths, settings, [Scope(each) for each in options.allow]).serve()
    return 0


def _allowed(text: str) -> tuple[str, ...]:
    names = tuple(each.strip() for each in text.split(","))
    if set(names) - set(_ALLOWED):
        raise argparse.ArgumentTypeError(tr("it must be ask, write, or ask,write"))
    return names
