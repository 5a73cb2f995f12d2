"""Declares the forms of the arguments that the tools of assistants take."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from chatdesk.service.forms import BODY, described


@dataclass(frozen=True)
class ThreadsSearched:
    __pydantic_config__ = BODY
    query: Annotated[str, described("Words to find, as in ChatDesk's own search; “quotes” keep words together")]
    limit: Annotated[int, described("The most hits", at_least=1, at_most=50)] = 20


@dataclass(frozen=True)
class ThreadsListed:
    __pydantic_config__ = BODY
    title: Annotated[str, described("Words of the title; empty for all threads")] = ""
    project_id: Annotated[str | None, described("Only threads of this project")] = None
    scope: Annotated[Literal["active", "archive"], described("The list: active threads, or the archive")] = "active"
    limit: Annotated[int, described("The most threads", at_least=1, at_most=100)] = 30
    cursor: Annotated[str | None, described("next_cursor of the page before")] = None


@dataclass(frozen=True)
class ThreadRead:
    __pydantic_config__ = BODY
    thread_id: Annotated[str, described("The id of the thread")]
    limit: Annotated[int, described("The most messages", at_least=1, at_most=50)] = 20
    before: Annotated[str | None, described("Messages before this one, by its id")] = None
    after: Annotated[str | None, described("Messages after this one, by its id")] = None
    around: Annotated[str | None, described("A page with this message in its middle, by its id")] = None


@dataclass(frozen=True)
class MessageRead:
    __pydantic_config__ = BODY
    message_id: Annotated[str, described("The id of the message")]
    offset: Annotated[int, described("Where to begin, in characters", at_least=0, at_most=1_000_000_000)] = 0


@dataclass(frozen=True)
class FilesSearched:
    __pydantic_config__ = BODY
    project_id: Annotated[str, described("The id of the project")]
    question: Annotated[str, described("What to look for, as a question or as words")]
    limit: Annotated[int, described("The most passages", at_least=1, at_most=20)] = 8


@dataclass(frozen=True)
class QuestionAsked:
    __pydantic_config__ = BODY
    text: Annotated[str, described("The question")]
    thread_id: Annotated[str | None, described("The thread to go on in; without it a new one is made")] = None
    provider: Annotated[str | None, described("The provider that answers; without it that of the thread")] = None
    model: Annotated[str | None, described("The model that answers; without it that of the thread")] = None
    wait_s: Annotated[
        int, described("Seconds to wait; a longer answer goes on and can be read later", at_least=1, at_most=300)
    ] = 50


@dataclass(frozen=True)
class DraftWritten:
    __pydantic_config__ = BODY
    text: Annotated[str, described("The text of the draft, which a person reads and sends or not")]
    thread_id: Annotated[str | None, described("The thread that it is for; without it a new one is made")] = None
    title: Annotated[str, described("The title of a new thread")] = ""
    replaces: Annotated[str, described("The text of the draft that is to be replaced; other drafts are kept")] = ""
