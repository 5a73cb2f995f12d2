"""Names one model of one provider, as settings hold it: ``provider/model``."""

from __future__ import annotations

import re
from dataclasses import dataclass

_REF = re.compile(r"([a-z0-9][a-z0-9-]{0,39})/([^\x00-\x1f]{1,300})\Z")


@dataclass(frozen=True, slots=True)
class ModelRef:
    """The id of a provider, which has no slash, and the id of its model, which may have some."""

    provider: str
    model: str

    @classmethod
    def parse(cls, text: str) -> ModelRef | None:
        """Parse ``provider/model``; None for an empty text and for one that names no model."""
        match = _REF.match(text.strip())
        return cls(match[1], match[2]) if match else None

    def __str__(self) -> str:
        return f"{self.provider}/{self.model}"
