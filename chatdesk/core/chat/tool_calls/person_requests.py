"""Asks a person around a call: whether it may run, and what its server asks for while it runs."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from functools import partial
from typing import Any

from chatdesk.core.chat.tool_calls.approvals import ServerQuestions
from chatdesk.core.domain.tools import Answer, ApprovalRequest, ServerKind, Tool, ToolServer
from chatdesk.core.ids import new_id
from chatdesk.core.tools import server_requests
from chatdesk.core.tools.call_news import OnRequest
from chatdesk.core.tools.server_requests import Action, Asker


class PersonRequests:
    """Made for one answer, whose calls run in ``thread_id``."""

    def __init__(self, questions: ServerQuestions, thread_id: str) -> None:
        self._questions = questions
        self._thread_id = thread_id

    def of(self, server: ToolServer, tool: Tool) -> OnRequest:
        """Return what answers a server while it runs this tool."""
        return partial(self._answer, Asker(self._thread_id, server.name, tool.title or tool.name, where_of(server)))

    async def _answer(self, asker: Asker, kind: str, row: Sequence[Any]) -> tuple[str, Any]:
        if kind == "form":
            return await self._questions.ask(server_requests.form_request(new_id(), asker, row))
        if kind == "address":
            return await self._questions.ask(server_requests.page_request(new_id(), asker, row))
        return Action.DECLINE, None


def reason_to_ask(has_outside_text: bool, *, may_have_run: bool) -> str:
    """Return why a person is asked whatever they allowed before; empty where that alone would decide."""
    if may_have_run:
        return "ChatDesk ended while this ran. It may have done its work already."
    if has_outside_text:
        return (
            "This chat has text from outside, such as a tool's result, a file, an import or a teammate's words,"
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
    """Return where data goes that a server gets: its address, or its command line."""
    return server.address if server.kind is ServerKind.ADDRESS else shlex.join(server.argv)
