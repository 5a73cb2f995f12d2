"""What a server says while one of its tools runs."""

from __future__ import annotations

import asyncio
import math
from typing import Any

import pytest

from chatdesk.core.tools.call_reports import NO_HOOKS, CallHooks, CallReports, progress_text
from tests.helpers.waiting import until


@pytest.mark.parametrize(
    ("progress", "total", "message", "words"),
    [
        (3, 10, "step 3", "30% · step 3"),
        (3, None, "step 3", "step 3"),
        (12, 10, "", ""),
        (-1, 0, "\u202e\x1b[31mred\nline", "[31mred line"),
        (1, 1, "x" * 500, "100% · " + "x" * 39 + "…"),
        (1e308, 1e308, "", "100%"),
        (5e-324, 5e-324, "", "100%"),
        (math.inf, math.inf, "", ""),
        (1, math.inf, "", ""),
        (math.nan, 10, "", ""),
    ],
)
def test_progress_is_a_share_and_a_few_clean_words(
    progress: float, total: float | None, message: str, words: str
) -> None:
    assert progress_text(progress, total, message) == words


async def test_a_request_is_declined_without_a_person_to_ask() -> None:
    answers: list[tuple[int, str, Any]] = []
    reports = CallReports(lambda *answer: answers.append(answer))
    reports.start(1, NO_HOOKS)
    reports.receive("asked", 1, [7, "form", ()])
    reports.receive("asked", 2, [8, "form", ()])
    assert answers == [(7, "decline", None), (8, "decline", None)]


@pytest.mark.parametrize("how", ["withdrawn", "ended"])
async def test_a_request_ends_with_its_call_or_when_it_is_withdrawn(how: str) -> None:
    answers: list[tuple[int, str, Any]] = []
    asked: list[str] = []

    async def ask(kind: str, _row: tuple[Any, ...]) -> tuple[str, Any]:
        asked.append(kind)
        await asyncio.Event().wait()
        raise AssertionError

    reports = CallReports(lambda *answer: answers.append(answer))
    reports.start(1, CallHooks(on_request=ask))
    reports.receive("asked", 1, [7, "form", ()])
    await until(lambda: asked)
    if how == "ended":
        reports.end(1)
    else:
        reports.receive("withdrawn", 1, [7])
    await until(lambda: answers)
    assert answers == [(7, "cancel", None)]
