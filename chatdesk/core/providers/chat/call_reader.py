"""Reads the tool calls of chat completions out of the fragments in which servers send them.

Servers tell the calls of an answer apart in different ways: by ``index``, by ``id``, by neither, or by an index that
several calls have. Arguments come in pieces, whole, as text or as an object, and sometimes twice. A fragment that
cannot be read costs its own call, never the answer: the call then has arguments that are no object, and is not run.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from chatdesk.core.providers.base import ToolCallDelta
from chatdesk.core.providers.text_repair import SurrogateJoiner, repair
from chatdesk.core.providers.token_figures import first_of

MOST_CALLS = 1000
# Reading the arguments so far takes as long as they are; only servers that repeat themselves make it necessary.
_MOST_LOOKS = 100
_LONGEST_KEPT = 64 * 1024
CALL_KINDS = frozenset({"tool_use", "tool_call", "function_call", "function"})
CALL_LISTS = ("tool_calls", "toolCalls")
SINGLE_CALLS = ("tool_call", "tool_use")
_ARGUMENTS = ("arguments", "parameters", "input", "args")
_READ_FIELDS = frozenset(
    {"index", "id", "call_id", "type", "status", "object", "function", "custom", "name", *_ARGUMENTS}
)


@dataclass(slots=True)
class _Call:
    """A call as far as it has come. ``kept`` are the fields that only its vendor understands."""

    number: int
    id: str = ""
    name: str = ""
    pieces: list[str] = field(default_factory=list)
    joiner: SurrogateJoiner = field(default_factory=SurrogateJoiner)
    kept: dict[str, Any] = field(default_factory=dict)
    is_repeating: bool = False

    def arguments(self) -> dict[str, Any] | None:
        """Return the arguments if they are a whole object by now."""
        return read_object("".join(self.pieces))

    def add_name(self, name: str) -> None:
        """Take a name, or a piece of one: only before the arguments another name goes on with the first."""
        is_piece = self.name and not self.pieces and not name.startswith(self.name)
        self.name = self.name + name if is_piece else name or self.name

    def news_in(self, arguments: str) -> str:
        """Return the new part of a piece, since some servers repeat in each piece all that came before. After a colon
        or a bracket, what begins like the whole may be an object within it."""
        if not (self.pieces and arguments.startswith(self.pieces[0])):
            return arguments
        came = "".join(self.pieces)
        self.is_repeating = self.is_repeating or (
            arguments.startswith(came) and len(arguments) > len(came) and not came.rstrip().endswith((":", "["))
        )
        return arguments[len(came) :] if self.is_repeating and arguments.startswith(came) else arguments


class CallReader:
    """The calls of one answer. ``read`` every fragment, then ``finish``."""

    def __init__(self) -> None:
        self._calls: list[_Call] = []
        self._at_index: dict[int, _Call] = {}
        self._by_id: dict[str, _Call] = {}
        self._looks = 0

    def __len__(self) -> int:
        return len(self._calls)

    @property
    def kept(self) -> dict[int, Mapping[str, Any]]:
        """The fields of each call, by its number, that go back to the vendor as they are."""
        return {call.number: call.kept for call in self._calls if call.kept}

    def read(self, fragment: object) -> Iterator[ToolCallDelta]:
        """Yield the news in one fragment of a call."""
        if not fragment:
            return
        row = fragment if isinstance(fragment, Mapping) else {"arguments": fragment}
        call_id, name, given = parts_of(row)
        arguments = as_arguments(given)
        call = self._call_of(_index(row.get("index")), call_id, name, arguments)
        if call is None:
            return
        if call_id and not call.id:
            self._by_id.setdefault(call_id, call)
        call.id = call.id or call_id
        call.add_name(name)
        self._keep(call, row)
        arguments = "" if self._is_repeated(call, arguments) else call.news_in(arguments)
        yield from self._grown(call, arguments, call_id if call_id == call.id else "", call.name if name else "")

    def read_whole(self, rows: object) -> Iterator[ToolCallDelta]:
        """Yield the news in the whole list of calls, with which some servers end a stream. A call that came before is
        compared: where the two differ, its arguments cannot be read any more."""
        for place, fragment in enumerate(rows if isinstance(rows, list) else ()):
            if place >= len(self._calls):
                row = dict(fragment) if isinstance(fragment, Mapping) else {"arguments": fragment}
                row.pop("index", None)
                if not row.get("id"):
                    row["id"] = f"call_{place + 1}"
                yield from self.read(row)
                continue
            call = self._calls[place]
            whole = fragment if isinstance(fragment, Mapping) else {}
            self._keep(call, whole)
            arguments = as_arguments(parts_of(whole)[2])
            if arguments and arguments != "".join(call.pieces) and not self._is_repeated(call, arguments):
                yield from self._grown(call, arguments, "", "")

    def finish(self) -> Iterator[ToolCallDelta]:
        """Yield a replacement character for each half surrogate pair that was still held back, and the calls of which
        nothing could be read: they fail, but they are calls."""
        for call in self._calls:
            tail = call.joiner.finish()
            if tail or not (call.id or call.name or call.pieces):
                yield ToolCallDelta(call.number, None, None, tail)

    def _call_of(self, index: int | None, call_id: str, name: str, arguments: str) -> _Call | None:
        """Return the call that a fragment belongs to. An id decides; an index is a hint, for several calls may have
        the same; a name begins a call where the one before is whole. None: there are too many calls."""
        known = self._by_id.get(call_id)
        is_elsewhere = index is not None and index not in self._at_index
        # Some servers give all calls of an answer one id, each with an index of its own.
        if known is not None and not (is_elsewhere and self._is_another(known, arguments)):
            return known
        newest = self._calls[-1] if self._calls else None
        call = newest if index is None else self._at_index.get(index)
        begins = (
            call is None
            or bool(call_id and (index is None or (call.id and (name or self._is_whole(call)))))
            or bool(name and self._is_over(call, name, has_index=index is not None))
        )
        if begins:
            if len(self._calls) >= MOST_CALLS:
                return None
            call = _Call(len(self._calls))
            self._calls.append(call)
            if index is not None:
                self._at_index[index] = call
        return call

    def _is_whole(self, call: _Call) -> bool:
        """Return whether the arguments of a call are there; some servers give each piece of a call another id."""
        self._looks += 1
        is_maybe = bool(call.pieces) and call.pieces[-1].rstrip().endswith("}")
        return self._looks > _MOST_LOOKS or (is_maybe and call.arguments() is not None)

    def _is_over(self, call: _Call, name: str, *, has_index: bool) -> bool:
        """Return whether a name without an id begins another call than this one."""
        if not (call.name and has_index):
            return bool(call.name)
        return bool(call.pieces) and (name != call.name or call.arguments() is not None)

    def _is_another(self, known: _Call, arguments: str) -> bool:
        """Return whether arguments under another index are those of another call with the same id."""
        return known.arguments() is not None and not self._is_repeated(known, arguments)

    def _is_repeated(self, call: _Call, arguments: str) -> bool:
        """Return whether these arguments are all that the call has already. Two objects side by side are never JSON, so
        only then the arguments so far are looked at."""
        if not (arguments.lstrip().startswith("{") and call.pieces and call.pieces[-1].rstrip().endswith("}")):
            return False
        self._looks += 1
        known = call.arguments() if self._looks <= _MOST_LOOKS else None
        return known is not None and known == read_object(arguments)

    @staticmethod
    def _grown(call: _Call, arguments: str, call_id: str, name: str) -> Iterator[ToolCallDelta]:
        text = call.joiner.feed(arguments)
        if text:
            call.pieces.append(text)
        if text or call_id or name:
            yield ToolCallDelta(call.number, call_id or None, name or None, text)

    @staticmethod
    def _keep(call: _Call, row: Mapping[str, Any]) -> None:
        function = row.get("function")
        call.kept |= own_fields(row)
        inner = own_fields(function) if isinstance(function, Mapping) else {}
        if inner:
            call.kept["function"] = call.kept.get("function", {}) | inner


def read_object(text: str) -> dict[str, Any] | None:
    """Return the object that a text is, in whatever wrapping; None where it is none."""
    value = _value_of(plain_arguments(text))
    return value if isinstance(value, dict) else None


def plain_arguments(text: str) -> str:
    """Return arguments without what servers put around an object that is whole: ``{}`` before it, which was only to be
    filled, or quotes, where it was written as JSON twice. Other text stays as it is."""
    inner: object = ""
    text = text.strip("\ufeff")
    if text.lstrip().startswith("{}"):
        inner = text.lstrip()[2:].strip()
    elif text.lstrip().startswith('"'):
        inner = _value_of(text)
    return inner if isinstance(inner, str) and isinstance(_value_of(inner), dict) else text


def _value_of(text: str) -> object:
    """Return the JSON value of a text; None if it is invalid. A repeated name makes it invalid: parsers differ in which
    of the two values they take."""
    try:
        value: object = json.loads(text, object_pairs_hook=_each_once, parse_constant=_refuse)
    except (ValueError, RecursionError):
        return None
    return value


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise ValueError("a name stands twice")
    return value


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no JSON")


def calls_of(holder: Mapping[str, Any]) -> list[object]:
    """Return the calls in a message, a delta or an item, in any form: in a list, in the text of one, alone, or among
    the pieces of the content. The oldest servers send one as ``function_call``."""
    calls, old = first_of(holder, *CALL_LISTS), holder.get("function_call")
    if isinstance(calls, str):
        calls = _value_of(calls) or calls
    rows = calls if isinstance(calls, list) else [calls] if calls else []
    rows = [row for row in rows if _told_of_server(row) is None]
    alone = [holder[name] for name in SINGLE_CALLS if isinstance(holder.get(name), Mapping)]
    pieces = [each for each in pieces_of(holder) if each.get("type") in CALL_KINDS]
    return [*rows, *alone, *pieces] or ([{"index": 0, "function": old}] if isinstance(old, Mapping) else [])


def searches_of(holder: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return the reports of the server's own tools that stand among the calls of a message."""
    calls = first_of(holder, *CALL_LISTS)
    rows = calls if isinstance(calls, list) else [calls]
    return [told for row in rows if (told := _told_of_server(row)) is not None]


