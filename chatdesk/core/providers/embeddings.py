"""Writes requests for embeddings in OpenAI's form, and reads the answers, whose numbers are untrusted."""

from __future__ import annotations

import asyncio
import base64
import json
import math
import sys
from array import array
from collections.abc import Mapping
from typing import Any, Final

from chatdesk.core.providers.base import EmbeddingRequest, Embeddings
from chatdesk.core.providers.text_repair import repair
from chatdesk.core.providers.token_figures import usage_of
from chatdesk.core.texts import Text

# The failure of a protocol without embeddings.
NO_EMBEDDINGS: Final = Text("{who} offers no embeddings.")
ENCODING: Final = "encoding_format"


async def ask_for_embeddings(request: EmbeddingRequest, client: Any, *, has_encoding: bool) -> Embeddings:
    from chatdesk.core.providers.openai_client import post  # loaded with the vendor's library

    body = embedding_body(request, has_encoding=has_encoding)
    return await asyncio.to_thread(read_embeddings, await post(client, "/embeddings", body), len(request.texts))


def embedding_body(request: EmbeddingRequest, *, has_encoding: bool) -> dict[str, Any]:
    """Return the request as JSON. Packed numbers are read a hundred times faster than written ones; a server that
    does not know them writes all the same."""
    texts = [repair(text) if isinstance(text, str) else list(text) for text in request.texts]
    body: dict[str, Any] = {"model": request.model, "input": texts}
    if request.dimensions is not None:
        body["dimensions"] = request.dimensions
    if has_encoding:
        body[ENCODING] = "base64"
    return body


def read_embeddings(body: bytes, count: int) -> Embeddings:
    """Return ``count`` vectors and the usage. Raises ``ValueError``, ``TypeError`` and ``KeyError`` for anything else
    than that."""
    document = json.loads(body.decode("utf-8"))
    rows = {row["index"]: _packed(row["embedding"]) for row in document["data"]}
    if rows.keys() != set(range(count)):
        raise ValueError("not one vector for each text")
    figures = document.get("usage")
    usage = usage_of(figures.get("prompt_tokens"), 0) if isinstance(figures, Mapping) else None
    return Embeddings(tuple(rows[index] for index in range(count)), usage)


def numbers_of(vector: bytes) -> list[float]:
    """Return a vector as numbers."""
    numbers = array("f", vector)
    if sys.byteorder == "big":
        numbers.byteswap()
    return numbers.tolist()


def _packed(embedding: object) -> bytes:
    if isinstance(embedding, str):
        packed = base64.b64decode(embedding, validate=True)
        numbers = numbers_of(packed)
    else:
        if not isinstance(embedding, list):
            raise TypeError("a vector is no list")
        numbers = embedding
        written = array("f", numbers)
        if sys.byteorder == "big":
            written.byteswap()
        packed = written.tobytes()
    if not numbers or not math.isfinite(math.fsum(numbers_of(packed))):
        raise ValueError("a vector is empty or not finite")
    return packed
