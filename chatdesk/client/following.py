"""Follows an answer that is being written: what is new in it each time that it is read, and when to read it again."""

from __future__ import annotations

from typing import Final

import httpx2

from chatdesk.client import requests
from chatdesk.client.errors import AnswerFailed
from chatdesk.client.forms import Asked, Message, Usage

_FIRST_WAIT_S: Final = 0.03
_LONGEST_WAIT_S: Final = 0.5


class Following:
    """An answer as far as it was read. ``message`` is its last state; ``usage`` is right once it ended."""

    def __init__(self, asked: Asked) -> None:
        self.question = asked.question
        self.message = asked.answer
        self._etag = ""
        self._given = ""
        self._wait_s = _FIRST_WAIT_S

    @property
    def usage(self) -> Usage:
        return self.message.usage

    @property
    def text(self) -> str:
        return self.message.text

    def next_request(self) -> requests.Request[Message]:
        return requests.message(self.message.id, self._etag)

    def piece_of(self, response: httpx2.Response) -> str:
        """Return the text that a response adds; nothing where nothing changed."""
        if response.status_code == httpx2.codes.NOT_MODIFIED:
            self._wait_s = min(_LONGEST_WAIT_S, self._wait_s * 1.5)
            return ""
        self.message = self.next_request().result_of(response)
        self._etag = response.headers.get("etag", "")
        self._wait_s = _FIRST_WAIT_S
        text = self.message.text
        if not text.startswith(self._given):  # written anew; what was given cannot be taken back
            self._given = text
            return ""
        piece, self._given = text[len(self._given) :], text
        return piece

    @property
    def wait_s(self) -> float:
        return self._wait_s

    def check_end(self) -> None:
        """Raise ``AnswerFailed`` where the answer ended with an error."""
        if self.message.status == "error":
            raise AnswerFailed(self.message.error or "The answer failed.", self.message.error_code or "unknown")
