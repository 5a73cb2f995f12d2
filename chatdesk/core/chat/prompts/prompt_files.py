"""Reads and writes prompts as one JSON file.

The document is ``{"format": "chatdesk-prompts", "format_version": 1, "prompts": [{kind, name, text}]}``; an assistant
has ``{icon, parameters, files: [{name, data}]}`` besides, under ``assistant``, the data in base64. A file is untrusted:
its size is limited, and everything in it is checked. It names neither a provider nor tools: the importing person
chooses them.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from chatdesk.core.domain.attachment import MOST_IN_MESSAGE
from chatdesk.core.domain.prompt import LONGEST_TEXT, MOST_PROMPTS, NewPrompt, Prompt, PromptKind, setup_from
from chatdesk.core.errors import ChatDeskError, InvalidInput
from chatdesk.core.system.file_writing import write_text
from chatdesk.core.system.small_files import read_small_file
from chatdesk.core.system.system_errors import reason_text
from chatdesk.core.texts import Text

_FORMAT, _VERSION = "chatdesk-prompts", 1
_LARGEST_FILE_BYTES = 16 * 1024 * 1024
_MOST_FILE_BYTES = 10 * 1024 * 1024  # for all assistants together, so that the file can be read again


@dataclass(frozen=True, slots=True)
class NamedBytes:
    """A file of an assistant, as a prompt file has it."""

    name: str
    data: bytes


@dataclass(frozen=True, slots=True)
class ReadPrompt:
    """A prompt of a file, with the files of an assistant."""

    prompt: NewPrompt
    files: tuple[NamedBytes, ...] = ()


def write_prompts(target: Path, prompts: Iterable[Prompt], files: Mapping[str, bytes] | None = None) -> None:
    """Write prompts to ``target``, which is replaced by a whole file or not at all. ``files`` has the bytes of
    assistants' files by their sums. Raises ``ChatDeskError``."""
    known = files or {}
    if sum(map(len, known.values())) > _MOST_FILE_BYTES:
        raise ChatDeskError(
            Text(
                "The files of the assistants are larger than {most_file_bytes} MB together.",
                most_file_bytes=str(_MOST_FILE_BYTES // 1024 // 1024),
            ),
            safe=Text("The prompts are unchanged."),
            next_step=Text("Take large files out of the assistants, and attach them to a message instead."),
        )
    listed = [_written(each, known) for each in prompts]
    document = {"format": _FORMAT, "format_version": _VERSION, "prompts": listed}
    try:
        write_text(target, json.dumps(document, ensure_ascii=False, indent=2) + "\n", errors="replace")
    except OSError as error:
        raise ChatDeskError(
            Text("The file could not be written: {strerror}.", strerror=reason_text(error)),
            safe=Text("The prompts are unchanged."),
            next_step=Text("Choose another place."),
        ) from error


def read_prompts(source: Path) -> list[ReadPrompt]:
    """Read the prompts of a file. Raises ``InvalidInput`` for one that holds no prompts, is too large, or cannot be
    read."""
    return [each for _key, each in _read(source)]


def read_starters(source: Path) -> dict[str, NewPrompt]:
    """Return the prompts of the file that comes with ChatDesk, by their keys."""
    return {key: each.prompt for key, each in _read(source) if key}


def _written(prompt: Prompt, files: Mapping[str, bytes]) -> dict[str, Any]:
    entry: dict[str, Any] = {"kind": prompt.kind.value, "name": prompt.name, "text": prompt.text}
    if prompt.setup is not None:
        entry["assistant"] = {
            "icon": prompt.setup.icon,
            "parameters": prompt.setup.parameters.as_json(),
            "files": [
                {"name": each.name, "data": base64.b64encode(files[each.sha256]).decode()}
                for each in prompt.setup.files
                if each.sha256 in files
            ],
        }
    return entry


def _read(source: Path) -> Iterator[tuple[str, ReadPrompt]]:
    try:
        data = read_small_file(source, _LARGEST_FILE_BYTES)
    except OSError as error:
        raise _unread(Text("The file could not be read: {strerror}.", strerror=reason_text(error))) from error
    except ValueError:
        raise _unread(
            Text(
                "The file is larger than {largest_file_bytes} MB.",
                largest_file_bytes=str(_LARGEST_FILE_BYTES // 1024 // 1024),
            )
        ) from None
    try:
        document = json.loads(data)
    except (ValueError, RecursionError):
        raise _unread(Text("The file is no JSON.")) from None
    if not isinstance(document, dict) or document.get("format") != _FORMAT:
        raise _unread(Text("The file contains no prompts of ChatDesk."))
    if document.get("format_version") != _VERSION:
        raise _unread(Text("The file was written by a newer ChatDesk."))
    listed = document.get("prompts")
    if not isinstance(listed, list) or len(listed) > MOST_PROMPTS:
        raise _unread(
            Text("The file contains no list of prompts, or more than {most_prompts}.", most_prompts=MOST_PROMPTS)
        )
    return map(_checked, range(1, len(listed) + 1), listed)


def _checked(number: int, value: Any) -> tuple[str, ReadPrompt]:
    found = value if isinstance(value, dict) else {}
    kind, name, text, key = (found.get(each, "") for each in ("kind", "name", "text", "key"))
    is_text = all(isinstance(each, str) for each in (kind, name, text, key)) and bool(text.strip())
    if not is_text or kind not in list(PromptKind) or len(text) > LONGEST_TEXT:
        raise _unread(
            Text(
                "Prompt {number} in the file is not one: it needs a kind, a name and a text that is not too long.",
                number=str(number),
            )
        )
    if kind != PromptKind.ASSISTANT:
        return key, ReadPrompt(NewPrompt(PromptKind(kind), name, text))
    more = found.get("assistant")
    more = more if isinstance(more, dict) else {}
    setup = setup_from({"icon": more.get("icon"), "parameters": more.get("parameters")})
    return key, ReadPrompt(NewPrompt(PromptKind.ASSISTANT, name, text, setup), _files_of(number, more.get("files", [])))


def _files_of(number: int, listed: Any) -> tuple[NamedBytes, ...]:
    if not isinstance(listed, list) or len(listed) > MOST_IN_MESSAGE:
        raise _unread(Text("Prompt {number} in the file has no list of files, or too many.", number=str(number)))
    files: list[NamedBytes] = []
    for each in listed:
        try:
            files.append(NamedBytes(str(each["name"]), base64.b64decode(each["data"], validate=True)))
        except (KeyError, TypeError, ValueError, binascii.Error):
            raise _unread(Text("A file of prompt {number} in the file cannot be read.", number=str(number))) from None
    return tuple(files)


def _unread(what: str) -> InvalidInput:
    return InvalidInput(
        what, safe=Text("Nothing was added."), next_step=Text("Choose a file that was exported from Prompts.")
    )
