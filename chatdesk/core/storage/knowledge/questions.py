"""Stores the questions that a person keeps for each project, and where their files were found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from sqlalchemy.engine import Connection

from chatdesk.core.domain.kept_question import LONGEST_FILE, LONGEST_QUESTION, KeptQuestion
from chatdesk.core.errors import InvalidInput, NotFound, NotPossible
from chatdesk.core.ids import checked_id, new_id
from chatdesk.core.storage.engine import tables
from chatdesk.core.storage.engine.connection import driver, insert_row
from chatdesk.core.storage.engine.database import Database
from chatdesk.core.storage.engine.plain_text import clean
from chatdesk.core.texts import Text

MOST_KEPT: Final = 500


class KeptQuestionRepository:
    """The kept questions of all projects."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def of(self, project_id: str) -> tuple[KeptQuestion, ...]:
        """Return the questions of a project, the oldest first."""
        return await self._db.read(lambda conn: _of(conn, project_id))

    async def keep(self, project_id: str, pairs: Sequence[tuple[str, str]]) -> int:
        """Keep questions, each with the file that should be found; those that are kept already stay as they are.
        Returns how many are new. Raises ``InvalidInput``, ``NotFound``, ``NotPossible`` for too many; all or none are
        kept."""
        wanted = [(clean(question.strip()), clean(file.strip())) for question, file in pairs]
        for question, file in wanted:
            if not 0 < len(question) <= LONGEST_QUESTION or not 0 < len(file) <= LONGEST_FILE:
                raise InvalidInput(
                    Text("A question and the file that should be found are both needed, in few words."),
                    safe=Text("Nothing was changed."),
                    next_step="",
                )

        def work(conn: Connection) -> int:
            project = checked_id(project_id)
            if conn.exec_driver_sql("SELECT 1 FROM projects WHERE id = ?", (project,)).first() is None:
                raise NotFound(Text("This project does not exist."))
            known = {(each.question, each.file) for each in _of(conn, project)}
            fresh = [each for each in dict.fromkeys(wanted) if each not in known]
            if len(known) + len(fresh) > MOST_KEPT:
                raise NotPossible(
                    Text("A project keeps at most {count} questions.", count=MOST_KEPT),
                    safe=Text("Nothing was changed."),
                    next_step=Text("Remove some first."),
                )
            for question, file in fresh:
                values = {"id": new_id(), "project_id": project, "question": question, "file": file}
                insert_row(conn, tables.knowledge_questions, **values, added_at=self._db.origin.now())
            return len(fresh)

        return await self._db.write(work)

    async def remove(self, question_id: str) -> None:
        """Forget a question; one that is gone stays gone."""
        wanted = checked_id(question_id)
        await self._db.write(
            lambda conn: conn.exec_driver_sql("DELETE FROM knowledge_questions WHERE id = ?", (wanted,))
        )

    async def note(self, places: Mapping[str, int]) -> None:
        """Note at which place a run found the files, by the ids of the questions. A process that may not write notes
        nothing."""
        if self._db.is_read_only or not places:
            return
        rows = [(place, question_id) for question_id, place in places.items()]
        statement = "UPDATE knowledge_questions SET place_before = place, place = ? WHERE id = ?"
        await self._db.write(lambda conn: driver(conn).executemany(statement, rows))


def _of(conn: Connection, project_id: str) -> tuple[KeptQuestion, ...]:
    rows = conn.exec_driver_sql(
        "SELECT id, project_id, question, file, place, place_before FROM knowledge_questions WHERE project_id = ?"
        " ORDER BY added_at, id",
        (project_id,),
    )
    return tuple(KeptQuestion(row[0], row[1], row[2], row[3], _place(row[4]), _place(row[5])) for row in rows)


def _place(value: object) -> int | None:
    return value if isinstance(value, int) and value >= 0 else None
