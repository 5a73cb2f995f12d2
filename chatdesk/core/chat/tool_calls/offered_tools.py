"""Decides which tools are offered to a model: all if they are few, else a tool that searches the others. Pure."""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from chatdesk.core.chat.tool_calls.sendable_schema import sendable_schema
from chatdesk.core.domain.message import Role
from chatdesk.core.domain.provider_profile import PLAIN, Dialect
from chatdesk.core.domain.tools import FIND_TOOLS, ServerStatus, Tool, ToolServer
from chatdesk.core.domain.usage import CHARACTERS_PER_TOKEN
from chatdesk.core.providers.base import ChatRequest, RequestMessage, ToolsOffered
from chatdesk.core.texts import Text

_LAST_STEP: Final = Text("No further tools can be called for this answer. Answer with what you have.")
_NO_ARGUMENTS: Final = Text("“{tool}” is left out: its arguments are described in a form that no request can have.")
# Schemas that together take no more are sent with every request.
MOST_TOKENS: Final = 1_200
_MOST_FOUND: Final = 6
_LONGEST_NAME: Final = 64
_SHOWN_DESCRIPTION: Final = 600
_WORD: Final = re.compile(r"[a-z0-9]+")
# How vendors name the place of a tool: ``tools[3].function``, ``tools.3.custom``, ``function_declarations[3]``.
_PLACE: Final = re.compile(
    r"\b(function_declarations\[|tools[.\[])(?P<place>\d{1,4})\b(?!.*function_declarations)", re.DOTALL
)
# What models write around a name: quotes, the space of all functions, the number of the call, marks of their template.
_AROUND_NAME: Final = re.compile(
    r"^[\s\"'`$@]*(?:(?:functions|default_api|multi_tool_use|tools?)[.:/])?"
    r"|(?:\(\))?[\s\"'`]*(?::\d+)?\s*(?:<\|.*)?$",
    re.DOTALL,
)
_CAMEL: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_STOPPED: Final = frozenset(
    [
        "a",
        "an",
        "the",
        "of",
        "to",
        "in",
        "on",
        "for",
        "and",
        "or",
        "is",
        "are",
        "be",
        "with",
        "from",
        "by",
        "it",
        "this",
        "that",
        "my",
        "me",
        "i",
        "you",
        "your",
        "what",
        "which",
        "how",
        "can",
        "please",
        "do",
        "does",
        "use",
        "using",
        "tool",
        "tools",
        "one",
        "all",
        "any",
        "some",
        "get",
    ]
)
# Synonyms that people and authors of tools use, each with the word that it is compared as.
_SAME: Final = {
    each: word
    for word, others in {
        "mail": ("email",),
        "picture": ("image", "photo", "photograph"),
        "delete": ("remove", "erase"),
        "event": ("meeting", "appointment"),
        "issue": ("bug",),
        "repository": ("repo",),
        "temperature": ("warm", "cold"),
        "folder": ("directory",),
        "change": ("edit", "modify", "update"),
        "calendar": ("schedule",),
        "create": ("make", "new", "add"),
        "buy": ("purchase",),
        "video": ("movie", "film"),
        "song": ("music",),
        "web": ("website",),
        "currency": ("exchange",),
    }.items()
    for each in others
}
# BM25: how fast repeated words stop to count, and how much long descriptions are held back.
_K, _B = 1.2, 0.6
_NAME_WEIGHT: Final = 3


