"""Declares the settings of tools, a part of ``Settings``."""

from __future__ import annotations

from dataclasses import dataclass

from chatdesk.core.settings.declaration import Shown, declared
from chatdesk.core.settings.service_settings import ServiceSettings
from chatdesk.core.texts import Text


@dataclass(frozen=True, slots=True, init=False, eq=False, repr=False)  # `Settings` has the methods
class ToolSettings(ServiceSettings):
    """The settings that say how much one answer may do with tools."""

    tool_steps: int = declared(
        "tools.steps",
        25,
        "Most requests to the model for one answer that uses tools.",
        Shown("Tools", Text("Steps of an answer"), section=Text("Limits"), unit=Text("requests to the model")),
        minimum=1,
        maximum=200,
    )
    tool_minutes: float = declared(
        "tools.minutes",
        10.0,
        "Longest time for one answer that uses tools, in minutes; after that the model answers with what it has.",
        Shown("Tools", Text("Time for an answer"), section=Text("Limits"), unit=Text("minutes")),
        minimum=1,
        maximum=600,
    )
    tool_call_s: float = declared(
        "tools.call_s",
        60.0,
        "Longest time for one tool call, in seconds.",
        Shown("Tools", Text("Time for a call"), section=Text("Limits"), unit=Text("seconds")),
        minimum=1,
        maximum=3600,
    )
    tool_start_s: float = declared(
        "tools.start_s",
        30.0,
        "Longest time until a tool server answers after its start, in seconds; the first start may install it.",
        Shown("Tools", Text("Time for a server to start"), section=Text("Limits"), unit=Text("seconds")),
        minimum=1,
        maximum=3600,
    )
    tool_dollars: float = declared(
        "tools.dollars",
        0.0,
        "Most that one answer that uses tools may cost in US dollars, as far as prices are known; 0 means no such "
        "limit.",
        Shown(
            "Tools",
            Text("Cost of an answer"),
            section=Text("Limits"),
            unit=Text("US dollars"),
            empty=Text("No limit of its own"),
        ),
        minimum=0,
        maximum=1000,
    )
