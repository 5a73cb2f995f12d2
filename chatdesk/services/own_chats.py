"""Implements the tools with which a model finds and reads the person's own chats and their files."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from chatdesk.core.chat.attachment_rules import attachments_of
from chatdesk.core.chat.attachment_service import AttachmentService
from chatdesk.core.chat.chat_service import ChatService
from chatdesk.core.domain.attachment import Attachment
from chatdesk.core.domain.message import Message, Role
from chatdesk.core.domain.search import SearchHit, SearchKind
from chatdesk.core.domain.tools import Caller
from chatdesk.core.errors import InvalidInput
from chatdesk.core.moments import is_known, utc_moment
from chatdesk.core.storage.engine.database import Database
from chatdesk.core.texts import Text
from chatdesk.core.tools.built_in import BuiltInServer, BuiltInTool
from chatdesk.services.searching import groups_of

_ID: Final = "chatdesk-chats"
_KINDS: Final = frozenset((SearchKind.MESSAGE, SearchKind.THREAD))
_MOST_FOUND: Final = 20
_MOST_MESSAGES: Final = 30
_LONGEST_MESSAGE: Final = 4_000
_PAGE_CHARACTERS: Final = 8_000
_LONGEST_ARGUMENT: Final = 1_000
_TEXT: Final[Mapping[str, Any]] = {"type": "string"}


def own_chats(chat: ChatService, attachments: AttachmentService, database: Database) -> BuiltInServer:
    """Return the server of these tools."""
    chats = _ChatTools(chat, attachments, database)
    return BuiltInServer(
        _ID,
        Text("Your threads"),
        (
            BuiltInTool(
                "search_chats",
                Text("Search your earlier threads"),
                "Search the person's own earlier chats by words. Returns chats and messages with their ids.",
                {"query": {**_TEXT, "description": "words that stand in the chat"}},
                ("query",),
                chats.search,
            ),
            BuiltInTool(
                "read_chat",
                Text("Read an earlier thread"),
                "Read messages of an earlier chat, the newest last. Give before to read what is older.",
                {"thread_id": _TEXT, "before": {**_TEXT, "description": "id of a message"}},
                ("thread_id",),
                chats.read,
            ),
            BuiltInTool(
                "read_chat_file",
                Text("Read a file of an earlier thread"),
                "Read a page of the text in a file that is attached to a message.",
                {"message_id": _TEXT, "name": _TEXT, "page": {"type": "integer", "minimum": 1}},
                ("message_id", "name"),
                chats.read_file,
            ),
        ),
    )


class _ChatTools:
    def __init__(self, chat: ChatService, attachments: AttachmentService, database: Database) -> None:
        self._chat = chat
        self._attachments = attachments
        self._database = database

    async def search(self, arguments: Mapping[str, Any], _caller: Caller) -> str:
        words = _text(arguments, "query")
        groups = await groups_of(self._database, words, kinds=_KINDS, limit=_MOST_FOUND)
        hits = [hit for group in groups for hit in group.hits if not hit.is_in_trash]
        return "\n".join(map(_hit_line, hits)) or "Nothing was found. Try fewer or other words."

    async def read(self, arguments: Mapping[str, Any], _caller: Caller) -> str:
        thread_id, before = _text(arguments, "thread_id"), _text(arguments, "before", is_needed=False) or None
        thread = await self._chat.get_thread(thread_id)
        page = await self._chat.reader.get_thread_messages(thread_id, _MOST_MESSAGES, before, None)
        lines = [f"# {thread.title}", *(_message_text(each) for each in page.messages)]
        if page.has_older and page.messages:
            lines.append(f"[There is more before this: call again with before={page.messages[0].id}]")
        return "\n\n".join(lines)

    async def read_file(self, arguments: Mapping[str, Any], _caller: Caller) -> str:
        message = await self._chat.reader.get_message(_text(arguments, "message_id"))
        name = _text(arguments, "name")
        file = next((each for each in attachments_of(message) if each.name == name), None)
        if file is None:
            there = ", ".join(each.name for each in attachments_of(message)) or "none"
            raise InvalidInput(f"This message has no file with that name. It has: {there}.", safe="Nothing was read.")
        return await self._page_of(file, arguments.get("page", 1))

    async def _page_of(self, file: Attachment, page: object) -> str:
        found = await self._attachments.text_of(file)
        if found.problem or not found.text:
            return found.problem or f"{file.name} has no text ({file.mime}, {file.size_bytes:,} bytes)."
        count = -(-len(found.text) // _PAGE_CHARACTERS)
        number = page if isinstance(page, int) and not isinstance(page, bool) else 1
        number = max(1, min(number, count))
        text = found.text[(number - 1) * _PAGE_CHARACTERS : number * _PAGE_CHARACTERS]
        return f"[{file.name}, page {number} of {count}]\n{text}"


def _text(arguments: Mapping[str, Any], name: str, *, is_needed: bool = True) -> str:
    value = arguments.get(name, "")
    if not isinstance(value, str) or len(value) > _LONGEST_ARGUMENT or (is_needed and not value.strip()):
        raise InvalidInput(f"“{name}” is to be a short text.", safe="Nothing was read.")
    return value.strip()


def _hit_line(hit: SearchHit) -> str:
    where = f"message {hit.message_id} by {hit.role.value}" if hit.message_id and hit.role else "title"
    return f"- “{hit.title}” [thread {hit.thread_id}], {where}, {_day(hit.at)}: {hit.snippet.text}"


def _message_text(message: Message) -> str:
    who = "person" if message.role is Role.USER else message.role.value
    text = message.text
    if len(text) > _LONGEST_MESSAGE:
        text = f"{text[:_LONGEST_MESSAGE]}… [{len(text) - _LONGEST_MESSAGE:,} more characters]"
    files = "".join(f"\n[file: {each.name}]" for each in attachments_of(message))
    return f"## {who}, {_day(message.created_at)} [message {message.id}]\n{text}{files}"


def _day(at_ms: int) -> str:
    return f"{utc_moment(at_ms):%Y-%m-%d}" if is_known(at_ms) else ""
