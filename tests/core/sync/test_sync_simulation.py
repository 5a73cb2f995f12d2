"""Seeded histories of teams in trouble, after which everybody holds what everybody should; see ``sync_sim``."""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import replace

import pytest

from tests.helpers.examples import sample
from tests.helpers.postgres import Cluster
from tests.helpers.sync_sim.long_stories import COPY_STORIES, ERASING_STORIES, STORIES
from tests.helpers.sync_sim.real_world import RealHistory
from tests.helpers.sync_sim.world import COPIES, ERASING, LONG, History, Mix

# Seeds that once found something; with whole stories.
FOUND = {
    52: "a profile is copied while an answer is under way",
    63: "an answer to a question below an unfinished answer",
    20180: "a title of a thread in a change that is of no known kind",
    160: "a project is tended that a restored server never had",
    152: "what nobody can bring back does not wait for ever",
    201: "a restored server gets the same changes with other stamps",
    240: "a thread of nonsense",
    259: "a project is shared, and the server restored to before that",
    4821: "nonsense made a thread under the id of a message, and its refused deletion stayed",
    880036: "what had lost its place in the sequence was sent without one, after the server was restored",
}
# The same with ``LONGER``.
LONGER_FOUND = {
    40008: "nonsense that was refused hid or showed a thread",
    40061: "an answer that waited for its end here, while the server was restored",
    40072: "somebody who may only read keeps what the server lost",
}
# The same with ``LONG``.
LONG_FOUND = {
    3967: "a file that was met only in the last round of all",
    5147: "the same, at a copy",
    5211: "two copies ended one answer at the same place of their sequence, each in its own way",
    7855: "a share that was broken off began again with the log of before it",
    8747: "what was entered anew was refused, because the log had it by the change of before",
    17771: "what was removed for good while the share had ended did not come again",
    1202199: "a message from weeks ahead, whose server was restored and took it again later",
    1204112: "the same of a thread",
    12947: "only somebody who may not name a project knows any more what it was called",
}
# The same with ``COPIES``.
COPIES_FOUND = {
    1200066: "a purged branch of a private copy was the one that was shown, and another was there",
}
# The same with ``ERASING``.
ERASING_FOUND = {
    7700224: "an answer was still being written here when its end by a copy was erased and the server restored",
    990117: "only who may not write any more knew of an erasure, and the server was restored to before it",
    990292: "nothing came after an answer ended here, whose end by a copy was erased",
    1203080: "an answer ended here whose end by a copy was erased, and the server was restored before that was seen",
    1203032: "a question that waited here for an answer above it was sent and erased by a copy",
    990373: "the same as 990117, where a copy of theirs knew of it too",
}
LONGER = Mix(steps=250, trouble=0.1)
FIRST = int(os.environ.get("CHATDESK_FIRST_SEED", "0"))
IS_LONG = "CHATDESK_FIRST_SEED" in os.environ
_BATCH = 20
_SHORT_BATCH = 8


def _firsts(count: int, size: int, *, first: int = 0, long: int) -> range:
    """Return the seeds with which batches of ``size`` histories begin. `make test` plays ``count`` histories; a mistake
    shows within 40, or among those from ``first`` on where that says so (``test_sync_planted_bugs.py``). `make
    test-long` plays ``long`` histories with seeds that are new."""
    return range(FIRST, FIRST + long, size) if IS_LONG else range(first, first + count, size)


@pytest.mark.parametrize("first", _firsts(40, _BATCH, long=300))
def test_a_team_in_trouble_comes_to_rest_with_nothing_lost(first: int) -> None:
    mix = Mix(steps=22, trouble=0.2)
    wrong = {seed: found for seed in range(first, first + _BATCH) if (found := History(seed, mix).play())}
    assert wrong == {}, f"python -m tests.helpers.sync_sim {next(iter(wrong))} {mix.steps} {mix.trouble}"


@pytest.mark.parametrize("first", _firsts(8, _SHORT_BATCH, long=24))
def test_shares_that_end_and_begin_again_lose_nothing_in_months(first: int) -> None:
    wrong = {seed: found for seed in range(first, first + _SHORT_BATCH) if (found := History(seed, LONG).play())}
    assert wrong == {}


@pytest.mark.parametrize("first", _firsts(8, _SHORT_BATCH, first=128, long=24))
def test_private_copies_whose_owners_come_back_hold_what_the_team_holds(first: int) -> None:
    wrong = {seed: found for seed in range(first, first + _SHORT_BATCH) if (found := History(seed, COPIES).play())}
    assert wrong == {}


