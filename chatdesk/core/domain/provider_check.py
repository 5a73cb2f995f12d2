"""Describes the results of checks of a provider: the steps of a test, servers that were found, lists of models."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from chatdesk.core.domain.model_info import Price
from chatdesk.core.texts import Text


class Step(StrEnum):
    """A step of a provider's test, in the order of the test."""

    ADDRESS = "address"
    TLS = "tls"
    KEY = "key"
    MODELS = "models"
    STREAMING = "streaming"


class StepState(StrEnum):
    RUNNING = "running"
    OK = "ok"
    FAILED = "failed"
    SKIPPED = "skipped"


# The label of each step.
STEP_TEXTS: Final[Mapping[Step, str]] = {
    Step.ADDRESS: Text("Address"),
    Step.TLS: Text("Encryption"),
    Step.KEY: Text("Key"),
    Step.MODELS: Text("Models"),
    Step.STREAMING: Text("Streaming"),
}


@dataclass(frozen=True, slots=True)
class StepResult:
    """The result of one step. ``text`` is a sentence for the person; ``models`` is the number listed, None where it is
    not known."""

    step: Step
    state: StepState
    text: str = ""
    models: int | None = None


@dataclass(frozen=True, slots=True)
class FoundServer:
    """A server on this computer, recognised by its answers. ``version`` may be empty."""

    preset: str
    label: str
    base_url: str
    models: tuple[str, ...] = ()
    version: str = ""


@dataclass(frozen=True, slots=True)
class ListedModel:
    """A model of a provider, as its server lists it. A value is None where the server does not state it. ``draws``: it
    can answer with pictures."""

    id: str
    label: str
    context_window: int | None = None
    largest_answer: int | None = None
    sees_images: bool | None = None
    price: Price | None = None
    draws: bool = False


@dataclass(frozen=True, slots=True)
class ModelList:
    """The models of a provider and when they were fetched, in milliseconds UTC."""

    models: tuple[ListedModel, ...]
    fetched_at_ms: int
