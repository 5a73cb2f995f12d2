"""Defines assistants: prompts of the library that also say who answers, how, with which tools and files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from chatdesk.core.domain.attachment import MOST_IN_MESSAGE, Attachment, attachment_from
from chatdesk.core.domain.parameters import Parameters, checked_parameters, parameters_from
from chatdesk.core.errors import InvalidInput

#: The icons that an assistant can have; the first is what an unknown one is shown as.
ASSISTANT_ICONS: Final = (
    "sparkles", "brain", "lightbulb", "wand", "pencil", "code", "terminal", "search", "languages", "mail",
    "list-checks", "table", "database", "palette", "image", "gauge", "calendar", "star", "user", "users",
)  # fmt: skip
_MOST_TOOLS, _LONGEST_WORD = 100, 200


@dataclass(frozen=True, slots=True)
class AssistantSetup:
    """What an assistant has besides its name and instructions. ``provider`` and ``model`` None: those of the thread.
    ``tools`` are ids of tool servers; None: those of the thread. ``files`` go along with every request."""

    icon: str = ASSISTANT_ICONS[0]
    provider: str | None = None
    model: str | None = None
    parameters: Parameters = field(default_factory=Parameters)
    tools: tuple[str, ...] | None = None
    files: tuple[Attachment, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """Return the set-up as JSON data; ``setup_from`` reads it."""
        return {
            "icon": self.icon,
            "provider": self.provider,
            "model": self.model,
            "parameters": self.parameters.as_json(),
            "tools": None if self.tools is None else list(self.tools),
            "files": [each.as_content() for each in self.files],
        }


@dataclass(frozen=True, slots=True)
class Assistant:
    """An assistant as an answer uses it."""

    id: str
    name: str
    instructions: str
    setup: AssistantSetup


def setup_from(values: Mapping[str, Any]) -> AssistantSetup:
    """Return the stored set-up; what is invalid reads as not set, so that one damaged row hides no assistant."""
    provider, model = (_word(values.get(name)) for name in ("provider", "model"))
    tools, files, parameters = values.get("tools"), values.get("files"), values.get("parameters")
    listed = files if isinstance(files, list) else []
    found = (attachment_from(each) for each in listed[:MOST_IN_MESSAGE] if isinstance(each, dict))
    return AssistantSetup(
        icon=_icon(values.get("icon")),
        provider=provider,
        model=model if provider is not None else None,
        parameters=parameters_from(parameters) if isinstance(parameters, dict) else Parameters(),
        tools=tuple(each for each in tools[:_MOST_TOOLS] if _word(each)) if isinstance(tools, list) else None,
        files=tuple(each for each in found if each is not None),
    )


def checked_setup(setup: AssistantSetup) -> AssistantSetup:
    """Return the set-up if it can be stored. Raises ``InvalidInput``."""
    if len(setup.files) > MOST_IN_MESSAGE:
        raise InvalidInput(
            f"An assistant has at most {MOST_IN_MESSAGE} files.",
            safe="Nothing was changed.",
            next_step="Leave some of them out.",
        )
    checked_parameters(setup.parameters)
    return setup_from(setup.as_json())


def _word(value: object) -> str | None:
    return value if isinstance(value, str) and 0 < len(value) <= _LONGEST_WORD else None


def _icon(value: object) -> str:
    return value if isinstance(value, str) and value in ASSISTANT_ICONS else ASSISTANT_ICONS[0]
