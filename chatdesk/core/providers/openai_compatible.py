"""The provider for OpenAI and for every server that speaks its chat completions protocol.

The SDK sends the request and names the failures; the answer is read here, from bytes, because the SDK's reader accepts
truncated, endless and unbounded streams as good ones. All deadlines, caps and retries are ours.

*Continue* sends the partial answer as the last assistant message and after it a short instruction as the user. Without
the instruction only few servers go on from a partial answer, and some refuse it; with it every server understands.
"""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import AsyncGenerator, Iterable, Mapping
from contextlib import aclosing
from typing import Any

from chatdesk.core.errors import ProviderError
from chatdesk.core.errors import ProviderErrorKind as Kind
from chatdesk.core.providers.answer_reader import AnswerReader, ErrorInAnswer
from chatdesk.core.providers.answer_stream import AnswerStream, Deadlines
from chatdesk.core.providers.base import (
    ChatRequest,
    FinishReason,
    ListedModel,
    RateReported,
    RetryScheduled,
    StreamEvent,
    StreamFinished,
    UsageReported,
)
from chatdesk.core.providers.endpoint import Endpoint, Way
from chatdesk.core.providers.failure_texts import duration_text
from chatdesk.core.providers.failures import FailureTranslator, refused_fields, with_partial
from chatdesk.core.providers.model_list import read_models
from chatdesk.core.providers.nearest import nearest_models
from chatdesk.core.providers.rate_headers import rate_of
from chatdesk.core.providers.reader import Reader
from chatdesk.core.providers.retry import RetryPolicy
from chatdesk.core.providers.stream_guard import StreamLimits
from chatdesk.core.providers.text_repair import repair
from chatdesk.core.providers.wire import wire_bytes, wire_message

CONTINUE_INSTRUCTION = (
    "Your last message was cut off. Continue it exactly where it stops, in the middle of the word or line if need be. "
    "Do not repeat anything and do not add an introduction."
)
_KEY_STEP = "Put its key into Settings, Providers (OPENAI_API_KEY does for OpenAI), or choose the offline model."
# Fields that some servers refuse; without them the answer comes all the same.
_LENGTH_FIELDS = frozenset({"max_completion_tokens", "max_tokens"})
OPTIONAL_FIELDS = _LENGTH_FIELDS | {"stream_options", "temperature", "top_p", "reasoning_effort", "stop"}


