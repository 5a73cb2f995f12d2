"""Defines the search engines that a model may search the web with, and the steps of their test."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from chatdesk.core.texts import Text

# The id of the server that has the tools for the web.
WEB: Final = "chatdesk-web"


class SearchEngine(StrEnum):
    """The search engines that ChatDesk can use. ``SEARXNG`` runs anywhere, at an address that the person names; the
    others are services that want a key."""

    SEARXNG = "searxng"
    BRAVE = "brave"
    TAVILY = "tavily"

    @property
    def label(self) -> str:
        return {"searxng": "SearXNG", "brave": "Brave Search", "tavily": "Tavily"}[self.value]

    @property
    def needs_key(self) -> bool:
        return self is not SearchEngine.SEARXNG

    @property
    def variable(self) -> str:
        """The environment variable that may hold its key, as other programs call it; empty where it needs none."""
        return "" if self is SearchEngine.SEARXNG else f"{self.value.upper()}_API_KEY"


@dataclass(frozen=True, slots=True)
class SearchChoice:
    """The engine that the person chose; None: no web search. ``address`` is that of SearXNG."""

    engine: SearchEngine | None = None
    address: str = ""


class SearchStep(StrEnum):
    """A step of an engine's test, in the order of the test."""

    REACHED = "reached"
    ALLOWED = "allowed"
    FOUND = "found"


# The sentence for each step that succeeded.
SEARCH_STEP_TEXTS: Final[Mapping[SearchStep, str]] = {
    SearchStep.REACHED: Text("It answers"),
    SearchStep.ALLOWED: Text("Lets ChatDesk search"),
    SearchStep.FOUND: Text("Finds pages"),
}


@dataclass(frozen=True, slots=True)
class SearchCheck:
    """The result of one step. ``remark`` is a sentence: the cause of a failure, or a hint."""

    step: SearchStep
    is_well: bool
    remark: str = ""
