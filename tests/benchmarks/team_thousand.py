"""What 1,000 members cost a server while they do nothing: their statements at their pace, through a few connections, and
the time of processors that these connections' backends took."""

from __future__ import annotations

import os
import random
import time
from dataclasses import dataclass, replace
from pathlib import Path

from chatdesk.core.sync.round import WHOLE_EVERY_MS
from chatdesk.core.sync.team_store.postgres import TeamStore, connect
from chatdesk.core.sync.worker import POLL_S
from tests.benchmarks.table import Row
from tests.helpers.postgres import TeamDatabase
from tests.helpers.team_people import Person, Team

MEMBERS = 1000
_CONNECTIONS = 10
_PROJECTS_EACH = 3
_MOST_PERCENT = 10.0
_MAKE_PEOPLE = """
WITH made AS (
    INSERT INTO cd.member (role_name, display_name, status, accepted_at)
    SELECT 'cd_idle_' || n, 'Member ' || n, 'active', now() FROM generate_series(1, %s) AS n RETURNING id
), devices AS (
    INSERT INTO cd.device (id, member_id, name, app_version) SELECT gen_random_uuid(), id, 'desk', '1' FROM made
)
INSERT INTO cd.project_member (project_id, member_id, role) SELECT p, id, 'editor' FROM made, unnest(%s::uuid[]) AS p
"""


@dataclass
class _Idler:
    """One connection, in which several members ask in turn."""

    person: Person
    store: TeamStore
    version: int = 0


def thousand(database: TeamDatabase, seconds: float) -> list[Row]:
    team = Team(database)
    idlers: list[_Idler] = []
    try:
        projects = [team.project() for _ in range(_PROJECTS_EACH)]
        idlers = [_idler(team, number, projects) for number in range(_CONNECTIONS)]
        with database.as_superuser() as conn:
            conn.execute(_MAKE_PEOPLE, [MEMBERS - _CONNECTIONS - 1, projects])
            # Nobody came in a moment ago.
            for table in ("member", "device", "project_member"):
                conn.execute(f"UPDATE cd.{table} SET changed = 1".encode())
            conn.execute("ANALYZE")
        for idler in idlers:
            idler.version = idler.store.view(idler.person.device)[1].version
        return _measured(idlers, seconds)
    finally:
        for idler in idlers:
            idler.store.close()
        team.close()


def _idler(team: Team, number: int, projects: list[str]) -> _Idler:
    person = team.join(f"idle{number}", **dict.fromkeys(projects, "editor"))
    address = replace(team.database.address, user=person.login)
    return _Idler(person, connect(address, person.password))


def _measured(idlers: list[_Idler], seconds: float) -> list[Row]:
    rng = random.Random(1)
    pids = [idler.store.backend_pid for idler in idlers]
    pace_s, whole_every = POLL_S / MEMBERS, WHOLE_EVERY_MS / 1000 / POLL_S
    used_s, began, asked = _processor_s(pids), time.monotonic(), 0
    while (passed := time.monotonic() - began) < seconds:
        if asked * pace_s > passed:
            time.sleep(asked * pace_s - passed)
        idler = idlers[asked % len(idlers)]
        is_whole = rng.random() < 1 / whole_every
        idler.store.view(idler.person.device, since=0 if is_whole else idler.version)
        asked += 1
    passed = time.monotonic() - began
    percent = (_processor_s(pids) - used_s) / passed * 100
    return [
        Row(
            f"the server's processor for {MEMBERS:,} idle members, in percent of one core",
            percent,
            "%",
            f"at most {_MOST_PERCENT:g}",
            percent <= _MOST_PERCENT,
        ),
        Row("their statements", asked / passed, "/s", "what they really ask", reached=True),
    ]


def _processor_s(pids: list[int]) -> float:
    """What these processes took so far."""
    ticks = 0
    for pid in pids:
        values = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        ticks += int(values[11]) + int(values[12])
    return ticks / os.sysconf("SC_CLK_TCK")
