"""Writes times as the exports do: ISO 8601 in UTC, with milliseconds."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final, overload

_EPOCH: Final = datetime(1970, 1, 1)  # noqa: DTZ001 - of UTC


@overload
def iso(milliseconds: int) -> str: ...
@overload
def iso(milliseconds: int | None) -> str | None: ...


def iso(milliseconds: int | None) -> str | None:
    """Return a time that is given in milliseconds UTC."""
    if milliseconds is None:
        return None
    # Without a zone, which takes longer to write than the rest; pages of messages have hundreds of times.
    return (_EPOCH + timedelta(milliseconds=milliseconds)).isoformat(timespec="milliseconds") + "Z"
