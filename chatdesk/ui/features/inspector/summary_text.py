"""Writes the sentences about summaries that are asked about, made or stopped."""

from __future__ import annotations

from chatdesk.core.domain.summary import SummaryWork
from chatdesk.core.texts import plural, shown, tr
from chatdesk.ui.local_forms import money_text


def question_words(work: SummaryWork) -> str:
    """Return a sentence on the cost of a summary, before anything is sent."""
    sentences = [tr("The older messages of this thread no longer fit.")]
    if work.requests:
        sentences.append(tr("{taken} so far.", taken=_taken(work)))
    sentences.append(_price_words(work))
    if work.planned_cost_usd is None:
        sentences.append(tr("No price is known for {model}.", model=_model_of(work)))
    return " ".join([*sentences, tr("Until then only the newest messages are sent.")])


def progress_words(work: SummaryWork) -> str:
    """Return a sentence on the progress of summarising."""
    return shown(
        plural(
            "Summarising the older messages: {requests} of about {count} requests, {spent}.",
            "Summarising the older messages: {requests} of about {count} request, {spent}.",
            work.planned_requests,
            requests=work.requests,
            spent=_spent(work),
        )
    )


def ended_words(work: SummaryWork) -> str:
    """Return a sentence on the extent and the cost of a finished summary."""
    return tr("Older messages summarised: {taken}", taken=_taken(work))


def _price_words(work: SummaryWork) -> str:
    requests = work.planned_requests - work.requests
    tokens = work.planned_tokens - work.tokens
    model = _model_of(work)
    if work.planned_cost_usd is None:
        return shown(
            plural(
                "Summarising them with {model} takes about {count} requests and {tokens} tokens.",
                "Summarising them with {model} takes about {count} request and {tokens} tokens.",
                requests,
                model=model,
                tokens=tokens,
            )
        )
    if work.planned_cost_usd == 0:
        return shown(
            plural(
                "Summarising them with {model} takes about {count} requests and {tokens} tokens, at no cost.",
                "Summarising them with {model} takes about {count} request and {tokens} tokens, at no cost.",
                requests,
                model=model,
                tokens=tokens,
            )
        )
    return shown(
        plural(
            "Summarising them with {model} takes about {count} requests and {tokens} tokens, about {cost}.",
            "Summarising them with {model} takes about {count} request and {tokens} tokens, about {cost}.",
            requests,
            model=model,
            tokens=tokens,
            cost=money_text(work.planned_cost_usd - (work.cost_usd or 0.0)),
        )
    )


def _model_of(work: SummaryWork) -> str:
    return work.model or tr("the server's own model")


def _taken(work: SummaryWork) -> str:
    return shown(plural("{count} requests, {spent}", "{count} request, {spent}", work.requests, spent=_spent(work)))


def _spent(work: SummaryWork) -> str:
    if work.cost_usd:
        return tr("{tokens} tokens, {cost}", tokens=work.tokens, cost=money_text(work.cost_usd))
    return tr("{tokens} tokens", tokens=work.tokens)
