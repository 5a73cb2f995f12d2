"""Reads the events of OpenAI's Responses protocol."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import product
from typing import Any, Final

from chatdesk.core.providers.base import (
    FinishReason,
    PictureDelta,
    ReasoningKept,
    SourcesNamed,
    TextDelta,
    ToolCallDelta,
)
from chatdesk.core.providers.chat.answer_reader import ErrorInAnswer, WrongShapeError, text_field
from chatdesk.core.providers.chat.call_reader import (
    CALL_KINDS,
    as_arguments,
    calls_of,
    own_fields,
    parts_of,
    read_object,
    word,
)
from chatdesk.core.providers.chat.content import read_content
from chatdesk.core.providers.chat.sources import NamedSources
from chatdesk.core.providers.reader import Delta, Late, VendorReader
from chatdesk.core.providers.text_repair import ReceivedText
from chatdesk.core.providers.token_figures import first_of, usage_in

_TEXT: Final = frozenset({"response.output_text.delta", "response.refusal.delta"})
_TEXT_DONE: Final = {"response.output_text.done": "text", "response.refusal.done": "refusal"}
_THOUGHTS: Final = ("reasoning_summary_text", "reasoning_text", "reasoning_summary", "reasoning")
_REASONING: Final = frozenset(f"response.{each}.delta" for each in _THOUGHTS)
_REASONING_DONE: Final = frozenset(f"response.{each}.done" for each in _THOUGHTS)
_PARTS: Final = frozenset(
    f"response.{each}_part.{when}"
    for each, when in product(("content", "reasoning", "reasoning_summary"), ("added", "done"))
)
_ARGUMENTS: Final = frozenset(
    f"response.{each}_call_arguments.{when}" for each, when in product(("function", "tool"), ("delta", "done"))
)
_ENDS: Final = frozenset(f"response.{each}" for each in ("completed", "incomplete", "failed", "cancelled", "done"))
_MOST_CALLS: Final = 1000
_MESSAGES: Final = ("message", "output_text", "text")
_THINKING: Final = ("reasoning", "thinking")
_PICTURE: Final = "image_generation_call"
_BAD_ENDS: Final = ("incomplete", "failed", "cancelled")


class ResponsesReader(VendorReader):
    """Turns the events of one response into provider events. A server that ignores ``stream`` sends it as one chunk.
    Text and arguments may come in pieces, when their item begins, when it ends, or in the whole response at the end:
    repeated text is compared, new text is used."""

    def __init__(self) -> None:
        super().__init__()
        self._calls: dict[str, int] = {}
        self._arguments: list[ReceivedText] = []
        self._kept_of_calls: dict[int, Mapping[str, Any]] = {}
        self._texts = _Items()
        self._thought_items = _Items()
        self._begins_part = False
        self._thoughts: dict[str, Mapping[str, Any]] = {}
        self._pictures: set[str] = set()
        self._sources = NamedSources()

    @property
    def has_tool_calls(self) -> bool:
        return bool(self._arguments)

    def feed(self, chunk: object) -> Iterator[Delta]:
        """Yield the events of one chunk. Raises ``WrongShapeError`` and ``ErrorInAnswer``."""
        if not isinstance(chunk, Mapping):
            raise WrongShapeError("chunk")
        kind = chunk.get("type")
        if chunk.get("object") == "response":
            yield from self._whole(chunk, "")
        elif kind in ("error", "response.error") or (kind is None and chunk.get("error")):
            raise ErrorInAnswer(chunk.get("error") or chunk)
        elif kind in _TEXT or kind in _TEXT_DONE:
            yield from self._read_text(chunk)
        elif kind == "response.output_text.annotation.added":
            self._sources.read_message({"annotations": [chunk.get("annotation")]})
        elif kind == "response.image_generation_call.partial_image":
            yield from self._read_picture(text_field(chunk.get("item_id")), chunk, "partial_image_b64", is_partial=True)
        elif kind in _PARTS:
            yield from self._read_part(chunk)
        elif kind in _REASONING or kind in _REASONING_DONE:
            yield from self._read_thought(chunk, is_whole=kind in _REASONING_DONE)
        elif kind in ("response.output_item.added", "response.output_item.done"):
            yield from self._read_item(chunk, is_done=kind == "response.output_item.done")
        elif kind in _ARGUMENTS:
            yield from self._read_arguments(chunk)
        elif kind in _ENDS:
            yield from self._whole(_mapping(chunk.get("response")), kind.rpartition(".")[2])
            self.usage = self.usage or usage_in(chunk)
        else:
            self._read_state(_mapping(chunk.get("response"), is_needed=False))

    def finish(self) -> Iterator[Late]:
        """Yield half surrogate pairs that were held back, the reasoning that goes back with calls, and sources."""
        for part in self._texts.parts():
            yield from self._shown(part.finish())
        yield from super().finish()
        for index, arguments in enumerate(self._arguments):
            tail = arguments.finish()
            if tail:
                yield ToolCallDelta(index, None, None, tail)
        if self._calls and (self._thoughts or self._kept_of_calls):
            yield ReasoningKept(tuple(self._thoughts.values()), self._kept_of_calls)
        if self._sources.found:
            yield SourcesNamed(self._sources.found)

    def _whole(self, response: Mapping[str, Any], ended: str) -> Iterator[Delta]:
        """Read a whole response: the only one, or the last event of a stream, which says how it ``ended``."""
        self._sources.read_chunk(response)
        output = response.get("output")
        if isinstance(output, str):
            output = {"type": "message", "content": output}
        items = [each for each in (output if isinstance(output, list) else [output]) if isinstance(each, Mapping)]
        if not self._reasoning.has_come:
            yield from self._add_reasoning("\n\n".join(filter(None, map(_thought_of, items))))
        yield from self._complete_texts(items, response.get("output_text"))
        calls = [call for each in (*items, response) for call in _calls_in(each)]
        for place, item in enumerate(calls):
            # Gateways give items other ids in the end.
            is_known = not {word(item.get("id")), word(item.get("call_id"))}.isdisjoint(self._calls)
            if is_known or place >= len(self._arguments):
                yield from self._read_call(item, {})
        for item in items:
            self._keep(item)
            if item.get("type") == _PICTURE and text_field(item.get("id")) not in self._pictures:
                yield from self._read_picture(text_field(item.get("id")), item, "result")
        self._end(response, ended)

    def _complete_texts(self, items: list[Mapping[str, Any]], output_text: object) -> Iterator[Delta]:
        """Read the texts of a whole response, and those pieces of them that did not come yet."""
        messages = [each for each in items if each.get("type") in _MESSAGES]
        whole = "".join(map(_text_of, messages))
        if not whole and isinstance(output_text, str):
            messages, whole = [{"content": output_text}], output_text
        if "".join(part.came for part in self._texts.parts()).startswith(whole):
            return
        for place, message in enumerate(messages):
            yield from self._read_message(message, self._texts.at({"item": message}, place=place))

    def _read_message(self, message: Mapping[str, Any], parts: dict[int, ReceivedText]) -> Iterator[Delta]:
        content = first_of(message, "content", "text")
        for number, piece in enumerate(content if isinstance(content, list) else [content]):
            whole = read_content(piece)[1]
            if whole:
                yield from self._complete_text(parts.setdefault(number, ReceivedText()), whole)

    def _read_text(self, chunk: Mapping[str, Any]) -> Iterator[Delta]:
        part, done = self._texts.part(chunk, _place(chunk)), _TEXT_DONE.get(chunk["type"])
        if done is None:
            yield from self._grow_text(part, text_field(chunk.get("delta")))
        else:
            yield from self._complete_text(part, text_field(chunk.get(done)))

    def _read_thought(self, chunk: Mapping[str, Any], *, is_whole: bool) -> Iterator[Delta]:
        words = "".join(read_content(chunk.get("text" if is_whole else "delta")))
        yield from self._think(chunk, words, is_whole=is_whole)

    def _read_state(self, response: Mapping[str, Any]) -> None:
        """Read a response that only begins, or is under way: it may have failed already."""
        if response.get("status") in ("failed", "cancelled"):
            self._end(response, "failed")

    def _read_part(self, chunk: Mapping[str, Any]) -> Iterator[Delta]:
        """Read a part that begins or ends, and its text where that came in no pieces."""
        part = _mapping(chunk.get("part"), is_needed=False)
        if part.get("type") in CALL_KINDS:
            yield from self._read_call(part, {})
            return
        thoughts, text = read_content(part)
        if "reasoning" in chunk["type"]:
            self._begins_part = self._begins_part or chunk["type"].endswith(".added")
            thoughts, text = thoughts + text, ""
        if thoughts:
            yield from self._think(chunk, thoughts, is_whole=True)
        if text:
            yield from self._complete_text(self._texts.part(chunk, _place(chunk)), text)

    def _read_arguments(self, chunk: Mapping[str, Any]) -> Iterator[Delta]:
        if chunk["type"].endswith(".delta"):
            yield from self._grown(self._call_of(chunk), as_arguments(chunk.get("delta")))
        else:
            index, name = self._call_of(chunk), word(chunk.get("name"))
            if name:
                yield ToolCallDelta(index, None, name, "")
            yield from self._completed(index, chunk.get("arguments"))

    def _grow_text(self, part: ReceivedText, raw: str) -> Iterator[Delta]:
        yield from self._shown(part.feed(raw))

    def _complete_text(self, part: ReceivedText, whole: str) -> Iterator[Delta]:
        yield from self._grow_text(part, part.missing(whole, is_whole=part.has_come))

    def _shown(self, text: str) -> Iterator[Delta]:
        if text:
            self.has_text = True
            yield TextDelta(text)

    def _think(self, chunk: Mapping[str, Any], raw: str, *, is_whole: bool = False) -> Iterator[Delta]:
        """Show a piece of a thought, or a whole one. The parts of a thought are its paragraphs."""
        part = self._thought_items.part(chunk, _place(chunk))
        begins = (self._begins_part or not part.has_come) and self._reasoning.has_come
        text = part.feed(part.missing(raw, is_whole=part.has_come) if is_whole else raw)
        if text:
            self._begins_part = False
            yield from self._add_reasoning(f"\n\n{text}" if begins else text)

    def _read_item(self, chunk: Mapping[str, Any], *, is_done: bool) -> Iterator[Delta]:
        item = _mapping(chunk.get("item"))
        kind = item.get("type")
        if kind == _PICTURE:
            yield from self._read_picture(text_field(item.get("id")), item, "result" if is_done else "")
        elif kind in CALL_KINDS:
            yield from self._read_call(item, chunk)
        elif kind in _MESSAGES:
            for call in _calls_in(item) if is_done else ():
                yield from self._read_call(call, {})
            yield from self._read_message(item, self._texts.at(chunk))
        elif kind in _THINKING and is_done and not any(map(_has_come, self._thought_items.at(chunk).values())):
            yield from self._think({**chunk, "content_index": -1}, _thought_of(item))
        if is_done:
            self._keep(item)

    def _read_picture(
        self, item: str, holder: Mapping[str, Any], field: str, *, is_partial: bool = False
    ) -> Iterator[Delta]:
        """Yield a picture of the image tool; without a ``field``, a mark that it has started."""
        self._pictures.add(item)
        if len(self._pictures) > _MOST_CALLS:
            raise WrongShapeError("pictures")
        letters = text_field(holder.get(field)) if field else ""
        if field and not letters:
            return  # the call failed, and the answer says why
        self.has_text = self.has_text or bool(letters)
        yield PictureDelta(item, f"data:image/png;base64,{letters}" if letters else "", is_partial=is_partial)

    def _keep(self, item: Mapping[str, Any]) -> None:
        """Keep an item of reasoning that can be sent back (without its content, plain or encrypted, the vendor, which
        stores nothing, would not know it), and the sources of a text or a search."""
        content, action = item.get("content"), item.get("action")
        if isinstance(action, Mapping):
            self._sources.read_chunk(action)
        for piece in content if isinstance(content, list) else ():
            if isinstance(piece, Mapping):
                self._sources.read_message(piece)
        if item.get("type") != "reasoning" or not (item.get("encrypted_content") or item.get("content")):
            return
        if len(self._thoughts) >= _MOST_CALLS:
            raise WrongShapeError("reasoning")
        kept = {name: value for name, value in item.items() if name != "status"}
        name = item.get("id") or item.get("encrypted_content") or len(self._thoughts)
        self._thoughts[str(name)] = {"summary": [], **kept}

    def _read_call(self, item: Mapping[str, Any], chunk: Mapping[str, Any]) -> Iterator[Delta]:
        named, name, arguments = parts_of(item)
        # The id of an item of this protocol itself is another than that of its call.
        call_id = word(item.get("call_id")) if item.get("type") == "function_call" else named
        index = self._call_of({**chunk, "item": item})
        yield ToolCallDelta(index, call_id or None, name or None, "")
        kept = own_fields(item)
        if kept:
            self._kept_of_calls[index] = kept
        yield from self._completed(index, arguments)

    def _call_of(self, chunk: Mapping[str, Any]) -> int:
        """Return the number of the call that an event is about, a new one where none has its ids. The place in the
        output counts where an event has no id, or its item none yet."""
        ids, place = _names_of(chunk)
        index = next((self._calls[each] for each in ids if each in self._calls), None)
        if index is None and place in self._calls:
            there = self._calls[place]
            is_named = any(number == there and not name.startswith("#") for name, number in self._calls.items())
            if not ids or not is_named or "item" not in chunk:
                index = there
        if index is None:
            if len(self._arguments) >= _MOST_CALLS:
                raise WrongShapeError("calls")
            index = len(self._arguments)
            self._arguments.append(ReceivedText())
        for name in ids:
            self._calls.setdefault(name, index)
        if place:
            self._calls[place] = index
        return index

    def _grown(self, index: int, arguments: str) -> Iterator[Delta]:
        text = self._arguments[index].feed(arguments)
        if text:
            yield ToolCallDelta(index, None, None, text)

    def _completed(self, index: int, arguments: object) -> Iterator[Delta]:
        """Read the whole arguments of a call. If they differ from the pieces received, they are appended, which makes
        them unreadable: a call runs with the model's own arguments, or not at all."""
        whole = as_arguments(arguments)
        came = self._arguments[index]
        # A gateway may write the same object with other spaces.
        written = read_object(whole) if came.has_come else None
        if not whole or came.is_same(whole) or (written is not None and written == read_object(came.came)):
            return
        yield from self._grown(index, came.missing(whole, is_whole=False))

    def _end(self, response: Mapping[str, Any], ended: str) -> None:
        self.usage = usage_in(response.get("usage")) or self.usage
        status = ended if ended in _BAD_ENDS else response.get("status")
        if status in ("failed", "cancelled"):
            raise ErrorInAnswer(response.get("error") or {"code": "server_error"})
        if status == "incomplete":
            why = _mapping(response.get("incomplete_details"), is_needed=False).get("reason")
            self.finish_reason = FinishReason.CONTENT_FILTER if why == "content_filter" else FinishReason.LENGTH
        else:
            self.finish_reason = FinishReason.TOOL_CALLS if self._calls else FinishReason.STOP


