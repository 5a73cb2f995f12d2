"""Declares the settings of summaries and titles, a part of ``Settings``."""

from __future__ import annotations

from dataclasses import dataclass

from chatdesk.core.settings.declaration import Shown, declared
from chatdesk.core.settings.memory_settings import MemorySettings
from chatdesk.core.texts import Text


@dataclass(frozen=True, slots=True, init=False, eq=False, repr=False)  # `Settings` has the methods
class ContextSettings(MemorySettings):
    """The settings that control when older messages are summarised, the cost limit of that, and how threads get
    titles."""

    summaries: bool = declared(
        "context.summaries",
        True,
        "Summarise the oldest messages of long threads in the background. A thread or project can opt out.",
        Shown(
            "Context",
            Text("Summarise long threads"),
            Text("Older messages are sent as a summary. The messages themselves stay."),
            section=Text("Summaries"),
        ),
    )
    summary_share: float = declared(
        "context.summary_share",
        0.75,
        "How full a model's context window is when the oldest messages are summarised; 0.75 means 75 %.",
        Shown(
            "Context",
            Text("Summarise when the window is"),
            section=Text("Summaries"),
            unit=Text("% full"),
            unit_size=0.01,
        ),
        minimum=0.3,
        maximum=0.95,
    )
    summary_cron: str = declared(
        "context.summary_cron",
        "",
        "When to summarise idle threads that will soon need it, as five cron fields such as 0 3 * * *; empty means "
        "never.",
        Shown(
            "Context",
            Text("Summarise idle threads ahead"),
            Text("So that your next question does not wait."),
            section=Text("Summaries"),
        ),
        choices={
            "": Text("Never"),
            "0 3 * * *": Text("Every night at 3:00"),
            "0 12 * * *": Text("Every day at 12:00"),
            "0 3 * * 0": Text("Every Sunday at 3:00"),
            "0 * * * *": Text("Every hour"),
        },
        env="SUMMARISE_CRON",
        is_open=True,
    )
    model_titles: bool = declared(
        "context.model_titles",
        True,
        "If true, the model writes the title of a new thread after the first answer. If false, the title is the start "
        "of the question.",
        Shown("Context", Text("Titles of new threads"), section=Text("Titles")),
        choices={True: Text("Written by the model"), False: Text("The start of the question")},
    )
    background_tokens_per_day: int = declared(
        "limits.background_tokens_per_day",
        0,
        "Most tokens a day for titles and summaries; 0 means no limit.",
        Shown(
            "Context",
            Text("Limit for titles and summaries"),
            section=Text("Summaries"),
            unit=Text("tokens a day"),
            empty=Text("No limit"),
        ),
        minimum=0,
        maximum=1_000_000_000,
    )
    summary_cost_usd: float = declared(
        "limits.summary_cost_usd",
        0.05,
        "Ask before making a summary that would cost more than this, in US dollars; 0 means never ask.",
        Shown(
            "Context",
            Text("Ask before a summary costs more than"),
            section=Text("Summaries"),
            unit=Text("US dollars"),
            empty=Text("Never ask"),
        ),
        minimum=0,
        maximum=10_000,
    )
    summary_tokens: int = declared(
        "limits.summary_tokens",
        100_000,
        "Ask before making a summary that would take more tokens than this, whatever they cost; 0 means never ask.",
        Shown(
            "Context",
            Text("Ask before a summary takes more than"),
            section=Text("Summaries"),
            unit=Text("tokens"),
            empty=Text("Never ask"),
        ),
        minimum=0,
        maximum=1_000_000_000,
    )
