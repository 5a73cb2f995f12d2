"""Members of a workspace as logins of their own, for tests that speak SQL: who they are, and rows as they push them."""

from __future__ import annotations

import json
import secrets
import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg

from chatdesk.core.domain.sharing.sync_wire import PROTOCOL, PulledChange
from chatdesk.core.ids import new_id
from chatdesk.core.sync.members.scram import verifier_of
from chatdesk.core.sync.team_store.setup import role_prefix
from tests.helpers.postgres import TeamDatabase

Row = dict[str, Any]


@dataclass
class Person:
    """One member with one device and one connection, which ``close`` of the team ends."""

    name: str
    login: str
    password: str
    id: str
    conn: psycopg.Connection[Any]
    device: str = field(default_factory=new_id)
    dseq: int = 0

    def ask(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        cursor = self.conn.execute(query.encode(), values or None)
        return cursor.fetchall() if cursor.description is not None else []

    def value(self, query: str, *values: Any) -> Any:
        return self.ask(query, *values)[0][0]

    def hello(self, proto: int = PROTOCOL) -> dict[str, Any]:
        return dict(self.value("SELECT cd.hello(%s, %s, '1', %s)", self.device, f"{self.name}'s", proto))

    def row(self, kind: str, op: str, entity: str, body: Any = None, **more: Any) -> Row:
        """As it is pushed; the next of this device."""
        self.dseq += 1
        made = {"id": new_id(), "dseq": self.dseq, "kind": kind, "op": op, "entity": entity, "reg": "content"}
        return {**made, "parents": [], "hlc": 1, "v": 1, "body": body, **more}

    def push(self, project: str, *rows: Row, proto: int = PROTOCOL, device: str | None = None) -> list[str]:
        """The statuses."""
        return [found[1] for found in self.push_fully(project, *rows, proto=proto, device=device)]

    def push_fully(
        self, project: str, *rows: Row, proto: int = PROTOCOL, device: str | None = None
    ) -> list[tuple[Any, ...]]:
        query = "SELECT * FROM cd.push(%s, %s, %s, %s::jsonb)"
        return self.ask(query, project, device or self.device, proto, json.dumps(rows))

    def kept(self, project: str) -> list[Row]:
        """The log as a member keeps it, in the form in which its author sends it again."""
        query = (
            "SELECT jsonb_build_object('id', id, 'device', device_id, 'dseq', dseq, 'kind', kind,"
            " 'op', op, 'entity', entity_id, 'reg', reg, 'parents', parents, 'hlc', hlc, 'v', v, 'body', body)"
            " || CASE WHEN erased THEN jsonb_build_object('erased', encode(digest, 'hex'))"
            " ELSE '{}' END FROM cd.change WHERE project_id = %s ORDER BY seq"
        )
        return [row[0] for row in self.ask(query, project)]

    def thread(self, project: str) -> str:
        """A new one."""
        made = new_id()
        assert self.push(project, self.row("thread", "new", made, {"title": "T"})) == ["ok"]
        return made

    def message(self, project: str, thread: str, parent: str | None = None) -> str:
        made = new_id()
        body = {"thread_id": thread, "parent_id": parent, "role": "user"}
        assert self.push(project, self.row("message", "new", made, body)) == ["ok"]
        return made


class Team:
    """A workspace with its owner; people are invited as they are needed."""

    def __init__(self, database: TeamDatabase) -> None:
        self.database = database
        self.people: list[Person] = []
        self.owner = self._person("Olga", database.user, database.password)
        self.owner.id = self.owner.hello()["member_id"]

    def project(self, owner: Person | None = None) -> str:
        made = new_id()
        (owner or self.owner).ask("SELECT cd.create_project(%s)", made)
        return made

    def invite(self, name: str, **roles: str) -> tuple[str, str, str]:
        """(login, password, member id) of somebody who did not accept yet. ``roles`` by project id."""
        login = f"{role_prefix(self.owner.login[3:9])}_{name}_{secrets.token_hex(3)}"
        password = secrets.token_urlsafe(12)
        member = self.owner.value(
            "SELECT cd.invite(%s, %s, %s, %s::jsonb, %s)::text",
            *(login, verifier_of(password), name, json.dumps(roles), datetime.now(UTC) + timedelta(days=7)),
        )
        return login, password, member

    def join(self, name: str, **roles: str) -> Person:
        """Somebody who accepted and said hello."""
        login, password, member = self.invite(name, **roles)
        person = self._person(name, login, password)
        person.id = member
        person.ask("SELECT cd.accept_invite(%s, %s)", name, verifier_of(password))
        person.hello()
        return person

    def again(self, person: Person) -> Person:
        """A further connection of a person, with a device of its own."""
        other = self._person(person.name, person.login, person.password)
        other.id = person.id
        return other

    def restore(self, project: str, seq: int = 0) -> None:
        """As from a backup that was made when the log of the project had this many changes."""
        with self.database.as_superuser() as root:
            root.execute(
                "DELETE FROM cd.entity WHERE id IN"
                " (SELECT entity_id FROM cd.change WHERE project_id = %s AND seq > %s AND op = 'new')",
                [project, seq],
            )
            root.execute("DELETE FROM cd.change WHERE project_id = %s AND seq > %s", [project, seq])
            root.execute(
                "UPDATE cd.device_count n SET changes = (SELECT count(*) FROM cd.change c"
                " WHERE c.project_id = n.project_id AND c.device_id = n.device_id) WHERE project_id = %s",
                [project],
            )
            root.execute(
                "UPDATE cd.project_head SET seq = %s, chain = coalesce((SELECT chain FROM cd.change c"
                " WHERE c.project_id = %s AND c.seq = %s), decode(repeat('00', 32), 'hex')) WHERE project_id = %s",
                [seq, project, seq, project],
            )

    def close(self) -> None:
        for person in self.people:
            person.conn.close()

    def _person(self, name: str, login: str, password: str) -> Person:
        person = Person(name, login, password, "", self.database.connect(login, password))
        self.people.append(person)
        return person


def some_id() -> str:
    return str(uuid.uuid4())


def pulled(person: Person) -> list[PulledChange]:
    """What a member may read of all logs, as rows of the wire."""
    query = (
        "SELECT id::text, seq, device_id::text, dseq, author::text, kind, op, entity_id::text, reg, parents::text[],"
        " hlc, body::text, chain, at, v, number, digest, erased FROM cd.change ORDER BY project_id, seq"
    )
    return [PulledChange(*row) for row in person.ask(query)]
