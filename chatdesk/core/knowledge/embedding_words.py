"""Describes in words which model makes the vectors of a project's files, and its cost. Pure."""

from __future__ import annotations

from typing import Final

from chatdesk.core.domain.knowledge import Embedding, EmbeddingCost, EmbeddingStatus
from chatdesk.core.texts import Text, plural

_SMALLEST_USD: Final = 0.01


def cost_sentences(cost: EmbeddingCost) -> list[str]:
    """Return sentences about what a choice sends, where, and its cost."""
    parts: list[str] = [
        Text(
            "All passages of the project's files, and later what changes in them and each question, go to {provider}.",
            provider=cost.label,
        ),
        Text("It is a server on this computer.") if cost.is_on_this_computer else Text("They leave this computer."),
        Text(
            "Now that is {texts}, about {tokens} tokens, in {requests}.",
            texts=(plural("{count} passages", "{count} passage", cost.texts)),
            tokens=f"{cost.tokens:,}",
            requests=(plural("{count} requests", "{count} request", cost.requests)),
        ),
    ]
    if cost.usd is None:
        parts.append(Text("The price of {model} is not known.", model=cost.model))
    elif cost.usd:
        dollars = f"{max(cost.usd, _SMALLEST_USD):.2f}"
        parts.append(Text("That costs about ${dollars}.", dollars=dollars))
    return parts


def embedding_sentences(status: EmbeddingStatus) -> list[str]:
    """Return which vectors answer questions now, which will, and what is in the way."""
    answering, wanted = status.answering, status.wanted
    name = _name(answering) if answering is not None else Text("the vectors that come with ChatDesk")
    parts: list[str] = [Text("Found by meaning with {name}.", name=name)]
    if wanted is not None:
        done = status.passages - status.missing
        parts.append(
            Text(
                "{done} of {total} passages have vectors of {name}, which answers once all have.",
                done=done,
                total=status.passages,
                name=_name(wanted),
            )
        )
    elif status.missing:
        parts.append(plural("{count} passages wait for it.", "{count} passage waits for it.", status.missing))
    newest = wanted or answering
    if newest is not None and newest.problem:
        parts.append(newest.problem)
    if status.fallback:
        parts.append(fallback_sentence(status.fallback))
    return parts


def fallback_sentence(reason: str) -> Text:
    """Return that the last question was compared by our own vectors, and why."""
    return Text("The last question was compared by the vectors that come with ChatDesk: {reason}", reason=reason)


def _name(embedding: Embedding) -> Text:
    return Text("{model} of {provider}", model=embedding.model, provider=embedding.provider)
