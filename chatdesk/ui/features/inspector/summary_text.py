"""The sentences about summaries that are asked about, made or stopped."""

from __future__ import annotations

from chatdesk.core.domain.summary import SummaryWork
from chatdesk.core.domain.usage import cost_text
from chatdesk.core.plurals import counted


def question_words(work: SummaryWork) -> str:
    """Return a sentence on what summarising would cost, before anything is sent."""
    model = work.model or "the server's own model"
    before = f" {_taken(work)} so far." if work.requests else ""
    requests = counted(work.planned_requests - work.requests, "request")
    tokens = f"{work.planned_tokens - work.tokens:,} tokens"
    if work.planned_cost_usd is None:
        price = f". No price is known for {model}"
    elif work.planned_cost_usd == 0:
        price = ", at no cost"
    else:
        price = f", about {cost_text(work.planned_cost_usd - (work.cost_usd or 0.0))}"
    return (
        f"The older messages of this thread no longer fit.{before} Summarising them with {model} takes about"
        f" {requests} and {tokens}{price}. Until then only the newest messages are sent."
    )


def progress_words(work: SummaryWork) -> str:
    """Return a sentence on the progress of summarising."""
    of = f"{work.requests:,} of about {counted(work.planned_requests, 'request')}"
    return f"Summarising the older messages: {of}, {_spent(work)}."


def ended_words(work: SummaryWork) -> str:
    """Return a sentence on what was summarised and what it cost."""
    return f"Older messages summarised: {_taken(work)}"


def _taken(work: SummaryWork) -> str:
    return f"{counted(work.requests, 'request')}, {_spent(work)}"


def _spent(work: SummaryWork) -> str:
    tokens = f"{work.tokens:,} tokens"
    return f"{tokens}, {cost_text(work.cost_usd)}" if work.cost_usd else tokens
