"""Histories of two to five computers over a hostile carrier end well, and planted bugs are found."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from chatdesk.core.storage.sync.private_log import PrivateLog
from chatdesk.core.sync.computers import folder_store, merging, reading
from chatdesk.core.sync.computers.segments import Part, Segment, merged, packed, parts_of
from tests.helpers.computers_sim.world import play

_MOST = 40


@pytest.mark.parametrize("seed", range(1, 9))
def test_a_history_ends_well(seed: int, tmp_path: Path) -> None:
    assert play(seed, tmp_path) == []


def _writes_no_lost_file_again(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(PrivateLog, "own_sizes", lambda _self, _computer: {})


def _leaves_out_a_change_that_it_reads(patch: pytest.MonkeyPatch) -> None:
    real: Callable[..., Any] = PrivateLog.append_segment

    def lossy(self: PrivateLog, computer: str, number: int, chain: bytes, rows: Any, **options: Any) -> None:
        real(self, computer, number, chain, rows[:-1] if number % 3 == 0 else rows, **options)

    patch.setattr(PrivateLog, "append_segment", lossy)


def _leaves_out_a_change_that_it_writes(patch: pytest.MonkeyPatch) -> None:
    def lossy(segment: Segment) -> bytes:
        return packed(replace(segment, rows=segment.rows[: max(1, len(segment.rows) - 1)]))

    patch.setattr(folder_store, "packed", lossy)


def _merges_a_segment_twice_and_its_neighbour_not(patch: pytest.MonkeyPatch) -> None:
    def lossy(parts: Sequence[Part]) -> bytes:
        return merged([*parts[:-1], (parts[-1][0], parts[0][1])])

    patch.setattr(merging, "merged", lossy)


def _reads_nothing_of_the_last_merged_one(patch: pytest.MonkeyPatch) -> None:
    def lossy(data: bytes) -> list[Part]:
        *others, (chain, text) = parts_of(data)
        return [*others, (chain, json.dumps({**json.loads(text), "rows": []}).encode())]

    patch.setattr(reading, "parts_of", lossy)


def _finds_no_merged_one(patch: pytest.MonkeyPatch) -> None:
    real = reading.Written.at

    def singles(self: reading.Written, number: int) -> list[reading.Found]:
        return [each for each in real(self, number) if each.data is not None]

    patch.setattr(reading.Written, "at", singles)


_BUGS = (
    _writes_no_lost_file_again,
    _leaves_out_a_change_that_it_reads,
    _leaves_out_a_change_that_it_writes,
    _merges_a_segment_twice_and_its_neighbour_not,
    _reads_nothing_of_the_last_merged_one,
    _finds_no_merged_one,
)


@pytest.mark.parametrize("bug", _BUGS)
def test_a_planted_bug_is_found(
    bug: Callable[[pytest.MonkeyPatch], None], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    bug(monkeypatch)
    assert any(_is_found(seed, tmp_path / str(seed)) for seed in range(1, _MOST))


def _is_found(seed: int, folder: Path) -> bool:
    try:
        return bool(play(seed, folder))
    except AssertionError:
        return True
