"""Gives the passages around one of a Markdown text to a transcript, as its messages."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from PySide6.QtCore import QObject, QTimer

from chatdesk.core.domain.knowledge import FoundPassage
from chatdesk.core.domain.message import Message, MessagePage, Part, PartType, Role, Status
from chatdesk.core.knowledge.rejoining import readable_each
from chatdesk.ui.transcript.view import TranscriptView

_KEY: Final = "passage"


class PassagePages(QObject):
    """The passages ``around`` the ``lit`` one, all of them on one page; a transcript calls ``fetch``."""

    def __init__(self, around: Sequence[FoundPassage], lit: FoundPassage) -> None:
        super().__init__()
        texts = readable_each(each.passage.text for each in around)
        self._messages = tuple(_message(place, text) for place, text in enumerate(texts))
        self._lit = _id(next((at for at, each in enumerate(around) if each.id == lit.id), 0))

    def show_in(self, view: TranscriptView) -> None:
        """Show the passages in a view, from the lit one on."""
        view.parts.show_bare()
        view.setObjectName("passageReader")
        view.show_thread_at(_KEY, self._lit)
        view.parts.flash.hold(self._lit)

    def fetch(
        self,
        thread_id: str,
        *,
        limit: int,
        before: str | None,
        after: str | None,
        around: str | None,
        deliver: Callable[[MessagePage], None],
    ) -> None:
        """Deliver the only page."""
        messages = self._messages if before is None and after is None else ()
        page = MessagePage(thread_id, messages, has_older=False, has_newer=False, total=len(self._messages))
        QTimer.singleShot(0, self, lambda: deliver(page))


def _id(place: int) -> str:
    return f"{_KEY}:{place}"


def _message(place: int, text: str) -> Message:
    id_ = _id(place)
    return Message(
        id=id_,
        thread_id=_KEY,
        parent_id=None,
        role=Role.ASSISTANT,
        status=Status.COMPLETE,
        created_at=0,
        position=place,
        parts=(Part(id_, id_, 0, PartType.TEXT, {"text": text}),),
    )
