"""Turns are short and collections rare as long as anybody needs that, and then both are as they were."""

from __future__ import annotations

import gc
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from chatdesk.core.system.thread_turns import COLLECT_AFTER, SHORT_S, collect_rarely, short_turns

COMMAND = """
import atexit, gc
from chatdesk.cli import main as cli
cli.run = lambda arguments, before_command: before_command()
atexit.register(lambda: print(*gc.get_threshold(), gc.get_freeze_count() > 10_000))
from chatdesk.__main__ import main
main()
"""
USUAL_S = 0.004
USUAL_COLLECTIONS = (600, 9, 8)


@pytest.fixture(autouse=True)
def usual() -> Iterator[None]:
    before_s, before = sys.getswitchinterval(), gc.get_threshold()
    sys.setswitchinterval(USUAL_S)
    gc.set_threshold(*USUAL_COLLECTIONS)
    yield
    sys.setswitchinterval(before_s)
    gc.set_threshold(*before)


def now_s() -> float:
    return round(sys.getswitchinterval(), 6)


@pytest.mark.parametrize("ends_first", [0, 1])
def test_turns_are_short_until_the_last_of_several_ends(ends_first: int) -> None:
    users = [ExitStack(), ExitStack()]
    for each in users:
        each.enter_context(short_turns())
    users.pop(ends_first).close()
    assert (now_s(), gc.get_threshold()) == (SHORT_S, COLLECT_AFTER)
    users.pop().close()
    assert (now_s(), gc.get_threshold()) == (USUAL_S, USUAL_COLLECTIONS)


def test_an_error_ends_them_too() -> None:
    with pytest.raises(KeyError), short_turns():
        raise KeyError
    assert (now_s(), gc.get_threshold()) == (USUAL_S, USUAL_COLLECTIONS)


def test_turns_that_are_shorter_already_stay_so() -> None:
    sys.setswitchinterval(SHORT_S / 2)
    same = pytest.approx(SHORT_S / 2, abs=5e-6)  # Python cuts to whole microseconds each time it is set
    with short_turns():
        assert now_s() == same
    assert now_s() == same


def test_threads_that_begin_and_end_at_once_leave_them_as_they_were() -> None:
    begin = threading.Barrier(8)

    def work() -> None:
        begin.wait(60)
        for _ in range(50):
            with short_turns():
                assert now_s() == SHORT_S

    threads = [threading.Thread(target=work) for _ in range(8)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert now_s() == USUAL_S


def test_a_process_that_only_serves_leaves_what_it_loaded_alone_and_collects_rarely() -> None:
    frozen = gc.get_freeze_count()
    try:
        collect_rarely()
        assert gc.get_threshold() == COLLECT_AFTER
        assert gc.get_freeze_count() > frozen
    finally:
        gc.unfreeze()


def test_a_command_leaves_what_it_loaded_alone_also_at_its_end() -> None:
    told = subprocess.run([sys.executable, "-c", COMMAND], capture_output=True, text=True, check=True).stdout
    assert told.split() == [*map(str, COLLECT_AFTER), "True"]
