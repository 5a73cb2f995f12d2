"""Reads and writes prompts as one JSON file.

The document is ``{"format": "chatdesk-prompts", "format_version": 1, "prompts": [{kind, name, text}]}``. A file comes
from anywhere: it is read up to a size, and everything in it is checked.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from chatdesk.core.domain.prompt import LONGEST_TEXT, MOST_PROMPTS, NewPrompt, Prompt, PromptKind
from chatdesk.core.errors import ChatDeskError, InvalidInput
from chatdesk.core.file_writing import write_text

_FORMAT, _VERSION = "chatdesk-prompts", 1
_LARGEST_FILE_BYTES = 16 * 1024 * 1024


def write_prompts(target: Path, prompts: Iterable[Prompt]) -> None:
    """Write prompts to ``target``, which is replaced by a whole file or not at all."""
    listed = [{"kind": each.kind.value, "name": each.name, "text": each.text} for each in prompts]
    document = {"format": _FORMAT, "format_version": _VERSION, "prompts": listed}
    try:
        write_text(target, json.dumps(document, ensure_ascii=False, indent=2) + "\n", errors="replace")
    except OSError as error:
        raise ChatDeskError(
            f"The file could not be written: {error.strerror}.",
            safe="The prompts are unchanged.",
            next_step="Choose another place.",
        ) from error


def read_prompts(source: Path) -> list[NewPrompt]:
    """Read the prompts of a file. Raises ``InvalidInput`` for one that holds no prompts, is too large, or cannot be
    read."""
    return [each for _key, each in _read(source)]


def read_starters(source: Path) -> dict[str, NewPrompt]:
    """Return the prompts of the file that comes with ChatDesk, by their keys."""
    return {key: each for key, each in _read(source) if key}


def _read(source: Path) -> Iterator[tuple[str, NewPrompt]]:
    try:
        with source.open("rb") as file:
            data = file.read(_LARGEST_FILE_BYTES + 1)
    except OSError as error:
        raise _unread(f"The file could not be read: {error.strerror}.") from error
    if len(data) > _LARGEST_FILE_BYTES:
        raise _unread(f"The file is larger than {_LARGEST_FILE_BYTES // 1024 // 1024} MB.")
    try:
        document = json.loads(data)
    except (ValueError, RecursionError):
        raise _unread("The file is no JSON.") from None
    if not isinstance(document, dict) or document.get("format") != _FORMAT:
        raise _unread("The file holds no prompts of ChatDesk.")
    if document.get("format_version") != _VERSION:
        raise _unread("The file was written by a newer ChatDesk.")
    listed = document.get("prompts")
    if not isinstance(listed, list) or len(listed) > MOST_PROMPTS:
        raise _unread(f"The file holds no list of prompts, or more than {MOST_PROMPTS:,}.")
    return map(_checked, range(1, len(listed) + 1), listed)


def _checked(number: int, value: Any) -> tuple[str, NewPrompt]:
    found = value if isinstance(value, dict) else {}
    kind, name, text, key = (found.get(each, "") for each in ("kind", "name", "text", "key"))
    is_text = all(isinstance(each, str) for each in (kind, name, text, key)) and bool(text.strip())
    if not is_text or kind not in list(PromptKind) or len(text) > LONGEST_TEXT:
        raise _unread(
            f"Prompt {number} in the file is not one: it needs a kind, a name and a text that is not too long."
        )
    return key, NewPrompt(PromptKind(kind), name, text)


def _unread(what: str) -> InvalidInput:
    return InvalidInput(what, safe="Nothing was added.", next_step="Choose a file that was exported from Prompts.")
