"""Declares the settings of memory, a part of ``Settings``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from chatdesk.core.settings.declaration import Shown, declared
from chatdesk.core.settings.tool_settings import ToolSettings
from chatdesk.core.texts import Text


@dataclass(frozen=True, slots=True, init=False, eq=False, repr=False)  # `Settings` has the methods
class MemorySettings(ToolSettings):
    """The settings that say whether facts are remembered, which providers are sent them, and how many."""

    memory: bool = declared(
        "memory.on",
        False,
        "Keep facts that you confirm, and send them with your questions to the providers that you allow. Off: nothing "
        "is kept or sent.",
        Shown(
            "Context",
            Text("Remember facts that you confirm"),
            Text("Off: nothing is kept or sent. What is there stays until you delete it."),
            section=Text("Memory"),
            also=Text("memories remember facts"),
        ),
    )
    memory_proposals: bool = declared(
        "memory.proposals",
        False,
        "After an answer, propose to remember a sentence of your question that is about you, such as “I live in Graz”. "
        "Nothing is kept unless you confirm it, and no model is asked.",
        Shown(
            "Context",
            Text("Propose memories below an answer"),
            Text("A sentence of yours that is about you. Nothing is kept unless you confirm it."),
            section=Text("Memory"),
        ),
    )
    memory_tokens: int = declared(
        "memory.tokens",
        600,
        "Most tokens of memories in one request; never more than a tenth of the model's window.",
        Shown("Context", Text("Memories take at most"), section=Text("Memory"), unit=Text("tokens of a request")),
        minimum=50,
        maximum=8_000,
    )
    memory_providers: Mapping[str, str] = declared(
        "memory.providers",
        {},
        "Providers that are sent memories, each with the address that you allowed; another address asks again.",
        Shown("Context", Text("Providers that are sent memories"), hidden="the page of memories"),
    )
