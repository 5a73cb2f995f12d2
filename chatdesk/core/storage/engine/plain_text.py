"""Makes any string storable: SQLite stops at NUL, and UTF-8 has no lone surrogates."""

from __future__ import annotations

import json
from collections.abc import Mapping
from enum import Enum
from typing import Any, Final, TypeVar

from chatdesk.core.domain.message import UNREADABLE
from chatdesk.core.hidden_characters import clean_line
from chatdesk.core.name_order import name_key
from chatdesk.core.texts import shortened

# The core of ``json.loads``, without its checks of types and byte order marks.
_decode: Final = json.JSONDecoder().raw_decode
_Kind = TypeVar("_Kind", bound=Enum)
_REPLACEMENT = "\N{REPLACEMENT CHARACTER}"
_LONGEST_NAME: Final = 10_000


def clean(text: str) -> str:
    """Return ``text`` with NUL and lone surrogates replaced by U+FFFD; halves of a pair that are together are
    joined."""
    if "\0" in text:
        text = text.replace("\0", _REPLACEMENT)
    if text.isascii():
        return text
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text


def shown_name(stored: str) -> str:
    """Return the stored name of a thread, project, tag, workspace or member in a form that may be shown: a backup, a
    team or another program may have stored anything as a name. An endless one, which each list would wait for, is
    shown by its beginning."""
    return clean_line(shortened(stored, _LONGEST_NAME)) or "Untitled"


def _clean_value(value: Any) -> Any:
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, Mapping):
        return {clean(str(key)): _clean_value(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_clean_value(item) for item in value]
    return value


def to_json(value: Mapping[str, Any]) -> str:
    return json.dumps(_clean_value(value), ensure_ascii=False, separators=(",", ":"), sort_keys=True)


def from_json(text: str | None) -> dict[str, Any]:
    """Read a value that ``to_json`` wrote; anything else, whatever its type, reads as empty, so that one damaged row
    does not hide a thread."""
    if not text or text == "{}":
        return {}
    try:
        value, end = _decode(text)
        if end != len(text):  # white space at its end, or something else
            value = json.loads(text)
        if "\\u" in text:  # an escape may hide a lone surrogate, which cannot be shown
            value = _clean_value(value)
    except (TypeError, ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def json_value(column: str, name: str) -> str:
    """Return an SQL expression for a value of the JSON object in a column; NULL where something else is stored."""
    return f"CASE WHEN json_valid({column}) THEN json_extract({column}, '$.{name}') END"


def object_in(column: str) -> str:
    """Return an SQL expression for the JSON object in a column; an empty one where something else is stored."""
    return f"CASE WHEN json_valid({column}) THEN {column} ELSE '{{}}' END"


def content_from(stored: object) -> dict[str, Any]:
    """Read the content of a part of a message; of anything else that is stored there, the words that it has."""
    content = from_json(stored if isinstance(stored, str) else None)
    return content if content or stored == "{}" else {"text": str(stored), UNREADABLE: True}


def one_of(kind: type[_Kind], stored: object, otherwise: _Kind) -> _Kind:
    """Return the member of ``kind`` that is stored; ``otherwise`` for a word that is none of ours, so that one damaged
    row does not hide the others."""
    try:
        return kind(stored)
    except ValueError:
        return otherwise


def title_columns(title: str) -> dict[str, str]:
    """Return the columns of a thread that hold its title: as it is, as it is searched, and as it is sorted."""
    return {"title": title, "title_folded": folded(title), "title_key": name_key(title)}


def folded(title: str) -> str:
    """Return ``title`` as it is compared in searches, without regard to case in any script."""
    return title.casefold()