class OfferedTools:
    """The tools of one answer, in a form that its vendor takes; ``left_out`` are those for which there is none. Those
    that were found stay offered until its end."""

    def __init__(self, tools: Sequence[Tool], dialect: Dialect = PLAIN) -> None:
        named = _named(tools)
        schemas = {name: sendable_schema(tool.schema, dialect) for name, tool in named.items()}
        self._by_name = {name: tool for name, tool in named.items() if schemas[name] is not None}
        self.left_out = [tool for name, tool in named.items() if schemas[name] is None]
        self._functions = {
            name: _function(name, tool, schemas[name] or {}, dialect) for name, tool in self._by_name.items()
        }
        self._index = _Index(self._by_name)
        self.is_searched = tokens_of(list(self._functions.values())) > MOST_TOKENS
        self._loaded: dict[str, None] = {} if self.is_searched else dict.fromkeys(self._by_name)

    def find(self, name: str) -> Tool | None:
        """Return the tool that a model calls by this name, offered in full or not."""
        return self._by_name.get(name) or self._by_name.get(_AROUND_NAME.sub("", name))

    def functions(self) -> list[dict[str, Any]]:
        """Return the tools of a request, in the form of chat completions."""
        offered = [self._functions[name] for name in self._loaded]
        return [_search_function(self._by_name), *offered] if self.is_searched else offered

    def add_to(self, request: ChatRequest, *, is_last: bool) -> ChatRequest:
        """Return the request of a step. In the last one no tool can be called, and the request tells the model so."""
        functions = self.functions()
        if not functions:
            return request
        extra_fields = {**request.extra_fields, "tools": functions}
        if is_last:
            extra_fields["tool_choice"] = "none"
            request = replace(request, messages=(*request.messages, RequestMessage(Role.SYSTEM, _LAST_STEP)))
        return replace(request, extra_fields=extra_fields)

    def news(self, statuses: Sequence[ServerStatus], server_ids: Container[str]) -> list[ToolsOffered]:
        """Return the news of these servers' tools for a person."""
        return [self.news_of(each.server, each.notes) for each in statuses if each.server.id in server_ids]

    def news_of(self, server: ToolServer, notes: Sequence[str]) -> ToolsOffered:
        """Return the news of a server's tools for a person."""
        names = tuple(tool.name for tool in self._by_name.values() if tool.server_id == server.id)
        left_out = (_NO_ARGUMENTS.filled(tool=tool.name) for tool in self.left_out if tool.server_id == server.id)
        return ToolsOffered(server.id, server.name, names, (*notes, *left_out))

    def drop_refused(self, words: str) -> Tool | None:
        """Leave out the tool that a vendor refuses in these ``words``, by its name or its place in the request, and
        return it; None where they name none."""
        named = [name for name in self._loaded if re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", words)]
        if not named and (found := _PLACE.search(words)) is not None:
            names = [each["function"]["name"] for each in self.functions()]
            place = int(found["place"])
            named = [name for name in names[place : place + 1] if name in self._loaded]
        if not named:
            return None
        del self._loaded[named[0]]
        return self._by_name.pop(named[0])

    def search(self, query: str) -> str:
        """Offer the tools that match a query from now on, and return the text for the model."""
        found = [name for name in self._index.best(query, _MOST_FOUND) if name in self._by_name]
        if not found:
            return "No tool fits. Try other words, or answer without a tool."
        self._loaded |= dict.fromkeys(found)
        lines = (f"- {name}: {_first_sentence(self._by_name[name].description)}" for name in found)
        return "These tools can be called now:\n" + "\n".join(lines)


def tokens_of(functions: Sequence[Mapping[str, Any]]) -> int:
    """Return an estimate of the tokens of the tools in a request."""
    return math.ceil(len(json.dumps(functions)) / CHARACTERS_PER_TOKEN)


def _named(tools: Sequence[Tool]) -> dict[str, Tool]:
    """Return each tool once, under a name that every protocol accepts."""
    named: dict[str, Tool] = {}
    for tool in tools:
        base = re.sub(r"[^A-Za-z0-9_-]", "_", tool.full_name)[:_LONGEST_NAME]
        name, number = base, 1
        while name in named or name == FIND_TOOLS:
            number += 1
            name = f"{base[: _LONGEST_NAME - 4]}_{number}"
        named[name] = tool
    return named


def _function(name: str, tool: Tool, schema: Mapping[str, Any], dialect: Dialect) -> dict[str, Any]:
    about = f"{tool.title}. {tool.description}" if tool.title else tool.description
    function: dict[str, Any] = {"name": name, "description": about[:_SHOWN_DESCRIPTION]}
    if dialect.has_empty_objects or schema["properties"]:
        function["parameters"] = schema
    return {"type": "function", "function": function}


def _search_function(tools: Mapping[str, Tool]) -> dict[str, Any]:
    servers = Counter(tool.server_name for tool in tools.values())
    listed = ", ".join(f"{name} ({count})" for name, count in list(servers.items())[:40])
    return {
        "type": "function",
        "function": {
            "name": FIND_TOOLS,
            "description": (
                f"Finds tools by what they do, and makes them callable. There are {len(tools)}, by server: {listed}."
                " Call this first when a question needs data or an action that you do not have."
            ),
            "parameters": {
                "type": "object",
                "properties": {"query": {"type": "string", "description": "what the tool is to do, in a few words"}},
                "required": ["query"],
            },
        },
    }


def _first_sentence(text: str) -> str:
    line = " ".join(text.split())
    return re.split(r"(?<=[.!?])\s", line, maxsplit=1)[0][:200]


class _Index:
    """Words of names, titles, descriptions and parameters, weighed by BM25."""

    def __init__(self, tools: Mapping[str, Tool]) -> None:
        self._documents = {name: Counter(_words_of(name, tool)) for name, tool in tools.items()}
        self._lengths = {name: sum(words.values()) for name, words in self._documents.items()}
        self._mean = sum(self._lengths.values()) / max(1, len(self._lengths))
        self._seen_in = Counter(word for words in self._documents.values() for word in words)

    def best(self, query: str, most: int) -> list[str]:
        wanted = [*dict.fromkeys(_words(query))]
        scores = {name: self._score(name, wanted) for name in self._documents}
        ranked = sorted((name for name in scores if scores[name] > 0), key=lambda name: -scores[name])
        return ranked[:most]

    def _score(self, name: str, wanted: Iterable[str]) -> float:
        words, total = self._documents[name], 0.0
        held_back = _K * (1 - _B + _B * self._lengths[name] / self._mean)
        for word in wanted:
            count = words.get(word, 0)
            if count:
                rarity = math.log(1 + (len(self._documents) - self._seen_in[word] + 0.5) / (self._seen_in[word] + 0.5))
                total += rarity * count * (_K + 1) / (count + held_back)
        return total


def _words_of(name: str, tool: Tool) -> list[str]:
    properties = tool.schema.get("properties")
    named = f"{name} {tool.title} {tool.server_name}"
    rest = f"{tool.description} {' '.join(properties) if isinstance(properties, Mapping) else ''}"
    return [*(_NAME_WEIGHT * _words(named)), *_words(rest)]


def _words(text: str) -> list[str]:
    """Return the words of a text without endings and without those that say nothing."""
    found = _WORD.findall(_CAMEL.sub(" ", text).lower())
    return [
        _stem(_SAME.get(singular, word)) for word in found if word not in _STOPPED for singular in [_singular(word)]
    ]


def _singular(word: str) -> str:
    return word[:-1] if word.endswith("s") and len(word) > 3 else word


def _stem(word: str) -> str:
    for ending, least in (
        ("ations", 4),
        ("ation", 4),
        ("ings", 4),
        ("ing", 4),
        ("ies", 3),
        ("ed", 4),
        ("es", 4),
        ("s", 3),
    ):
        if word.endswith(ending) and len(word) - len(ending) >= least:
            stem = word[: -len(ending)] + ("y" if ending == "ies" else "")
            is_doubled = ending in ("ed", "ing", "ings") and stem[-1] == stem[-2] and stem[-1] not in "lsz"
            return stem[:-1] if is_doubled else stem
    return word[:-1] if word.endswith("e") and len(word) > 4 else word
