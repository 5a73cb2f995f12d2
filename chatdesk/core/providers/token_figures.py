"""Checks the token counts that a server reports for a request, and drops those that cannot be true."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from chatdesk.core.domain.usage import Usage

# More than any model reads or writes in one request.
_MOST_TOKENS = 100_000_000
# Objects around the figures, and their names.
_AROUND = ("usage", "usageMetadata", "usage_metadata", "tokens", "billed_units")
_READ = ("prompt_tokens", "input_tokens", "promptTokens", "inputTokens", "prompt_eval_count", "promptTokenCount")
_WRITTEN = (
    *("completion_tokens", "output_tokens", "completionTokens", "outputTokens", "eval_count"),
    "candidatesTokenCount",
)
_TOTAL = ("total_tokens", "totalTokens", "totalTokenCount")
_NAMES = frozenset((*_AROUND, *_READ, *_WRITTEN))
_CACHED = ("cached_tokens", "prompt_cache_hit_tokens")
_INTO_CACHE = ("cache_write_tokens", "cache_creation_input_tokens")


def usage_in(holder: object, *, deep: int = 0) -> Usage | None:
    """Return the usage that an object states under any of the names in use; None if it states none."""
    if not isinstance(holder, Mapping) or _NAMES.isdisjoint(holder):  # true for nearly every event
        return None
    for name in _AROUND if deep < len(_AROUND) else ():
        if isinstance(holder.get(name), Mapping):
            return usage_in(holder[name], deep=deep + 1)
    of_read = first_of(holder, "prompt_tokens_details", "input_tokens_details")
    of_written = first_of(holder, "completion_tokens_details", "output_tokens_details")
    usage = usage_of(
        first_of(holder, *_READ),
        first_of(holder, *_WRITTEN),
        cached=first_of(of_read, *_CACHED) or first_of(holder, *_CACHED),
        reasoning=first_of(of_written, "reasoning_tokens"),
        into_cache=first_of(of_read, *_INTO_CACHE) or first_of(holder, *_INTO_CACHE),
    )
    thought = first_of(of_written, "reasoning_tokens") or first_of(holder, "thoughtsTokenCount")
    return None if usage is None else _with_thoughts(usage, count_of(thought), count_of(first_of(holder, *_TOTAL)))


def _with_thoughts(usage: Usage, thought: int | None, total: int | None) -> Usage:
    """Return ``usage`` with the tokens of thoughts among those written. xAI and Gemini count them in the total only,
    and Gemini's figures for OpenAI's clients do not name them."""
    beyond = (total or 0) - usage.input_tokens - usage.output_tokens
    is_thought = beyond == thought or not (thought or usage.cached_tokens or usage.written_tokens)
    if beyond <= 0 or not is_thought:
        return usage
    return replace(usage, output_tokens=usage.output_tokens + beyond, reasoning_tokens=beyond)


def first_of(holder: object, *names: str) -> object:
    """Return the first of these fields that is set: servers call the same thing by different names."""
    if isinstance(holder, Mapping):
        for name in names:
            if (value := holder.get(name)) is not None:
                return value
    return None


def usage_of(
    read: object,
    written: object,
    *,
    cached: object = None,
    reasoning: object = None,
    into_cache: object = None,
    for_hour: object = None,
) -> Usage | None:
    """Return the usage, or None if the figures cannot be true: then the tokens are estimated, and no price is
    reckoned from them. ``into_cache`` counts the read tokens that went into the provider's cache, ``for_hour``
    those kept for an hour."""
    input_tokens, output_tokens = count_of(read), count_of(written)
    if input_tokens is None or output_tokens is None or (input_tokens == 0 and output_tokens == 0):
        return None
    cached_tokens = min(count_of(cached) or 0, input_tokens)
    written_tokens = min(count_of(into_cache) or 0, input_tokens - cached_tokens)
    return Usage(
        input_tokens=input_tokens,
        output_tokens=output_tokens,
        cached_tokens=cached_tokens,
        reasoning_tokens=min(count_of(reasoning) or 0, output_tokens),
        written_tokens=written_tokens,
        written_hour_tokens=min(count_of(for_hour) or 0, written_tokens),
    )


def count_of(value: object) -> int | None:
    """Return a count: 0 if it is missing, None if it cannot be true."""
    if value is None:
        return 0
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = float(value)
    except ValueError:
        return None
    return int(number) if number.is_integer() and 0 <= number <= _MOST_TOKENS else None
