"""A server of the team whose own tables are broken: the person is told in one sentence, nothing is called sent, and all
goes on once whoever runs the server has mended it."""

from __future__ import annotations

from pathlib import Path

import pytest

from chatdesk.core.domain.sharing.team import SyncPhase
from tests.helpers.examples import sample
from tests.helpers.postgres import TeamDatabase
from tests.helpers.team_world import Desk, desks, until, until_same

# What is broken, and how it is mended; both about a table that every push writes to.
_BREAKAGES = {
    "gone": ("ALTER TABLE cd.{table} RENAME TO broken", "ALTER TABLE cd.broken RENAME TO {table}"),
    "without a column": (
        "ALTER TABLE cd.{table} RENAME COLUMN {column} TO broken",
        "ALTER TABLE cd.{table} RENAME COLUMN broken TO {column}",
    ),
    "taking nothing": (
        "ALTER TABLE cd.{table} ADD CONSTRAINT broken CHECK (false) NOT VALID",
        "ALTER TABLE cd.{table} DROP CONSTRAINT broken",
    ),
    "damaged on the disk": (
        """CREATE FUNCTION cd.broken() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        RAISE EXCEPTION 'invalid page in block 0 of relation base/5/16384' USING ERRCODE = 'XX001'; END $$;
        CREATE TRIGGER broken BEFORE INSERT OR UPDATE ON cd.{table} FOR EACH ROW EXECUTE FUNCTION cd.broken()""",
        "DROP FUNCTION cd.broken CASCADE",
    ),
}
_TABLES = {"used": "changes", "turn": "id"}
_CASES = [(table, breakage) for breakage in _BREAKAGES for table in _TABLES]


async def _is_told(desk: Desk) -> bool:
    return bool(desk.team.status(desk.workspace_id).problem)


@pytest.mark.parametrize(("table", "breakage"), sample(_CASES, 4))
async def test_a_broken_table_is_told_and_nothing_is_lost(
    tmp_path: Path, workspace: TeamDatabase, table: str, breakage: str
) -> None:
    breaking, mending = (each.format(table=table, column=_TABLES[table]) for each in _BREAKAGES[breakage])
    async with desks(tmp_path, workspace, ["ben"], poll_s=0.2) as (project, [ana, ben]):
        await ana.ask(await ana.thread(project, "before"))
        await until_same(project, [ana, ben])
        with workspace.as_superuser(autocommit=True) as root:
            root.execute("DELETE FROM cd.turn")
            root.execute(breaking)  # type: ignore[arg-type]
            await ben.thread(project, "of Ben")
            await until(lambda: _is_told(ben), within_s=8)
            sentence = str(ben.team.status(ben.workspace_id).problem)
            assert "There is no workspace" not in sentence
            assert "team's" in sentence
            assert ben.phase is not SyncPhase.SYNCED
            assert await ben.waiting()
            root.execute(mending)  # type: ignore[arg-type]
        await until(lambda: ben.phase is SyncPhase.SYNCED and not ben.team.status(ben.workspace_id).problem)
        await until_same(project, [ana, ben])
        assert "of Ben" in await ana.titles(project)
