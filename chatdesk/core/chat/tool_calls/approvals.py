"""Holds calls that wait for a person's approval, and servers' requests to a person during calls. No call runs without
approval."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from chatdesk.core.domain.tools import Answer, ApprovalRequest
from chatdesk.core.errors import InvalidInput, NotPossible
from chatdesk.core.events import ApprovalAsked, ApprovalEnded, EventBus, ServerRequestsChanged
from chatdesk.core.texts import Text
from chatdesk.core.tools.server_requests import ServerRequest

# How long a server waits for a person.
ANSWER_S: Final = 300.0


class ArgumentsNotUsable(InvalidInput):
    code = "tool_arguments_not_usable"
    what = Text("The tool does not take these arguments.")
    safe = Text("Nothing was run.")
    next_step = Text("Change them, or deny the call.")


@dataclass(frozen=True, slots=True)
class Approval:
    """A person's answer. ``arguments`` is JSON text: as the model wrote them, or as the person changed them.
    ``only_reads``: the person says that the tool changes and sends nothing."""

    answer: Answer
    arguments: str
    only_reads: bool = False


class Approvals:
    """The approvals that calls wait for: the loop of calls asks, and whatever shows ``ApprovalAsked`` answers."""

    def __init__(self, bus: EventBus) -> None:
        self._bus = bus
        self.is_unattended = False
        self._waiting: dict[str, tuple[ApprovalRequest, asyncio.Future[Approval]]] = {}

    def deny_all(self) -> None:
        """Deny every call from now on, because there is no window to ask a person in."""
        self.is_unattended = True

    def attend(self) -> None:
        """Wait for answers from now on, because a person can give them."""
        self.is_unattended = False

    def waiting(self, thread_id: str | None = None) -> tuple[ApprovalRequest, ...]:
        """Return the calls that wait, the first asked first; of one thread or of all."""
        requests = (request for request, answered in self._waiting.values() if not answered.done())
        return tuple(each for each in requests if thread_id in (None, each.thread_id))

    async def ask(self, request: ApprovalRequest) -> Approval:
        """Wait for a person's answer."""
        answered: asyncio.Future[Approval] = asyncio.get_running_loop().create_future()
        self._waiting[request.id] = (request, answered)
        self._bus.publish(ApprovalAsked(request))
        if self.is_unattended and not answered.done():
            answered.set_result(Approval(Answer.DENY, request.arguments))
        try:
            return await answered
        finally:
            del self._waiting[request.id]
            self._bus.publish(ApprovalEnded(request.thread_id, request.id))

    def answer(
        self,
        request_id: str,
        answer: Answer,
        arguments: Mapping[str, Any] | None = None,
        *,
        only_reads: bool = False,
    ) -> None:
        """Answer a call; ``arguments`` replace those that the model wrote. Raises ``NotPossible`` for a call that does
        not wait any more, and ``ArgumentsNotUsable``."""
        found = self._waiting.get(request_id)
        if found is None or found[1].done():
            raise NotPossible(Text("This call is no longer waiting for an answer."))
        request, answered = found
        if answer not in request.answers:
            raise NotPossible(Text("This answer is not offered for this call."))
        if arguments is not None and answer is not Answer.DENY:
            problem = problem_with(arguments, request.tool.schema)
            if problem:
                raise ArgumentsNotUsable(problem)
        text = request.arguments if arguments is None else json.dumps(arguments, ensure_ascii=False)
        answered.set_result(Approval(answer, text, only_reads))


class ServerQuestions:
    """The requests of servers that wait for a person (``core/tools/server_requests.py``), shown by subscribers of
    ``ServerRequestsChanged``. An answer is ``accept``, ``decline`` or ``cancel``, with its values."""

    def __init__(self, bus: EventBus) -> None:
        self._bus = bus
        self.is_attended = False
        self._waiting: dict[str, tuple[ServerRequest, asyncio.Future[tuple[str, Any]]]] = {}

    def attend(self) -> None:
        """Wait for answers from now on, because a person can see the requests."""
        self.is_attended = True

    def waiting(self, thread_id: str | None = None) -> tuple[ServerRequest, ...]:
        """Return the waiting requests of one thread or of all, the oldest first."""
        requests = (request for request, answered in self._waiting.values() if not answered.done())
        return tuple(each for each in requests if thread_id in (None, each.asker.thread_id))

    async def ask(self, request: ServerRequest, *, timeout_s: float = ANSWER_S) -> tuple[str, Any]:
        """Wait for a person's answer: "cancel" after the time-out, "decline" when no person is present."""
        if not self.is_attended:
            return "decline", None
        answered: asyncio.Future[tuple[str, Any]] = asyncio.get_running_loop().create_future()
        self._waiting[request.id] = (request, answered)
        self._bus.publish(ServerRequestsChanged(request.asker.thread_id))
        try:
            async with asyncio.timeout(timeout_s):
                return await answered
        except TimeoutError:
            return "cancel", None
        finally:
            del self._waiting[request.id]
            self._bus.publish(ServerRequestsChanged(request.asker.thread_id))

    def answer(self, request_id: str, action: str, content: Any = None) -> None:
        """Answer a server. Raises ``NotPossible`` for what does not wait any more."""
        found = self._waiting.get(request_id)
        if found is None or found[1].done():
            raise NotPossible(Text("The server is no longer waiting for this."))
        found[1].set_result((action, content))


_TYPES: Mapping[str, tuple[type, ...]] = {
    "string": (str,),
    "number": (int, float),
    "integer": (int,),
    "boolean": (bool,),
    "array": (list,),
    "object": (dict,),
    "null": (type(None),),
}


def problem_with(arguments: Mapping[str, Any], schema: Mapping[str, Any]) -> str:
    """Return the fault of arguments, as far as names and types show; empty if there is none. The server checks the
    rest: a pattern of its own making could keep this process busy for ever."""
    properties = schema.get("properties")
    properties = properties if isinstance(properties, Mapping) else {}
    required = schema.get("required")
    for name in required if isinstance(required, list) else ():
        if isinstance(name, str) and name not in arguments:
            return Text("“{name}” is missing.", name=name)
    for name, value in arguments.items():
        declared = properties.get(name)
        if declared is None:
            if schema.get("additionalProperties") is False:
                return Text("There is no “{name}”.", name=name)
            continue
        wanted = declared.get("type") if isinstance(declared, Mapping) else None
        names = [wanted] if isinstance(wanted, str) else wanted if isinstance(wanted, list) else []
        kinds = [_TYPES[each] for each in names if isinstance(each, str) and each in _TYPES]
        if kinds and not any(_is(value, each) for each in kinds):
            return Text("“{name}” is not of the type {map}.", name=name, map=" or ".join(map(str, names)))
    return ""


def _is(value: object, kinds: tuple[type, ...]) -> bool:
    return isinstance(value, kinds) and (bool in kinds or not isinstance(value, bool))
