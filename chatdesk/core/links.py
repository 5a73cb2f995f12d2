"""Parses links into ChatDesk: ``chatdesk://thread/ID``, with ``?message=ID`` for one message, passages of a project's
files, and invitations to a team.

A link may come from a page, a mail or another program. It can only show a thread or a passage that ChatDesk has, or
open the dialog in which a person reads an invitation.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote, unquote

from chatdesk.core.errors import InvalidInput
from chatdesk.core.ids import checked_id
from chatdesk.core.texts import Text

SCHEME: Final = "chatdesk:"
# Requests of the launcher's menu to a window. They are not links, so that no page can open them.
NEW_CHAT: Final = "new-chat:"
SEARCH: Final = "search:"
# An invitation may have the certificates of its server in it.
LONGEST: Final = 80_000

_ID = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
_THREAD = re.compile(rf"chatdesk://thread/({_ID})/?(?:\?message=({_ID}))?", re.IGNORECASE)
# A path has at most 4,096 bytes, which need three characters each.
_PASSAGE = re.compile(rf"chatdesk://file/({_ID})/([^?#\s]{{1,12288}})\?at=([0-9]{{1,9}})-([0-9]{{1,9}})", re.IGNORECASE)
_INVITATION = re.compile(r"chatdesk://(?:join|computer)/[A-Za-z0-9_.-]+/?", re.IGNORECASE)


class UnusableLink(InvalidInput):
    code = "unusable_link"
    what = Text("This link cannot be opened: it names neither a thread nor an invitation.")
    safe = Text("Nothing was opened or changed.")
    next_step = Text("Ask the person who gave it to you to copy it again.")


@dataclass(frozen=True, slots=True)
class ThreadLink:
    """A link to a thread, or to a message in it."""

    thread_id: str
    message_id: str | None = None


@dataclass(frozen=True, slots=True)
class PassageLink:
    """A link to the characters from ``start`` to ``end`` in a file of a project. ``path`` is as the source has it."""

    source_id: str
    path: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class InvitationLink:
    """A link with an invitation to a team. The reader of invitations checks its code."""

    text: str


def read_link(text: str) -> ThreadLink | PassageLink | InvitationLink:
    """Return the target of a link. Raises ``UnusableLink``."""
    if len(text) <= LONGEST:
        if found := _PASSAGE.fullmatch(text):
            source_id, path, start, end = found.groups()
            return PassageLink(checked_id(source_id), unquote(path), int(start), int(end))
        if found := _THREAD.fullmatch(text):
            thread_id, message_id = found.groups()
            return ThreadLink(checked_id(thread_id), None if message_id is None else checked_id(message_id))
        if _INVITATION.fullmatch(text):
            return InvitationLink(text)
    raise UnusableLink


def link_to(thread_id: str, message_id: str | None = None) -> str:
    """Return a link to a thread, or to a message in it."""
    link = f"{SCHEME}//thread/{checked_id(thread_id)}"
    return link if message_id is None else f"{link}?message={checked_id(message_id)}"


def link_to_passage(source_id: str, path: str, start: int, end: int) -> str:
    """Return a link to a part of a file of a project."""
    return f"{SCHEME}//file/{checked_id(source_id)}/{quote(path, safe='/')}?at={start}-{end}"


def is_passage_link(text: str) -> bool:
    """Return whether a link leads to a part of a file of a project, and nowhere else."""
    return _PASSAGE.fullmatch(text) is not None
