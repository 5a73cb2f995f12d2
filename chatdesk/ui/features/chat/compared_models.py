"""The models that the next question of a thread goes to at once."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QObject, Signal

from chatdesk.core.texts import plural, shown

Models = tuple[tuple[str, str], ...]


class ComparedModels(QObject):
    """Chosen for one thread (None: the one that does not exist yet) and for no other: it multiplies what a question
    costs. ``changed`` carries the id of that thread."""

    changed = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self._by_thread: dict[str | None, Models] = {}

    def of(self, thread_id: str | None) -> Models:
        """Return the models to compare in a thread as (provider, model); empty means that one model answers."""
        return self._by_thread.get(thread_id, ())

    def choose(self, thread_id: str | None, models: Sequence[tuple[str, str]]) -> None:
        chosen = tuple(models)
        if chosen == self.of(thread_id):
            return
        self._by_thread.pop(thread_id, None)
        if chosen:
            self._by_thread[thread_id] = chosen
        self.changed.emit(thread_id)

    def adopt(self, thread_id: str) -> None:
        """Move the new thread's choice to the thread that exists now."""
        chosen = self._by_thread.pop(None, ())
        if chosen:
            self._by_thread[thread_id] = chosen


def compared_words(count: int) -> str:
    """Return a sentence on how many models the questions of a chat go to."""
    return shown(
        plural("Questions in this thread go to {count} models.", "Questions in this thread go to {count} model.", count)
    )
