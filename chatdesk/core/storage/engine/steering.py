"""Declares, in one table, the registers that control how a thread or project is answered."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

SYSTEM_PROMPT: Final = "system_prompt"
MODEL: Final = "lww.model"
PARAMETERS: Final = "lww.parameters"
SUMMARIES: Final = "lww.summaries"
# The columns of each register in ``threads`` and ``projects``, with the values that they have at first.
STEERING: Final[Mapping[str, Mapping[str, Any]]] = {
    SYSTEM_PROMPT: {"system_prompt": ""},
    MODEL: {"provider": None, "model": None},
    PARAMETERS: {"parameters": "{}"},
    SUMMARIES: {"is_without_summaries": 0},
}
# Columns that the creation of a thread holds itself.
MADE_WITH: Final = ("title", "title_source", "system_prompt", "provider", "model", "created_at")


def changed_registers(row: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the registers of a row that differ from the usual values, as a name and a body."""
    for reg, usual in STEERING.items():
        body = {column: row[column] for column in usual}
        if body != usual:
            yield reg, body