def test_stories_of_private_copies_tell_everything() -> None:
    counts: Counter[str] = Counter()
    for seed in range(43, 47):
        history = History(seed, COPIES)
        assert history.play() == [], seed
        counts += history.counts
    assert {"left", "wrote in a private copy", "emptied trash", "joined again", "shared again"} <= counts.keys()
    assert COPIES.faults.keys() >= COPY_STORIES.keys()


@pytest.mark.parametrize("first", _firsts(4, 4, first=12, long=24))
def test_what_was_erased_stays_erased_whatever_the_server_forgets(first: int) -> None:
    wrong = {seed: found for seed in range(first, first + 4) if (found := History(seed, ERASING).play())}
    assert wrong == {}


def test_stories_of_erasing_tell_everything() -> None:
    counts: Counter[str] = Counter()
    for seed in (3, 6):
        history = History(seed, ERASING)
        assert history.play() == [], seed
        counts += history.counts
    assert {"lost erasures", "erase_message", "erase_thread", "restored servers"} <= counts.keys()
    assert ERASING.faults.keys() >= ERASING_STORIES.keys()


def test_long_stories_tell_everything() -> None:
    counts: Counter[str] = Counter()
    for seed in range(2000, 2012):
        history = History(seed, replace(LONG, trouble=0.5, faults=dict.fromkeys(STORIES, 1)))
        assert history.play() == []
        counts += history.counts
    assert {
        "unshared", "shared again", "left", "joined again", "weeks that passed", "emptied trash",
        "clocks wrong by weeks", "attach",
    } <= counts.keys()  # fmt: skip


@pytest.mark.parametrize("seed", sample([*FOUND], 3))
def test_seeds_that_found_something_find_nothing_any_more(seed: int) -> None:
    assert History(seed).play() == []


@pytest.mark.parametrize("seed", sample([*LONGER_FOUND], 1))
def test_long_histories_that_found_something_find_nothing_any_more(seed: int) -> None:
    assert History(seed, LONGER).play() == []


@pytest.mark.parametrize("seed", sample([*LONG_FOUND], 3))
def test_histories_of_months_that_found_something_find_nothing_any_more(seed: int) -> None:
    assert History(seed, LONG).play() == []


@pytest.mark.parametrize("seed", sample([*COPIES_FOUND], 1))
def test_histories_of_copies_that_found_something_find_nothing_any_more(seed: int) -> None:
    assert History(seed, COPIES).play() == []


@pytest.mark.parametrize("seed", sample([*ERASING_FOUND], 2))
def test_histories_of_erasing_that_found_something_find_nothing_any_more(seed: int) -> None:
    assert History(seed, ERASING).play() == []


def test_a_seed_tells_the_same_story_again() -> None:
    first, second = History(7), History(7)
    assert first.play() == second.play()
    assert first.story == second.story
    assert first.counts == second.counts


# Seeds that tell it within a moment; `make test-long` plays twenty.
_EVERYTHING = (1003, 1006, 1007, 1009, 1015, 1016, 1018, 1044)


def test_everything_that_can_happen_happens() -> None:
    counts: Counter[str] = Counter()
    for seed in (*range(1000, 1019), 1044) if IS_LONG else _EVERYTHING:
        history = History(seed, Mix(steps=50, trouble=0.4))
        assert history.play() == []
        counts += history.counts
    assert {
        "crashes", "request lost", "reply lost", "arrives late", "arrives twice", "copied profiles",
        "restored profiles", "restored servers", "destroyed computers", "new computers", "clock jumps",
        "changed roles", "removed from a project", "added to a project", "removed members", "ended projects",
        "projects shared", "versions too old to write", "odd rows", "changes refused",
            "erase_message", "erase_thread",
    } <= counts.keys()  # fmt: skip


# Backups and restores are databases that are copied, which takes its time.
_RESTORES = {"back_up_server": 4, "restore_server": 5, "copy_profile": 1, "change_role": 1, "remove_member": 1}


@pytest.mark.parametrize("seed", range(6))
def test_the_same_histories_end_well_with_a_real_server(postgres: Cluster, seed: int) -> None:
    assert RealHistory(seed, postgres).play() == []


@pytest.mark.parametrize("seed", [3, 5])
def test_a_real_server_that_is_restored_from_backups_gets_everything_back(postgres: Cluster, seed: int) -> None:
    history = RealHistory(seed, postgres, Mix(steps=30, trouble=0.35, faults=_RESTORES))
    assert history.play() == []
    assert history.counts["restored servers"] > 0
