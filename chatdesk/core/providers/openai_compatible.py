"""Implements the provider for OpenAI and other servers of its chat completions protocol.

The SDK sends the request and names the failures; the answer is read here, from bytes, because the SDK's reader accepts
truncated, endless and unbounded streams as good ones. All deadlines, caps and retries are ours.
"""

from __future__ import annotations

import asyncio
import logging
import time
import uuid
from collections import defaultdict
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Mapping
from contextlib import aclosing, suppress
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from chatdesk.core.domain.provider_profile import PLAIN, Dialect
from chatdesk.core.domain.usage import CacheLife
from chatdesk.core.errors import ProviderError
from chatdesk.core.errors import ProviderErrorKind as Kind
from chatdesk.core.providers.answer_stream import AnswerStream, Deadlines
from chatdesk.core.providers.base import (
    ChatRequest,
    EmbeddingRequest,
    Embeddings,
    LibraryLoaded,
    ListedModel,
    ModelNamed,
    RateReported,
    ReasoningKept,
    RetryScheduled,
    StreamEvent,
    StreamFinished,
    UsageReported,
)
from chatdesk.core.providers.chat.answer_reader import ErrorInAnswer
from chatdesk.core.providers.embeddings import ENCODING, ask_for_embeddings
from chatdesk.core.providers.endpoint import Endpoint
from chatdesk.core.providers.failures import FailureTranslator, refused_fields, refused_thoughts, with_partial
from chatdesk.core.providers.models.local_details import with_details
from chatdesk.core.providers.models.model_list import LocalServer, local_server, read_models
from chatdesk.core.providers.models.nearest import with_nearest
from chatdesk.core.providers.picture_splitter import PictureReader
from chatdesk.core.providers.prompt_cache import FIELD as CACHE_FIELD
from chatdesk.core.providers.prompt_cache import mark_messages
from chatdesk.core.providers.rate_headers import rate_of
from chatdesk.core.providers.reader import Delta, SecretHidingReader, judged, letters_of
from chatdesk.core.providers.readers.any_reader import AnyReader
from chatdesk.core.providers.retry import RetryPolicy, wait_or_hurry
from chatdesk.core.providers.stream_guard import ByteCapError, StreamLimits
from chatdesk.core.providers.wire import is_small, kept_origin, said, wire_bytes, wire_messages, without_kept
from chatdesk.core.texts import Text

if TYPE_CHECKING:  # a large package, loaded when it is used
    import httpx2

T = TypeVar("T")
_log = logging.getLogger(__name__)
_KEY_STEP = Text("Enter its key in Settings, Providers (OPENAI_API_KEY works for OpenAI), or choose the offline model.")
_MOST_UNREAD = 20
_AT_ONCE_S = 0.005  # long enough for a package that is already loaded
_LENGTH_FIELDS = frozenset({"max_completion_tokens", "max_tokens"})
OPTIONAL_FIELDS = _LENGTH_FIELDS | {"stream_options", "temperature", "top_p", "reasoning_effort", "stop", "modalities"}


