"""Collects the thoughts of chat completions under the names under which they came: a person reads them, and with the
calls of tools they go back to the server as they are, since some servers refuse calls without their thought."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, Final

from chatdesk.core.providers.chat.content import read_content

# Fields with a thought as text; servers that send both say the same in both.
THOUGHT_FIELDS: Final = (
    "reasoning_content",
    "reasoning",
    "reasoning_text",
    "thinking",
    "reasoningContent",
    "reasoning_summary",
    "thinking_content",
    "thought",
    "cot_summary",
)
# Other names that servers may have for such a field.
_LIKE_THOUGHT: Final = re.compile(
    r"(?i)(?:(?:internal|inner|model)_)?(?:think(?:ing)?|thoughts?|reasoning|cot|chain_of_thoughts?|analysis|reflection|"
    r"monologue)(?:_?(?:contents?|text|summary|process|trace|output))?|reason_?(?:contents?|text)"
)
# Lists of thoughts, parts of them encrypted or signed, as gateways send them.
DETAILS_FIELDS: Final = ("reasoning_details", "thinking_blocks")
# Mistral's thoughts are pieces of the content, and go back before its text.
PIECES_FIELD: Final = "content"
# Marks of a delta whose content is a thought.
_MARKS: Final = ("channel", "phase", "type")
_OF_THOUGHT: Final = re.compile(r"(?i)think|thought|reason|analysis|commentary")
_SWITCHES: Final = ("thought", "is_thinking", "thinking")
_TAG: Final = re.compile(r"(?i)<(?:think|thought)")
_SHOWN: Final = ("text", "summary", "thinking")
_GROWING: Final = (*_SHOWN, "data")
# Fields of a message that are read elsewhere or say nothing; any other may be what its vendor wants back.
_READ: Final = frozenset(
    {
        *THOUGHT_FIELDS,
        *DETAILS_FIELDS,
        *("role", "content", "tool_calls", "function_call", "refusal", "annotations", "audio", "images", "name"),
        *("citations", "search_results", "web_search", "sources", "search_info", "context", "executed_tools"),
        *("references", "web_search_results", "phase", "is_thinking", "text", "output_text", "answer"),
        *("groundingMetadata", "grounding_metadata", "token_id", "token_ids", "logprobs", "obfuscation"),
        *("channel", "type", "id", "index", "provider", "model", "status"),
    }
)
_DEEPEST: Final = 8
_LONGEST_OTHER: Final = 64 * 1024
_MOST_DETAILS: Final = 10_000
_LONGEST: Final = 8 * 1024 * 1024


class KeptThoughts:
    """The thoughts of one answer."""

    def __init__(self) -> None:
        self._texts: dict[str, list[str]] = {}
        self._details: dict[str, list[dict[str, Any]]] = {name: [] for name in DETAILS_FIELDS}
        self._has_tags = False
        self._size = 0
        self._pieces: list[Mapping[str, Any]] = []
        self._others: dict[str, Any] = {}
        self._others_size = 0

    @property
    def fields(self) -> dict[str, Any]:
        """The fields of a message as they go back to the server."""
        texts: dict[str, Any] = {name: "".join(pieces) for name, pieces in self._texts.items()}
        details = {name: [dict(each) for each in rows] for name, rows in self._details.items() if rows}
        pieces = {PIECES_FIELD: list(self._pieces)} if self._pieces else {}
        return {**self._others, **texts, **details, **pieces}

    def is_thought(self, delta: Mapping[str, Any], text: str) -> bool:
        """Return whether a field beside the text of a delta marks it as a thought. Tags in the text end it."""
        of_vendor = delta.get("extra_content")
        of_google = of_vendor.get("google") if isinstance(of_vendor, Mapping) else None
        holders = (delta, of_google if isinstance(of_google, Mapping) else {})
        is_switched = any(each.get(name) is True for each in holders for name in _SWITCHES)
        marks = (delta.get(name) for name in _MARKS)
        if not (is_switched or any(isinstance(each, str) and _OF_THOUGHT.match(each) for each in marks)):
            return False
        self._has_tags = self._has_tags or _TAG.search(text) is not None
        return not self._has_tags

    def read(self, message: Mapping[str, Any], *, is_whole: bool = False) -> str:
        """Return the readable thoughts of a delta, or of a whole message."""
        shown = ""
        for name in (*THOUGHT_FIELDS, *(each for each in message if _is_like_thought(each, message[each]))):
            value = message.get(name)
            if value is None or isinstance(value, bool):
                continue
            text = "".join(read_content(value))
            pieces = self._texts.setdefault(name, [])
            if not (is_whole and pieces):
                pieces.append(text)
            shown = shown or text
        self._keep_others(message)
        if not (is_whole and self._pieces):
            self._keep_pieces(message.get(PIECES_FIELD))
        for name, known in self._details.items():
            details = message.get(name)
            rows = [each for each in details if isinstance(each, Mapping)] if isinstance(details, list) else []
            if is_whole and known:
                news = "".join(map(_shown, rows))
            else:
                news = "".join([self._add_detail(known, each, is_whole=is_whole) for each in rows])
            shown = shown or news
        return shown

    def _keep_pieces(self, content: object) -> None:
        """Keep the thoughts among the pieces of a content, joining a piece to the thought that it continues."""
        for piece in content if isinstance(content, list) else ():
            if not isinstance(piece, Mapping) or piece.get("type") != "thinking":
                continue
            self._size += len(json.dumps(piece))
            if self._size > _LONGEST:
                return
            last = self._pieces[-1] if self._pieces else {}
            came, more = last.get("thinking"), piece.get("thinking")
            if isinstance(came, list) and isinstance(more, list):
                self._pieces[-1] = {**last, **piece, "thinking": [*came, *more]}
            else:
                self._pieces.append(piece)

    def _keep_others(self, message: Mapping[str, Any]) -> None:
        """Keep fields that only the vendor understands. A text or a list may come in pieces."""
        for name, value in message.items():
            if name in _READ or not _has_words(value) or _is_like_thought(name, value):
                continue
            self._others_size += len(json.dumps(value))
            if self._others_size > _LONGEST_OTHER:
                continue
            came = self._others.get(name)
            is_piece = type(came) is type(value) and isinstance(value, str | list) and came != value
            self._others[name] = came + value if is_piece else value

    def _add_detail(self, known: list[dict[str, Any]], detail: Mapping[str, Any], *, is_whole: bool) -> str:
        """Add a piece of a detail to the one that it continues, or begin another; return its readable news. Some
        servers repeat in each piece all that came before."""
        self._size += len(json.dumps(detail))
        if len(known) >= _MOST_DETAILS or self._size > _LONGEST:
            return _shown(detail)
        last = known[-1] if known else {}
        is_same = all(detail.get(name) in (None, last.get(name)) for name in ("type", "index", "id"))
        # A text without a number goes on until it is signed.
        goes_on = detail.get("index") is not None or ("data" not in detail and not last.get("signature"))
        if is_whole or not last or not is_same or not goes_on:
            known.append(dict(detail))
            return _shown(detail)
        came_so_far = _shown(last)
        for name, value in detail.items():
            came = last.get(name)
            if name in _GROWING and isinstance(value, str) and isinstance(came, str):
                is_repeated = name != "data" and len(value) > len(came) and value.startswith(came)
                last[name] = value if is_repeated else came + value
                self._size -= len(came) if is_repeated else 0
            elif value is not None:
                last[name] = value
        return _shown(last)[len(came_so_far) :]


def _is_like_thought(name: str, value: object) -> bool:
    """Return whether a field that no server is known for is a thought by its name."""
    return name not in _READ and isinstance(value, str) and _LIKE_THOUGHT.fullmatch(name) is not None


def _has_words(value: object, *, deep: int = 0) -> bool:
    """Return whether there is a text in a value; signatures and encrypted thoughts are texts."""
    if isinstance(value, Mapping):
        value = list(value.values())
    if isinstance(value, list):
        return deep < _DEEPEST and any(_has_words(each, deep=deep + 1) for each in value)
    return isinstance(value, str) and bool(value)


def _shown(detail: Mapping[str, Any]) -> str:
    return next((value for name in _SHOWN if isinstance(value := detail.get(name), str)), "")
