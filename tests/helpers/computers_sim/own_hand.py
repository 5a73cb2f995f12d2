"""What one person does with their own projects and threads, which no team has."""

from __future__ import annotations

from chatdesk.core.domain.message import ContextMark
from tests.helpers.sync_sim.member_actions import ACTIONS, Hand
from tests.helpers.sync_sim.memory_profile import now


class OwnHand(Hand):
    """A person at one of their computers."""

    def move_thread(self, project: str) -> None:
        source = self._pick("SELECT id FROM projects WHERE deleted_at IS NULL ORDER BY id")
        thread = None if source is None else self.thread(source)
        if thread is not None:
            now(self.profile.repositories.library.set_flag([thread], "project_id", project, "Move"))

    def begin_project(self, project: str) -> None:
        self.begin_thread(self.new_project(self.words(project)))

    def delete_project(self, project: str) -> None:
        now(self.profile.repositories.library.delete_project(project))

    def restore_project(self, _project: str) -> None:
        gone = self._pick("SELECT id FROM projects WHERE deleted_at IS NOT NULL ORDER BY id")
        if gone is not None:
            now(self.profile.repositories.library.restore_project(gone))

    def archive_project(self, project: str) -> None:
        at = None if self.rng.random() < 0.5 else self.profile.db.clock.now_ms()
        now(self.profile.repositories.projects.change(project, {"archived_at": at}))

    def mark_message(self, project: str) -> None:
        message = self.message(project)
        if message is not None:
            mark = self.rng.choice(list(ContextMark))
            now(self.profile.repositories.contexts.mark(message, mark))


OWN_ACTIONS = {name: weight for name, weight in ACTIONS.items() if name != "attach"} | {
    "move_thread": 8,
    "begin_project": 3,
    "delete_project": 3,
    "restore_project": 3,
    "archive_project": 2,
    "mark_message": 4,
    "mark_for_oneself": 6,
}
