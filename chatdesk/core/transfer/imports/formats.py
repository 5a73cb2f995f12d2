"""Lists the programs whose exports ChatDesk reads: the one place where a format is recognised by its content.

A format describes one self-contained conversation. Formats whose threads are spread over a document (rows, lines,
tables) are collected by ``document``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from chatdesk.core.domain.imported import ImportedThread
from chatdesk.core.transfer.imports import (
    anythingllm,
    chatbox,
    chatdesk,
    chatgpt,
    cherry_studio,
    claude,
    gemini,
    jan,
    librechat,
    lm_studio,
    open_webui,
)

# Claude's projects by id, which conversations refer to.
Projects = Mapping[str, Mapping[str, Any]]

# The programs' names.
LABELS: Final[Mapping[str, str]] = {
    chatgpt.SOURCE: "ChatGPT",
    claude.SOURCE: "Claude",
    gemini.SOURCE: "Gemini",
    open_webui.SOURCE: "Open WebUI",
    librechat.SOURCE: "LibreChat",
    anythingllm.SOURCE: "AnythingLLM",
    chatbox.SOURCE: "Chatbox",
    cherry_studio.SOURCE: "Cherry Studio",
    jan.SOURCE: "Jan",
    lm_studio.SOURCE: "LM Studio",
    chatdesk.SOURCE: "ChatDesk",
}


@dataclass(frozen=True, slots=True)
class Format:
    """A format whose conversations stand alone. ``read`` makes threads of a conversation; its second argument, a
    time in milliseconds, is for messages that have none."""

    source: str
    is_known: Callable[[Mapping[str, Any]], bool]
    read: Callable[[Mapping[str, Any], int, Projects], Sequence[ImportedThread]]


def _alone(
    source: str,
    is_known: Callable[[Mapping[str, Any]], bool],
    read: Callable[[Mapping[str, Any], int], ImportedThread],
) -> Format:
    return Format(source, is_known, lambda value, now, _projects: (read(value, now),))


# In the order in which they are asked; the last ones say the least of themselves.
FORMATS: Final = (
    _alone(chatgpt.SOURCE, chatgpt.is_conversation, chatgpt.read_conversation),
    Format(
        claude.SOURCE,
        claude.is_conversation,
        lambda value, now, projects: (claude.read_conversation(value, now, projects),),
    ),
    _alone(open_webui.SOURCE, open_webui.is_conversation, open_webui.read_conversation),
    _alone(librechat.SOURCE, librechat.is_conversation, librechat.read_conversation),
    _alone(lm_studio.SOURCE, lm_studio.is_conversation, lm_studio.read_conversation),
    Format(
        chatbox.SOURCE,
        chatbox.is_session,
        lambda value, now, _projects: chatbox.read_session(value, now),
    ),
    _alone(anythingllm.SOURCE, anythingllm.is_dialogue, anythingllm.read_dialogue),
)


def format_of(value: Mapping[str, Any]) -> Format | None:
    """Return the first format that recognises this conversation, or None."""
    return next((each for each in FORMATS if each.is_known(value)), None)