class OpenAICompatibleProvider:
    """A provider that speaks OpenAI's chat completions protocol. ``name`` is stored with messages, ``label`` is what a
    person reads. Other protocols override only the methods below *The protocol*."""

    protocol = "chat"  # marks kept data for the vendor, which another protocol could not read
    # Fields that a server may refuse; without them the answer comes all the same.
    optional_fields = OPTIONAL_FIELDS

    def __init__(
        self,
        name: str,
        label: str,
        endpoint: Endpoint,
        *,
        timeouts: StreamLimits | None = None,
        retry: RetryPolicy | None = None,
        default_model: str = "",
        dialect: Dialect = PLAIN,
    ) -> None:
        self.dialect = dialect
        self._name = name
        self._label = label
        self._endpoint = endpoint
        self._limits = timeouts or StreamLimits()
        self._retry = retry or RetryPolicy(longest_wait_s=self._limits.longest_wait_s)
        self._failures = FailureTranslator(label, endpoint.secrets, proxy=endpoint.proxy_shown)
        self._client: Any = None
        self._client_lock = asyncio.Lock()
        self._loaded_in_s = 0.0
        self._default_model = default_model
        self._first_listed = ""
        self._refused: defaultdict[str, set[str]] = defaultdict(lambda: set(dialect.refuses))  # by model
        self._listed: tuple[str, ...] = ()
        self._drawing: frozenset[str] = frozenset()

    @property
    def name(self) -> str:
        return self._name

    @property
    def label(self) -> str:
        return self._label

    @property
    def is_configured(self) -> bool:
        """Return whether nothing is withheld and there is a key or the server needs none."""
        return self._endpoint.is_configured

    @property
    def withheld(self) -> str:
        """The reason why the key may not be sent; usually empty."""
        return self._endpoint.connection.withheld[0] if self._endpoint.connection.withheld else ""

    @property
    def usual_model(self) -> str:
        """The model that is asked if none was chosen; empty as long as the server's list is not known."""
        return self._default_model or self._first_listed

    def remember_models(self, models: Iterable[ListedModel]) -> None:
        """Remember a list that was fetched before: for naming the nearest when a model is gone. Its first model
        answers if none was chosen, and goes on to while it is listed: servers change the order of their lists."""
        known = tuple(models)
        self._listed = tuple(model.id for model in known)
        self._drawing = frozenset(model.id for model in known if model.draws)
        if self._first_listed not in self._listed:
            self._first_listed = self._listed[0] if self._listed else ""

    async def list_models(self) -> tuple[ListedModel, ...]:
        """Return all models the server offers, in its order. Raises ``ProviderError``."""
        models, server = await self._within(self._limits.list_models_s, self._listed_by)
        if server is not None:
            models = await with_details(models, server, partial(self._ask_root, await self._ready_client()))
        self.remember_models(models)
        return models

    async def embed(self, request: EmbeddingRequest) -> Embeddings:
        """Return the vectors of texts. Raises ``ProviderError``."""
        attempt = 1
        while True:
            try:
                has_encoding = ENCODING not in self._refused[request.model]
                ask = partial(ask_for_embeddings, request, has_encoding=has_encoding)
                return await self._within(self._limits.first_byte_s, ask)
            except ProviderError as error:
                failure = error
            if failure.kind is Kind.BAD_REQUEST and ENCODING in failure.what and has_encoding:
                self._refused[request.model].add(ENCODING)
                continue
            delay_s = self._retry.delay_s(failure, attempt)
            if delay_s is None:
                raise await with_nearest(failure, request.model, self._listed)
            await asyncio.sleep(delay_s)
            attempt += 1

    def lacks(self, request: ChatRequest) -> list[str]:
        return []  # ``extra_fields`` is in this protocol's form

    async def stream(self, request: ChatRequest) -> AsyncGenerator[StreamEvent, None]:
        """Yield the events of one answer, in the order that ``providers.base`` states. Raises ``ProviderError``."""
        # They stay the same for every attempt, so that a server can recognise a repetition.
        headers = dict.fromkeys(("Idempotency-Key", "X-Client-Request-Id"), str(uuid.uuid4()))
        is_loaded = self._client is not None
        model = request.model or await self._first_model()
        if not is_loaded and self._client is not None:
            yield LibraryLoaded(self._loaded_in_s)
        if not request.model:
            yield ModelNamed(model)
        has_begun = has_part = False
        attempt = 1
        while True:
            try:
                async with aclosing(self._attempt(request, model, headers)) as events:
                    async for event in events:
                        has_begun = has_begun or not isinstance(event, RateReported | LibraryLoaded)
                        has_part = has_part or isinstance(event, Delta)
                        yield event
                return
            except Exception as error:  # noqa: BLE001 - whatever a server provokes becomes a ProviderError
                failure = self._failures.from_exception(error, connect_s=self._limits.connect_s)
                newly_refused = refused_fields(error, self._optional_fields_of(request, model))
                failure = self._failures.with_images(failure, error, request)
                thoughts = refused_thoughts(error)
            # Outside the handler: an error being handled would keep the request and its headers alive.
            if has_part:  # an empty answer has parts, too: reasoning or a call, but no text
                raise failure if failure.kind is Kind.EMPTY_ANSWER else with_partial(failure)
            if has_begun:
                raise self._failures.make(Kind.EMPTY_ANSWER) if failure.kind is Kind.INCOMPLETE else failure
            if thoughts == "lacking" and not self.dialect.needs_thoughts:  # calls of another model have no thoughts
                self.dialect = replace(self.dialect, needs_thoughts=True)
                continue
            if thoughts and without_kept(request) != request:  # the messages before them or the model have changed
                request = without_kept(request)
                continue
            if newly_refused and failure.kind is Kind.BAD_REQUEST:
                self._refused[model].update(newly_refused)
                continue
            delay_s = self._retry.delay_s(failure, attempt)
            if delay_s is None:
                raise await with_nearest(failure, model, self._listed)
            hurried = asyncio.Event()
            failure = self._failures.make(failure.kind, seconds=self._limits.connect_s)
            yield RetryScheduled(attempt, delay_s, failure.what, hurried.set)
            await wait_or_hurry(hurried, delay_s)
            attempt += 1

    def _optional_fields_of(self, request: ChatRequest, model: str) -> frozenset[str]:
        """Return the fields of a request that a server may refuse and that can be left out."""
        marks = {CACHE_FIELD} if self._marks_cache(request, model) else set()
        return (self.optional_fields & self._body(request, model).keys()) | marks

    async def wire_body(self, request: ChatRequest) -> bytes:
        """Return the bytes that ``stream`` would send. Raises ``ProviderError`` if no model can be found."""
        model = request.model or await self._first_model()
        return await asyncio.to_thread(lambda: wire_bytes(self._body(request, model)))

    async def prepare(self) -> None:
        """Load the library that speaks to the server, before the first question, which reports errors."""
        with suppress(ProviderError, OSError, ValueError):
            await self._ready_client()

    async def close(self) -> None:
        """Close all connections; running streams fail."""
        client, self._client = self._client, None
        if client is not None:
            await client.close()

    async def _within(self, seconds: float, work: Callable[[Any], Awaitable[T]]) -> T:
        """Return the answer that ``work`` gets from the server. Raises ``ProviderError``."""
        try:
            client = await self._ready_client()  # loading the vendor's library must not count as the server's time
            async with asyncio.timeout(seconds):
                return await work(client)
        except TimeoutError:
            failure = self._failures.make(Kind.FIRST_BYTE_TIMEOUT, seconds=seconds)
        except Exception as error:  # noqa: BLE001 - whatever a server provokes becomes a ProviderError
            failure = self._failures.from_exception(error, connect_s=self._limits.connect_s)
        raise failure

    async def _listed_by(self, client: Any) -> tuple[tuple[ListedModel, ...], LocalServer | None]:
        read = partial(read_models, body := await self._list(client), is_openai=self._endpoint.is_openai)
        return await asyncio.to_thread(read), await asyncio.to_thread(local_server, body)

    async def _ready_client(self) -> Any:
        problem = self._endpoint.problem()
        if problem is not None:
            raise self._failures.make(
                Kind.OTHER, what=problem, next_step=Text("Correct it in the settings, then try again.")
            )
        if self._endpoint.connection.withheld is not None:
            what, next_step = self._endpoint.connection.withheld
            raise ProviderError(Kind.NO_KEY, Text("{what} Nothing was sent.", what=what), next_step=next_step)
        if not self.is_configured:
            raise self._failures.make(Kind.NO_KEY, next_step=_KEY_STEP)
        async with self._client_lock:
            if self._client is None:
                began_s = time.monotonic()
                self._client = await asyncio.to_thread(self._make_client)
                self._loaded_in_s = time.monotonic() - began_s
            return self._client

    async def _first_model(self) -> str:
        """Return the model to use when none was chosen: the first one that the server lists."""
        if not self.usual_model and not await self.list_models():
            raise self._failures.make(
                Kind.MODEL_NOT_FOUND,
                what=Text("{who} offers no model."),
                next_step=Text("Install or load a model on the server, then try again."),
            )
        return self.usual_model

    async def _attempt(
        self, request: ChatRequest, model: str, headers: dict[str, str]
    ) -> AsyncGenerator[StreamEvent, None]:
        """Send the request once and read the answer; failures are raised untranslated."""
        began_s = time.monotonic()
        client = await self._ready_client()
        if (loading_s := time.monotonic() - began_s) > _AT_ONCE_S:
            yield LibraryLoaded(loading_s)
        deadlines = Deadlines(self._limits, self._failures)
        body = self._body(request, model) if is_small(request) else await asyncio.to_thread(self._body, request, model)
        response = await deadlines.wait_for(self._send(client, model, body, headers))
        reader = PictureReader(SecretHidingReader(AnyReader(self.protocol), self._endpoint.secrets))
        try:
            if (report := rate_of(response.headers, time.time())) is not None:
                yield RateReported(report)
            answer = AnswerStream(response, self._limits, deadlines, self._failures, protocol=self.protocol)
            async with aclosing(self._read(answer, reader, deadlines)) as deltas:
                async for delta in deltas:
                    yield delta
        except ErrorInAnswer as error:
            raise self._failures.from_event(error.error, response.headers) from None
        finally:
            deadlines.close()
            await response.aclose()
        if reader.usage is not None:
            yield UsageReported(reader.usage)
        yield StreamFinished(judged(reader, self._failures, request, unread=answer.unread))

    async def _read(
        self, answer: AnswerStream, reader: PictureReader, deadlines: Deadlines
    ) -> AsyncGenerator[StreamEvent, None]:
        """Yield the pieces of the answer. After text and a finish reason, nothing that follows can spoil it."""
        room = self._limits.answer_characters
        try:
            async with aclosing(answer.chunks()) as chunks:
                async for chunk in chunks:
                    has_news = False
                    for delta in reader.feed(chunk):
                        has_news = True
                        deadlines.record_progress()
                        room -= letters_of(delta)
                        if room < 0:
                            raise ByteCapError("text")
                        yield delta
                    if not has_news and len(answer.unread) < _MOST_UNREAD:
                        answer.unread.append(chunk)
                    deadlines.is_finished = reader.is_at_end
        except Exception as error:
            if not (reader.is_at_end and (reader.has_text or reader.has_tool_calls)):
                for delta in reader.rest():
                    yield delta
                raise
            _log.info("after the end of an answer came what cannot be read: %s", type(error).__name__)
        for late in reader.finish():
            yield replace(late, origin=self._kept_origin()) if isinstance(late, ReasoningKept) else late

    # The protocol

    def _make_client(self) -> Any:
        """Return a new client; call this in a worker thread, for the imports take over a second."""
        return _client_library().build_client(self._endpoint, self._limits)

    async def _list(self, client: Any) -> bytes:
        async with client.models.with_streaming_response.list() as response:
            body: bytes = await response.http_response.aread()
            return body

    async def _ask_root(self, client: Any, path: str, body: Mapping[str, Any] | None) -> bytes:
        answer: bytes = await _client_library().ask_root(client, self._endpoint, path, body)
        return answer

    async def _send(self, client: Any, model: str, body: dict[str, Any], headers: dict[str, str]) -> httpx2.Response:
        """Send a request for an answer; return the response, to be closed, as soon as its headers are there."""
        # As extra fields: the SDK spends 0.3 ms on each message, which would block the window.
        sending = client.chat.completions.with_streaming_response.create(
            model=model, messages=(), stream=True, extra_body=body, extra_headers=headers
        )
        response: httpx2.Response = (await sending.__aenter__()).http_response
        return response

    def _kept_origin(self) -> str:
        return kept_origin(self.protocol, self._endpoint.base_url)

    def _takes_marks(self, model: str) -> bool:
        """Return whether ``model`` needs cache marks; gateways pass them on to models that support them."""
        return self.dialect.passes_cache_marks and "claude" in model.lower()

    def _marks_cache(self, request: ChatRequest, model: str) -> bool:
        is_wanted = request.cache is not CacheLife.OFF and self._takes_marks(model)
        return is_wanted and CACHE_FIELD not in self._refused[model]

    def _body(self, request: ChatRequest, model: str) -> dict[str, Any]:
        messages = wire_messages(said(request, model, self.dialect), self._kept_origin(), self.dialect)
        if self._marks_cache(request, model):
            mark_messages(messages, request.cache)
        body: dict[str, Any] = {**request.extra_fields, "model": model, "messages": messages, "stream": True}
        if "stream_options" not in self._refused[model]:
            body["stream_options"] = {"include_usage": True}
        if request.max_output_tokens is not None:
            # OpenAI's newer models refuse the old name, most other servers ignore the new one.
            names = sorted(_LENGTH_FIELDS - self._refused[model], reverse=not self._endpoint.is_openai)
            body |= dict.fromkeys(names[:1], request.max_output_tokens)
        wishes = {
            "temperature": request.temperature,
            "top_p": request.top_p,
            "reasoning_effort": request.reasoning_effort,
            "stop": list(request.stop) or None,
            "modalities": ["image", "text"] if request.may_draw and model in self._drawing else None,
        }
        refused = self._refused[model]
        return body | {name: value for name, value in wishes.items() if value is not None and name not in refused}


def _client_library() -> Any:
    """Return the module of the vendor's client, which brings a large package: it is loaded when it is used."""
    from chatdesk.core.providers import openai_client

    return openai_client
