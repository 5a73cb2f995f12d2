"""Finds the memories in exports of ChatGPT and Claude, and collects them as short facts, each once.

ChatGPT has them as messages to its tool ``bio`` and in hidden messages about the person; Claude in ``memories.json``,
as pages of text. Any value may be of any type: what has no text is passed over.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Any, Final

from chatdesk.core.domain.imported import ImportedMemory
from chatdesk.core.domain.memory import LONGEST_MEMORY, MOST_MEMORIES
from chatdesk.core.hidden_characters import clean_line
from chatdesk.core.transfer.imports.values import dict_of, key_of, list_of, text_of, words_of

# Files that hold memories, by name. Files of chats may be called after what was spoken about, so the name is all of it.
MEMORY_FILE: Final = re.compile(
    r"(?:^|/)(?:(?:user|saved)[-_])?(?:memory|memories)(?: ?\(\d{1,3}\))?\.json\Z", re.IGNORECASE
)
OF_CLAUDE: Final = frozenset(("conversations_memory", "project_memories"))

_LONGEST_PAGE: Final = 100_000
_MOST_IN_PAGE: Final = 1_000
_LONGEST_NAME: Final = 60
_MARK: Final = re.compile(r"(?:[-*•]|\d{1,4}[.)])\s+")
_DATE: Final = re.compile(r"\[?\d{4}-\d{2}-\d{2}\]?[.:]?\s+")
_HEADING: Final = re.compile(r"#{1,6}\s|\*\*[^*]{1,200}\*\*:?\Z|[-*_=`~]{3}")
_FENCED: Final = re.compile(r"```([^`]{1,20000})```")
_OF_PERSON: Final = ("user_profile", "about_user_message")
_NAMES: Final = ("memory", "content", "text", "value")


class FoundMemories:
    """The memories of one export in the order in which they were found. ``left_out`` counts those beyond the most
    that ChatDesk keeps."""

    def __init__(self) -> None:
        self._found: dict[tuple[str, str], ImportedMemory] = {}
        self.left_out = 0

    def __iter__(self) -> Iterator[ImportedMemory]:
        return iter(self._found.values())

    def __bool__(self) -> bool:
        return bool(self._found)

    def add(self, texts: Iterable[str], project: str = "") -> None:
        """Add the facts in texts; ``project`` is the name of the program's project that they are for."""
        name = clean_line(project[: 4 * _LONGEST_NAME])[:_LONGEST_NAME].strip()
        for text in texts:
            for fact in islice(facts_in(text, LONGEST_MEMORY - len(name) - 2), _MOST_IN_PAGE):
                key = fact.casefold(), name
                if key not in self._found and len(self._found) >= MOST_MEMORIES:
                    self.left_out += 1
                else:
                    self._found.setdefault(key, ImportedMemory(f"{name}: {fact}" if name else fact, name))

    def add_document(self, value: object, projects: Mapping[str, Mapping[str, Any]]) -> None:
        """Add the memories of an entry of a file of memories."""
        entry = dict_of(value)
        if not OF_CLAUDE & entry.keys():
            self.add([text_of(value)] if isinstance(value, str) else _texts_of(entry))
            return
        self.add([words_of(entry.get("conversations_memory"))])
        for key, each in _by_project(entry.get("project_memories")):
            name = clean_line(text_of(projects.get(key, {}).get("name"))[: 4 * _LONGEST_NAME])
            self.add([words_of(each) or words_of(dict_of(each).get("memory"))], name or "Project")


def facts_in(text: str, longest: int = LONGEST_MEMORY) -> Iterator[str]:
    """Yield the lines of a page of memories as facts: without headings, marks of lists and dates; long ones in pieces
    that end with a sentence or a word."""
    for line in text[:_LONGEST_PAGE].splitlines():
        fact = clean_line(_DATE.sub("", _MARK.sub("", line.strip(), count=1), count=1)).strip()
        if not fact or _HEADING.match(fact):
            continue
        while len(fact) > longest:
            cut = max(fact.rfind(". ", 0, longest) + 1, 0) or fact.rfind(" ", 0, longest)
            cut = cut if cut > 0 else longest
            yield fact[:cut].strip()
            fact = fact[cut:].strip()
        if fact:
            yield fact


def memories_of_messages(mapping: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the pages of memories in a conversation of ChatGPT."""
    found: dict[str, None] = {}
    for each in mapping.values():
        message = dict_of(dict_of(each).get("message"))
        for text in _of_message(message):
            if text.strip():
                found[text[:_LONGEST_PAGE]] = None
    return tuple(islice(found, MOST_MEMORIES))


def _of_message(message: Mapping[str, Any]) -> Iterator[str]:
    body = dict_of(message.get("content"))
    if message.get("recipient") == "bio":
        text = words_of(body.get("text")) or words_of(body.get("parts")) or words_of(body.get("content"))
        text = _without_json(text)
        # A wish to forget is no fact.
        yield "" if text.lstrip().lower().startswith("forget") else text
    yield words_of(body.get("model_set_context"))
    told = dict_of(dict_of(message.get("metadata")).get("user_context_message_data"))
    for name in _OF_PERSON:
        text = text_of(body.get(name)) or text_of(told.get(name))
        fenced = _FENCED.search(text[:_LONGEST_PAGE])  # around it the vendor tells its model what this is
        yield fenced.group(1) if fenced else text


def _without_json(text: str) -> str:
    """Return the words of a call's arguments, which newer exports write as JSON."""
    if not text.lstrip().startswith(("{", "[")):
        return text
    try:
        value = json.loads(text[:_LONGEST_PAGE])
    except (ValueError, RecursionError):
        return ""
    return words_of(value) or "\n".join(_texts_of(dict_of(value)))


def _texts_of(entry: Mapping[str, Any]) -> list[str]:
    """Return the texts of an entry: its own, or those of a list in it."""
    own = next((text for name in _NAMES if (text := words_of(entry.get(name)))), "")
    inner = [each for name in ("memories", "items") for each in list_of(entry.get(name))]
    return [
        own,
        *(text_of(each) or next(iter(_texts_of({n: dict_of(each).get(n) for n in _NAMES})), "") for each in inner),
    ]


def _by_project(value: object) -> Iterator[tuple[str, Any]]:
    """Yield the ids of projects with what is remembered for them, from an object by ids or a list of objects."""
    for key, each in dict_of(value).items():
        yield key_of(key), each
    for each in list_of(value):
        entry = dict_of(each)
        yield key_of(entry.get("project_uuid")) or key_of(entry.get("uuid")), entry.get("memory") or entry
