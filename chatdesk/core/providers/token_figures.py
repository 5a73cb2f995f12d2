"""Checks the token counts that a server reports for a request, and drops those that cannot be true."""

from __future__ import annotations

from chatdesk.core.domain.usage import Usage

# More than any model reads or writes in one request.
_MOST_TOKENS = 100_000_000


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
    input_tokens, output_tokens = _count(read), _count(written)
    if input_tokens is None or output_tokens is None or (input_tokens == 0 and output_tokens == 0):
        return None
    cached_tokens = min(_count(cached) or 0, input_tokens)
    written_tokens = min(_count(into_cache) or 0, input_tokens - cached_tokens)
    return Usage(
        input_tokens=input_tokens,
        output_tokens=output_tokens,
        cached_tokens=cached_tokens,
        reasoning_tokens=min(_count(reasoning) or 0, output_tokens),
        written_tokens=written_tokens,
        written_hour_tokens=min(_count(for_hour) or 0, written_tokens),
    )


def _count(value: object) -> int | None:
    if value is None:
        return 0
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = float(value)
    except ValueError:
        return None
    return int(number) if number.is_integer() and 0 <= number <= _MOST_TOKENS else None
