"""What a model is asked when it summarises, and whether its answer can be used."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from chatdesk.core.context.groups import Group
from chatdesk.core.domain.message import Role
from chatdesk.core.domain.summary import Summary
from chatdesk.core.errors import SummaryRejected
from chatdesk.core.providers.base import ChatRequest, FinishReason, RequestMessage

PROMPT_VERSION = "1"
_WORDS_PER_TOKEN = 0.6
_EDGE = "=" * 10
# What summaries that make sense are far from: nearly all signs, or a few words over and over.
_LEAST_LETTERS, _LEAST_DISTINCT, _FEW_WORDS = 0.3, 0.1, 40
_NAMES = {Role.USER: "Person", Role.ASSISTANT: "Model", Role.SYSTEM: "Note", Role.TOOL: "Tool"}


def read_prompt(directory: Path) -> str:
    """The instruction, with ``{words}`` in it."""
    return (directory / "prompts" / f"summary-{PROMPT_VERSION}.txt").read_text("utf-8")


def summary_request(
    model: str, prompt: str, previous: Summary | None, groups: Sequence[Group], *, most_tokens: int
) -> ChatRequest:
    """Asks for one summary of at most ``most_tokens`` that takes the place of ``previous`` and the messages."""
    words = max(int(most_tokens * _WORDS_PER_TOKEN), 50)
    pieces = [] if previous is None else [f"Earlier summary:\n{previous.text}"]
    pieces += [_EDGE, *(_line(message) for group in groups for message in group.wire), _EDGE]
    return ChatRequest(
        model=model,
        messages=(
            RequestMessage(Role.SYSTEM, prompt.replace("{words}", str(words))),
            RequestMessage(Role.USER, "\n\n".join(pieces)),
        ),
        max_output_tokens=most_tokens * 2,  # a little more than asked for is no reason to lose it
        is_summary=True,
    )


def _line(message: RequestMessage) -> str:
    calls = "".join(f"\n(calls {call.name}: {call.arguments})" for call in message.tool_calls)
    # What a message says must not look like the end of the messages.
    return f"{_NAMES[message.role]}: {message.text.replace(_EDGE, '')}{calls}"


def checked_summary(text: str, *, tokens: int, source_tokens: int, reason: FinishReason | None) -> str:
    """``text`` if it can stand for what it was made of, else ``SummaryRejected``."""
    stripped = text.strip()
    if not any(letter.isalpha() for letter in stripped):
        raise SummaryRejected("The model gave an empty summary.")
    if _is_nonsense(stripped):
        raise SummaryRejected("The model gave a summary that says nothing.")
    if tokens >= source_tokens:
        raise SummaryRejected("The model gave a summary that is longer than the messages.")
    if reason is FinishReason.LENGTH:
        raise SummaryRejected("The model did not come to the end of its summary.")
    return stripped


def _is_nonsense(text: str) -> bool:
    written = "".join(text.split())
    if sum(letter.isalnum() for letter in written) < len(written) * _LEAST_LETTERS:
        return True
    words = text.lower().split()
    return len(words) > _FEW_WORDS and len(set(words)) < len(words) * _LEAST_DISTINCT
