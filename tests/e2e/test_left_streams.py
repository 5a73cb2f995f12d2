"""Who stops an answer, or gets an error instead of one, hears of nothing else: no clean-up in the log, no dialog."""

from __future__ import annotations

from pathlib import Path

from chatdesk.core.paths import AppPaths
from tests.helpers.left_streams import ERRORS, Noise, noise_of_errors, noise_of_silence, noise_of_stops, noise_of_tests


def test_stopping_answers_leaves_nothing_to_clean_up(tmp_path: Path) -> None:
    assert noise_of_stops(AppPaths.find(tmp_path), 14) == Noise()


def test_errors_of_servers_leave_nothing_to_clean_up(tmp_path: Path) -> None:
    assert noise_of_errors(AppPaths.find(tmp_path), len(ERRORS)) == Noise()


def test_testing_a_provider_leaves_nothing_to_clean_up(tmp_path: Path) -> None:
    assert noise_of_tests(AppPaths.find(tmp_path), 6) == Noise()


def test_giving_up_a_silent_server_leaves_nothing_to_clean_up(tmp_path: Path) -> None:
    assert noise_of_silence(AppPaths.find(tmp_path), 2) == Noise()
