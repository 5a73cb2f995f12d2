"""Defines the settings for requests, common to all threads."""

from __future__ import annotations

from dataclasses import dataclass, field

from chatdesk.core.domain.model_info import ModelRef
from chatdesk.core.domain.summary import ConsentLimits
from chatdesk.core.domain.usage import CacheLife


@dataclass(frozen=True, slots=True)
class ContextOptions:
    """The settings that apply to requests. ``summary_share``: how full the window is when a summary is made.
    ``is_counting_exactly``: token encodings are loaded when a model that has one is first used (0.4 s of CPU in a
    thread, 80 MB). ``longest_answer``: in tokens, where neither thread nor project says; ``cache``: how long a vendor
    keeps the beginning of a thread; ``task_model``: the model that makes summaries and titles, None: the one that
    answers; ``summary_consent``: the amounts above which a person is asked before summaries are made."""

    system_prompt: str = ""
    has_summaries: bool = True
    summary_share: float = 0.75
    summary_cron: str = ""
    is_counting_exactly: bool = False
    longest_answer: int | None = None
    cache: CacheLife = CacheLife.OFF
    task_model: ModelRef | None = None
    summary_consent: ConsentLimits = field(default_factory=ConsentLimits)
