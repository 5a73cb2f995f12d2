"""``chatdesk open`` shows a thread, an invitation or a file in the window, as links and icons of files do;
``chatdesk quick`` shows the quick window."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from chatdesk.core.errors import InvalidId, InvalidInput
from chatdesk.core.ids import checked_id
from chatdesk.core.links import NEW_CHAT, SCHEME, SEARCH, link_to, read_link
from chatdesk.core.local_api.quick_call import QUICK
from chatdesk.core.texts import Text, shortened, tr

_LONGEST = 200


class UnusableTarget(InvalidInput):
    """The target of ``chatdesk open`` cannot be opened."""

    code = "unusable_target"
    safe = Text("Nothing was opened or changed.")
    next_step = Text("Give the id of a thread, a link that begins with chatdesk://, or the path of a file.")

    def __init__(self, target: str) -> None:
        what = Text(
            "“{target}” is neither a thread, a link nor a file that is there.", target=shortened(target, _LONGEST)
        )
        super().__init__(what)


def add_commands(commands: Any, common: argparse.ArgumentParser) -> None:
    opening = commands.add_parser("open", parents=[common], help=tr("show a thread, a link or a file in the window"))
    opening.add_argument(
        "target",
        nargs="?",
        default="",
        metavar="THREAD|LINK|FILE",
        help=tr("the id of a thread, a link (chatdesk://…), an export of chats or an invitation"),
    )
    opening.add_argument("--new", action="store_true", help=tr("start a new thread, as the launcher's menu does"))
    opening.add_argument("--search", action="store_true", help=tr("open the search, as the launcher's menu does"))
    commands.add_parser("quick", parents=[common], help=tr("open the field for a quick question (to bind to a key)"))


def target_of(options: argparse.Namespace) -> str:
    """Return the target that the window is to show: a link, the whole path of a file, or one of ``QUICK``, ``NEW_CHAT``
    and ``SEARCH``; empty for the window alone. Raises ``UnusableLink`` and ``UnusableTarget``."""
    if options.command == "quick":
        return QUICK
    words: str = options.target
    if not words:
        return NEW_CHAT if options.new else SEARCH if options.search else ""
    if words.lower().startswith(SCHEME):
        read_link(words)
        return words
    try:
        return link_to(checked_id(words))
    except InvalidId:
        path = _path_of(words)
        if path is None:
            raise UnusableTarget(words) from None
        return str(path.absolute())


def _path_of(words: str) -> Path | None:
    """Return the path of a file or folder that is there; None for anything else. Desktops name files by addresses."""
    if words.lower().startswith("file:"):
        from urllib.parse import urlsplit
        from urllib.request import url2pathname

        words = url2pathname(urlsplit(words).path)
    try:
        return Path(words) if words and Path(words).exists() else None
    except (OSError, ValueError):
        return None  # not even the name of a file
