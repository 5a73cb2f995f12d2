"""Collects the thoughts of chat completions under the names under which they came: a person reads them, and with the
calls of tools they go back to the server as they are, since some servers refuse calls without their thought."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from chatdesk.core.providers.chat.content import read_content

# Fields with a thought as text; servers that send both say the same in both.
THOUGHT_FIELDS: Final = ("reasoning_content", "reasoning")
# A list of thoughts, parts of it encrypted or signed, as gateways send it.
DETAILS_FIELD: Final = "reasoning_details"
_GROWING: Final = ("text", "summary", "data")
_MOST_DETAILS: Final = 10_000
_LONGEST: Final = 8 * 1024 * 1024


class KeptThoughts:
    """The thoughts of one answer."""

    def __init__(self) -> None:
        self._texts: dict[str, list[str]] = {}
        self._details: list[dict[str, Any]] = []
        self._size = 0

    @property
    def fields(self) -> dict[str, Any]:
        """The fields of a message as they go back to the server."""
        texts: dict[str, Any] = {name: "".join(pieces) for name, pieces in self._texts.items()}
        return texts | ({DETAILS_FIELD: [dict(each) for each in self._details]} if self._details else {})

    def read(self, message: Mapping[str, Any], *, is_whole: bool = False) -> str:
        """Return the readable thoughts of a delta, or of a whole message."""
        shown = ""
        for name in THOUGHT_FIELDS:
            value = message.get(name)
            if value is None:
                continue
            text = "".join(read_content(value))
            pieces = self._texts.setdefault(name, [])
            if not (is_whole and pieces):
                pieces.append(text)
            shown = shown or text
        details = message.get(DETAILS_FIELD)
        rows = [each for each in details if isinstance(each, Mapping)] if isinstance(details, list) else []
        if not (is_whole and self._details):
            for each in rows:
                self._add_detail(each)
        return shown or "".join(_shown(each) for each in rows)

    def _add_detail(self, detail: Mapping[str, Any]) -> None:
        """Add a piece of a detail to the one that it continues, or begin another."""
        self._size += len(json.dumps(detail))
        if len(self._details) >= _MOST_DETAILS or self._size > _LONGEST:
            return
        last = self._details[-1] if self._details else {}
        is_same = all(detail.get(name) in (None, last.get(name)) for name in ("type", "index", "id"))
        if not last or not is_same or detail.get("index") is None:
            self._details.append(dict(detail))
            return
        for name, value in detail.items():
            has_both = name in _GROWING and isinstance(value, str) and isinstance(last.get(name), str)
            if has_both:
                last[name] += value
            elif value is not None:
                last[name] = value


def _shown(detail: Mapping[str, Any]) -> str:
    return next((value for name in ("text", "summary") if isinstance(value := detail.get(name), str)), "")