class _Items:
    """The texts of the items of one kind, each in its parts. Events name an item by its id, by its place in the output,
    or not at all."""

    def __init__(self) -> None:
        self._items: list[dict[int, ReceivedText]] = []
        self._names: dict[str, int] = {}

    def at(self, chunk: Mapping[str, Any], *, place: int | None = None) -> dict[int, ReceivedText]:
        """Return the parts of the item of an event: of the newest without a name, at ``place`` where none is known."""
        ids, output_place = _names_of(chunk)
        names = [*ids, *([output_place] if output_place else [])]
        newest = None if names or not self._items else len(self._items) - 1
        found = next((self._names[each] for each in names if each in self._names), newest if place is None else place)
        if found is None or found >= len(self._items):
            if len(self._items) >= _MOST_CALLS:
                raise WrongShapeError("items")
            found = len(self._items)
            self._items.append({})
        for name in names:
            self._names.setdefault(name, found)
        return self._items[found]

    def part(self, chunk: Mapping[str, Any], number: int) -> ReceivedText:
        return self.at(chunk).setdefault(number, ReceivedText())

    def parts(self) -> Iterator[ReceivedText]:
        for item in self._items:
            yield from item.values()


def _names_of(chunk: Mapping[str, Any]) -> tuple[list[str], str]:
    """Return the ids in an event of an item, or in the item, and its place in the output as a name."""
    item = chunk.get("item")
    held = item if isinstance(item, Mapping) else {}
    ids = (chunk.get("item_id"), chunk.get("call_id"), held.get("id"), held.get("call_id"))
    place = chunk.get("output_index")
    return [each for each in map(word, ids) if each], f"#{place}" if isinstance(place, int) else ""


