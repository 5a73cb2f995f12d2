"""Plays recorded forms of servers: what a server sends, what it wants to be asked, and what a person gets.

A form is a JSON file in ``tests/data/dialects``; adding one needs no code. Its fields:

    about      what it shows, in a sentence
    api        chat (the default), responses or anthropic
    preset     the preset of the provider; "other" unless it says so
    ask        the questions of the thread, one after the other; each has its replies in ``server``
    model      the model that is asked; "m1" unless it says so
    tools      whether the model may call ``add``, which gives the sum of ``a`` and ``b``
    server     a reply for each request: ``status``, ``type`` (of the content), ``sends`` (objects become events, texts
               are sent as they are, ``{"pause": s}`` waits, ``{"hex": digits}`` is bytes), ``wants`` (places in the
               request with their values)
    gets       of the last answer: ``text``, ``thought``, ``status``, ``error`` (a part of it), ``sources``, ``usage``
               (``read`` and ``written`` tokens), ``pictures`` (their number), ``shown`` (the text without tags of
               thoughts); and ``runs``, the arguments with which tools ran

A place in a request is a path such as ``messages.-1.tool_calls.0.function``; "ABSENT" says that nothing is there, and
``{"has": words}`` that the words are a part of what is there.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from chatdesk.core.chat.chat_service import ChatService
from chatdesk.core.chat.tool_calls.port import ToolLimits
from chatdesk.core.domain.attachment import Attachment
from chatdesk.core.domain.message import Message, PartType
from chatdesk.core.domain.provider_profile import Api, ProviderProfile
from chatdesk.core.domain.tools import Answer, Caller
from chatdesk.core.providers.accounts import Account
from chatdesk.core.providers.registry import provider_of
from chatdesk.core.providers.retry import RetryPolicy
from chatdesk.core.providers.stream_guard import StreamLimits
from chatdesk.core.rendering.answers.thoughts import parse_answer
from chatdesk.core.rendering.blocks import Fold
from chatdesk.core.rendering.sources import sources_of
from chatdesk.core.settings.secrets import Secret
from chatdesk.core.texts import Text
from chatdesk.core.tools.built_in import BuiltInServer, BuiltInTool
from chatdesk.core.tools.tool_service import ToolService
from tests.helpers.block_words import block_to_plain
from tests.helpers.chat_world import chat_world
from tests.helpers.fault_server import Exchange, FaultServer, Script
from tests.helpers.tools_world import tool_service

FORMS: Final = Path(__file__).parents[1] / "data" / "dialects"
SERVER: Final = "sums"
TOOL: Final = f"{SERVER}__add"
_ABSENT: Final = "ABSENT"
_LIMITS: Final = StreamLimits(first_byte_s=5, silence_s=5, after_finish_s=0.2)


@dataclass
class Played:
    """What came of a form: the last message, the calls that ran, and what the server missed in requests."""

    message: Message
    runs: list[Mapping[str, Any]]
    missed: list[str] = field(default_factory=list)
    requests: list[Any] = field(default_factory=list)

    def got(self) -> dict[str, Any]:
        """Return what a person got, by the names of ``gets``."""
        return {
            "text": self.message.text,
            "thought": self.message.reasoning or _words_of(self.message.text, folded=True),
            "shown": _words_of(self.message.text, folded=False),
            "status": self.message.status.value,
            "finish": self.message.finish_reason,
            "error": str(self.message.error_sentence),
            "sources": [each.url for each in sources_of(self.message.parts)],
            "runs": [dict(each) for each in self.runs],
            "usage": {"read": self.message.prompt_tokens, "written": self.message.completion_tokens},
            "pictures": sum(each.type is PartType.IMAGE for each in self.message.parts),
        }


async def play(form: Mapping[str, Any], folder: Path) -> Played:
    """Ask the questions of a form, in a new profile, and return what came of them."""
    runs: list[Mapping[str, Any]] = []
    missed: list[str] = []

    async def add(arguments: Mapping[str, Any], _caller: Caller) -> str:
        runs.append(arguments)
        return f"sum={arguments['a'] + arguments['b']}"

    number = {"type": "number"}
    sums = BuiltInServer(
        SERVER, "Sums", [BuiltInTool("add", Text("Add"), "Add.", {"a": number, "b": number}, ("a", "b"), add)]
    )
    replies = [_reply(each, form.get("api", "chat"), missed) for each in form["server"]]
    async with AsyncExitStack() as stack:
        server = await stack.enter_async_context(FaultServer(*replies))
        api, model = Api(form.get("api", "chat")), form.get("model", "m1")
        address = server.base_url.removesuffix("/v1") if api is Api.ANTHROPIC else server.base_url
        profile = ProviderProfile("scripted", form.get("preset", "other"), "Form", address, api, model=model)
        provider = provider_of(
            Account(profile, Secret("sk-form-0123456789")), _LIMITS, retry=RetryPolicy(longest_wait_s=1, max_attempts=1)
        )
        stack.push_async_callback(provider.close)
        world = await stack.enter_async_context(chat_world(folder, provider=provider))  # type: ignore[arg-type]
        tools = await stack.enter_async_context(tool_service(folder, built_in=[sums])) if form.get("tools") else None

        async def load() -> ToolService | None:
            return tools

        world.chat.tools.use(load, ToolLimits, _keep)
        if tools is not None:
            await tools.switch(SERVER, is_on=True)
            approving = asyncio.ensure_future(approve_all(world.chat))
            stack.callback(approving.cancel)
        message = None
        for question in form.get("ask", ["Say hello."]):
            sent = (
                await world.chat.create_thread(None, "", question, model=model, provider="scripted")
                if message is None
                else await world.chat.send_message(message.thread_id, question)
            )
            message = await world.answer_of(sent)
        assert isinstance(message, Message)
        return Played(message, runs, missed, [each.json for each in server.requests])


async def _keep(data: bytes, name: str) -> Attachment:
    return Attachment(name, "image/png", hashlib.sha256(data).hexdigest(), len(data))


def _words_of(text: str, *, folded: bool) -> str:
    """Return the words of an answer as it is shown: those in folds, or those outside."""
    blocks = [each for each in parse_answer(text) if not isinstance(each, Fold)]
    return "\n".join(block_to_plain(each) for each in blocks if each.at.is_folded is folded)


async def approve_all(chat: ChatService) -> None:
    while True:
        for each in chat.tools.approvals.waiting():
            chat.tools.approvals.answer(each.id, Answer.ONCE)
        await asyncio.sleep(0.002)


def _reply(reply: Mapping[str, Any], api: str, missed: list[str]) -> Script:
    async def script(exchange: Exchange) -> None:
        body = exchange.request.json
        for place, wanted in reply.get("wants", {}).items():
            found = _at(body, place)
            if isinstance(wanted, Mapping) and set(wanted) == {"has"}:
                found = wanted if str(wanted["has"]) in str(found) else found
            if found != wanted:
                missed.append(f"{place} is {found!r} and not {wanted!r}")
        kind = reply.get("type", "text/event-stream")
        await exchange.start(reply.get("status", 200), content_type=kind)
        for each in reply.get("sends", ()):
            if isinstance(each, Mapping) and set(each) == {"pause"}:
                await asyncio.sleep(each["pause"])
            elif isinstance(each, Mapping) and set(each) == {"hex"}:
                await exchange.send(bytes.fromhex(each["hex"]))
            else:
                await exchange.send(_written(each, api, is_stream=kind == "text/event-stream"))
        if api == "chat" and kind == "text/event-stream" and reply.get("done", True):
            await exchange.send("data: [DONE]\n\n")
        await exchange.end()

    return script


def _written(piece: object, api: str, *, is_stream: bool) -> str:
    if isinstance(piece, str):
        return piece
    text = json.dumps(piece, ensure_ascii=False)
    if not is_stream:
        return text
    name = f"event: {piece['type']}\n" if api != "chat" and isinstance(piece, Mapping) and "type" in piece else ""
    return f"{name}data: {text}\n\n"


def _at(body: object, place: str) -> object:
    found: Any = body
    for step in place.split("."):
        try:
            found = found[int(step)] if isinstance(found, list) else found[step]
        except (KeyError, IndexError, ValueError, TypeError):
            return _ABSENT
    return found
