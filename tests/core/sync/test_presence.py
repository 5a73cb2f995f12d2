"""What of a person's place is worth sending, and what is made of others'."""

from __future__ import annotations

from chatdesk.core.domain.sharing.sync_wire import PresenceRow
from chatdesk.core.domain.sharing.team import PresenceState
from chatdesk.core.sync.presence import AWAY, HEARTBEAT_S, TYPING_EVERY_S, PresenceBoard, PresenceUpdate

HERE, TYPING = PresenceState.HERE, PresenceState.TYPING


class Seconds:
    """A clock that does not advance by itself."""

    def __init__(self) -> None:
        self.now = 100.0

    def now_ms(self) -> int:
        return round(self.now * 1000)

    def monotonic_s(self) -> float:
        return self.now


def board() -> tuple[PresenceBoard, Seconds]:
    clock = Seconds()
    return PresenceBoard(clock), clock


def test_opening_a_shared_project_is_said_at_once_and_then_kept_alive() -> None:
    it, clock = board()
    assert it.wait_s() is None
    assert it.stand("p", "t", is_typing=False)
    assert it.pop_due() == (PresenceUpdate("p", "t", HERE),)
    assert it.pop_due() == ()
    assert it.wait_s() == HEARTBEAT_S
    clock.now += HEARTBEAT_S
    assert it.pop_due() == (PresenceUpdate("p", "t", HERE),)


def test_typing_is_said_at_most_every_three_seconds_however_fast_one_types() -> None:
    it, clock = board()
    it.stand("p", "t", is_typing=False)
    it.pop_due()
    said = []
    for _ in range(600):
        clock.now += 0.05
        it.stand("p", "t", is_typing=True)
        said += it.pop_due()
    assert said[0] == PresenceUpdate("p", "t", TYPING)
    assert len(said) <= 1 + 30 / TYPING_EVERY_S


def test_a_member_who_stops_typing_is_present_only() -> None:
    it, clock = board()
    it.stand("p", "t", is_typing=True)
    assert it.pop_due() == (PresenceUpdate("p", "t", TYPING),)
    wait_s = it.wait_s()
    assert wait_s is not None
    assert 0 < wait_s <= 5
    clock.now += wait_s
    assert it.pop_due() == (PresenceUpdate("p", "t", HERE),)


def test_typing_again_right_after_waits_its_turn() -> None:
    it, clock = board()
    it.stand("p", "t", is_typing=True)
    it.pop_due()
    it.stand("p", "u", is_typing=False)
    clock.now += 0.5
    assert it.pop_due() == (PresenceUpdate("p", "u", HERE),)
    clock.now += 0.1
    assert not it.stand("p", "u", is_typing=True)
    wait_s = it.wait_s()
    assert wait_s is not None
    assert wait_s > 2
    clock.now += wait_s
    assert it.pop_due() == (PresenceUpdate("p", "u", TYPING),)


def test_going_elsewhere_says_good_bye() -> None:
    it, _clock = board()
    it.stand("p", "t", is_typing=False)
    it.pop_due()
    assert it.stand("q", None, is_typing=False)
    assert it.pop_due() == (PresenceUpdate("p", None, AWAY), PresenceUpdate("q", None, HERE))
    assert it.stand(None, None, is_typing=False)
    assert it.pop_due() == (PresenceUpdate("q", None, AWAY),)
    assert it.wait_s() is None


def test_a_new_connection_says_it_again() -> None:
    it, _clock = board()
    it.stand("p", "t", is_typing=False)
    it.pop_due()
    it.start_over()
    assert it.wait_s() == 0
    assert it.pop_due() == (PresenceUpdate("p", "t", HERE),)


def test_others_are_shown_once_each_by_name_and_never_oneself() -> None:
    it, _clock = board()
    names = {"a": "ana", "b": "Ben"}
    rows = [
        PresenceRow("p", "b", "d1", "t", "here"),
        PresenceRow("p", "b", "d2", "u", "typing"),
        PresenceRow("p", "a", "d3", None, "here"),
        PresenceRow("p", "me", "d4", "t", "typing"),
        PresenceRow("q", "a", "d3", None, "a lie"),
    ]
    assert it.replace_others(rows, me="me", name_of=names.__getitem__) == {"p"}
    assert [(one.name, one.state, one.thread_id) for one in it.at("p")] == [("ana", HERE, None), ("Ben", TYPING, "u")]
    assert it.at("q") == ()
    assert it.replace_others(rows, me="me", name_of=names.__getitem__) == frozenset()
    assert it.replace_others([], me="me", name_of=names.__getitem__) == {"p"}
    assert it.at("p") == ()
