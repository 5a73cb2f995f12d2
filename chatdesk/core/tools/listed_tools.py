"""Reads the tools that the process of the servers lists, and compares them with those that were offered. Pure."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from chatdesk.core.domain.tools import LEFT_OUT_TEXTS, LeftOut, Tool, ToolHints, ToolServer
from chatdesk.core.hidden_characters import clean_line, visible_controls


def tool_of(server: ToolServer, row: Sequence[Any]) -> Tool:
    """Return a tool of a server, with hidden characters spelt out."""
    name, title, description, schema, is_read_only, is_destructive, is_open_world, digest = row
    return Tool(
        server.id,
        server.name,
        name,
        clean_line(title),
        visible_controls(description),
        json.loads(schema),
        ToolHints(is_read_only, is_destructive, is_open_world),
        digest,
    )


def left_out_texts(rows: Sequence[Sequence[str]]) -> tuple[str, ...]:
    """Return a sentence for each tool that is left out of a server's list."""
    return tuple(LEFT_OUT_TEXTS[LeftOut(reason)].filled(tool=clean_line(name)) for reason, name in rows)


def is_changed(listed: Sequence[Tool], name: str, digest: str) -> bool:
    """Return whether a tool is another one than the one with this digest, or gone; empty: any will do."""
    return bool(digest) and digest not in [each.digest for each in listed if each.name == name]
