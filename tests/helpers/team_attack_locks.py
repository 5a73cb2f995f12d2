"""Members who keep transactions open: old snapshots in which they still have rights, and locks for which others wait.

Each attack returns what it achieved, in words; nothing is how it has to be.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import psycopg

from tests.helpers.team_people import Person, Team, some_id

# What each function that waits for a lock is told for the time of an attack: nobody wants to wait for 5 s.
SHORT_WAIT = "300ms"
ISOLATIONS = ("REPEATABLE READ", "SERIALIZABLE")


def state_of(call: Callable[[], Any]) -> str:
    """ "ok", or what PostgreSQL calls the error."""
    try:
        call()
    except psycopg.Error as error:
        return error.sqlstate or "closed"
    return "ok"


# -- old snapshots ---------------------------------------------------------------------------------------------------


def functions(team: Team) -> list[tuple[str, str]]:
    """Every function that runs with the rights of the schema's owner, whatever migration made it: (its name, its
    arguments, all NULL)."""
    with team.database.as_superuser() as root:
        found = root.execute(
            "SELECT p.proname, coalesce((SELECT string_agg('NULL::' || format_type(t, NULL), ', ' ORDER BY n)"
            " FROM unnest(p.proargtypes) WITH ORDINALITY AS a (t, n)), '') FROM pg_proc p"
            " WHERE p.pronamespace = 'cd'::regnamespace AND p.prosecdef AND p.prorettype <> 'trigger'::regtype"
            " ORDER BY 1"
        ).fetchall()
    return [(str(name), str(arguments)) for name, arguments in found]


def stale_calls(team: Team) -> list[str]:
    """Functions that answer somebody in a snapshot that may be older than what was decided since."""
    person = team.join("stale")
    answered = []
    for isolation in ISOLATIONS:
        for name, arguments in functions(team):
            person.conn.execute(f"BEGIN ISOLATION LEVEL {isolation}".encode())
            person.conn.execute("SELECT 1 FROM pg_class LIMIT 1")
            found = state_of(lambda call=f"SELECT cd.{name}({arguments})": person.ask(call))  # type: ignore[misc]
            person.conn.execute("ROLLBACK")
            if found != "CD012":
                answered.append(f"{name} in {isolation}: {found}")
    return answered


def stale_rights(team: Team) -> list[str]:
    """What somebody still does with rights that were taken from them, out of a snapshot from before."""
    done = []
    puppet = team.join("puppet")
    for isolation in ISOLATIONS:
        boss, project = team.join(f"boss_{isolation[:3].lower()}"), team.project()
        team.owner.ask("SELECT cd.set_workspace_owner(%s, true)", boss.id)
        team.owner.ask("SELECT cd.set_role(%s, %s, 'owner')", project, boss.id)
        row = json.dumps([boss.row("thread", "new", some_id(), {"title": "late"})])
        attempts: tuple[tuple[str, str, tuple[Any, ...]], ...] = (
            ("makes an owner of the workspace", "SELECT cd.set_workspace_owner(%s, true)", (puppet.id,)),
            ("removes a member", "SELECT cd.remove_member(%s)", (puppet.id,)),
            ("makes an owner of a project", "SELECT cd.set_role(%s, %s, 'owner')", (project, puppet.id)),
            ("pushes", "SELECT * FROM cd.push(%s, %s, 2, %s::jsonb)", (project, boss.device, row)),
            (
                "sends a file",
                "INSERT INTO cd.blob_chunk (project_id, sha256, idx, total, data) VALUES (%s, %s, 0, 2, 'x')",
                (project, "a" * 64),
            ),
        )
        open_ones = []
        for _attempt in attempts:
            other = team.again(boss)
            other.conn.execute("SET idle_in_transaction_session_timeout = 0")
            other.conn.execute(f"BEGIN ISOLATION LEVEL {isolation}".encode())
            other.conn.execute("SELECT 1 FROM pg_class LIMIT 1")
            open_ones.append(other)
        team.owner.ask("SELECT cd.set_workspace_owner(%s, false)", boss.id)
        team.owner.ask("SELECT cd.set_role(%s, %s, NULL)", project, boss.id)
        for other, (what, query, values) in zip(open_ones, attempts, strict=True):
            if state_of(lambda o=other, q=query, v=values: o.ask(q, *v)) == "ok":  # type: ignore[misc]
                done.append(f"who was demoted {what} ({isolation})")
            other.conn.close()
            team.people.remove(other)
    return done


# -- held locks ------------------------------------------------------------------------------------------------------

_TAKE = "SELECT cd.set_role(%s, %s, NULL)"
_THREAD = {"kind": "thread", "op": "new", "reg": "content", "hlc": 1, "dseq": 1, "body": {"title": "held"}}


@contextmanager
def short_waits(team: Team) -> Iterator[None]:
    with team.database.as_superuser() as root:
        patient = root.execute(
            "SELECT p.oid::regprocedure::text FROM pg_proc p WHERE p.pronamespace = 'cd'::regnamespace"
            " AND 'lock_timeout=5s' = ANY (p.proconfig)"
        ).fetchall()
        for (name,) in patient:
            root.execute(f"ALTER FUNCTION {name} SET lock_timeout = '{SHORT_WAIT}'".encode())
        yield
        for (name,) in patient:
            root.execute(f"ALTER FUNCTION {name} SET lock_timeout = '5s'".encode())


def holds(project: str, person: Person, *, member: str) -> dict[str, tuple[str, tuple[Any, ...]]]:
    """Statements with which somebody may try to hold others up, in a transaction that stays open."""
    thread = json.dumps([{**_THREAD, "id": some_id(), "entity": some_id()}])
    return {
        "an empty push": ("SELECT * FROM cd.push(%s, %s, 2, '[]')", (project, person.device)),
        "a push": ("SELECT * FROM cd.push(%s, %s, 2, %s::jsonb)", (project, person.device, thread)),
        "removing themselves": ("SELECT cd.remove_member(cd.me())", ()),
        "removing another": ("SELECT cd.remove_member(%s)", (member,)),
        "leaving": ("SELECT cd.leave_project(%s)", (project,)),
        "being there": ("SELECT cd.set_presence(%s, %s, NULL, 'here')", (project, person.device)),
        "a role": ("SELECT cd.set_role(%s, %s, 'viewer')", (project, member)),
        "an owner": ("SELECT cd.set_workspace_owner(%s, true)", (member,)),
        "ending the project": ("SELECT cd.end_project(%s)", (project,)),
        "sharing it again": ("SELECT cd.create_project(%s)", (project,)),
        "a new project": ("SELECT cd.create_project(%s)", (some_id(),)),
        "a name": ("SELECT cd.rename_me('Held')", ()),
        "a password": ("ALTER ROLE current_user PASSWORD 'held'", ()),
        "a name of the workspace": ("SELECT cd.rename_workspace('Held')", ()),
        "settings": ("SELECT cd.set_policy('{}')", ()),
        "a piece": (
            "INSERT INTO cd.blob_chunk (project_id, sha256, idx, total, data) VALUES (%s, %s, 0, 2, 'x')",
            (project, "b" * 64),
        ),
        "ending connections": ("SELECT cd.disconnect_removed()", ()),
        "asking who holds": ("SELECT * FROM cd.blockers()", ()),
        "hello": ("SELECT cd.hello(%s, 'x', '1', 2)", (person.device,)),
    }


def held_up(team: Team, role: str | None) -> list[str]:
    """Whom somebody with this role in a project (None: in none) keeps from what, with each statement."""
    stopped = []
    project = team.project()
    names = list(holds(project, team.owner, member=team.owner.id))
    writer = team.join("writer", **{project: "editor"})
    with short_waits(team):
        for number, name in enumerate(names):
            holder = team.join(f"holder_{number}", **({project: role} if role else {}))
            victim = team.join(f"victim_{number}", **{project: "viewer"})
            query, values = holds(project, holder, member=victim.id)[name]
            holder.conn.execute("SET idle_in_transaction_session_timeout = 0")
            holder.conn.execute("BEGIN")
            state_of(lambda h=holder, q=query, v=values: h.ask(q, *v))  # type: ignore[misc]
            checks: list[tuple[str, Callable[[], Any]]] = [
                ("removing another member", lambda v=victim: team.owner.ask("SELECT cd.remove_member(%s)", v.id)),  # type: ignore[misc]
            ]
            if role in (None, "viewer"):
                row = writer.row("thread", "new", some_id(), {})
                checks.insert(0, ("writing", lambda r=row: writer.push(project, r)))  # type: ignore[misc]
                checks.insert(1, ("taking a role", lambda v=victim: team.owner.ask(_TAKE, project, v.id)))  # type: ignore[misc]
                if role is not None:
                    away = lambda h=holder: team.owner.ask(_TAKE, project, h.id)  # type: ignore[misc]  # noqa: E731
                    checks.insert(2, ("taking theirs", away))
            checks.append(("removing them", lambda h=holder: team.owner.ask("SELECT cd.remove_member(%s)", h.id)))  # type: ignore[misc]
            for what, check in checks:
                found = state_of(check)
                if found != "ok":
                    stopped.append(f"{role or 'a stranger'} with {name} keeps others from {what}: {found}")
            if state_of(lambda h=holder: h.ask("SELECT 1")) == "ok":  # type: ignore[misc]
                stopped.append(f"{role or 'a stranger'} with {name} is still connected after their removal")
            for each in (holder, victim):
                each.conn.close()
                team.people.remove(each)
    return stopped