class OpenAICompatibleProvider:
    """See the module text. ``name`` is stored with messages, ``label`` is what a person reads. Other protocols
    differ in what is below *The protocol* only."""

    #: Fields that a server may refuse; without them the answer comes all the same.
    optional_fields = OPTIONAL_FIELDS

    def __init__(
        self,
        name: str,
        label: str,
        *,
        base_url: str | None = None,
        api_key: str | None = None,
        headers: Mapping[str, str] | None = None,
        timeouts: StreamLimits | None = None,
        retry: RetryPolicy | None = None,
        way: Way | None = None,
        default_model: str = "",
    ) -> None:
        self._name = name
        self._label = label
        self._endpoint = Endpoint.of(base_url, api_key, headers, way=way)
        self._limits = timeouts or StreamLimits()
        self._retry = retry or RetryPolicy(longest_wait_s=self._limits.longest_wait_s)
        self._failures = FailureTranslator(label, self._endpoint.secrets)
        self._client: Any = None
        self._client_lock = asyncio.Lock()
        self._default_model = default_model
        self._refused_fields: set[str] = set()
        self._listed: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        return self._name

    @property
    def label(self) -> str:
        return self._label

    @property
    def is_configured(self) -> bool:
        """Whether there is a key, or a server that may do without."""
        return self._endpoint.is_configured

    def know_models(self, models: Iterable[ListedModel]) -> None:
        """The list that was fetched before: for naming the nearest when a model is gone."""
        self._listed = tuple(model.id for model in models)

    async def list_models(self) -> tuple[ListedModel, ...]:
        """All models the server offers, in its order. Raises ``ProviderError``."""
        failure: ProviderError | None = None
        try:
            async with asyncio.timeout(self._limits.list_models_s):
                client = await self._ready_client()
                async with self._list(client) as response:
                    body = await response.http_response.aread()
                models = await asyncio.to_thread(read_models, body, is_openai=self._endpoint.is_openai)
                self.know_models(models)
                return models
        except TimeoutError:
            failure = self._failures.make(Kind.FIRST_BYTE_TIMEOUT, seconds=self._limits.list_models_s)
        except Exception as error:  # noqa: BLE001 - whatever a server provokes becomes a ProviderError
            failure = self._failures.from_exception(error, connect_s=self._limits.connect_s)
        # Raised here and not above: an error that is being handled would hang on to the request and its headers.
        raise failure

    async def stream(self, request: ChatRequest) -> AsyncGenerator[StreamEvent, None]:
        """One answer; see ``providers.base``."""
        request_id = str(uuid.uuid4())
        model = request.model or await self._first_model()
        has_begun = False
        attempt = 1
        while True:
            try:
                async with aclosing(self._attempt(request, model, request_id)) as events:
                    async for event in events:
                        has_begun = has_begun or not isinstance(event, RateReported)
                        yield event
                return
            except Exception as error:  # noqa: BLE001 - whatever a server provokes becomes a ProviderError
                failure = self._failures.from_exception(error, connect_s=self._limits.connect_s)
                newly_refused = refused_fields(error, self.optional_fields & self._body(request, model).keys())
            # From here on, and not above: an error being handled would hang on to the request and its headers.
            if has_begun:
                raise with_partial(failure)
            if newly_refused and failure.kind is Kind.BAD_REQUEST:
                self._refused_fields |= newly_refused
                continue
            delay_s = self._retry.delay_s(failure, attempt)
            if delay_s is None:
                raise await self._with_nearest(failure, model)
            yield RetryScheduled(attempt, delay_s, self._reason(failure, delay_s))
            await asyncio.sleep(delay_s)
            attempt += 1

    async def wire_body(self, request: ChatRequest) -> bytes:
        """See ``providers.base``."""
        model = request.model or await self._first_model()
        return await asyncio.to_thread(lambda: wire_bytes(self._body(request, model)))

    async def close(self) -> None:
        """Close all connections; running streams fail."""
        client, self._client = self._client, None
        if client is not None:
            await client.close()

    async def _ready_client(self) -> Any:
        problem = self._endpoint.problem()
        if problem is not None:
            raise self._failures.make(Kind.OTHER, what=problem, next_step="Correct it in the settings, then try again.")
        if not self.is_configured:
            raise self._failures.make(Kind.NO_KEY, next_step=_KEY_STEP)
        async with self._client_lock:
            if self._client is None:
                self._client = await asyncio.to_thread(self._make_client)
            return self._client

    async def _first_model(self) -> str:
        """The model to use when none was chosen: the first one that the server lists."""
        if not self._default_model:
            models = await self.list_models()
            if not models:
                raise self._failures.make(
                    Kind.MODEL_NOT_FOUND,
                    what="{who} offers no model.",
                    next_step="Install or load a model on the server, then try again.",
                )
            self._default_model = models[0].id
        return self._default_model

    async def _attempt(self, request: ChatRequest, model: str, request_id: str) -> AsyncGenerator[StreamEvent, None]:
        """Send once and read the answer; what goes wrong is raised as it comes."""
        client = await self._ready_client()
        deadlines = Deadlines(self._limits, self._failures)
        body = await asyncio.to_thread(self._body, request, model)
        sending = self._send(client, model, body, _id_headers(request_id))
        # Entered and left by hand, because the deadline covers the sending only.
        response = await deadlines.wait_for(sending.__aenter__())
        reader = self._reader()
        try:
            report = rate_of(response.http_response.headers, time.time())
            if report is not None:
                yield RateReported(report)
            answer = AnswerStream(
                response.http_response, self._limits, deadlines, self._failures, is_chunk=self._is_chunk
            )
            async with aclosing(answer.chunks()) as chunks:
                async for chunk in chunks:
                    if self._is_answer(chunk):
                        deadlines.note_event()
                    for delta in reader.feed(chunk):
                        deadlines.note_progress()
                        yield delta
                    if reader.finish_reason is not None:
                        deadlines.note_finish()
            for delta in reader.finish():
                yield delta
        except ErrorInAnswer as error:
            vendor_id = response.http_response.headers.get("x-request-id")
            raise self._failures.from_event(error.error, request_id=vendor_id) from None
        finally:
            deadlines.close()
            await response.close()
        if reader.usage is not None:
            yield UsageReported(reader.usage)
        yield StreamFinished(self._judge(reader, is_continued=bool(request.continue_text)))

    # The protocol

    def _make_client(self) -> Any:
        """Over a second of imports: this runs in a worker thread."""
        from chatdesk.core.providers.openai_client import build_client

        return build_client(self._endpoint, self._limits)

    def _list(self, client: Any) -> Any:
        """The request for the list of models, as a context."""
        return client.models.with_streaming_response.list()

    def _send(self, client: Any, model: str, body: dict[str, Any], headers: dict[str, str]) -> Any:
        """The request for an answer, as a context."""
        # As extra fields: the SDK takes 0.3 ms to look at each message, and the window would stand still.
        return client.chat.completions.with_streaming_response.create(
            model=model, messages=(), stream=True, extra_body=body, extra_headers=headers
        )

    def _reader(self) -> Reader:
        return AnswerReader()

    def _is_chunk(self, chunk: Mapping[str, Any]) -> bool:
        """Whether an event of a name that nobody knows belongs to the answer."""
        return bool(chunk.get("choices") or chunk.get("error"))

    def _is_answer(self, chunk: Mapping[str, Any]) -> bool:
        """Whether the server has begun to answer."""
        return "choices" in chunk

    def _body(self, request: ChatRequest, model: str) -> dict[str, Any]:
        """The request in the vendor's words."""
        messages = [wire_message(message) for message in request.messages]
        if request.continue_text:
            messages.append({"role": "assistant", "content": repair(request.continue_text)})
            messages.append({"role": "user", "content": CONTINUE_INSTRUCTION})
        body: dict[str, Any] = {"model": model, "messages": messages, "stream": True}
        if "stream_options" not in self._refused_fields:
            body["stream_options"] = {"include_usage": True}
        if request.max_output_tokens is not None:
            # OpenAI's newer models refuse the old name, most other servers ignore the new one.
            names = sorted(_LENGTH_FIELDS - self._refused_fields, reverse=not self._endpoint.is_openai)
            body |= dict.fromkeys(names[:1], request.max_output_tokens)
        wishes = {
            "temperature": request.temperature,
            "top_p": request.top_p,
            "reasoning_effort": request.reasoning_effort,
            "stop": list(request.stop) or None,
        }
        body |= {
            name: value for name, value in wishes.items() if value is not None and name not in self._refused_fields
        }
        return body

    async def _with_nearest(self, failure: ProviderError, model: str) -> ProviderError:
        """A model that is gone is told with those that are most like it, as far as its list is known."""
        listed = self._listed
        if failure.kind is not Kind.MODEL_NOT_FOUND or model in listed:
            return failure
        nearest = await asyncio.to_thread(nearest_models, model, listed)
        if not nearest:
            return failure
        return ProviderError(
            failure.kind,
            failure.what,
            next_step=f"Choose another model; the nearest are {', '.join(nearest)}.",
            details={**failure.details, "nearest": nearest},
        )

    def _reason(self, failure: ProviderError, delay_s: float) -> str:
        what = self._failures.make(failure.kind, seconds=self._limits.connect_s).what
        return f"{what} Trying again in {duration_text(delay_s)}."

    def _judge(self, reader: Reader, *, is_continued: bool) -> FinishReason:
        """Whether the answer that ended is one."""
        reason = reader.finish_reason
        if reason is None:
            raise self._failures.make(Kind.INCOMPLETE)
        if reason is FinishReason.CONTENT_FILTER:
            raise self._failures.make(Kind.CONTENT_FILTER)
        if reader.has_text or reader.has_tool_calls or is_continued:
            return reason
        if reason is FinishReason.LENGTH:
            raise self._failures.make(
                Kind.EMPTY_ANSWER, what="{who} reached the length limit before it wrote any of the answer."
            )
        raise self._failures.make(Kind.EMPTY_ANSWER)


def _id_headers(request_id: str) -> dict[str, str]:
    """The same for every attempt, so that a server can tell a repetition from a new question."""
    return {"Idempotency-Key": request_id, "X-Client-Request-Id": request_id}
