"""What row-level security costs a member: the same query with it and without, on the same rows in the same run."""

from __future__ import annotations

import json
import statistics
import time
from pathlib import Path
from typing import Any

import psycopg

from chatdesk.core.ids import new_id
from tests.benchmarks.table import Row, against
from tests.helpers.postgres import cluster
from tests.helpers.team_people import Team

_ROUNDS = 50
_MOST = 1.30
_MORE_MS = 0.1
_COLUMNS = "SELECT id::text, seq, body::text, chain FROM cd.change WHERE project_id = %(p)s AND seq > "
_QUERIES = (
    ("pull of 500 changes", f"{_COLUMNS} %(half)s ORDER BY seq LIMIT 500"),
    ("pull of all changes", f"{_COLUMNS} 0 ORDER BY seq"),
    ("count of all changes", "SELECT count(*) FROM cd.change WHERE project_id = %(p)s"),
    ("look for what is new", "SELECT id::text FROM cd.change WHERE project_id = %(p)s AND seq > %(all)s"),
)


def row_level_security(_folder: Path, quick: bool) -> list[Row]:
    count = 10_000 if quick else 100_000
    server = cluster()
    database = server.workspace_database()
    team = Team(database)
    projects = [team.project() for _ in range(3)]
    member = team.join("member", **{projects[0]: "editor"})
    with database.as_superuser() as root:
        for project in projects:
            _fill(root, project, count if project == projects[0] else count // 5, team.owner.id)
        # As autovacuum leaves it after a while; if it came in the middle, the two would be read in different ways.
        root.execute("VACUUM (ANALYZE) cd.change")
    values = {"p": projects[0], "half": count // 2, "all": count}
    rows = []
    with database.as_superuser() as root:
        for name, query in _QUERIES:
            rounds = 5 if name.startswith("pull of all") else _ROUNDS * (8 if "new" in name else 1)
            with_it, without = _compared(member.conn, root, query, values, rounds)
            goal = f"at most {_MOST:.2f} of the same query without"
            title = f"row-level security: {name}"
            if "new" in name:
                # Nothing but a round trip of some hundredths of a millisecond: here the policy itself is asked.
                more, goal = with_it - without, f"at most {_MORE_MS} ms more"
                rows.append(Row(title, with_it, "ms", goal, more <= _MORE_MS, without, with_it / without))
            else:
                rows.append(against(title, with_it, without, unit="ms", most=_MOST, goal=goal))
    team.close()
    server.drop(database)
    return rows


def _compared(
    member: psycopg.Connection[Any], root: psycopg.Connection[Any], query: str, values: dict[str, Any], rounds: int
) -> tuple[float, float]:
    """Milliseconds, taken in turns so that whatever else the computer does strikes both; of each the first quartile,
    which that moves least."""
    took: dict[int, list[float]] = {0: [], 1: []}
    for _round in range(rounds + 1):
        for place, conn in enumerate((member, root)):
            begun = time.perf_counter()
            conn.execute(query.encode(), values, prepare=True).fetchall()
            took[place].append((time.perf_counter() - begun) * 1000)
    with_it, without = (statistics.quantiles(took[place][1:], n=4)[0] for place in (0, 1))
    return with_it, without


def _fill(root: psycopg.Connection[Any], project: str, count: int, author: str) -> None:
    """As many messages of 740 bytes; a superuser may COPY where row-level security holds for everybody else."""
    body = json.dumps({"thread_id": new_id(), "role": "user", "parts": [{"content": {"text": "word " * 130}}]})
    device = new_id()
    with (
        root.cursor() as cursor,
        cursor.copy(
            "COPY cd.change (id, project_id, seq, device_id, dseq, author, kind, op, entity_id, reg, parents, hlc, v, body,"
            " chain, at, seal, digest) FROM STDIN"
        ) as copy,
    ):
        for seq in range(1, count + 1):
            copy.write_row(
                (new_id(), project, seq, device, seq, author, "message", "new", new_id(), "content", [], seq, 1, body,
                 bytes(32), seq, bytes(16), bytes(32))
            )  # fmt: skip
    root.execute("UPDATE cd.project_head SET seq = %s WHERE project_id = %s", [count, project])
