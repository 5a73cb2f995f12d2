"""A team is read by difference: one statement tells what changed, and leads to what reading all of it says."""

from __future__ import annotations

from dataclasses import replace

import pytest

from chatdesk.core.domain.sharing.sync_wire import TeamView
from chatdesk.core.ids import new_id
from chatdesk.core.sync import errors
from chatdesk.core.sync.team_store.postgres import TeamStore, connect
from tests.helpers.team_people import Person, Team

_MINUTE_US = 60_000_000


class Looker:
    """Somebody who keeps what they were told, as a profile does."""

    def __init__(self, person: Person, team: Team) -> None:
        self.person = person
        self.store: TeamStore = connect(replace(team.database.address, user=person.login), person.password)
        self.store.hello(person.device, name="desk", version="1")
        self.members: dict[str, tuple[str, str, bool]] = {}
        self.roles: dict[tuple[str, str], str] = {}
        self.devices: set[str] = set()
        self.since = 0

    def look(self) -> TeamView:
        _, view = self.store.view(self.person.device, since=self.since)
        if view.is_whole:
            self.members, self.roles, self.devices = {}, {}, set()
        self.members |= {row.id: (row.name, row.status, row.is_owner) for row in view.members}
        for project, member, role in view.roles:
            if role is None:
                self.roles.pop((project, member), None)
            else:
                self.roles[project, member] = role
        self.devices |= {row.id for row in view.devices if not row.is_removed}
        self.devices -= {row.id for row in view.devices if row.is_removed}
        mine = {head.project_id for head in view.projects if not head.is_deleted}
        self.roles = {key: role for key, role in self.roles.items() if key[0] in mine}
        self.since = view.version + _MINUTE_US  # as if a minute had passed: only what is new comes
        return view

    def known(self) -> tuple[object, ...]:
        return self.members, self.roles, self.devices


def test_who_looks_again_is_told_nothing_new(team: Team) -> None:
    project = team.project()
    looker = Looker(team.join("anna", **{project: "editor"}), team)
    assert looker.look().is_whole
    again = looker.look()
    looker.store.close()
    assert (again.is_whole, again.members, again.devices, again.roles) == (False, (), (), ())
    assert [head.project_id for head in again.projects] == [project]


def test_differences_lead_to_what_the_whole_says(team: Team) -> None:
    first, second = team.project(), team.project()
    anna, ben = team.join("anna", **{first: "editor"}), team.join("ben", **{second: "viewer"})
    lookers = [Looker(each, team) for each in (team.owner, anna, ben)]
    owner = team.owner
    steps = [
        lambda: owner.ask("SELECT cd.set_role(%s, %s, 'admin')", first, anna.id),
        lambda: owner.ask("SELECT cd.set_role(%s, %s, 'editor')", second, anna.id),
        lambda: ben.ask("SELECT cd.rename_me('Benedict')"),
        lambda: owner.ask("SELECT cd.set_role(%s, %s, NULL)", second, ben.id),
        lambda: owner.ask("SELECT cd.set_workspace_owner(%s, true)", anna.id),
        lambda: team.join("zoe", **{first: "viewer"}),
        lambda: ben.ask("SELECT cd.create_project(%s)", new_id()),
        lambda: anna.ask("SELECT cd.remove_device(%s)", anna.device),
        lambda: owner.ask("SELECT cd.end_project(%s)", second),
        lambda: owner.ask("SELECT cd.remove_member(%s)", ben.id),
    ]
    for each in lookers:
        each.look()
    for step in steps:
        step()
        for each in list(lookers):
            try:
                each.look()
            except (errors.TeamNotInvited, errors.TeamDeviceUnknown, errors.TeamUnreachable):
                each.store.close()
                lookers.remove(each)  # removed, or its computer was
    assert team.owner in [each.person for each in lookers]
    for each in lookers:
        merged = each.known()
        each.since = 0
        each.look()
        assert merged == each.known()
        each.store.close()


def test_what_was_committed_late_comes_with_its_hint(team: Team) -> None:
    """Its row says when it was written; who looked in between would else never ask for it."""
    project = team.project()
    anna = team.join("anna", **{project: "editor"})
    looker = Looker(anna, team)
    channel = looker.look().projects[0].channel
    looker.store.listen([channel])
    with team.owner.conn.transaction():
        team.owner.ask("SELECT cd.set_role(%s, %s, 'viewer')", project, anna.id)
        looker.look()
        assert looker.roles[project, anna.id] == "editor"
    heard = looker.store.wait(30)
    assert heard.people_at is not None
    looker.since = min(looker.since, heard.people_at)
    looker.look()
    looker.store.close()
    assert looker.roles[project, anna.id] == "viewer"


