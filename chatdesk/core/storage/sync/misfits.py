"""Stores the misfit of a project: how its log at the server differs from what was received before, and since when."""

from __future__ import annotations

from sqlalchemy.engine import Connection

from chatdesk.core.domain.sharing.team import Misfit, misfit_text
from chatdesk.core.moments import known_or_zero
from chatdesk.core.storage.engine.plain_text import json_value, object_in, one_of, shown_name

_READ = (
    f"SELECT {json_value('s.progress', 'misfit')}, {json_value('s.progress', 'misfit_since')}, p.name"  # noqa: S608
    " FROM shared_projects s LEFT JOIN projects p ON p.id = s.project_id WHERE s.project_id = ?"
)


def sentence_of(conn: Connection, project_id: str) -> str:
    """Return the sentence on what of a project's log does not fit; empty if all of it does."""
    row = conn.exec_driver_sql(_READ, (project_id,)).first()
    return "" if row is None else sentence(*row)


def sentence(misfit: object, since: object, name: object) -> str:
    """Return the sentence for stored values; empty if ``misfit`` is None."""
    if misfit is None:
        return ""
    return misfit_text(one_of(Misfit, misfit, Misfit.ALTERED), shown_name(str(name or "")), known_or_zero(since))


def record(conn: Connection, project_id: str, misfit: Misfit | None, *, now: int) -> str:
    """Record a misfit and the time of the first one since all fitted, as ``LocalStore.record_misfit``."""
    if misfit is None:
        conn.exec_driver_sql(
            f"UPDATE shared_projects SET progress = json_remove({object_in('progress')}, '$.misfit', '$.misfit_since')"  # noqa: S608
            " WHERE project_id = ?",
            (project_id,),
        )
    else:
        conn.exec_driver_sql(
            f"UPDATE shared_projects SET progress = json_set({object_in('progress')}, '$.misfit', ?, '$.misfit_since',"  # noqa: S608
            f" coalesce({json_value('progress', 'misfit_since')}, ?)) WHERE project_id = ?",
            (misfit.value, now, project_id),
        )
    return sentence_of(conn, project_id)
