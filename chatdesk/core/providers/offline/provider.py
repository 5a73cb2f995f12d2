"""Provides the offline model, for trying ChatDesk and for tests: the same request gives the same answer."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncGenerator, Iterator, Sequence
from dataclasses import replace

from chatdesk.core.domain.message import Role
from chatdesk.core.domain.provider_profile import PLAIN
from chatdesk.core.domain.usage import Usage
from chatdesk.core.errors import ProviderErrorKind as Kind
from chatdesk.core.providers.base import (
    ChatRequest,
    EmbeddingRequest,
    Embeddings,
    FinishReason,
    ListedModel,
    ReasoningDelta,
    RetryScheduled,
    StreamEvent,
    StreamFinished,
    ToolCallDelta,
    UsageReported,
)
from chatdesk.core.providers.embeddings import NO_EMBEDDINGS
from chatdesk.core.providers.failures import FailureTranslator, with_partial
from chatdesk.core.providers.offline.answers import compose_answer, compose_attached, compose_echo
from chatdesk.core.providers.offline.demo import Demo, DemoFault, find_demo
from chatdesk.core.providers.picture_splitter import PictureSplitter
from chatdesk.core.providers.retry import wait_or_hurry
from chatdesk.core.providers.text_repair import repair
from chatdesk.core.providers.wire import wire_bytes, wire_message
from chatdesk.core.texts import Text

OFFLINE_NAME = "offline"
DEFAULT_MODEL = "offline-demo"
_ECHO_MODEL = "offline-echo"
_MODELS = (
    ListedModel(DEFAULT_MODEL, Text("Offline demo"), 32_000),
    ListedModel(_ECHO_MODEL, Text("Offline echo"), 32_000),
)
# Pieces of about a token's size: up to four letters with the space before them, or one other character.
_PIECES = re.compile(r"\s?[^\W\d_]{1,4}|\s?\d{1,3}|\s+|.", re.DOTALL)
_SLOW_PER_S = 8.0
_DEMO_WAIT_S = 2.0
_DEMO_RETRY_AFTER_S = 30.0
_UNTHROTTLED_BATCH = 32
_LONGEST_LAG_S = 0.25
# Fast answers come a few pieces at a time, so that timers do not cost more than the text.
_TICK_S = 0.004
_MOST_CHARACTERS = 1_600
_LONGEST_SENTENCE = 240
_SENTENCE = re.compile(r"[^.!?\n]+[.!?]*")
_DECISION = re.compile(r"\b(?:decid|agree|must|will|chose|need|open|todo|deadline|because)", re.IGNORECASE)
_NAME = re.compile(r"(?<=[a-z,;] )[A-Z][\w-]+")
_LABEL = re.compile(r"^(?:Person|Model|Note|Tool|Earlier summary):\s*|^=+$|^- ")


class OfflineProvider:
    """The provider that needs no network. ``speed_tokens_per_s`` paces the answer; None gives it as fast as it is read,
    without the waits of demos."""

    dialect = PLAIN

    def __init__(self, *, speed_tokens_per_s: float | None = 60.0) -> None:
        self._speed = speed_tokens_per_s if speed_tokens_per_s is None or speed_tokens_per_s > 0 else None
        self._failures = FailureTranslator(Text("the offline model"), begins=Text("The offline model"))

    @property
    def name(self) -> str:
        return OFFLINE_NAME

    @property
    def label(self) -> str:
        return Text("Offline")

    async def list_models(self) -> tuple[ListedModel, ...]:
        """Return the two offline models."""
        return _MODELS

    async def stream(self, request: ChatRequest) -> AsyncGenerator[StreamEvent, None]:
        """Yield the events of one answer, in the order that ``providers.base`` states."""
        model = request.model or DEFAULT_MODEL
        if model not in {info.id for info in _MODELS}:
            raise self._failures.make(Kind.MODEL_NOT_FOUND)
        demo = self._plan(request, model)
        if demo.fault in {DemoFault.RATE_LIMIT, DemoFault.BUSY_ONCE} and not request.continue_text:
            delay_s = 0.0 if self._speed is None else _DEMO_WAIT_S
            hurried = asyncio.Event()
            yield RetryScheduled(1, delay_s, Text("The offline model pretends to be busy."), hurried.set)
            await wait_or_hurry(hurried, delay_s)
        if demo.fault is DemoFault.RATE_LIMIT:
            raise self._failures.make(Kind.RATE_LIMITED, retry_after=_DEMO_RETRY_AFTER_S, details={"status": 429})

        pace = _Pace(_SLOW_PER_S if demo.is_slow else self._speed)
        reasoning = "" if request.continue_text else demo.reasoning
        text = _rest(demo.text, request.continue_text)
        if demo.fault is DemoFault.BROKEN_OFF and not request.continue_text:
            text = text[: len(text) // 2]
        spent = 0
        limit = request.max_output_tokens
        is_cut = False
        for events in _written(reasoning, text):
            if limit is not None and spent >= limit:
                is_cut = True
                break
            await pace.wait()
            spent += 1
            for event in events:
                yield event
        if demo.fault is DemoFault.BROKEN_OFF and not request.continue_text and not is_cut:
            raise with_partial(self._failures.make(Kind.RESET))
        reason = FinishReason.LENGTH if is_cut else FinishReason.STOP
        has_results = bool(request.messages) and request.messages[-1].role is Role.TOOL
        if demo.tool_call is not None and not is_cut and not request.continue_text and not has_results:
            name, arguments = demo.tool_call
            yield ToolCallDelta(0, "call_demo_1", name, "")
            for piece in split_pieces(arguments):
                await pace.wait()
                spent += 1
                yield ToolCallDelta(0, None, None, piece)
            reason = FinishReason.TOOL_CALLS
        yield UsageReported(
            Usage(
                input_tokens=sum(count_pieces(message.full_text) for message in request.messages)
                + count_pieces(request.continue_text),
                output_tokens=spent,
                reasoning_tokens=min(spent, count_pieces(reasoning)),
            )
        )
        yield StreamFinished(reason)

    def lacks(self, request: ChatRequest) -> list[str]:
        return sorted(request.extra_fields)

    async def embed(self, request: EmbeddingRequest) -> Embeddings:
        raise self._failures.make(Kind.BAD_REQUEST, what=NO_EMBEDDINGS)

    async def wire_body(self, request: ChatRequest) -> bytes:
        """Return the body that a server would be sent; nothing is sent."""
        messages = [wire_message(message) for message in request.messages]
        return wire_bytes({"model": request.model or DEFAULT_MODEL, "messages": messages, "stream": True})

    async def close(self) -> None:
        """Do nothing: there is no connection to close."""

    def _plan(self, request: ChatRequest, model: str) -> Demo:
        asked = [message for message in request.messages if message.role is Role.USER]
        question = repair(asked[-1].text) if asked else ""
        attached = compose_attached(asked[-1].enclosed if asked else ())
        if request.is_summary:
            return Demo("a summary", compose_summary(question))
        if model == _ECHO_MODEL:
            return Demo("an echo", attached + compose_echo(question))
        if attached and not question.strip():
            return Demo("what is attached", attached)
        demo = find_demo(question) or Demo("an answer", compose_answer(question, len(asked)))
        return replace(demo, text=attached + demo.text) if attached else demo


def _written(reasoning: str, text: str) -> Iterator[Sequence[StreamEvent]]:
    """Yield the events of each piece of an answer."""
    for piece in split_pieces(reasoning):
        yield (ReasoningDelta(piece),)
    splitter = PictureSplitter()
    for piece in split_pieces(text):
        yield tuple(splitter.feed(piece))
    if rest := tuple(splitter.finish()):
        yield rest


class _Pace:
    """Lets pieces through evenly: each has its own due time, so that late timers do not add up."""

    def __init__(self, per_s: float | None) -> None:
        self._per_s = per_s
        self._loop = asyncio.get_running_loop()
        self._due = self._loop.time()
        self._count = 0

    async def wait(self) -> None:
        self._count += 1
        if self._per_s is None:
            if self._count % _UNTHROTTLED_BATCH == 0:
                await asyncio.sleep(0)
            return
        self._due += 1 / self._per_s
        ahead_s = self._due - self._loop.time()
        if ahead_s > _TICK_S:
            await asyncio.sleep(ahead_s)
        elif ahead_s < -_LONGEST_LAG_S:
            # The reader or the whole machine paused: go on at the same pace instead of catching up in a burst.
            self._due = self._loop.time()
        elif self._count % _UNTHROTTLED_BATCH == 0:
            await asyncio.sleep(0)


def split_pieces(text: str) -> Iterator[str]:
    """Return ``text`` in pieces the size of tokens; joined they are ``text`` again."""
    return (match.group() for match in _PIECES.finditer(text))


def count_pieces(text: str) -> int:
    """Return how many tokens a text has for this provider."""
    return sum(1 for _ in split_pieces(text))


def _rest(whole: str, partial: str) -> str:
    """Return the rest of the answer after ``partial``. If ``partial`` is no beginning of the answer (it was edited),
    return the whole answer as a new paragraph."""
    if not partial:
        return whole
    return whole[len(partial) :] if whole.startswith(partial) else f"\n\n{whole}"


def offline_models() -> Sequence[ListedModel]:
    """Return the offline models without waiting."""
    return _MODELS


def compose_summary(material: str) -> str:
    """Return the most telling sentences of ``material`` in their order, as a list, the same ones every time: those with
    numbers, names, decisions or questions."""
    sentences = list(dict.fromkeys(filter(None, map(_plain, _SENTENCE.findall(material)))))
    ranked = sorted(range(len(sentences)), key=lambda index: (-_weight(sentences[index]), -index))
    kept: list[int] = []
    left = min(_MOST_CHARACTERS, len(material) // 2)
    for index in ranked:
        left -= len(sentences[index]) + 3
        if left < 0:
            break
        kept.append(index)
    return "\n".join(f"- {sentences[index]}" for index in sorted(kept))


def _plain(sentence: str) -> str:
    return _LABEL.sub("", " ".join(sentence.split()))[:_LONGEST_SENTENCE].strip()


def _weight(sentence: str) -> int:
    has_number = any(letter.isdigit() for letter in sentence)
    return 2 * has_number + 2 * bool(_DECISION.search(sentence)) + bool(_NAME.search(sentence)) + sentence.endswith("?")
