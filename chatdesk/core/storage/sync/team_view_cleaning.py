"""Cleans the people and projects that a server lists before they are stored: valid ids, short names on one line, known
words.

A server may be hostile, and members choose their own names: no name may contain control or direction characters or
letters of two scripts that look alike, and no member is shown under the very name of another.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from chatdesk.core.domain.sharing.sync_wire import DeviceRow, MemberRow, ProjectHead, TeamView
from chatdesk.core.domain.sharing.team import MemberStatus, TeamRole
from chatdesk.core.hidden_characters import strangers_name, told_apart
from chatdesk.core.storage.engine.plain_text import clean
from chatdesk.core.storage.sync.wire.rows import is_id, whole

LONGEST_NAME: Final = 200
# More than any team has.
MOST: Final = 10_000
_ROLES: Final = frozenset(role.value for role in TeamRole)
_STATUSES: Final = frozenset(status.value for status in MemberStatus)


def cleaned(view: TeamView, known: Sequence[MemberRow] = ()) -> TeamView:
    """Return ``view`` without invalid values. ``known``: earlier members, from whom new ones must differ in name."""
    members = [_member(each) for each in view.members[:MOST] if is_id(each.id)]
    named = {each.id for each in members}
    distinct = _distinguished([*(each for each in known if each.id not in named), *members])
    return TeamView(
        tuple(each for each in view.projects[:MOST] if is_project(each)),
        tuple(each for each in distinct if each.id in named),
        tuple(_device(each) for each in view.devices[:MOST] if is_id(each.id) and is_id(each.member_id)),
        tuple(each for each in view.roles[: 10 * MOST] if _is_role(each, is_whole=view.is_whole)),
        is_whole=view.is_whole,
    )


def shown(name: object) -> str:
    """Return a name on one line; invisible characters, and letters that look like Latin ones beside them, are spelt
    out."""
    return strangers_name(clean(name[: 4 * LONGEST_NAME]), LONGEST_NAME) if isinstance(name, str) else ""


def is_project(head: ProjectHead) -> bool:
    """Return whether the row can be a project. A project missing from the view means that this member was removed
    from it."""
    return (
        is_id(head.project_id)
        and _is_one_of(head.role, _ROLES)
        and _is_short(head.channel)
        and whole(head.seq) is not None
    )


def _is_short(value: object) -> bool:
    return isinstance(value, str) and len(value) <= LONGEST_NAME


def _is_role(role: tuple[str, str, str | None], *, is_whole: bool) -> bool:
    return is_id(role[0]) and is_id(role[1]) and (_is_one_of(role[2], _ROLES) or (role[2] is None and not is_whole))


def _member(member: MemberRow) -> MemberRow:
    status = member.status if _is_one_of(member.status, _STATUSES) else MemberStatus.REMOVED.value
    return MemberRow(member.id, shown(member.name), bool(member.is_owner), status, whole(member.invited_at))


def _device(device: DeviceRow) -> DeviceRow:
    name, version = shown(device.name), shown(device.app_version)
    return DeviceRow(device.id, device.member_id, name, version, whole(device.last_seen_at), bool(device.is_removed))


def _distinguished(members: Sequence[MemberRow]) -> tuple[MemberRow, ...]:
    """Append a number to names that look the same, for all members but the earliest."""
    names = told_apart({each.id: each.name for each in sorted(members, key=_standing)})
    return tuple(replace(each, name=names[each.id]) for each in members)


def _standing(member: MemberRow) -> tuple[bool, int, str]:
    return member.status == MemberStatus.REMOVED, member.invited_at or 0, member.id


def _is_one_of(word: object, words: frozenset[str]) -> bool:
    return isinstance(word, str) and word in words
