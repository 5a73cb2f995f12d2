"""Keeps results of tools that read a project's files from the providers that never get them. Pure.

Such results stay in the thread, where the person sees them. Another provider that answers later gets a sentence in
their place.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Final

from chatdesk.core.context.groups import fenced
from chatdesk.core.domain.message import Role
from chatdesk.core.domain.tools import NAME_JOINT, PROJECT_FILES_SERVER
from chatdesk.core.providers.base import RequestMessage

HELD_BACK: Final = "These passages are from files that the person does not send to you."


def is_of_files(tool_name: str) -> bool:
    """Return whether a call, by its name in a request, read the files of a project."""
    return tool_name.startswith(f"{PROJECT_FILES_SERVER}{NAME_JOINT}")


def without_files(messages: Iterable[RequestMessage]) -> tuple[RequestMessage, ...]:
    """Return the messages with a sentence in place of what was read in the files."""
    kept = tuple(messages)
    ids = {call.id for each in kept for call in each.tool_calls if is_of_files(call.name)}
    return tuple(
        replace(each, text=fenced(HELD_BACK)) if each.role is Role.TOOL and each.tool_call_id in ids else each
        for each in kept
    )
