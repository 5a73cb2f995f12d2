"""When typed text is stored: shortly after the last key, and soon also while nobody stops typing."""

from __future__ import annotations

import time

import pytest
from pytestqt.qtbot import QtBot

from chatdesk.ui.qt.save_timer import SaveTimer


@pytest.mark.parametrize("each_ms", [1, 20, 56, 103, 400])
def test_typing_without_a_pause_is_stored_within_a_second(qtbot: QtBot, each_ms: int) -> None:
    timer = SaveTimer()
    fired: list[float] = []
    timer.timeout.connect(lambda: fired.append(time.monotonic()))
    began = time.monotonic()
    while not fired:
        timer.record_change()
        qtbot.wait(each_ms)
        assert time.monotonic() < began + 30, "it never fires"
    assert not timer.isActive() or each_ms < 400


def test_a_change_after_the_last_one_was_stored_has_all_its_time_again(qtbot: QtBot) -> None:
    timer = SaveTimer()
    timer.record_change()
    with qtbot.waitSignal(timer.timeout):
        pass
    timer.record_change()
    assert timer.interval() == 150
    timer.stop()
    timer.record_change()
    assert timer.interval() == 150
