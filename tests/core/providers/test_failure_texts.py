"""Every misbehaviour of a server, through all of core: what a person reads, what is kept, and the next message."""

from __future__ import annotations

import errno
import json
from pathlib import Path

import httpx2
import pytest

from chatdesk.core.domain.message import Status
from chatdesk.core.errors import ProviderErrorKind as Kind
from chatdesk.core.providers.failures import FailureTranslator
from tests.helpers.examples import sample
from tests.helpers.fault_cases import CASES, Case
from tests.helpers.fault_table import NEXT, TABLE, play, row
from tests.helpers.fault_world import KEY


@pytest.mark.parametrize("case", sample(CASES, 36), ids=lambda case: case.name)
async def test_a_fault_is_told_as_the_table_says_and_the_next_message_works(case: Case, tmp_path: Path) -> None:
    seen, after, server = await play(case, tmp_path)
    answer = seen.answer
    if case.kind is None:
        assert (answer.status, answer.error) == (Status.COMPLETE, None)
    else:
        assert (answer.status, answer.error_type) == (Status.ERROR, case.kind.value), answer.error
        assert ("the part of the answer that arrived" in (answer.error or "")) is bool(case.text)
    assert answer.text == case.text
    if case.kind is not Kind.REDIRECT:
        assert len(seen.waits) == case.attempts - 1
    if not case.how:
        tried = server.requests[: case.attempts]
        assert len(server.requests) == case.attempts + (0 if case.has_to_wait else 1)
        assert case.kind is Kind.REDIRECT or len({each.headers["idempotency-key"] for each in tried}) == 1
    assert KEY not in f"{answer.error} {json.dumps(answer.error_details)} {[wait.reason for wait in seen.waits]}"
    if isinstance(after, str):
        assert case.has_to_wait
        assert after == "The provider takes no more requests for now."
    else:
        assert (after.answer.status, after.answer.text) == (Status.COMPLETE, NEXT)
    line = row(case, seen)
    assert line in TABLE.read_text(encoding="utf-8").splitlines(), (
        "docs/failures.md says something else; python -m tests.helpers.fault_table --write brings it up to date"
    )


@pytest.mark.parametrize("number", [errno.EMFILE, errno.ENFILE])
def test_too_few_open_files_are_no_fault_of_the_server(number: int) -> None:
    error = httpx2.ConnectError("All connection attempts failed")
    error.__cause__ = OSError(number, "Too many open files")
    failure = FailureTranslator("Example").from_exception(error)
    assert "may not open more files" in failure.what
    assert "ulimit" in failure.next_step


def test_the_table_has_no_line_that_is_not_played() -> None:
    lines = [line for line in TABLE.read_text(encoding="utf-8").splitlines() if line.startswith("| ")]
    played = {case.does for case in CASES}
    assert {line.split(" | ")[0][2:] for line in lines if not line.startswith("| The server")} == played


def case_called(does: str) -> Case:
    return next(case for case in CASES if case.does == does)


@pytest.mark.parametrize(
    ("does", "arguments"),
    [
        (
            "calls tools it was not offered, in fragments out of order",
            {"clock": "{}", "weather": '{"city": "Oslo"}'},
        ),
        ("calls a tool it was not offered, with arguments that are no JSON", {"weather": '{"city": Oslo'}),
    ],
)
async def test_tool_calls_are_kept_as_they_were_written(does: str, arguments: dict[str, str], tmp_path: Path) -> None:
    seen, _after, _server = await play(case_called(does), tmp_path)
    assert {part.tool_name: part.content["arguments"] for part in seen.answer.parts} == arguments


@pytest.mark.parametrize("does", ["says nothing of usage", "says absurd things of usage"])
async def test_usage_that_is_missing_or_absurd_is_estimated(does: str, tmp_path: Path) -> None:
    seen, _after, _server = await play(case_called(does), tmp_path)
    assert seen.answer.prompt_tokens is not None
    assert 0 < seen.answer.prompt_tokens < 1000
    assert seen.answer.completion_tokens is not None
    assert 0 < seen.answer.completion_tokens < 100
