"""Endpoints of messages: pages of the shown path, single ones and their versions, questions, notes and the trash."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Annotated, Any, Final

from chatdesk.core.chat.attachment_rules import attachments_of
from chatdesk.core.chat.message_reader import LARGEST_PAGE
from chatdesk.core.chat.results import Noted, Sent
from chatdesk.core.domain.attachment import SentShare, Share, attachment_from
from chatdesk.core.domain.message import Message, MessagePage, Part
from chatdesk.core.errors import MessageNotFound
from chatdesk.core.storage.engine.repeated_request import DoneRequest
from chatdesk.service.caller import Scope
from chatdesk.service.declaration import FILE, Call, Endpoint, Streamed
from chatdesk.service.errors import UnknownPath
from chatdesk.service.forms import BODY, QUERY, described
from chatdesk.service.rest.attachments import (
    AttachmentAnswer,
    AttachmentGiven,
    attachment_answer,
    given_files,
    streamed_file,
)
from chatdesk.service.rest.threads import reached_thread
from chatdesk.service.rest.times import iso


@dataclass(frozen=True, slots=True)
class PartAnswer:
    """A piece of a message; ``text`` is that of text, reasoning and results of tools, ``arguments`` a tool's."""

    id: str
    type: str
    text: str | None
    tool_name: str | None
    tool_call_id: str | None
    arguments: str | None
    attachment: AttachmentAnswer | None


@dataclass(frozen=True, slots=True)
class UsageAnswer:
    """The tokens of an answer; null where the provider did not say."""

    input_tokens: int | None
    output_tokens: int | None
    cached_tokens: int | None
    reasoning_tokens: int | None
    cost_usd: float | None


@dataclass(frozen=True, slots=True)
class MessageAnswer:
    """A message. ``version`` of ``versions`` is its place among its siblings, ``position`` that on its path."""

    id: str
    thread_id: str
    parent_id: str | None
    role: str
    status: str
    created_at: str
    completed_at: str | None
    deleted_at: str | None
    position: int
    version: int
    versions: int
    provider: str | None
    model: str | None
    finish_reason: str | None
    error: str | None
    error_code: str | None
    usage: UsageAnswer
    parts: tuple[PartAnswer, ...]


@dataclass(frozen=True, slots=True)
class MessagesAnswer:
    """A part of the shown path, oldest first; ``total`` counts the whole path."""

    messages: tuple[MessageAnswer, ...]
    has_older: bool
    has_newer: bool
    total: int


@dataclass(frozen=True, slots=True)
class VersionsAnswer:
    versions: tuple[MessageAnswer, ...]


@dataclass(frozen=True, slots=True)
class LeftOutAnswer:
    """An attachment that the model is not sent, or not whole: ``share`` is ``name`` or ``part``."""

    name: str
    sha256: str
    share: str
    reason: str


@dataclass(frozen=True, slots=True)
class AskedAnswer:
    """A question that is stored, its answer, which is still being written, and the attachments that are not sent
    whole."""

    question: MessageAnswer
    answer: MessageAnswer
    left_out: tuple[LeftOutAnswer, ...]


@dataclass(frozen=True)
class PageWanted:
    """The page to read. ``before`` and ``after`` are ids of messages; together they select the messages between them,
    from the oldest on; with neither, the newest page. ``around`` gives a page with that message in its middle."""

    __pydantic_config__ = QUERY
    limit: Annotated[int, described("how many at most", at_least=1, at_most=LARGEST_PAGE)] = 50
    before: str | None = None
    after: str | None = None
    around: str | None = None


@dataclass(frozen=True)
class NewQuestion:
    """A question to ask below ``parent_id``, else at the end of the shown path."""

    __pydantic_config__ = BODY
    text: str
    parent_id: str | None = None
    provider: str | None = None
    model: str | None = None
    attachments: tuple[AttachmentGiven, ...] = ()


@dataclass(frozen=True)
class NewNote:
    """A note for the end of the shown path, which no model answers."""

    __pydantic_config__ = BODY
    text: str
    attachments: tuple[AttachmentGiven, ...] = ()


def message_answer(message: Message) -> MessageAnswer:
    created_at = iso(message.created_at)
    return MessageAnswer(
        message.id,
        message.thread_id,
        message.parent_id,
        message.role,
        message.status,
        created_at,
        created_at if message.completed_at == message.created_at else iso(message.completed_at),
        iso(message.deleted_at),
        message.position,
        message.version_index,
        message.version_count,
        message.provider,
        message.model,
        message.finish_reason,
        message.error,
        message.error_type,
        UsageAnswer(
            message.prompt_tokens,
            message.completion_tokens,
            message.cached_tokens,
            message.reasoning_tokens,
            message.cost_usd,
        ),
        tuple(map(_part_answer, message.parts)),
    )


def _part_answer(part: Part) -> PartAnswer:
    content = part.content
    text, arguments = content.get("text"), content.get("arguments")
    attachment = attachment_from(content) if "sha256" in content else None
    return PartAnswer(
        part.id,
        part.type,
        text if isinstance(text, str) else None,
        part.tool_name,
        part.tool_call_id,
        arguments if isinstance(arguments, str) else None,
        None if attachment is None else attachment_answer(attachment),
    )


def messages_answer(page: MessagePage) -> MessagesAnswer:
    return MessagesAnswer(tuple(map(message_answer, page.messages)), page.has_older, page.has_newer, page.total)


