"""LeftOut says what of a question a model is not sent."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class LeftOut:
    """An attachment of which the model is sent a ``part``, or the ``name`` alone."""

    name: str
    sha256: str
    share: str
    reason: str = ""