def _told_of_server(row: object) -> Mapping[str, Any] | None:
    """Return the report of a server-side tool, in an object named as its type, whose result is not awaited. None for a
    call."""
    kind = row.get("type") if isinstance(row, Mapping) else None
    if not isinstance(row, Mapping) or not isinstance(kind, str) or kind in CALL_KINDS or kind == "custom":
        return None
    told = row.get(kind)
    return told if isinstance(told, Mapping) else None


def pieces_of(message: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return the pieces of the content of a message."""
    content = message.get("content")
    return [each for each in (content if isinstance(content, list) else [content]) if isinstance(each, Mapping)]


def parts_of(row: Mapping[str, Any]) -> tuple[str, str, Any]:
    """Return (id, name, arguments) of a call in any form. Some gateways leave out the object around name and
    arguments."""
    function = row.get("function")
    if isinstance(function, str):  # the text of the object, or only the name
        inner = _value_of(function)
        row = {**row, **({"function": inner} if isinstance(inner, Mapping) else {"name": function})}
    named = next((row[name] for name in ("function", "custom") if isinstance(row.get(name), Mapping)), row)
    arguments = next((named[name] for name in _ARGUMENTS if named.get(name) is not None), None)
    return word(row.get("call_id")) or word(row.get("id")), word(named.get("name")), arguments


def as_arguments(arguments: object) -> str:
    """Return arguments as text: an object is as clear as its text, and anything else is not run."""
    if arguments is None:
        return ""
    return arguments if isinstance(arguments, str) else json.dumps(arguments, ensure_ascii=False)


def own_fields(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of a call that only its vendor understands, within bounds."""
    more = {name: value for name, value in row.items() if name not in _READ_FIELDS and value is not None}
    return more if more and len(json.dumps(more)) <= _LONGEST_KEPT else {}


def word(value: object) -> str:
    """Return an id or a name; a number counts as its digits."""
    if isinstance(value, bool) or not isinstance(value, str | int):
        return ""
    return repair(str(value))


def _index(value: object) -> int | None:
    if isinstance(value, str) and value.isascii() and value.isdigit():
        value = int(value[:4])
    is_index = isinstance(value, int) and not isinstance(value, bool) and 0 <= value < MOST_CALLS
    return value if is_index and isinstance(value, int) else None
