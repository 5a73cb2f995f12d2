"""Assembles a streaming answer from the events of its thread. Nothing here blocks."""

from __future__ import annotations

from chatdesk.client.chat_forms import Message, Usage
from chatdesk.client.chat_requests import stop
from chatdesk.client.errors import AnswerFailed
from chatdesk.client.events import Event
from chatdesk.client.listening import Listening
from chatdesk.client.request import Request


class FollowedAnswer:
    """An answer as far as it is known. ``message`` is its last state; ``usage`` is right once it ended. ``question`` is
    None for an answer that was rebuilt or goes on."""

    def __init__(self, answer: Message, question: Message | None) -> None:
        self.question = question
        self.message = answer
        self.is_to_be_read = False
        self.is_given = False
        self._given = ""
        self._pieces: list[str] = []

    @property
    def usage(self) -> Usage:
        return self.message.usage

    @property
    def text(self) -> str:
        return self.message.text

    def listening(self) -> Listening:
        return Listening(self.message.thread_id, "")

    def stopping(self) -> Request[None]:
        return stop(self.message.thread_id)

    def piece_of(self, event: Event) -> str:
        """Return the text that an event adds. Where that leaves the state open, the answer ``is_to_be_read``."""
        match event:
            case Event("TextStreamed", {"message_id": self.message.id, "kind": "text", "delta": str(delta)}):
                self._pieces.append(delta)
                return delta
            case Event("Following" | "Resync"):
                found = next((each for each in event.messages if each.id == self.message.id), None)
                if found is not None:
                    return self.piece_of_message(found)
                self.is_to_be_read = True
            case Event("MessageChanged" | "AnswerFinished", {"message": {"id": self.message.id}}):
                return self.piece_of_message(event.message)
        return ""

    def piece_of_message(self, message: Message) -> str:
        """Return the new part of the whole answer, beyond the text already given."""
        self.message = message
        self.is_to_be_read = False
        self.is_given = message.is_final
        self._given += "".join(self._pieces)
        self._pieces.clear()
        text = message.text
        if self._given.startswith(text):  # nothing new, or a state older than the last pieces
            return ""
        # else the text was rewritten, and the pieces already given cannot be undone
        is_longer = text.startswith(self._given)
        piece, self._given = text[len(self._given) :] if is_longer else "", text
        return piece

    def check_end(self) -> None:
        """Raise ``AnswerFailed`` where the answer ended with an error."""
        if self.message.status == "error":
            raise AnswerFailed(self.message.error or "The answer failed.", self.message.error_code or "unknown")
