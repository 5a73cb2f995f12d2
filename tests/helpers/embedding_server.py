"""Plays a server of embeddings: a text's vector is the sum of those of its words, where some words mean the same."""

from __future__ import annotations

import base64
import hashlib
import random
import re
import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from tests.helpers.fault_server import Exchange, FaultServer, Script, status

_SAME = {"vacation": "holiday", "leave": "holiday", "urlaub": "holiday", "automobile": "car"}


_LITTLE = frozenset(("the", "and", "for", "has", "this", "with", "its", "only"))


@cache
def _word(word: str, model: str, dimensions: int) -> tuple[float, ...]:
    seed = hashlib.sha256(f"{model} {_SAME.get(word, word)}".encode()).digest()
    choice = random.Random(seed)
    return tuple(choice.gauss(0, 1) for _ in range(dimensions))


def vector_of(text: str, model: str, dimensions: int) -> list[float]:
    words = [_word(word, model, dimensions) for word in re.findall(r"\w{3,}", text.lower()) if word not in _LITTLE] or [
        (1.0,) * dimensions
    ]
    return [sum(numbers) / len(words) for numbers in zip(*words, strict=True)]


def embeds(
    *,
    dimensions: int = 256,
    is_packed: bool = True,
    is_turned: bool = True,
    longest: int = 10**6,
    really: str = "",
    change: Callable[[list[dict[str, Any]]], object] = lambda rows: rows,
) -> Script:
    """Vectors of the named model (``really``: of another one), in packed or written form, the last first. A text above
    ``longest`` characters is refused; ``change`` makes something else of the rows."""

    async def script(exchange: Exchange) -> None:
        asked = exchange.request.json
        if any(len(text) > longest for text in asked["input"]):
            await status(400, {"error": {"message": "input is too long for this model"}})(exchange)
            return
        rows = []
        for index, text in enumerate(asked["input"]):
            numbers = vector_of(text, really or asked["model"], dimensions)
            packed = base64.b64encode(struct.pack(f"<{dimensions}f", *numbers)).decode()
            rows.append({"object": "embedding", "index": index, "embedding": packed if is_packed else numbers})
        data = change(rows[::-1] if is_turned else rows)
        await status(200, {"object": "list", "data": data, "usage": {"prompt_tokens": 5, "total_tokens": 5}})(exchange)

    return script


@dataclass
class Sent:
    """What a server was sent, text by text."""

    server: FaultServer
    ours: Sequence[str]
    since: int = field(default=0)

    def texts(self, *, model: str = "") -> list[str]:
        """All texts but our own probes, of this model where one is named."""
        return [
            text
            for request in self.server.requests[self.since :]
            for text in request.json["input"]
            if text not in self.ours and model in ("", request.json["model"])
        ]

    def forget(self) -> None:
        self.since = len(self.server.requests)
