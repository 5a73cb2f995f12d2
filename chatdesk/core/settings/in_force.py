"""Holds the settings in force, and notifies their consumers of every change in one way."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields

from chatdesk.core.settings.schema import Settings, Value


class SettingsInForce:
    """A consumer either reads ``current`` when it needs a value, or follows: its function gets the settings at once,
    and again after each change."""

    def __init__(self, settings: Settings) -> None:
        self._current = settings
        self._followers: list[Callable[[Settings], None]] = []

    @property
    def current(self) -> Settings:
        return self._current

    def follow(self, use: Callable[[Settings], None]) -> None:
        """Call ``use`` with the settings, now and after each change, for as long as this object lives."""
        self._followers.append(use)
        use(self._current)

    def change(self, settings: Settings) -> None:
        """Put ``settings`` in force and notify the followers, in the order in which they subscribed."""
        self._current = settings
        for use in self._followers:
            use(settings)


def changed_settings(before: Settings, after: Settings) -> dict[str, Value]:
    """Return the values of ``after`` that differ from those of ``before``, by name."""
    values: dict[str, Value] = {each.name: getattr(after, each.name) for each in fields(Settings)}
    return {name: value for name, value in values.items() if value != getattr(before, name)}
