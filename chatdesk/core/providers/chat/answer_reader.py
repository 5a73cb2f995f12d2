"""Turns the JSON chunks of a chat completion stream into provider events; pure, and suspicious of every field.

Servers that call themselves compatible differ: reasoning comes under several names, content as text or as a list of
pieces, tool calls with or without ``index``, a finish reason with every piece. An absent field is ignored; a wrong type
in place of text is an error, so that no part of an answer vanishes unnoticed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from typing import Any

from chatdesk.core.providers.base import FinishReason, PictureDelta, ReasoningKept, SourcesNamed, TextDelta
from chatdesk.core.providers.chat.call_reader import CALL_LISTS, CallReader, calls_of, pieces_of, searches_of
from chatdesk.core.providers.chat.content import WrongShapeError as WrongShapeError
from chatdesk.core.providers.chat.content import read_content
from chatdesk.core.providers.chat.sources import NamedSources
from chatdesk.core.providers.chat.thoughts import THOUGHT_FIELDS, KeptThoughts
from chatdesk.core.providers.reader import Delta, Late, VendorReader
from chatdesk.core.providers.token_figures import first_of, usage_in
from chatdesk.core.providers.vendor_text import stated_error
from chatdesk.core.rendering.safety import is_safe_link

# Vendors have reasons of their own, which gateways hand on: their words are read, and the first that is found counts.
# An unknown reason is no good end: the answer may have been cut.
_OF_FILTER = (
    r"filter|safety|sensitive|prohibit|blocked|blocklist|recitation|spii|toxic|refus|moderat|guardrail|policy|harm|"
    r"unsafe|censor|violat|risk"
)
_OF_FAILURE = (
    r"error|fail|abort|cancel|malformed|insufficient|overload|unavailable|time_?out|interrupt|disconnect|incomplete|"
    r"unexpected|exception|repe(?:tit|at)|preempt|evict"
)
_OF_GOOD_END = (
    r"(?<![a-z])(?:stop|eo[st]|end_?(?:of|turn)|done|finish|completed?|completion|compact|success|normal|close|final"
    r"|(?:ok|end|ended|true|turn)(?![a-z]))|<.*>|^\d+$"
)
_FINISH_REASONS = (
    (_OF_FILTER, FinishReason.CONTENT_FILTER),
    (r"length|max|limit|window|pause|trunc", FinishReason.LENGTH),
    (_OF_FAILURE, None),
    (r"tool|function", FinishReason.TOOL_CALLS),
    (_OF_GOOD_END, FinishReason.STOP),
    (r"", None),
)
_NO_REASON = re.compile(r"(?i)|null|none|\w*unspecified|in_?progress")
_REASONS = ("finish_reason", "finishReason", "stop_reason", "stopReason", "done_reason", "finish_details")
_TEXTS = ("text", "response")  # the older protocol of completions, and Workers AI
_CONTENTS = ("text", "output_text", "answer")  # other names of a content
# Fields that some servers put on the chunk or the choice instead of in the choice or its delta.
_OF_MESSAGE = frozenset((*CALL_LISTS, "function_call", "content", *THOUGHT_FIELDS))
_OF_CHOICE = frozenset((*CALL_LISTS, "function_call", *_REASONS))
_IN_PLACE_OF_CHOICES = frozenset(("delta", "response"))
_MOST_PICTURES = 1000
_BARE_PICTURE = re.compile(r"(?:iVBORw0KGgo|/9j/|UklGR|R0lGOD)[A-Za-z0-9+/]")  # base64, as Ollama sends it
_PLAIN_ADDRESS = re.compile(r"https?://[^\s<>\\]{1,2000}\Z")


class ErrorInAnswer(Exception):
    """The stream carries an error object; ``error`` is the vendor's text."""

    def __init__(self, error: object) -> None:
        super().__init__("error in answer")
        self.error = error


