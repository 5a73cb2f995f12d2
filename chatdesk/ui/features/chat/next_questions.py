"""Keeps where the next question of a thread goes if that is unusual: to several models at once, or to an assistant."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from PySide6.QtCore import QObject, Signal

from chatdesk.core.texts import plural, shown
from chatdesk.ui.window.window_state import Models, NextQuestion

_USUAL = NextQuestion()


class NextQuestions(QObject):
    """The choices for all threads, in whichever chat they are shown; None is the thread that does not exist yet. Each
    is for one thread and for no other: several models multiply what a question costs. ``changed`` carries the id of
    the thread."""

    changed = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self._by_thread: dict[str | None, NextQuestion] = {}

    def of(self, thread_id: str | None) -> NextQuestion:
        return self._by_thread.get(thread_id, _USUAL)

    def all(self) -> Mapping[str | None, NextQuestion]:
        return dict(self._by_thread)

    def restore(self, questions: Mapping[str | None, NextQuestion], *, has: Callable[[str], bool]) -> None:
        """Take the choices from before this start, without models of providers that are gone; those of this run are
        newer."""
        for thread_id, question in questions.items():
            models = tuple(each for each in question.models if has(each[0]))
            if thread_id not in self._by_thread:
                self._set(thread_id, replace(question, models=models if len(models) > 1 else ()))

    def compare(self, thread_id: str | None, models: Sequence[tuple[str, str]]) -> None:
        """Ask these models at once, (provider, model) each; none: one model answers."""
        self._set(thread_id, replace(self.of(thread_id), models=tuple(models)))

    def ask_once(self, thread_id: str | None, assistant_id: str | None) -> None:
        """Ask this assistant the next question only; None: no assistant."""
        self._set(thread_id, replace(self.of(thread_id), once_id=assistant_id))

    def choose_first(self, assistant_id: str | None) -> None:
        """Choose the assistant of the thread that does not exist yet."""
        self._set(None, replace(self.of(None), assistant_id=assistant_id))

    def adopt(self, thread_id: str) -> None:
        """Give a thread the choices made for the new chat that became it; it has its assistant itself."""
        question = self._by_thread.pop(None, _USUAL)
        if question != _USUAL:
            self._set(thread_id, replace(question, assistant_id=None))

    def _set(self, thread_id: str | None, question: NextQuestion) -> None:
        if question == self.of(thread_id):
            return
        self._by_thread.pop(thread_id, None)
        if question != _USUAL:
            self._by_thread[thread_id] = question
        self.changed.emit(thread_id)


def compared_words(models: Models) -> str:
    """Return a sentence on how many models the questions of a chat go to."""
    count = len(models)
    return shown(
        plural("Questions in this thread go to {count} models.", "Questions in this thread go to {count} model.", count)
    )
