"""Endpoints for programs that know OpenAI's protocol: the person's models, and answers of them. With a thread, an
exchange is kept there and has its context; without, it is only in the ledger."""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, Literal

from chatdesk.core.domain.message import Role
from chatdesk.core.errors import InvalidInput, NotFound
from chatdesk.service.caller import Scope
from chatdesk.service.declaration import Call, Endpoint, Streamed
from chatdesk.service.errors import InvalidRequest, PreviousResponseUnknown, UnknownModel
from chatdesk.service.openai_protocol import embeddings
from chatdesk.service.openai_protocol.asking import DEFAULT, EVENT_STREAM, Question, answered, thread_of
from chatdesk.service.openai_protocol.completion_answers import ChunkWriter, completion
from chatdesk.service.openai_protocol.completion_requests import CompletionWanted, question_of, request_of
from chatdesk.service.openai_protocol.pieces import Head, Whole, headers
from chatdesk.service.openai_protocol.response_answers import ResponseShown, ResponseWriter
from chatdesk.service.openai_protocol.response_requests import (
    ResponseWanted,
    question_of_response,
    request_of_response,
)
from chatdesk.service.rest.messages import reached_message

_RESPONSE: Final = "resp_"


@dataclass(frozen=True, slots=True)
class ModelShown:
    id: str
    owned_by: str
    created: int = 0
    object: Literal["model"] = "model"


@dataclass(frozen=True, slots=True)
class ModelsShown:
    data: tuple[ModelShown, ...]
    object: Literal["list"] = "list"


async def _models(call: Call[Any, Any]) -> list[tuple[str, str]]:
    """Return the models of all providers that can be used, by the names under which they are asked."""
    found = [(DEFAULT, "ChatDesk")]
    for provider in call.services.providers.all():
        kept = await call.services.provider_service.models_of(provider)
        found += [(f"{provider.name}/{model.id}", provider.label) for model in (kept.models if kept else ())]
    return found


def _models_shown(found: list[tuple[str, str]]) -> ModelsShown:
    return ModelsShown(tuple(_model_shown(each) for each in found))


async def _model(call: Call[Any, Any]) -> tuple[str, str]:
    found = next((each for each in await _models(call) if each[0] == call.path["model"]), None)
    if found is None:
        raise UnknownModel
    return found


def _model_shown(found: tuple[str, str]) -> ModelShown:
    return ModelShown(*found)


def _head(call: Call[Any, Any], prefix: str, model: str) -> Head:
    return Head(prefix, int(time.time()), model, call.request_id, thread_of(call, model))


async def _complete(call: Call[None, CompletionWanted]) -> Whole | Streamed:
    wanted = call.body
    has_usage = wanted.stream_options is not None and wanted.stream_options.include_usage
    head = _head(call, "chatcmpl-", wanted.model)
    question = Question(wanted.model, bool(wanted.stream), partial(request_of, wanted), partial(question_of, wanted))
    return await answered(call, question, head, ChunkWriter(head, has_usage=has_usage).encode)


@dataclass(frozen=True, slots=True)
class _WholeResponse:
    writer: ResponseWriter
    whole: Whole


async def _respond(call: Call[None, ResponseWanted]) -> _WholeResponse | Streamed:
    wanted = call.body
    head = _head(call, _RESPONSE, wanted.model)
    previous_id = ""
    if wanted.previous_response_id is not None:
        previous_id, thread_id = await _previous(call, wanted.previous_response_id)
        if head.thread_id not in ("", thread_id):
            raise InvalidRequest((("previous_response_id", "It belongs to another thread"),))
        head.thread_id = thread_id
    if wanted.store is not None and wanted.store is not bool(head.thread_id):
        why = (
            "Only a thread keeps an answer: name one in X-ChatDesk-Thread" if wanted.store else "A thread keeps answers"
        )
        raise InvalidRequest((("store", why),))
    question = Question(
        wanted.model,
        bool(wanted.stream),
        partial(request_of_response, wanted),
        partial(question_of_response, wanted),
        previous_id,
    )
    writer = ResponseWriter(head, wanted)
    result = await answered(call, question, head, writer.encode)
    return result if isinstance(result, Streamed) else _WholeResponse(writer, result)


async def _previous(call: Call[None, ResponseWanted], response_id: str) -> tuple[str, str]:
    """Return the ids of the answer that a response is, and of its thread. Raises ``PreviousResponseUnknown`` for one
    that no thread keeps."""
    try:
        message = await reached_message(call, response_id.removeprefix(_RESPONSE))
    except (NotFound, InvalidInput):
        raise PreviousResponseUnknown from None
    if message.role is not Role.ASSISTANT or not response_id.startswith(_RESPONSE):
        raise PreviousResponseUnknown
    return message.id, message.thread_id


def _response(found: _WholeResponse) -> ResponseShown:
    return found.writer.response(found.whole)


def _response_headers(found: _WholeResponse) -> dict[str, str]:
    return headers(found.whole)


ENDPOINTS: Final = (
    Endpoint("GET", "/v1/models", _models, "List models, as OpenAI does", _models_shown, scope=Scope.ASK),
    Endpoint("GET", "/v1/models/{model:path}", _model, "Read a model, as OpenAI does", _model_shown, scope=Scope.ASK),
    Endpoint(
        "POST",
        "/v1/chat/completions",
        _complete,
        "Answer, as OpenAI does",
        completion,
        scope=Scope.ASK,
        body=CompletionWanted,
        headers=headers,
        ends_when_left=True,
        media_type=EVENT_STREAM,
    ),
    Endpoint(
        "POST",
        "/v1/responses",
        _respond,
        "Answer, as OpenAI's Responses does",
        _response,
        scope=Scope.ASK,
        body=ResponseWanted,
        headers=_response_headers,
        ends_when_left=True,
        media_type=EVENT_STREAM,
    ),
    *embeddings.ENDPOINTS,
)