def versions_answer(versions: tuple[Message, ...]) -> VersionsAnswer:
    return VersionsAnswer(tuple(message_answer(message) for message in versions))


def asked_answer(asked: tuple[Sent, tuple[SentShare, ...]]) -> AskedAnswer:
    sent, shares = asked
    left_out = tuple(
        LeftOutAnswer(each.attachment.name, each.attachment.sha256, each.share.value, each.reason)
        for each in shares
        if each.share is not Share.WHOLE
    )
    return AskedAnswer(message_answer(sent.question), message_answer(sent.answer), left_out)


async def with_shares(call: Call[Any, Any], sent: Sent) -> tuple[Sent, tuple[SentShare, ...]]:
    """Return a question that was asked, and how much of each of its attachments the model is sent."""
    answer = sent.answer
    files = attachments_of(sent.question)
    return sent, await call.services.chat.context.shares_of(files, answer.provider, answer.model)


def noted_answer(noted: Noted) -> MessageAnswer:
    return message_answer(noted.question)


async def reached_message(call: Call[Any, Any], message_id: str) -> Message:
    """Return a message of a thread that the caller reaches. Raises ``MessageNotFound``."""
    message = await call.services.chat.reader.get_message(message_id)
    if call.caller.projects:
        thread = await call.services.chat.get_thread(message.thread_id)
        call.caller.check_project(thread.project_id, MessageNotFound)
    return message


async def _page(call: Call[PageWanted, None]) -> MessagePage:
    wanted, thread_id = call.query, call.path["thread_id"]
    if call.caller.projects:
        await reached_thread(call, thread_id)
    return await call.services.chat.reader.get_thread_messages(
        thread_id, wanted.limit, wanted.before, wanted.after, around=wanted.around
    )


async def _read(call: Call[Any, Any]) -> Message:
    return await reached_message(call, call.path["message_id"])


async def _versions(call: Call[Any, Any]) -> tuple[Message, ...]:
    message = await _read(call)
    return await call.services.chat.reader.list_versions(message.id)


async def _ask(call: Call[None, NewQuestion]) -> tuple[Sent, tuple[SentShare, ...]]:
    thread, body = await reached_thread(call, call.path["thread_id"]), call.body
    sent = await call.services.chat.send_message(
        thread.id,
        body.text,
        parent_id=body.parent_id,
        provider=body.provider,
        model=body.model,
        attachments=await given_files(call, body.attachments),
    )
    call.allowances.follow(call.caller, sent.answer.id, call.request_id)
    return await with_shares(call, sent)


async def _asked(call: Call[Any, Any], done: DoneRequest) -> tuple[Sent, tuple[SentShare, ...]]:
    thread = await reached_thread(call, call.path["thread_id"])
    question_id, answer_id = (each.id for each in done.made if each.kind == "message")
    chat = call.services.chat
    sent = Sent(thread, await chat.reader.get_message(question_id), await chat.reader.get_message(answer_id))
    return await with_shares(call, sent)


async def _add_note(call: Call[None, NewNote]) -> Noted:
    thread = await reached_thread(call, call.path["thread_id"])
    return await call.services.chat.manual_messages.add_note(
        thread.id, call.body.text, attachments=await given_files(call, call.body.attachments)
    )


async def _noted(call: Call[Any, Any], done: DoneRequest) -> Noted:
    thread = await reached_thread(call, call.path["thread_id"])
    return Noted(thread, await call.services.chat.reader.get_message(done.first("message")))


async def _stop(call: Call[Any, Any]) -> None:
    thread = await reached_thread(call, call.path["thread_id"])
    await call.services.chat.stop(thread.id)


async def _download(call: Call[Any, Any]) -> Streamed:
    message = await _read(call)
    wanted = call.path["sha256"]
    attachment = next((each for each in attachments_of(message) if each.sha256 == wanted), None)
    if attachment is None:
        raise UnknownPath
    await asyncio.to_thread(call.services.attachments.blobs.check, attachment.sha256)
    path = call.services.attachments.blobs.path(attachment.sha256)
    return await asyncio.to_thread(streamed_file, path, attachment.name, call.headers.get("range", ""))


_IN_THREAD: Final = "/api/v1/threads/{thread_id}"
_ONE: Final = "/api/v1/messages/{message_id}"
ENDPOINTS: Final = (
    Endpoint("GET", f"{_IN_THREAD}/messages", _page, "Read a page of a thread", messages_answer, query=PageWanted),
    Endpoint(
        "POST",
        f"{_IN_THREAD}/messages",
        _ask,
        "Ask a question",
        asked_answer,
        scope=Scope.ASK,
        body=NewQuestion,
        status=201,
        again=_asked,
    ),
    Endpoint(
        "POST",
        f"{_IN_THREAD}/notes",
        _add_note,
        "Write a note",
        noted_answer,
        scope=Scope.WRITE,
        body=NewNote,
        status=201,
        again=_noted,
    ),
    Endpoint("POST", f"{_IN_THREAD}/stop", _stop, "Stop the answers of a thread", scope=Scope.ASK, status=204),
    Endpoint("GET", _ONE, _read, "Read a message", message_answer),
    Endpoint(
        "GET",
        f"{_ONE}/attachments/{{sha256}}",
        _download,
        "Read a file of a message",
        media_type=FILE,
        has_ranges=True,
    ),
    Endpoint("GET", f"{_ONE}/versions", _versions, "List the versions of a message", versions_answer),
)