class AnswerReader(VendorReader):
    """The state of one answer. Feed every decoded chunk; then read ``finish_reason`` and ``usage``.

    Only the end of the stream ends an answer. A finish reason says how it ended; servers that send one with every
    piece exist, and so do servers that give each piece another id.
    """

    def __init__(self) -> None:
        super().__init__()
        self._calls = CallReader()
        self._kept = KeptThoughts()
        self._sources = NamedSources()
        self._picture_count = 0
        self._has_delta = False
        self._place = ""
        self._is_early = False
        self._is_at_end = False

    @property
    def is_at_end(self) -> bool:
        return self._is_at_end

    @property
    def has_tool_calls(self) -> bool:
        return len(self._calls) > 0

    def feed(self, chunk: object) -> Iterator[Delta]:
        """Yield the events of one chunk. Raises ``WrongShapeError`` and ``ErrorInAnswer``."""
        if not isinstance(chunk, Mapping):
            raise WrongShapeError("chunk")
        of_groq = chunk.get("x_groq")
        self._read_usage(chunk, of_groq)
        self._sources.read_chunk(chunk)
        error = stated_error(chunk)
        if error:
            with suppress(ErrorInAnswer, WrongShapeError):  # the text beside it came all the same
                yield from self._read_choices(_choices_of(chunk))
            raise ErrorInAnswer(error)
        yield from self._read_choices(_choices_of(chunk))

    def _read_choices(self, choices: Iterable[object]) -> Iterator[Delta]:
        had_finish, has_news = self.finish_reason is not None, False
        for choice in choices:
            if choice is None:
                continue
            if not isinstance(choice, Mapping):
                raise WrongShapeError("choice")
            place = str(choice.get("index", self._place) or 0)
            self._place = self._place or place
            read = self._read_choice if place == self._place else self._read_beside
            for event in read(choice):
                has_news = True
                yield event
        # A finish reason beside a piece, or before one, does not mean that the answer is complete.
        self._is_early = self._is_early or (had_finish and has_news)
        has_answer = self.has_text or self.has_tool_calls
        self._is_at_end = self.finish_reason is not None and has_answer and not has_news and not self._is_early

    def finish(self) -> Iterator[Late]:
        """Yield half surrogate pairs that were held back, the vendor's own fields of the calls, and the sources."""
        yield from super().finish()
        yield from self._calls.finish()
        kept = self._kept.fields
        if self.has_tool_calls and (kept or self._calls.kept):
            yield ReasoningKept((kept,) if kept else (), self._calls.kept)
        if self._sources.found:
            yield SourcesNamed(self._sources.found)

    def _read_choice(self, choice: Mapping[str, Any]) -> Iterator[Delta]:
        self._sources.read_chunk(choice)
        delta, message = _held(choice.get("delta")), _held(choice.get("message"))
        beside = _set_of(_OF_MESSAGE, choice)
        if not (delta or message) and isinstance(text := first_of(choice, *_TEXTS), str):
            beside = {"content": text, **beside}
        holders = (choice, delta, message, *pieces_of(delta), *pieces_of(message))
        for each in holders:
            if each.get("error") and (error := stated_error(each)):
                raise ErrorInAnswer(error)
        self._read_usage(choice, delta)
        if delta or not message:
            yield from self._read_delta({**beside, **delta})
            self._has_delta = self._has_delta or bool(beside or delta)
        if message:
            yield from self._read_message({**beside, **message})
        self._end(_reason_in(choice, delta, message), choice.get("native_finish_reason"))

    def _read_beside(self, choice: Mapping[str, Any]) -> Iterator[Delta]:
        """Read the calls of another choice: some gateways give text and calls, or each call, a choice of its own."""
        for holder in (choice.get("delta"), choice.get("message")):
            calls = calls_of(holder) if isinstance(holder, Mapping) else []
            for call in calls:
                yield from self._calls.read(call)
            if calls:
                self._end(_reason_in(choice), choice.get("native_finish_reason"))

    def _end(self, reason: object, native: object) -> None:
        """Read why the answer ended. A gateway may report success where the vendor behind it reports a failure."""
        reason = str(reason or "")
        if _NO_REASON.fullmatch(reason):
            return
        said = [reason_of(each) for each in (reason, native) if isinstance(each, str)]
        if None in said:
            why = reason if said[0] is None else native
            raise ErrorInAnswer({"code": why, "message": why})
        is_cut = said[-1] in (FinishReason.LENGTH, FinishReason.CONTENT_FILTER)
        self.finish_reason = said[-1] if is_cut else said[0]

    def _read_delta(self, delta: Mapping[str, Any]) -> Iterator[Delta]:
        thoughts, text = read_content(delta.get("content"))
        if self._kept.is_thought(delta, text):
            thoughts, text = thoughts + text, ""
        yield from self._add_reasoning(thoughts + self._kept.read(delta))
        yield from self._add_text(text + _beside(delta))
        yield from self._read_pictures(delta.get("content"), delta.get("images"))
        self._read_sources(delta)
        for call in calls_of(delta):
            yield from self._calls.read(call)

    def _read_message(self, message: Mapping[str, Any]) -> Iterator[Delta]:
        """Read a whole message. Servers that ignore ``stream`` send one, others end a stream with one, or repeat in
        every chunk all that came so far: only what did not come yet counts."""
        thoughts, text = read_content(message.get("content"))
        thoughts += self._kept.read(message, is_whole=True)
        has_begun = self._has_delta
        yield from self._add_reasoning(self._reasoning.missing(thoughts, is_whole=has_begun))
        yield from self._add_text(self._text.missing(text + _beside(message), is_whole=has_begun))
        if not self._picture_count:
            yield from self._read_pictures(message.get("content"), message.get("images"))
        self._read_sources(message)
        yield from self._calls.read_whole(calls_of(message))

    def _read_sources(self, message: Mapping[str, Any]) -> None:
        self._sources.read_message(message)
        for each in searches_of(message):
            self._sources.read_chunk(each)

    def _read_pictures(self, *holders: object) -> Iterator[Delta]:
        """Yield pictures that come beside the text: among the pieces of the content, or as ``images``, which gateways
        send. One that only has an address is named in the text, where the reader may ask for it."""
        for each in (each for holder in holders if isinstance(holder, list) for each in holder):
            url = _address_of(each) if isinstance(each, Mapping) else each
            if not isinstance(url, str):
                continue
            url = f"data:image/png;base64,{url}" if _BARE_PICTURE.match(url) else url
            if url.startswith("data:"):
                self._picture_count += 1
                if self._picture_count > _MOST_PICTURES:
                    raise WrongShapeError("images")
                self.has_text = True
                yield PictureDelta(f"image-{self._picture_count}", url)
            elif is_safe_link(url) and _PLAIN_ADDRESS.match(url):
                self.has_text = True
                yield TextDelta(f"\n\n![Image](<{url}>)\n\n")

    def _read_usage(self, *holders: object) -> None:
        """Remember the newest usage: servers send it once at the end, or a running total with every chunk."""
        for each in holders:
            self.usage = usage_in(each) or self.usage


