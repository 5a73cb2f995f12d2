"""Describes the results of the use cases of chatting: threads and messages as they are after the change."""

from __future__ import annotations

from dataclasses import dataclass

from chatdesk.core.domain.message import Message
from chatdesk.core.domain.thread import Thread


@dataclass(frozen=True, slots=True)
class Sent:
    """The result of asking a question. ``answer`` is pending when it is returned."""

    thread: Thread
    question: Message
    answer: Message


@dataclass(frozen=True, slots=True)
class Compared:
    """The result of asking several models; the answers are in the order of the models, pending when returned."""

    thread: Thread
    question: Message
    answers: tuple[Message, ...]


@dataclass(frozen=True, slots=True)
class Noted:
    """The result of writing or editing a note."""

    thread: Thread
    question: Message


@dataclass(frozen=True, slots=True)
class Edited:
    """The result of editing an answer; ``answer`` is the version that the person wrote."""

    thread: Thread
    answer: Message


@dataclass(frozen=True, slots=True)
class Created:
    """A new thread; question and answer are there when it began with a message."""

    thread: Thread
    question: Message | None = None
    answer: Message | None = None


@dataclass(frozen=True, slots=True)
class Moved:
    """The messages that went to the trash or came back."""

    thread: Thread
    message_ids: tuple[str, ...]
