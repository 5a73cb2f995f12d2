"""Says how far a source is read: how long the rest takes, by the times at which its last files were read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from chatdesk.core.texts import Text, plural

# The newest files that say how fast it goes: folders below one folder differ.
FILES_LOOKED_AT: Final = 200
_LEAST_FILES: Final = 8
_LEAST_MS: Final = 3_000
_SAME_MOMENT_MS: Final = 1_000  # one may be read while these are looked up
_LONGEST_PAUSE_MS: Final = 90_000  # longer than one file may take


def seconds_left(read_at: Sequence[int], waiting: int, now_ms: int) -> int | None:
    """Return about how many seconds ``waiting`` files take, where others were read at these times, the newest first.
    None where nothing can be said: too little was read since reading last went on, or it does not go on now."""
    run: list[int] = []
    later = now_ms
    for at in read_at:
        if not -_SAME_MOMENT_MS <= later - at <= _LONGEST_PAUSE_MS:
            break
        run.append(at)
        later = at
    if not waiting or len(run) < _LEAST_FILES or now_ms - run[-1] < _LEAST_MS:
        return None
    # Up to now, not to the newest: a file that takes long is part of the pace.
    ms_each = (now_ms - run[-1]) / (len(run) - 1)
    return max(1, round(waiting * ms_each / 1000))


def time_left_text(seconds: int) -> Text:
    """Return a time left in words, rounded up."""
    if seconds >= 3_600:
        return plural("about {count} hours left", "about {count} hour left", -(-seconds // 3_600))
    if seconds >= 60:
        return plural("about {count} minutes left", "about {count} minute left", -(-seconds // 60))
    return plural("about {count} seconds left", "about {count} second left", seconds)


def secrets_text(count: int) -> Text:
    """Return how many files look like secrets and are not read, in words."""
    return plural("{count} look like secrets, not read", "{count} looks like a secret, not read", count)
