"""The functions of the actions on messages: controllers bind them, and the transcript asks for them by name."""

from __future__ import annotations

from collections.abc import Callable

Handler = Callable[[str], object]  # of the id of the message


class MessageHandlers:
    """The functions of the actions on messages, by the names of the catalogue or of the buttons of a notice."""

    def __init__(self) -> None:
        self._handlers: dict[str, Handler] = {}

    def bind(self, name: str, run: Handler) -> None:
        """Set the handler of an action; a second call replaces the first."""
        self._handlers[name] = run

    @property
    def bound(self) -> frozenset[str]:
        """The names of the actions that do something."""
        return frozenset(self._handlers)

    def run(self, name: str, message_id: str) -> None:
        """Run the action on a message; KeyError when nobody has bound it."""
        self._handlers[name](message_id)
