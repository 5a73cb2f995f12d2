"""What one connection to a team's database knows from round to round."""

from __future__ import annotations

from chatdesk.core.sync.requests import Link


def test_what_is_here_already_is_not_asked_for_again() -> None:
    link = Link()
    link.channels, link.pulled = {"p1": "channel1"}, {"p1": 7}
    assert link.news_of({}) is None
    assert link.news_of({"channel1": 7}) is None
    assert link.news_of({"channel1": 8}) == {"p1"}
    assert link.news_of({"channel1": 0}) == {"p1"}  # something else was said
    assert link.news_of({"channel1": 3, "channel9": 1}) == set()
