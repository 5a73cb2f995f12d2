"""What is said of a team: every state has its sentence, and it is true."""

from __future__ import annotations

import pytest

from chatdesk.core.domain.sharing.team import EndReason, MemberStatus, SyncPhase, SyncStatus, TeamMember, TeamRole
from chatdesk.ui.features.team.shared_text import (
    arrived_words,
    authors_words,
    ended_words,
    managers_of,
    refusal_words,
    role_words,
)
from chatdesk.ui.features.team.sync_status_text import status_line, waiting_words

_TIMES = {1: "14:02"}


def line(*statuses: SyncStatus):
    return status_line(statuses, {"w": "The team"}, _TIMES.__getitem__)


@pytest.mark.parametrize(
    ("changes", "text", "tone"),
    [
        ({"phase": SyncPhase.SYNCED, "synced_at": 1}, "Synced 14:02", "calm"),
        ({"phase": SyncPhase.SYNCED}, "Synced", "calm"),
        ({"phase": SyncPhase.SYNCED, "synced_at": 1, "waiting": 2}, "Synced 14:02: 2 changes wait", "calm"),
        ({"phase": SyncPhase.OFFLINE}, "Offline", "offline"),
        ({"phase": SyncPhase.OFFLINE, "waiting": 12}, "Offline: 12 changes wait", "offline"),
        ({"phase": SyncPhase.OFFLINE, "waiting": 1}, "Offline: 1 change waits", "offline"),
        ({"phase": SyncPhase.CONNECTING}, "Connecting…", "calm"),
        ({"phase": SyncPhase.CONNECTING, "waiting": 3}, "Connecting: 3 changes wait", "calm"),
        ({"phase": SyncPhase.SYNCING, "done": 34_200, "total": 100_000}, "Syncing 34,200 of 100,000", "calm"),
        ({"phase": SyncPhase.SYNCING, "waiting": 3}, "Sending 3 changes", "calm"),
        ({"phase": SyncPhase.SYNCING, "synced_at": 1}, "Synced 14:02", "calm"),
        ({"phase": SyncPhase.SYNCING}, "Syncing…", "calm"),
        (
            {"phase": SyncPhase.REFUSED, "problem": "The password is wrong."},
            "Refused: The password is wrong.",
            "refused",
        ),
        ({"phase": SyncPhase.REFUSED}, "Refused by the team's server", "refused"),
        ({"phase": SyncPhase.SYNCED, "synced_at": 1, "refused": 2}, "Refused: 2 changes", "refused"),
        ({"phase": SyncPhase.READ_ONLY}, "Update ChatDesk to send", "refused"),
        ({"phase": SyncPhase.READ_ONLY, "waiting": 1}, "Update ChatDesk to send: 1 change waits", "refused"),
        ({"phase": SyncPhase.OFF}, "Sync is off", "calm"),
    ],
)
def test_each_state_has_its_sentence(changes, text, tone):
    found = line(SyncStatus("w", **changes))
    assert (found.text, found.tone) == (text, tone)
    assert found.tip.startswith("The team: ")


def test_without_a_workspace_nothing_is_said():
    assert line().text == ""


def test_the_workspace_that_needs_somebody_most_decides_and_the_tip_has_all():
    calm = SyncStatus("w", SyncPhase.SYNCED, synced_at=1)
    away = SyncStatus("x", SyncPhase.OFFLINE, problem="The server is not reached.", next_step="It is tried again.")
    assert line(calm, away).text == "Offline"
    refused = SyncStatus("y", SyncPhase.SYNCED, synced_at=1, refused=1)
    found = line(calm, away, refused)
    assert found.text == "Refused: 1 change"
    assert "Workspace: Offline. The server is not reached. It is tried again." in found.tip.splitlines()
    assert len(found.tip.splitlines()) == 3


@pytest.mark.parametrize("reason", list(EndReason))
def test_the_end_of_a_share_says_what_stays(reason):
    words = ended_words("Research", reason)
    assert "“Research”" in words
    if reason is EndReason.ERASED:
        assert words.endswith("What you had not sent is in your own project.")
    else:
        assert words.endswith("stays on this computer as a private copy.")


def test_roles_and_refusals_have_words():
    assert len({role_words(role) for role in TeamRole}) == 4
    assert refusal_words(["Ana", "Ben"]) == "You can read this project; ask Ana to let you write."
    assert refusal_words([]) == "You can read this project; ask its owner to let you write."


def test_owners_are_asked_before_administrators_and_nobody_who_is_gone():
    def member(name: str, role: TeamRole, status: MemberStatus = MemberStatus.ACTIVE) -> TeamMember:
        return TeamMember(name, name, False, status, roles={"p": role})

    members = [
        member("Ben", TeamRole.ADMIN),
        member("Ana", TeamRole.OWNER),
        member("Eve", TeamRole.OWNER, MemberStatus.REMOVED),
        member("Me", TeamRole.ADMIN),
        member("Zoe", TeamRole.EDITOR),
        TeamMember("Elsewhere", "Elsewhere", True, MemberStatus.ACTIVE, roles={"q": TeamRole.OWNER}),
    ]
    assert managers_of("p", members, me="Me") == ["Ana", "Ben"]


def test_authors_are_named_up_to_two():
    assert authors_words([]) == "Another member"
    assert authors_words(["Ana"]) == "Ana"
    assert authors_words(["Ana", "Ben"]) == "Ana and Ben"
    assert authors_words(["Ana", "Ben", "Eve"]) == "Ana, Ben and 1 other"
    assert authors_words(["Ana", "Ben", "Eve", "Zoe"]) == "Ana, Ben and 2 others"
    assert arrived_words(["Ana"], 1) == "Ana wrote a message"
    assert arrived_words(["Ana"], 3) == "Ana wrote 3 messages"
    assert waiting_words(0) == ""
