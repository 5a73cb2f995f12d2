"""The same histories against a real PostgreSQL, whose backups are copies of its database."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import psycopg
from psycopg import sql

from chatdesk.core.domain.sharing.sync_wire import PulledChange
from chatdesk.core.sync.team_store.postgres import TeamStore, connect
from tests.helpers.postgres import Cluster, TeamDatabase
from tests.helpers.sync_sim.hostile_restore import MIX, HostileRestore
from tests.helpers.sync_sim.model_server import ModelServer, Project
from tests.helpers.sync_sim.seeded import WorldTime
from tests.helpers.sync_sim.world import FAULTS, History, Mix
from tests.helpers.team_people import Person, Team

# What only the model can do: a database's owner who writes nonsense, and versions of the protocol.
_ONLY_MODEL = ("odd_row", "too_old")
REAL_MIX = Mix(steps=40, trouble=0.15, faults={name: w for name, w in FAULTS.items() if name not in _ONLY_MODEL})


class RealServer(ModelServer):
    """What the history and the checks ask of a server, read from and done in PostgreSQL."""

    def __init__(self, database: TeamDatabase, team: Team, time: WorldTime) -> None:
        super().__init__(database.workspace_id, time.now_ms)
        self.database = database
        self.people: dict[str, Person] = {team.owner.id: team.owner}
        self.backup_name = ""

    def snapshot(self) -> ModelServer:
        """A copy of the database, beside the facts that go with it."""
        copy = RealServer.__new__(RealServer)
        ModelServer.__init__(copy, self.workspace_id, self.now_ms)
        ModelServer.become(copy, self)
        copy.database, copy.people = self.database, self.people
        copy.backup_name = f"{self.database.name}_b{len(self.changes)}_{id(copy) % 10_000}"
        self._replace(copy.backup_name, self.database.name)
        return copy

    def become(self, other: ModelServer) -> None:
        assert isinstance(other, RealServer)
        self._replace(self.database.name, other.backup_name)
        with self.database.as_superuser() as conn:
            # Logins are the cluster's and not in a backup: who was let in again has to be able to log in again.
            active = "SELECT role_name, (SELECT grp FROM cd.meta) FROM cd.member WHERE status = 'active'"
            for login, group in conn.execute(active).fetchall():
                conn.execute(sql.SQL("ALTER ROLE {} LOGIN").format(sql.Identifier(login)))
                conn.execute(sql.SQL("GRANT {} TO {}").format(sql.Identifier(group), sql.Identifier(login)))
        self.refresh()

    def create_project(self, member_id: str, project_id: str) -> None:
        self._as(member_id, "SELECT cd.create_project(%s)", project_id)

    def set_role(self, project_id: str, member_id: str, role: str | None) -> None:
        owner = next(member for member, its in self.projects[project_id].roles.items() if its == "owner")
        self._as(owner, "SELECT cd.set_role(%s, %s, %s)", project_id, member_id, role)

    def remove_member(self, member_id: str) -> None:
        owner = next(member.id for member in self.members.values() if member.is_owner)
        self._as(owner, "SELECT cd.remove_member(%s)", member_id)
        self._as(owner, "SELECT cd.disconnect_removed()")

    def end_project(self, project_id: str) -> None:
        owner = next(member for member, its in self.projects[project_id].roles.items() if its == "owner")
        self._as(owner, "SELECT cd.end_project(%s)", project_id)

    def connect(self, member_id: str) -> TeamStore:
        person = self.people[member_id]
        return connect(replace(self.database.address, user=person.login), person.password)

    def refresh(self) -> None:
        """What the database says of members, projects and their logs."""
        with self.database.as_superuser() as conn:
            for member, status in conn.execute("SELECT id::text, status FROM cd.member").fetchall():
                self.members[member] = replace(self.members[member], status=status)
            found = conn.execute("SELECT id::text, deleted_at IS NOT NULL FROM cd.project ORDER BY id").fetchall()
            self.projects = {key: _project(conn, key, is_deleted) for key, is_deleted in found}
            self.entities = {row[0]: row for row in conn.execute("SELECT id::text FROM cd.entity ORDER BY id")}

    def _as(self, member_id: str, query: str, *values: Any) -> None:
        person = self.people[member_id]
        with self.database.connect(person.login, person.password) as conn:
            try:
                conn.execute(query.encode(), values)
            except psycopg.Error as error:  # a last owner, somebody who is gone: as for any person
                if not (error.sqlstate or "").startswith("CD"):
                    raise
        self.refresh()

    def _replace(self, name: str, template: str) -> None:
        with self.database.cluster.connect() as conn:
            for each in (name, template):
                conn.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [each])
            conn.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))
            conn.execute(
                sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(name), sql.Identifier(template))
            )


def _project(conn: psycopg.Connection[Any], project_id: str, is_deleted: bool) -> Project:
    roles = conn.execute(
        "SELECT member_id::text, role FROM cd.project_member WHERE project_id = %s AND role IS NOT NULL"
        " ORDER BY member_id",
        [project_id],
    ).fetchall()
    rows = conn.execute(
        "SELECT id::text, seq, device_id::text, dseq, author::text, kind, op, entity_id::text, reg, parents::text[],"
        " hlc, body::text, chain, at, v, number, digest, erased FROM cd.change"
        " WHERE project_id = %s ORDER BY seq",
        [project_id],
    ).fetchall()
    log = [PulledChange(*row[:9], tuple(row[9]), row[10], row[11], bytes(row[12]), *row[13:]) for row in rows]
    return Project(project_id, dict(roles), log, is_deleted)


class RealHistory(History):
    """A history whose server is a database of ``cluster``."""

    def __init__(self, seed: int, cluster: Cluster, mix: Mix = REAL_MIX) -> None:
        super().__init__(seed, mix)
        self.cluster = cluster
        self.server: RealServer
        self.stores: list[TeamStore] = []

    def begin_team(self, names: list[str]) -> dict[str, str]:
        database = self.cluster.workspace_database()
        team = Team(database)
        self.server = RealServer(database, team, self.time)
        # Stamps are clamped by the server's clock.
        self.time.ms = int(team.owner.value("SELECT extract(epoch FROM now()) * 1000"))
        members = {}
        for name in names:
            person = team.owner if name == names[0] else team.join(name.lower())
            members[name] = person.id
            self.server.people[person.id] = person
            self.server.add_member(person.id, name, is_owner=name == names[0])
        team.close()
        return members

    def team_of(self, member: str) -> Any:
        return _Lazily(self, member)

    def play(self) -> list[str]:
        try:
            return super().play()
        finally:
            for store in self.stores:
                store.close()
            for name in [self.server.database.name, *(backup.backup_name for backup in self.backups)]:
                self.cluster.drop(replace(self.server.database, name=name))

    def note_removal(self, project: str, member: str) -> None:
        self.server.refresh()
        super().note_removal(project, member)

    def _heal(self) -> list[str]:
        self.server.refresh()
        return super()._heal()

    def _check(self, held: dict[str, set[str]]) -> list[str]:
        self.server.refresh()
        return super()._check(held)


class RealHostileRestore(RealHistory, HostileRestore):
    """See ``hostile_restore``."""

    def __init__(self, seed: int, cluster: Cluster) -> None:
        super().__init__(seed, cluster, MIX)

    def _look(self) -> None:
        self.server.refresh()


class _Lazily:
    """Connects with the first call, as a computer does that is offline until then."""

    def __init__(self, world: RealHistory, member: str) -> None:
        self._world = world
        self._member = member
        self._store: TeamStore | None = None

    def __getattr__(self, name: str) -> Any:
        if self._store is None:
            self._store = self._world.server.connect(self._member)
            self._world.stores.append(self._store)
        return getattr(self._store, name)

    def abort(self) -> None:
        if self._store is not None:
            self._store.abort()

    def close(self) -> None:
        if self._store is not None:
            self._world.stores.remove(self._store)
            self._store.close()
            self._store = None
