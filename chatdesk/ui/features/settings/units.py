"""The words behind a number of the settings, which depend on the number."""

from __future__ import annotations

from chatdesk.core.texts import plural, shown


def unit_words(unit: str, count: int) -> str:
    """Return the unit as it is behind ``count``; ``unit`` is the English word for several."""
    match unit:
        case "days":
            return shown(plural("days", "day", count))
        case "weeks":
            return shown(plural("weeks", "week", count))
        case "minutes":
            return shown(plural("minutes", "minute", count))
        case "seconds":
            return shown(plural("seconds", "second", count))
        case "tokens":
            return shown(plural("tokens", "token", count))
        case "files":
            return shown(plural("files", "file", count))
        case _:
            return shown(unit)
