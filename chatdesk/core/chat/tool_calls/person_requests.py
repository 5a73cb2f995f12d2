"""Asks a person about a call: for approval, and to answer requests of its server while it runs."""

from __future__ import annotations

import shlex
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Any, Final

from chatdesk.core.chat.tool_calls.approvals import ServerQuestions
from chatdesk.core.domain.message import Role
from chatdesk.core.domain.tools import Answer, ApprovalRequest, ServerKind, Tool, ToolServer
from chatdesk.core.errors import ChatDeskError
from chatdesk.core.hidden_characters import clean_line
from chatdesk.core.ids import new_id
from chatdesk.core.providers.base import ChatRequest, Provider, RequestMessage
from chatdesk.core.texts import Text
from chatdesk.core.tools import server_requests
from chatdesk.core.tools.call_reports import OnRequest
from chatdesk.core.tools.server_requests import Action, Asker

# Has a provider answer a request: its text, the model that gave it, whether it was cut off. Raises errors of ChatDesk.
AskModel = Callable[[Provider, ChatRequest], Awaitable[tuple[str, str, bool]]]
MOST_TOKENS: Final = 4_000
_HIGHEST_TEMPERATURE: Final = 2.0
_ROLES: Final = {"user": Role.USER, "assistant": Role.ASSISTANT}


class PersonRequests:
    """The requests to a person that one answer makes; its calls run in ``thread_id``. ``ask_model`` None: no model is
    asked for servers."""

    def __init__(self, questions: ServerQuestions, thread_id: str, ask_model: AskModel | None = None) -> None:
        self._questions = questions
        self._thread_id = thread_id
        self._ask_model = ask_model

    def of(self, server: ToolServer, tool: Tool, provider: Provider, model: str) -> OnRequest:
        """Return the function that answers a server's requests while it runs this tool; ``model`` of ``provider`` made
        the call."""
        asker = Asker(self._thread_id, server.name, tool.title or tool.name, where_of(server))
        return partial(self._answer, asker, provider if server.may_ask_model else None, model)

    async def _answer(
        self, asker: Asker, provider: Provider | None, model: str, kind: str, row: Sequence[Any]
    ) -> tuple[str, Any]:
        if kind == "form":
            return await self._questions.ask(server_requests.form_request(new_id(), asker, row))
        if kind == "address":
            return await self._questions.ask(server_requests.page_request(new_id(), asker, row))
        if provider is None or self._ask_model is None:
            return Action.DECLINE, None
        words = f"{clean_line(model)} of {clean_line(provider.label)}"
        request = server_requests.model_request(new_id(), asker, row, model=words, most_tokens=MOST_TOKENS)
        action, _content = await self._questions.ask(request)
        if action != Action.ACCEPT:
            return action, None
        try:
            return Action.ACCEPT, await self._ask_model(provider, _chat_request(request, model))
        except ChatDeskError as error:
            return Action.DECLINE, error.what


def _chat_request(request: server_requests.ModelRequest, model: str) -> ChatRequest:
    """Return the request to a model that a server asks for; it has nothing of the thread."""
    messages = [RequestMessage(Role.SYSTEM, request.system)] if request.system else []
    messages += [RequestMessage(_ROLES.get(role, Role.USER), text) for role, text in request.messages]
    warmth = request.temperature
    temperature = None if warmth is None or not 0 <= warmth <= _HIGHEST_TEMPERATURE else warmth
    return ChatRequest(model, tuple(messages), max_output_tokens=request.max_tokens, temperature=temperature)


def reason_to_ask(has_outside_text: bool, *, may_have_run: bool) -> str:
    """Return why a person must be asked despite standing permissions; empty where the permissions decide."""
    if may_have_run:
        return Text("ChatDesk ended while this ran. It may have done its work already.")
    if has_outside_text:
        return Text(
            "This thread has text from outside, such as a tool's result, a file, an import or a teammate's words,"
            " which may have asked for this."
        )
    return ""


def approval_request(
    place: tuple[str, str], server: ToolServer, tool: Tool, arguments: str, *, where: str, reason: str
) -> ApprovalRequest:
    """Return the question whether a call may run; ``place`` is the thread and the message that it is made in, ``where``
    says where its arguments go."""
    answers = tuple(Answer)
    if server.kind is ServerKind.BUILT_IN:
        answers = answers[: answers.index(Answer.ALWAYS if server.is_of_project else Answer.THREAD)]
    return ApprovalRequest(new_id(), *place, tool, arguments, where, reason, answers)


def where_of(server: ToolServer) -> str:
    """Return the destination of data that a server gets: its address, or its command line."""
    return server.address if server.kind is ServerKind.ADDRESS else shlex.join(server.argv)
