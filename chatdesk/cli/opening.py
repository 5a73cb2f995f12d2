"""``chatdesk open``: shows a thread, an invitation or a file in the window, as links and icons of files do."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from chatdesk.core.errors import InvalidId
from chatdesk.core.ids import checked_id
from chatdesk.core.links import SCHEME, link_to, read_link


def add_command(commands: Any, common: argparse.ArgumentParser) -> None:
    opening = commands.add_parser("open", parents=[common], help="show a thread, a link or a file in the window")
    opening.add_argument(
        "target",
        nargs="?",
        default="",
        metavar="THREAD|LINK|FILE",
        help="the id of a thread, a link (chatdesk://…), an export of chats or an invitation",
    )


def target_of(words: str) -> str:
    """Return what the window is to show: a link, or the whole path of a file; empty for the window alone. Raises
    ``UnusableLink``."""
    if not words:
        return ""
    if words.lower().startswith(SCHEME):
        read_link(words)
        return words
    try:
        return link_to(checked_id(words))
    except InvalidId:
        return str(Path(words).absolute())
