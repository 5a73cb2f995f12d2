"""Members of a workspace who do anything at all by direct SQL, by seed, and what has to hold after it.

Nothing a member does may read a row of a project that they are not in at that moment, put a row under another's name,
change or take away one that is there, or end in an error that is not a refusal.
"""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg

from chatdesk.core.domain.sharing.sync_wire import PulledChange
from chatdesk.core.ids import new_id
from chatdesk.core.sync.members.scram import verifier_of
from tests.helpers.team_people import Person, Row, Team, some_id

# What a refusal may look like: our own states; no right; a check, a key, a value that is none; a busy lock; a view.
REFUSALS = {
    *(f"CD{number:03}" for number in range(1, 15)),
    *(
        "42501",
        "23514",
        "23503",
        "23505",
        "23502",
        "22P02",
        "22003",
        "22P05",
        "55P03",
        "40P01",
        "42809",
        "0A000",
        "42703",
        "55000",
    ),
}
_TABLES = {
    "project": "id",
    "project_head": "project_id",
    "project_member": "project_id",
    "change": "project_id",
    "blob_chunk": "project_id",
    "presence": "project_id",
    "team_usage": "project_id",
}


@dataclass
class Report:
    done: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    rows_read: int = 0
    rows_pushed: int = 0
    violations: list[str] = field(default_factory=list)


