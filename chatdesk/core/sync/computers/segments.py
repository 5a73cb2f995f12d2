"""Writes and reads the contents of a segment: the changes of a computer since its segment before."""

from __future__ import annotations

import hashlib
import json
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from chatdesk.core.domain.sharing.sync_wire import START, ProjectChange, PulledChange, body_digest
from chatdesk.core.storage.engine.plain_text import clean
from chatdesk.core.storage.sync.wire.rows import LONGEST_WORD, read_object

# A segment is closed once its changes have more than this many bytes.
SEGMENT_BYTES: Final = 4_000_000
# More than any segment has, as one change has at most a megabyte.
_MOST_BYTES: Final = 64_000_000
_FIELDS: Final = ("id", "device", "dseq", "kind", "op", "entity", "reg", "hlc", "body", "at", "v")
_NUMBERS: Final = frozenset(("dseq", "hlc", "at", "v"))
_LARGEST: Final = 2**63 - 1
_LENGTH_BYTES: Final = 4


# A segment among merged ones: the chain up to it, and its text.
Part = tuple[bytes, bytes]


@dataclass(frozen=True, slots=True)
class Segment:
    """Holds the changes of a segment. ``before`` is the chain up to the segment before it; ``seen``: how many segments
    of other computers its writer had read, by the name of each in the folder."""

    before: bytes
    seen: Mapping[str, int]
    rows: Sequence[ProjectChange]


def packed(segment: Segment) -> bytes:
    rows = [_values(row) for row in segment.rows]
    said = {"before": segment.before.hex(), "seen": dict(segment.seen), "rows": rows}
    return zlib.compress(json.dumps(said, separators=(",", ":")).encode())


def unpacked(data: bytes, author: str) -> Segment:
    """Return the segment in these bytes, whose changes get this author. Raises ``ValueError``."""
    return parsed(inflated(data), author)


def inflated(data: bytes) -> bytes:
    """Return the text of a segment, or of merged ones. Raises ``ValueError``."""
    unpacking = zlib.decompressobj()
    try:
        text = unpacking.decompress(data, _MOST_BYTES)
    except zlib.error as error:
        raise ValueError(str(error)) from error
    if unpacking.unconsumed_tail:
        raise ValueError(_MOST_BYTES)
    return text


def parsed(text: bytes, author: str) -> Segment:
    """Return the segment of a text, like ``unpacked``."""
    try:
        said = json.loads(text)
        if not isinstance(said, dict):
            raise ValueError(type(said))
        before = bytes.fromhex(said["before"])
        seen = {str(name): whole_number(value) for name, value in said["seen"].items()}
        rows = tuple(_row(values, author) for values in said["rows"])
    except (KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ValueError(str(error)) from error
    if len(before) != len(START):
        raise ValueError(before)
    return Segment(before, seen, rows)


def merged(parts: Sequence[Part]) -> bytes:
    """Return several segments, one after the other, in one."""
    return zlib.compress(b"".join(chain + len(text).to_bytes(_LENGTH_BYTES, "big") + text for chain, text in parts))


def parts_of(data: bytes) -> list[Part]:
    """Return the segments that ``merged`` was given. Raises ``ValueError``."""
    text, at, found = inflated(data), 0, list[Part]()
    while at < len(text):
        begin = at + len(START) + _LENGTH_BYTES
        end = begin + int.from_bytes(text[at + len(START) : begin], "big")
        if begin > len(text) or end > len(text):
            raise ValueError(end)
        found.append((text[at : at + len(START)], text[begin:end]))
        at = end
    return found


def chain_after(before: bytes, data: bytes) -> bytes:
    """Return the chain after a segment, whose file has these bytes."""
    return hashlib.sha256(before + hashlib.sha256(data).digest()).digest()


def _values(row: ProjectChange) -> list[Any]:
    project_id, change = row
    erased = change.digest.hex() if change.is_erased else None
    return [project_id, list(change.parents), erased, *(getattr(change, name) for name in _FIELDS)]


def _row(values: Sequence[Any], author: str) -> ProjectChange:
    project_id, parents, erased, *rest = values
    said = dict(zip(_FIELDS, rest, strict=True))
    for name, value in said.items():
        if name in _NUMBERS:
            whole_number(value)
        elif not (name == "body" and value is None):
            _text(value)
    digest = body_digest(said["body"]) if erased is None else bytes.fromhex(erased)
    change = PulledChange(
        **said,
        seq=0,
        author=author,
        parents=tuple(map(str, parents)),
        chain=b"",
        digest=digest,
        is_erased=erased is not None,
    )
    change.chain_after(None)  # raises ``ValueError`` for what can be in no log
    return _text(project_id), change


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError(type(value))
    value.encode()  # raises ``ValueError`` for half a letter, which cannot be stored
    return value


def whole_number(value: object) -> int:
    """Return a number that others wrote. Raises ``ValueError`` unless it is whole, and in bounds."""
    if type(value) is not int or not 0 <= value <= _LARGEST:
        raise ValueError(value)
    return value


def word(value: object) -> str:
    """Return the beginning of a name that others wrote, as it can be stored. Raises ``ValueError`` unless it is one."""
    if not isinstance(value, str):
        raise ValueError(type(value))
    return clean(value[:LONGEST_WORD])


def object_in(data: bytes) -> dict[str, Any]:
    """Return the JSON object in a small sealed file: whoever has the phrase can have written anything. Raises
    ``ValueError``."""
    said = read_object(data.decode())
    if said is None:
        raise ValueError(len(data))
    return said
