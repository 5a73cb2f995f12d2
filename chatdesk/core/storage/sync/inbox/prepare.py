"""Parses a pulled page before it is applied, on any thread. Rows may hold anything, and nothing here raises."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from chatdesk.core.domain.sharing.sync_wire import PulledChange
from chatdesk.core.storage.engine.plain_text import clean
from chatdesk.core.storage.sync.wire.rows import LONGEST_BODY, MessageRows, is_id, read_message

_OPS: Final = frozenset(("new", "edit", "del"))
_USUAL: Final = frozenset(("project", "thread", "message", "summary", "content", "title"))  # nearly all that comes
_LONGEST_KIND, _LONGEST_REG, _MOST_PARENTS = 40, 200, 1_000
_LARGEST: Final = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Prepared:
    """A parsed page; ``pulled`` is the original. ``messages``: by the id of the change that brings them; ``flaws``: why
    a change is invalid. ``fitting``: how many rows, from the first, follow each other as the server numbered and
    chained them, with the bodies that it accepted."""

    rows: tuple[PulledChange, ...]
    pulled: tuple[PulledChange, ...]
    messages: Mapping[str, MessageRows]
    flaws: Mapping[str, str]
    fitting: int

    @property
    def has_numbers(self) -> bool:
        return not self.rows or isinstance(self.rows[0].seq, int)


def prepare(rows: Sequence[PulledChange]) -> Prepared:
    """Parse a page, on any thread. Never raises."""
    kept, messages, flaws = [], {}, {}
    sound: PulledChange | None = None
    for row in rows:
        flaw = _flaw(row, sound)
        if flaw is not None:
            kept.append(_harmless(row))
            flaws[row.id] = flaw
            continue
        sound = row
        kept.append(row)
        if row.kind == "message" and row.op == "new" and row.reg == "content":
            read = read_new(row)
            if read is None:
                flaws[row.id] = "the message cannot be read"
            else:
                messages[row.id] = read
    return Prepared(tuple(kept), tuple(rows), messages, flaws, _fitting(rows))


def read_new(row: PulledChange) -> MessageRows | None:
    """Return the message that a change brings; None if it cannot be parsed."""
    try:
        return read_message(row.body, message_id=row.entity, hlc=row.hlc, device=row.device, at=row.at)
    except (ValueError, RecursionError, TypeError, OverflowError):
        return None


def _fitting(rows: Sequence[PulledChange]) -> int:
    """Return how many rows, from the first, fit; the first one is compared with the cursor when it is applied."""
    before: PulledChange | None = None
    numbers: dict[str, int] = {}
    for count, row in enumerate(rows):
        if not (row.has_accepted_body and _is_next(row, before, numbers)):
            return count
        before = row
        numbers[row.device] = row.number
    return len(rows)


def _is_next(row: PulledChange, before: PulledChange | None, numbers: Mapping[str, int]) -> bool:
    try:
        is_counted = row.number == numbers.get(row.device, row.number - 1) + 1
        is_chained = before is None or (row.seq == before.seq + 1 and row.chain == row.chain_after(before.chain))
    except (ValueError, TypeError, AttributeError):
        return False
    return is_counted and is_chained


def _flaw(row: PulledChange, sound: PulledChange | None) -> str | None:
    """Return why a row is no valid change, or None. ``sound``: a valid row; values equal to its own are not checked
    again, since most rows have the same device and kind."""
    if not is_id(row.entity):
        return "it names nothing"
    if sound is None or not _is_like(row, sound):
        flaw = _flaw_of_frame(row)
        if flaw is not None:
            return flaw
    if not (_is_number(row.dseq) and _is_number(row.hlc) and _is_number(row.at) and _is_number(row.v)):
        return "its numbers are none"
    if row.parents != () and not _are_ids(row.parents):
        return "its parents are none"
    if row.body is not None and not _is_body(row.body):
        return "its body is too large"
    return None


def _is_like(row: PulledChange, other: PulledChange) -> bool:
    return (
        row.device == other.device
        and row.author == other.author
        and row.kind == other.kind
        and row.op == other.op
        and row.reg == other.reg
    )


def _flaw_of_frame(row: PulledChange) -> str | None:
    if not (is_id(row.device) and row.op in _OPS):
        return "it names nothing"
    if not _is_short(row.kind, _LONGEST_KIND) or not _is_short(row.reg, _LONGEST_REG):
        return "its kind is none"
    return None if is_id(row.author) else "nobody wrote it"


def _are_ids(value: object) -> bool:
    return isinstance(value, (tuple, list)) and len(value) <= _MOST_PARENTS and all(map(is_id, value))


def _is_body(value: object) -> bool:
    return isinstance(value, str) and len(value) <= LONGEST_BODY


def _is_short(value: object, longest: int) -> bool:
    return isinstance(value, str) and (value in _USUAL or (len(value) <= longest and clean(value) == value))


def _is_number(value: object) -> bool:
    return type(value) is int and 0 <= value <= _LARGEST


def _harmless(row: PulledChange) -> PulledChange:
    """Return the row with everything replaced that could not be stored."""
    return replace(
        row,
        device=row.device if is_id(row.device) else row.id,
        dseq=row.dseq if _is_number(row.dseq) else 0,
        author=row.author if is_id(row.author) else "",
        kind=clean(str(row.kind)[:_LONGEST_KIND]),
        op=row.op if row.op in _OPS else "edit",
        entity=clean(str(row.entity)[:_LONGEST_REG]),
        reg=clean(str(row.reg)[:_LONGEST_REG]),
        parents=(),
        hlc=0,
        body=clean(row.body) if row.body is not None and _is_body(row.body) else None,
        at=row.at if _is_number(row.at) else 0,
        v=1,
    )