def test_being_seen_again_writes_nothing_and_changes_nothing(team: Team) -> None:
    looker = Looker(team.owner, team)
    looker.look()
    before = team.owner.value("SELECT last_seen FROM cd.device WHERE id = %s", team.owner.device)
    looker.store.hello(team.owner.device, name="desk", version="1")
    assert looker.look().devices == ()
    seen = team.owner.value("SELECT last_seen FROM cd.device WHERE id = %s", team.owner.device)
    looker.look()
    assert team.owner.value("SELECT last_seen FROM cd.device WHERE id = %s", team.owner.device) == seen > before
    looker.store.close()


def test_a_view_says_who_is_here_and_what_one_may(team: Team) -> None:
    project = team.project()
    anna = team.join("anna", **{project: "viewer"})
    team.owner.ask("SELECT cd.set_presence(%s, %s, NULL, 'here')", project, team.owner.device)
    looker = Looker(anna, team)
    hello, view = looker.store.view(anna.device, since=0)
    looker.store.close()
    assert (hello.member_id, hello.mode, hello.is_owner) == (anna.id, "rw", False)
    assert [(row.project_id, row.member_id, row.state) for row in view.presence] == [(project, team.owner.id, "here")]


def test_an_outdated_protocol_is_told_its_mode_alone(team: Team) -> None:
    with team.database.as_superuser() as conn:
        conn.execute("UPDATE cd.meta SET min_read = 99, min_write = 99")
    looker = Looker(team.owner, team)
    hello, view = looker.store.view(team.owner.device, since=0)
    looker.store.close()
    assert hello.mode == "blocked"
    assert view.projects == view.members == view.devices == ()


def test_who_hears_not_even_themselves_is_deaf(team: Team, monkeypatch: pytest.MonkeyPatch) -> None:
    """As behind a pooler that gives each statement another connection."""
    now = [1000.0]
    monkeypatch.setattr("chatdesk.core.sync.team_store.listening.time.monotonic", lambda: now[0])
    project = team.project()
    looker = Looker(team.owner, team)
    for listens in (False, True):
        if listens:
            looker.store.listen([looker.look().projects[0].channel])
        for _ in range(2):
            looker.store.poke(project)
        now[0] += 10
        assert looker.store.is_deaf is not listens
    looker.store.close()


# As a crash may leave a table that is not logged: a broken index or row, or a file that cannot be read.
_FAULTS = ("XX001", "XX002", "58030", "58P01")
_STEPS = {
    "set_role": "SELECT cd.set_role(%(project)s, %(anna)s, NULL)",
    "remove_member": "SELECT cd.remove_member(%(anna)s)",
    "remove_device": "SELECT cd.remove_device(%(device)s)",
    "end_project": "SELECT cd.end_project(%(project)s)",
    "erase_project": "SELECT cd.erase_project(%(project)s)",
}


@pytest.mark.parametrize("fault", _FAULTS)
def test_broken_presence_costs_nothing_but_its_display(team: Team, fault: str) -> None:
    olga = team.owner
    olga.hello()
    projects = [team.project() for _ in (*_STEPS, "left")]
    people = [team.join(f"anna{place}", **dict.fromkeys(projects, "editor")) for place in range(len(_STEPS))]
    lookers = [Looker(each, team) for each in (olga, people[-1])]
    query = "SELECT cd.set_presence(%s, %s, NULL, 'here')"
    for project in projects:
        for each in (olga, *people):
            each.ask(query, project, each.device)
    with team.database.as_superuser() as root:
        root.execute(
            "CREATE FUNCTION public.broken() RETURNS boolean LANGUAGE plpgsql AS"
            f" $$ BEGIN RAISE 'a broken table' USING ERRCODE = '{fault}'; END $$".encode()
        )
        root.execute("CREATE POLICY broken ON cd.presence AS RESTRICTIVE USING (public.broken())")
    for looker in lookers:
        assert looker.look().presence == ()
        for call in (
            looker.store.presence,
            lambda looker=looker: looker.store.set_presence(projects[0], looker.person.device, None, "here"),
        ):
            with pytest.raises(errors.TeamError, match="a broken table") as raised:
                call()
            assert not isinstance(raised.value, errors.TeamUnreachable), "the connection is good"
        looker.store.close()
    people[-1].ask("SELECT cd.leave_project(%s)", projects[-1])
    for (_step, statement), project, anna in zip(_STEPS.items(), projects, people, strict=False):
        values = {"project": project, "anna": anna.id, "device": olga.device}
        olga.conn.execute(statement.encode(), values)
