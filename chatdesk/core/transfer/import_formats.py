"""The programs whose exports ChatDesk reads: the one place where a format is told by its content.

A format is a conversation that stands alone. Formats whose threads are spread over a document (rows, lines, tables) are
gathered by ``import_document``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from chatdesk.core.domain.imported import ImportedThread
from chatdesk.core.transfer import (
    import_anythingllm,
    import_chatbox,
    import_chatdesk,
    import_chatgpt,
    import_cherry_studio,
    import_claude,
    import_jan,
    import_librechat,
    import_lm_studio,
    import_open_webui,
)

#: What a conversation may name: Claude's projects, by their ids.
Projects = Mapping[str, Mapping[str, Any]]

#: How people know the programs.
LABELS: Final[Mapping[str, str]] = {
    import_chatgpt.SOURCE: "ChatGPT",
    import_claude.SOURCE: "Claude",
    import_open_webui.SOURCE: "Open WebUI",
    import_librechat.SOURCE: "LibreChat",
    import_anythingllm.SOURCE: "AnythingLLM",
    import_chatbox.SOURCE: "Chatbox",
    import_cherry_studio.SOURCE: "Cherry Studio",
    import_jan.SOURCE: "Jan",
    import_lm_studio.SOURCE: "LM Studio",
    import_chatdesk.SOURCE: "ChatDesk",
}


@dataclass(frozen=True, slots=True)
class Format:
    """``read`` makes threads of a conversation; the moment is for what has none."""

    source: str
    is_known: Callable[[Mapping[str, Any]], bool]
    read: Callable[[Mapping[str, Any], int, Projects], Sequence[ImportedThread]]


def _alone(
    source: str,
    is_known: Callable[[Mapping[str, Any]], bool],
    read: Callable[[Mapping[str, Any], int], ImportedThread],
) -> Format:
    return Format(source, is_known, lambda value, now, _projects: (read(value, now),))


#: In the order in which they are asked; the last ones say the least of themselves.
FORMATS: Final = (
    _alone(import_chatgpt.SOURCE, import_chatgpt.is_conversation, import_chatgpt.read_conversation),
    Format(
        import_claude.SOURCE,
        import_claude.is_conversation,
        lambda value, now, projects: (import_claude.read_conversation(value, now, projects),),
    ),
    _alone(import_open_webui.SOURCE, import_open_webui.is_conversation, import_open_webui.read_conversation),
    _alone(import_librechat.SOURCE, import_librechat.is_conversation, import_librechat.read_conversation),
    _alone(import_lm_studio.SOURCE, import_lm_studio.is_conversation, import_lm_studio.read_conversation),
    Format(
        import_chatbox.SOURCE,
        import_chatbox.is_session,
        lambda value, now, _projects: import_chatbox.read_session(value, now),
    ),
    _alone(import_anythingllm.SOURCE, import_anythingllm.is_dialogue, import_anythingllm.read_dialogue),
)


def format_of(value: Mapping[str, Any]) -> Format | None:
    """The first format that knows this conversation."""
    return next((each for each in FORMATS if each.is_known(value)), None)
