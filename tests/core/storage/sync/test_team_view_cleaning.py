"""What a server says of people and projects is anybody's word."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from chatdesk.core.domain.sharing.sync_wire import DeviceRow, MemberRow, ProjectHead, TeamView
from chatdesk.core.domain.sharing.team import MemberStatus
from chatdesk.core.ids import new_id
from chatdesk.core.storage.sync.team_view_cleaning import LONGEST_NAME, MOST, cleaned, shown
from chatdesk.core.sync.invitations import shown_name

STRANGE: tuple[Any, ...] = (None, 7, -1, 2**70, 1.5, True, "", "x" * 1_000_000, "../../etc", "\ud800\0", [], {}, [[]])


def _members(*names: str) -> list[MemberRow]:
    return [MemberRow(new_id(), name, False, "active", at) for at, name in enumerate(names)]


def _names(*members: MemberRow) -> list[str]:
    return [each.name for each in cleaned(TeamView((), tuple(members), (), ())).members]


@pytest.mark.parametrize("value", STRANGE, ids=range(len(STRANGE)))
def test_nothing_strange_is_kept(value: Any) -> None:
    good = ProjectHead(new_id(), "editor", "cd_1", 4)
    heads = [ProjectHead(value, "editor", "c", 1), ProjectHead(new_id(), value, "c", 1)]
    members = [MemberRow(value, "A", False, "active", 1), MemberRow(new_id(), value, value, value, value)]
    devices = [DeviceRow(value, new_id(), "d", "1", 1), DeviceRow(new_id(), new_id(), value, value, value)]
    roles = [(value, new_id(), "viewer"), (new_id(), value, "viewer"), (new_id(), new_id(), value)]
    found = cleaned(TeamView((good, *heads), tuple(members), tuple(devices), tuple(roles)))
    assert found.projects == (good,)
    [member] = found.members
    assert member.status == MemberStatus.REMOVED
    assert len(member.name) <= LONGEST_NAME
    assert member.invited_at is None or type(member.invited_at) is int
    assert len(found.devices) == 1
    assert found.roles == ()


def test_channels_and_numbers_are_bounded() -> None:
    heads = [ProjectHead(new_id(), "editor", "c" * 1000, 1), ProjectHead(new_id(), "editor", "c", -1)]
    assert cleaned(TeamView(tuple(heads), (), (), ())).projects == ()


def test_no_more_is_kept_than_any_team_has() -> None:
    many = tuple(itertools.repeat(ProjectHead(new_id(), "viewer", "c", 0), MOST + 5))
    assert len(cleaned(TeamView(many, (), (), ())).projects) == MOST


def test_names_stand_on_one_line_and_turn_nothing_round() -> None:
    assert shown("Ana\u202e\u2066\n\x07 gnp.exe\u200b") == "Ana⟦U+202E⟧⟦U+2066⟧ ⟦U+0007⟧ gnp.exe⟦U+200B⟧"
    assert shown("  Jürgen   Müller ") == "Jürgen Müller"
    assert shown(None) == ""


@pytest.mark.parametrize("other", ["Olga", "olga ", "\u041elga", "Ol\u200dga", "Ｏｌｇａ"])
def test_no_member_is_shown_under_the_name_of_another(other: str) -> None:
    olga, mallory = _members("Olga", other)
    shown_names = _names(mallory, olga)
    assert shown_names[1] == "Olga"
    assert shown_names[0].endswith("(2)") or "⟦U+" in shown_names[0]


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("\u041elga", "⟦U+041E⟧lga"),
        ("Ol\u200bga", "Ol⟦U+200B⟧ga"),
        ("\u202eaglO", "⟦U+202E⟧aglO"),
        ("Ol\u00adga", "Ol⟦U+00AD⟧ga"),
        ("Ol\ue000ga", "Ol ga"),
        ("Ольга", "Ольга"),
        ("Ольга Olga", "Ольга Olga"),
        ("नरेन्द्र\u200dा", "नरेन्द्र\u200dा"),
        ("Ana \U0001f469\u200d\U0001f4bb", "Ana \U0001f469\u200d\U0001f4bb"),
    ],
)
def test_what_makes_a_name_look_like_another_is_shown_of_people_and_computers(name: str, wanted: str) -> None:
    device = DeviceRow(new_id(), new_id(), name, "1", 1)
    assert cleaned(TeamView((), (), (device,), ())).devices[0].name == wanted
    assert _names(*_members(name)) == [wanted]
    assert shown(name) == wanted  # of a workspace
    assert shown_name(name) == wanted  # of whatever an invitation names


def test_who_was_removed_does_not_keep_a_name_from_others() -> None:
    gone, anna, ben = _members("Anna", "Anna", "Ben")
    gone = MemberRow(gone.id, gone.name, False, "removed", 0)
    assert _names(gone, anna, ben) == ["Anna (2)", "Anna", "Ben"]