def _choices_of(chunk: Mapping[str, Any]) -> list[object]:
    """Return the choices of a chunk. Fields beside or instead of ``choices`` count as another choice."""
    choices = chunk.get("choices")
    if isinstance(choices, Mapping):
        choices = [choices]
    if not isinstance(choices, list | None):
        raise WrongShapeError("choices")
    beside = _set_of(_OF_CHOICE, chunk)
    if not choices:
        beside |= _set_of(_IN_PLACE_OF_CHOICES, chunk)
        if isinstance(chunk.get("message"), Mapping):  # Ollama's own is the next piece, others have all so far
            beside["delta" if "done" in chunk else "message"] = chunk["message"]
    return [*(choices or ()), *([beside] if beside else [])]


def _set_of(names: frozenset[str], holder: Mapping[str, Any]) -> dict[str, Any]:
    """Return those of these fields that are set."""
    return {} if names.isdisjoint(holder) else {name: holder[name] for name in names & holder.keys() if holder[name]}


def _held(value: object) -> dict[str, Any]:
    """Return a delta or a message; a text is its content."""
    if isinstance(value, str):
        return {"content": value}
    if value and not isinstance(value, Mapping):
        raise WrongShapeError("delta")
    held = {name: each for name, each in value.items() if each is not None} if isinstance(value, Mapping) else {}
    if "content" not in held and isinstance(text := first_of(held, *_CONTENTS), str):
        held["content"] = text
    return held


def _address_of(piece: Mapping[str, Any]) -> object:
    """Return the address of a picture, or its letters, which other protocols have in objects of their own."""
    place = piece.get("image_url")
    if place is not None:
        return place.get("url") if isinstance(place, Mapping) else place
    holder = first_of(piece, "inline_data", "inlineData", "source", "image", "b64_json")
    letters = first_of(holder, "data", "b64_json") if isinstance(holder, Mapping) else holder
    return letters if isinstance(letters, str) and not letters.startswith("http") else None


def _reason_in(*holders: object) -> object:
    """Return why a choice ended, by whatever name; an object around it says the same."""
    for each in holders:
        if (found := first_of(each, *_REASONS)) is not None:
            return found
    return None


def reason_of(reason: str) -> FinishReason | None:
    """Return the reason for which an answer ended; None where it failed."""
    return next(found for words, found in _FINISH_REASONS if re.search(words, reason, re.IGNORECASE))


def _beside(message: Mapping[str, Any]) -> str:
    """Return the text beside the content of a message: a refusal, or the words of spoken audio."""
    audio = message.get("audio")
    spoken = audio.get("transcript") if isinstance(audio, Mapping) else None
    return read_content(message.get("refusal"))[1] + (spoken if isinstance(spoken, str) else "")


def text_field(value: object) -> str:
    """Return the text of a field; empty where it is absent. Raises ``WrongShapeError``."""
    return value if isinstance(value, str) else "".join(read_content(value))
