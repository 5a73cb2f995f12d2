"""Reads the text and calls of an interrupted answer, so that it can be continued."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from chatdesk.core.chat.tool_calls.collected_calls import CollectedCall
from chatdesk.core.context.groups import fenced
from chatdesk.core.domain.message import Message, Part, PartType, Role
from chatdesk.core.domain.tools import KEPT, CallStatus, left_open
from chatdesk.core.providers.base import RequestMessage, ToolCall, kept_from
from chatdesk.core.rendering.sources import Source, sources_of


@dataclass(frozen=True, slots=True)
class EarlierSteps:
    """The steps of an answer before it was interrupted. ``messages`` are sent to the model in their place; ``text`` is
    the text after the last call. A person is asked again about the calls in ``open``. ``call_count`` counts all calls,
    ``step`` is the last step."""

    messages: tuple[RequestMessage, ...] = ()
    text: str = ""
    open: tuple[CollectedCall, ...] = ()
    call_count: int = 0
    step: int = 0
    sources: tuple[Source, ...] = ()


def earlier_steps(answer: Message, *, asks_again: bool) -> EarlierSteps:
    """Return the steps of ``answer`` so far, before it goes on. Calls without a result are left out, because servers
    refuse them, but for those that are asked about again."""
    parts = sorted(answer.parts, key=lambda part: part.index)
    calls = [part for part in parts if part.type is PartType.TOOL_CALL]
    if not calls:
        return EarlierSteps(text=answer.text)
    results = {part.tool_call_id: part for part in parts if part.type is PartType.TOOL_RESULT}
    opened = {part.id for part in left_open(parts)} if asks_again else set()
    messages: list[RequestMessage] = []
    text = ""
    for step in sorted({part.step_index for part in parts}):
        here = [part for part in parts if part.step_index == step]
        text += "".join(part.text for part in here if part.type is PartType.TEXT)
        made = [part for part in here if part in calls and (part.tool_call_id in results or part.id in opened)]
        if made:
            messages.append(RequestMessage(Role.ASSISTANT, text, tuple(map(_written, made))))
            messages += [_result(results[part.tool_call_id]) for part in made if part.id not in opened]
            text = ""
    return EarlierSteps(
        tuple(messages),
        text,
        tuple(_collected(part, calls) for part in calls if part.id in opened),
        len(calls),
        parts[-1].step_index,
        sources_of(parts),
    )


def _written(part: Part) -> ToolCall:
    return ToolCall(part.tool_call_id or "", part.tool_name or "", _arguments(part), kept_from(part.content.get(KEPT)))


def _arguments(part: Part) -> str:
    """Return the arguments with which a call ran or would run, a person's changes included."""
    changed = part.content.get("changed")
    return changed if isinstance(changed, str) else str(part.content.get("arguments", ""))


def _result(part: Part) -> RequestMessage:
    return RequestMessage(Role.TOOL, fenced(part.text), tool_call_id=part.tool_call_id or "")


def _collected(part: Part, calls: Sequence[Part]) -> CollectedCall:
    return CollectedCall(
        calls.index(part),
        part.tool_call_id or "",
        part.tool_name or "",
        _arguments(part),
        left=CallStatus(part.content["status"]),
        kept=kept_from(part.content.get(KEPT)),
    )
