"""Declares the endpoint for embeddings: texts as vectors, from the providers that offer them."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import Final, Literal

from chatdesk.core.providers.base import EmbeddingRequest, Embeddings
from chatdesk.core.providers.embeddings import numbers_of
from chatdesk.service.caller import Scope
from chatdesk.service.declaration import Call, Endpoint
from chatdesk.service.errors import InvalidRequest
from chatdesk.service.forms import BODY
from chatdesk.service.openai_protocol.asking import chosen, questions_of
from chatdesk.service.openai_protocol.pieces import spent_headers

_MOST_TEXTS: Final = 2048


@dataclass(frozen=True)
class EmbeddingsWanted:
    """Texts, or the numbers of their tokens, to write as vectors. ``user`` goes nowhere."""

    __pydantic_config__ = BODY
    model: str
    input: str | list[str] | list[int] | list[list[int]]
    encoding_format: Literal["float", "base64"] = "float"
    dimensions: int | None = None
    user: str | None = None

    @property
    def texts(self) -> list[str] | list[list[int]]:
        if isinstance(self.input, str):
            return [self.input]
        if self.input and isinstance(self.input[0], int):
            return [self.input]  # one text, as tokens
        return self.input  # type: ignore[return-value]


@dataclass(frozen=True, slots=True)
class EmbeddingShown:
    index: int
    embedding: list[float] | str
    object: Literal["embedding"] = "embedding"


@dataclass(frozen=True, slots=True)
class EmbeddingsUsage:
    prompt_tokens: int
    total_tokens: int


@dataclass(frozen=True, slots=True)
class EmbeddingsShown:
    data: list[EmbeddingShown]
    model: str
    usage: EmbeddingsUsage
    object: Literal["list"] = "list"


@dataclass(frozen=True, slots=True)
class _Found:
    wanted: EmbeddingsWanted
    model: str
    embeddings: Embeddings
    cost_usd: float | None


async def _embed(call: Call[None, EmbeddingsWanted]) -> _Found:
    wanted = call.body
    provider, model = chosen(call, wanted.model)
    if provider is None or not model:
        raise InvalidRequest((("model", "For embeddings a model has to be named"),))
    if not 0 < len(wanted.texts) <= _MOST_TEXTS or not all(wanted.texts):
        raise InvalidRequest((("input", f"There have to be 1 to {_MOST_TEXTS} texts, none of them empty"),))
    request = EmbeddingRequest(model, wanted.texts, wanted.dimensions)
    found = await questions_of(call).embed(provider, request)
    cost_usd = call.services.chat.context.models.cost_of(provider, model, found.usage) if found.usage else None
    return _Found(wanted, model, found, cost_usd)


def _shown(found: _Found) -> EmbeddingsShown:
    is_packed = found.wanted.encoding_format == "base64"
    tokens = found.embeddings.usage.input_tokens if found.embeddings.usage else 0
    return EmbeddingsShown(
        [
            EmbeddingShown(index, base64.b64encode(vector).decode() if is_packed else numbers_of(vector))
            for index, vector in enumerate(found.embeddings.vectors)
        ],
        found.model,
        EmbeddingsUsage(tokens, tokens),
    )


def _headers(found: _Found) -> dict[str, str]:
    return spent_headers(found.embeddings.usage, found.cost_usd)


ENDPOINTS: Final = (
    Endpoint(
        "POST",
        "/v1/embeddings",
        _embed,
        "Write texts as vectors, as OpenAI does",
        _shown,
        scope=Scope.ASK,
        body=EmbeddingsWanted,
        headers=_headers,
        ends_when_left=True,
    ),
)