class Attack:
    """Four projects of six members, of whom one is in none, one was removed, and one never accepted."""

    def __init__(self, team: Team, seed: int) -> None:
        self.random = random.Random(seed)
        self.team = team
        self.report = Report()
        self.people = [team.owner, *[team.join(f"p{n}") for n in range(5)]]
        self.projects = [team.project(self.people[n % 4]) for n in range(4)]
        for number, person in enumerate(self.people[:5]):
            for project in self.random.sample(self.projects, 2):
                self._give(project, person, ("viewer", "editor", "admin", "owner")[number % 4])
        self.people.append(self._lost(team, is_removed=True))
        self.people.append(self._lost(team, is_removed=False))
        self.root = team.database.as_superuser()
        # By kind and project.
        self.things: dict[tuple[str, str], list[str]] = {("project", one): [one] for one in self.projects}
        self.pushed: dict[str, str] = {}
        self.sent: list[tuple[str, Row]] = []

    def run(self, operations: int) -> Report:
        acts: tuple[tuple[int, Callable[[Person], None]], ...] = (
            (40, self._push),
            (12, self._read),
            (6, self._read_cleverly),
            (10, self._write_directly),
            (8, self._call),
            (6, self._put_piece),
            (6, self._set_role),
            (2, self._call_internal),
        )
        chosen = [act for weight, act in acts for _ in range(weight)]
        for _ in range(operations):
            act, person = self.random.choice(chosen), self.random.choice(self.people)
            self.report.done[act.__name__.strip("_")] += 1
            try:
                act(person)
            except psycopg.Error as error:
                state = error.sqlstate or ""
                self.report.refused[state] += 1
                if state not in REFUSALS:
                    self.report.violations.append(f"{act.__name__}: {state} {error}"[:300])
            if len(self.report.violations) > 20:
                break
        self._judge()
        self.root.close()
        return self.report

    # -- what they do ------------------------------------------------------------------------------------------------

    def _push(self, person: Person) -> None:
        project = self._project()
        rows = [self._row(person, project) for _ in range(self.random.randint(1, 4))]
        if self.random.random() < 0.15:
            # As if it were another computer's, erased, or below something that was lost.
            other = self.random.choice(self.people)
            rows = [{**row, "device": other.device, "is_gone": True} for row in rows]
            rows[0] |= {"erased": "0" * 64, "author": other.id or some_id()}
        device = self.random.choice(self.people).device if self.random.random() < 0.1 else person.device
        for found, row in zip(person.push_fully(project, *rows, device=device), rows, strict=True):
            if found[1] != "ok":
                self.report.refused[found[1]] += 1
                continue
            self.report.rows_pushed += 1
            self.pushed[row["id"]] = person.id
            self.sent.append((project, row))
            if row["op"] == "new" and row["kind"] != "project":
                self.things.setdefault((row["kind"], project), []).append(row["entity"])
            if device != person.device and self._owner_of(device) != person.id:
                self.report.violations.append("pushed as another's device")

    def _row(self, person: Person, project: str) -> Row:
        pick = self.random
        if self.sent and pick.random() < 0.08:
            return {**pick.choice(self.sent)[1], **({"op": "edit"} if pick.random() < 0.5 else {})}
        kind = pick.choice(("thread", "message", "message", "message", "summary", "project"))
        op = pick.choice(("new", "new", "edit", "del"))
        entity = some_id() if op == "new" and pick.random() < 0.9 else self._thing(kind, project)
        body: Any = pick.choice(({}, {"title": "x"}, {"covers": {}}, None))
        if op == "new" and kind in ("message", "summary"):
            body = {"thread_id": self._thing("thread", project), "role": pick.choice(("user", "assistant"))}
            if pick.random() < 0.3:
                body["parent_id"] = self._thing("message", project)
        row = person.row(kind, op, entity, body)
        edited = ("title", "name", "lww.model", f"lww.tag.{some_id()}", "content")
        if op == "edit" or pick.random() < 0.1:
            row["reg"] = pick.choice(edited)
        row["hlc"] = pick.choice((0, 1, pick.getrandbits(60)))
        if pick.random() < 0.1:
            key = pick.choice(tuple(row))
            row[key] = pick.choice(
                (None, "", "x", -1, [], {}, [None], "'; DROP TABLE cd.change; --", some_id(), 10**30)
            )
        return row

    def _read(self, person: Person) -> None:
        table = self.random.choice(tuple(_TABLES))
        self._judge_rows(person, f"SELECT {_TABLES[table]}::text FROM cd.{table}")

    def _read_cleverly(self, person: Person) -> None:
        target = self._project()
        query = self.random.choice(
            (
                "SELECT project_id::text FROM cd.change WHERE project_id = '{}'",
                "SELECT project_id::text FROM cd.change WHERE body::text LIKE '%x%' OR project_id = '{}'",
                "SELECT c.project_id::text FROM cd.change c LEFT JOIN cd.member m ON true WHERE c.project_id = '{}'",
                "SELECT project_id::text FROM cd.change WHERE 1 / (CASE WHEN project_id = '{}' THEN 1 ELSE 1 END) = 1",
                "SELECT project_id::text FROM cd.blob_chunk UNION ALL SELECT id::text FROM cd.project",
                "WITH w AS MATERIALIZED (SELECT * FROM cd.change) SELECT project_id::text FROM w",
                "SELECT unnest(cd.my_projects())::text",
                "SELECT unnest(cd.my_writable())::text",
                "TABLE cd.project_head",
            )
        )
        self._judge_rows(person, query.format(target))

    def _judge_rows(self, person: Person, query: str) -> None:
        person.conn.autocommit = False
        try:
            found = {str(row[0]) for row in person.ask(query)}
            self.report.rows_read += len(found)
        finally:
            person.conn.rollback()
            person.conn.autocommit = True
        allowed = {
            row[0]
            for row in self.root.execute(
                "SELECT p.project_id::text FROM cd.project_member p JOIN cd.member m ON m.id = p.member_id"
                " WHERE m.role_name = %s AND m.status = 'active' AND p.role IS NOT NULL",
                [person.login],
            )
        }
        if not found <= allowed:
            self.report.violations.append(f"{person.name} read {found - allowed}: {query}")

    def _write_directly(self, person: Person) -> None:
        table = self.random.choice((*_TABLES, "member", "device", "meta", "entity", "alembic_version"))
        query = self.random.choice(
            (
                "DELETE FROM cd.{}",
                "TRUNCATE cd.{} CASCADE",
                "INSERT INTO cd.{} SELECT * FROM cd.{}",
                "UPDATE cd.{} SET ctid = ctid",
                "ALTER TABLE cd.{} NO FORCE ROW LEVEL SECURITY",
                "CREATE POLICY p ON cd.{} USING (true)",
                "GRANT ALL ON cd.{} TO PUBLIC",
                "DROP TABLE cd.{}",
                "CREATE TEMP TABLE {} (n int)",
                "CREATE TABLE public.{} (n int)",
                "SET ROLE postgres; DELETE FROM cd.{}",
                "SET row_security = off; SELECT * FROM cd.{} LIMIT 1",
            )
        )
        try:
            person.ask(query.replace("{}", table))
        finally:
            person.conn.execute("RESET ALL")
        if not query.startswith(("SET row", "GRANT")):
            self.report.violations.append(f"{person.name} did {query} on {table}")

    def _call(self, person: Person) -> None:
        project, other = self._project(), self.random.choice(self.people)
        query, *values = self.random.choice(
            (
                ("SELECT cd.poke(%s)", project),
                ("SELECT cd.create_project(%s)", project),
                ("SELECT cd.set_presence(%s, %s, %s, 'typing')", project, other.device, some_id()),
                ("SELECT cd.acknowledge(%s, %s::jsonb)", other.device, json.dumps({project: 10**6})),
                ("SELECT cd.hello(%s, 'x', '1', 2)", other.device),
                ("SELECT cd.view_since(%s, 2, %s)", other.device, self.random.choice((-(2**63), 0, 1, 2**62))),
                ("SELECT cd.rename_me(%s)", self.random.choice(("", "x' || 'y", "Name", "\x07"))),
                ("SELECT cd.remove_device(%s)", other.device),
                ("SELECT cd.discard_broken_file(%s, %s)", project, "a" * 64),
                ("SELECT cd.workspace()",),
                ("SELECT cd.set_workspace_owner(%s, true)", person.id or some_id())
                if person is not self.team.owner
                else ("SELECT cd.me()",),
                (
                    "SELECT cd.invite(%s, %s, 'Eve', %s::jsonb, %s)",
                    f"cd_{self.random.randrange(16**6):06x}_eve1' SUPERUSER",
                    verifier_of("x", iterations=4096),
                    json.dumps({project: "owner"}),
                    datetime.now(UTC) + timedelta(days=1),
                ),
                ("SELECT cd.accept_invite('X', 'md5abc')",),
            )
        )
        person.ask(query, *values)
        if "set_workspace_owner" in query or "invite" in query:
            self.report.violations.append(f"{person.name} did {query}")

    def _call_internal(self, person: Person) -> None:
        query = self.random.choice(
            (
                f"SELECT cd.enter('{self._project()}', '{self.team.owner.id}', '{some_id()}', '[]')",
                f"SELECT cd.change_role('{self._project()}', '{self.team.owner.id}', 'owner', NULL)",
                "SELECT cd.make_login('cd_000000_evil', 'x', 'infinity')",
                f"SELECT cd.tell('{self._project()}', 'c:1')",
            )
        )
        person.ask(query)
        self.report.violations.append(f"{person.name} called {query}")

    def _put_piece(self, person: Person) -> None:
        project = self._project()
        person.ask(
            "INSERT INTO cd.blob_chunk (project_id, sha256, idx, total, data) VALUES (%s, %s, %s, 3, %b)"
            " ON CONFLICT (project_id, sha256, idx) DO NOTHING",
            *(project, f"{self.random.randrange(50):064x}", self.random.randrange(4), b"x"),
        )
        if self._role(project, person) in (None, "viewer"):
            self.report.violations.append(f"{person.name} put a piece into a project of others")

    def _set_role(self, person: Person) -> None:
        project, member = self._project(), self.random.choice(self.people)
        role = self.random.choice(("viewer", "editor", "admin", "owner", None))
        mine, was = self._role(project, person), self._role(project, member)
        person.ask("SELECT cd.set_role(%s, %s, %s)", project, member.id or some_id(), role)
        high = ("admin", "owner")
        if mine not in high or (mine == "admin" and (was in high or role in high)):
            self.report.violations.append(f"{mine} made {was} {role}")

    # -- what holds --------------------------------------------------------------------------------------------------

    def _judge(self) -> None:
        """All that is in the log is what was pushed, by whom it was pushed; numbers and chains are whole."""
        rows = self.root.execute(
            "SELECT c.project_id::text, e.project_id::text, e.kind, c.chain, c.id::text, c.seq, c.device_id::text,"
            " c.dseq, c.author::text, c.kind, c.op, c.entity_id::text, c.reg, c.parents::text[], c.hlc, c.at, c.v,"
            " c.number, c.digest"
            " FROM cd.change c LEFT JOIN cd.entity e ON (e.id, e.project_id) = (c.entity_id, c.project_id)"
            " ORDER BY c.project_id, c.seq"
        ).fetchall()
        chains: dict[str, tuple[int, bytes | None]] = {}
        numbers: Counter[tuple[str, str]] = Counter()
        wrong = self.report.violations
        for project, home, thing, chain, *said, at, v, number, digest in rows:
            row = PulledChange(*said, body=None, chain=b"", at=at, v=v, number=number, digest=digest)
            by = self.pushed.pop(row.id, "nobody")
            if row.author != by:
                wrong.append(f"{row.id} is of {row.author}, and was pushed by {by}")
            if home is not None and (home != project or row.kind != thing):
                wrong.append(f"{row.id} is about a {thing} of {home}")
            numbers[project, row.device] += 1
            if number != numbers[project, row.device]:
                wrong.append(f"{row.id} is number {number} of its device")
            last, before = chains.get(project, (0, None))
            if row.seq != last + 1 or chain != row.chain_after(before):
                wrong.append(f"{row.id}: the chain is broken at {row.seq}")
            chains[project] = (row.seq, chain)
        if self.pushed:
            wrong.append(f"{len(self.pushed)} changes that were taken are gone")
        owners = self.root.execute(
            "SELECT count(*) FROM cd.project j WHERE deleted_at IS NULL AND NOT EXISTS (SELECT FROM cd.project_member p"
            " WHERE p.project_id = j.id AND p.role = 'owner')"
        ).fetchone()
        if owners != (0,):
            wrong.append("a project without an owner")

    # -- helpers -----------------------------------------------------------------------------------------------------

    def _project(self) -> str:
        return self.random.choice(self.projects) if self.random.random() < 0.97 else some_id()

    def _thing(self, kind: str, project: str) -> str:
        """Mostly of the project, and a newer one, so that logs grow into depth."""
        known = self.things.get((kind, project if self.random.random() < 0.85 else self._project()), [])
        return self.random.choice(known[-20:]) if known and self.random.random() < 0.95 else new_id()

    def _role(self, project: str, person: Person) -> str | None:
        row = self.root.execute(
            "SELECT role FROM cd.project_member WHERE project_id = %s AND member_id = %s",
            [project, person.id or some_id()],
        ).fetchone()
        return None if row is None else row[0]

    def _owner_of(self, device: str) -> str | None:
        """One that nobody had told of, as the guest's, belongs to whoever says hello with it first."""
        row = self.root.execute("SELECT member_id::text FROM cd.device WHERE id = %s", [device]).fetchone()
        return None if row is None else row[0]

    def _give(self, project: str, person: Person, role: str) -> None:
        for owner in self.people[:4]:
            try:
                owner.ask("SELECT cd.set_role(%s, %s, %s)", project, person.id, role)
            except psycopg.Error:
                continue
            return

    def _lost(self, team: Team, *, is_removed: bool) -> Person:
        """One who was removed and kept a connection open, or one who was invited and did not accept."""
        if is_removed:
            person = team.join("gone", **{self.projects[0]: "editor"})
            with team.database.as_superuser() as root:  # removal ends connections: as if that had failed
                root.execute("UPDATE cd.member SET status = 'removed' WHERE id = %s", [person.id])
            return person
        login, password, member = team.invite("guest", **{self.projects[0]: "editor"})
        guest = Person("guest", login, password, member, team.database.connect(login, password))
        team.people.append(guest)
        return guest
