"""Builds the request for a summary and checks whether the answer can be used."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from chatdesk.core.context.groups import Group
from chatdesk.core.domain.message import Role
from chatdesk.core.domain.summary import Summary
from chatdesk.core.errors import SummaryRejected
from chatdesk.core.providers.base import ChatRequest, FinishReason, RequestMessage
from chatdesk.core.texts import Text

PROMPT_VERSION = "1"
_WORDS_PER_TOKEN = 0.6
# How much longer a summary may get than was asked for: a little more is no reason to lose it.
MOST_OF_WANTED = 2
_EDGE = "=" * 10
# Bounds that every meaningful summary keeps: a text of few letters, or of a few words repeated, is rejected.
_LEAST_LETTERS, _LEAST_DISTINCT, _FEW_WORDS = 0.3, 0.1, 40
# A refusal is short; a longer summary may happen to begin with the same words.
_LONGEST_REFUSAL_WORDS, _LONGEST_REFUSAL_LETTERS = 80, 600
_REFUSAL = re.compile(
    r"(?:(?:i[’']?m|i am) (?:very |so )?(?:sorry|afraid|unable|not able)\b|(?:sorry|apologies)\b|i apologi[sz]e\b"
    r"|(?:unfortunately,? )?(?:i|we) (?:can[’']?t|can ?not|won[’']t|will not|could ?n[o’']t|do not|don[’']t)\b"
    r"|as an? (?:ai|artificial|language model)\b|it seems (?:you|there)\b|please (?:provide|share|send|paste)\b"
    r"|there (?:is|are) no (?:messages?|conversation|text)\b|(?:es )?tut mir leid|leider kann ich|entschuldigung"
    r"|je suis désolé|désolé|je ne peux pas|lo siento|no puedo|mi dispiace|non posso|desculpe|não posso"
    r"|извините|к сожалению|я не могу|抱歉|很抱歉|对不起|我无法|我不能|申し訳|すみません|죄송)",
    re.IGNORECASE,
)
_NAMES = {Role.USER: "Person", Role.ASSISTANT: "Model", Role.SYSTEM: "Note", Role.TOOL: "Tool"}


def read_prompt(directory: Path) -> str:
    """Read the instruction, which has ``{words}`` in it, from the directory of resources."""
    return (directory / "prompts" / f"summary-{PROMPT_VERSION}.txt").read_text("utf-8")


def summary_request(
    model: str, prompt: str, previous: Summary | None, groups: Sequence[Group], *, most_tokens: int
) -> ChatRequest:
    """Build a request for one summary of at most ``most_tokens`` that replaces ``previous`` and the messages."""
    words = max(int(most_tokens * _WORDS_PER_TOKEN), 50)
    pieces = [] if previous is None else [f"Earlier summary:\n{previous.text}"]
    pieces += [_EDGE, *(_line(message) for group in groups for message in group.wire), _EDGE]
    return ChatRequest(
        model=model,
        messages=(
            RequestMessage(Role.SYSTEM, prompt.replace("{words}", str(words))),
            RequestMessage(Role.USER, "\n\n".join(pieces)),
        ),
        max_output_tokens=most_tokens * MOST_OF_WANTED,
        is_summary=True,
    )


def _line(message: RequestMessage) -> str:
    calls = "".join(f"\n(calls {call.name}: {call.arguments})" for call in message.tool_calls)
    # The text of a message must not imitate the marker that ends the messages.
    return f"{_NAMES[message.role]}: {message.text.replace(_EDGE, '')}{calls}"


def checked_summary(text: str, *, tokens: int, source_tokens: int, reason: FinishReason | None) -> str:
    """Return ``text`` if it is good enough to replace its source. Raises ``SummaryRejected``."""
    stripped = text.strip()
    if not any(letter.isalpha() for letter in stripped):
        raise SummaryRejected(Text("The model gave an empty summary."))
    if _is_nonsense(stripped):
        raise SummaryRejected(Text("The model gave a summary that says nothing."))
    if is_refusal(stripped):
        raise SummaryRejected(Text("The model refused to summarise."))
    if tokens >= source_tokens:
        raise SummaryRejected(Text("The model gave a summary that is longer than the messages."))
    if reason is FinishReason.LENGTH:
        raise SummaryRejected(Text("The model did not finish its summary."))
    return stripped


def is_refusal(text: str) -> bool:
    """Return whether a model says in good prose that it will not, or that it has nothing to summarise."""
    is_short = len(text) <= _LONGEST_REFUSAL_LETTERS and len(text.split()) <= _LONGEST_REFUSAL_WORDS
    return is_short and _REFUSAL.match(text.lstrip("*_#> \"“'")) is not None


def _is_nonsense(text: str) -> bool:
    written = "".join(text.split())
    if sum(letter.isalnum() for letter in written) < len(written) * _LEAST_LETTERS:
        return True
    words = text.lower().split()
    return len(words) > _FEW_WORDS and len(set(words)) < len(words) * _LEAST_DISTINCT
