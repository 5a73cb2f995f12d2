"""Builds the request for a model: the system prompt, the summary, pinned messages, then the newest ones that fit.

Pure. What fits was decided in ``budget``; this writes it down.
"""

from __future__ import annotations

from typing import Final

from chatdesk.core.context.budget import Candidates, Selection
from chatdesk.core.domain.attachment import Enclosed
from chatdesk.core.domain.knowledge import EnclosedPassages
from chatdesk.core.domain.memory import MemoryList
from chatdesk.core.domain.message import Role
from chatdesk.core.domain.model_info import Ability, ModelInfo
from chatdesk.core.domain.parameters import Parameters
from chatdesk.core.domain.summary import Summary
from chatdesk.core.providers.base import ChatRequest, NamedSource, RequestMessage

# Stands above the files of an assistant, before everything that was said.
FILES_HEADING: Final = "Files that your instructions refer to:"
_SUMMARY_HEADING = "Summary of the earlier messages, which are not repeated here:"
_FACTS_HEADING = "Facts from them, word for word:"


def build_request(
    info: ModelInfo,
    candidates: Candidates,
    selection: Selection,
    *,
    system_prompt: str,
    summary: Summary | None,
    parameters: Parameters,
    continue_text: str = "",
    draft: str = "",
    enclosed: tuple[Enclosed, ...] = (),
    files: tuple[Enclosed, ...] = (),
    found: EnclosedPassages | None = None,
    memories: MemoryList = MemoryList(),  # noqa: B008 - frozen
) -> ChatRequest:
    """Build the request for a selection. ``draft`` is an unstored question, with the files ``enclosed``; ``files`` are
    those of the answering assistant; ``found`` are passages of the project's files for the last question;
    ``memories`` are facts that the person confirmed."""
    messages = [RequestMessage(Role.SYSTEM, system_prompt)] if system_prompt.strip() else []
    if files:
        messages.append(RequestMessage(Role.USER, FILES_HEADING, enclosed=files))
    if memories.text:
        messages.append(RequestMessage(Role.USER, memories.text))
    if summary is not None and selection.has_summary:
        messages.append(RequestMessage(Role.SYSTEM, summary_text(summary)))
    for group in selection.sent_alone(candidates):
        messages += group.wire
    messages += candidates.tail.run.wire_between(selection.cut, candidates.tail.end)
    if draft or enclosed:
        messages.append(RequestMessage(Role.USER, draft, enclosed=enclosed))
    if found is not None and found.text:
        # Before the question, so that everything above stays as it was and the vendor's cache holds.
        asked = max((at for at, each in enumerate(messages) if each.role is Role.USER), default=len(messages))
        messages.insert(asked, RequestMessage(Role.USER, found.text))
    wishes = possible(parameters, info)
    return ChatRequest(
        model=info.id,
        messages=tuple(messages),
        continue_text=continue_text,
        max_output_tokens=wishes.answer_length,
        temperature=wishes.temperature,
        top_p=wishes.top_p,
        reasoning_effort=wishes.reasoning_effort,
        stop=wishes.stop,
        may_draw=True,
        sources=tuple(NamedSource(title, url) for title, url in found.sources) if found is not None else (),
        has_outside_text=memories.has_outside_text,
        files_outcome=found.outcome if found is not None else None,
    )


def summary_text(summary: Summary) -> str:
    """Return a summary as the model reads it."""
    pieces = [_SUMMARY_HEADING, summary.text.strip()]
    if summary.pinned_facts:
        pieces.append("\n".join([_FACTS_HEADING, *(f"- {fact}" for fact in summary.pinned_facts)]))
    return "\n\n".join(pieces)


def possible(parameters: Parameters, info: ModelInfo) -> Parameters:
    """Return the parameters without those that the model is known not to have."""
    return Parameters(
        temperature=parameters.temperature if info.may_have(Ability.TEMPERATURE) else None,
        top_p=parameters.top_p if info.may_have(Ability.TOP_P) else None,
        answer_length=parameters.answer_length,
        reasoning_effort=parameters.reasoning_effort if info.may_have(Ability.REASONING) else None,
        stop=parameters.stop if info.may_have(Ability.STOP) else (),
    )