def _place(chunk: Mapping[str, Any]) -> int:
    """Return the number of the part in its item."""
    found = (chunk.get(name) for name in ("content_index", "summary_index"))
    return next((each for each in found if isinstance(each, int)), 0)


def _has_come(part: ReceivedText) -> bool:
    return part.has_come


def _calls_in(item: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return the call that an item is, or those that a message has in the form of another protocol."""
    rows = [item] if item.get("type") in CALL_KINDS else calls_of(item)
    return [each for each in rows if isinstance(each, Mapping)]


def _text_of(item: Mapping[str, Any]) -> str:
    """Return the text of a message in the output of a response."""
    return read_content(first_of(item, "content", "text"))[1]


def _thought_of(item: Mapping[str, Any]) -> str:
    """Return the readable text of an item of reasoning."""
    if item.get("type") not in _THINKING:
        return ""
    pieces = item.get("summary") or first_of(item, "content", "text")
    texts = ("".join(read_content(each)) for each in (pieces if isinstance(pieces, list) else [pieces]))
    return "\n\n".join(filter(None, texts))


def _mapping(value: object, *, is_needed: bool = True) -> Mapping[str, Any]:
    if isinstance(value, Mapping):
        return value
    if is_needed and value is not None:
        raise WrongShapeError("object")
    return {}
