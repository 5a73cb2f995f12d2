"""What people do at their windows, each as one call of the real repositories, on something taken at random."""

from __future__ import annotations

import hashlib
import random

from chatdesk.core.domain.attachment import Attachment
from chatdesk.core.domain.message import PartType, Status
from chatdesk.core.domain.summary import NewSummary, SummaryAuthor
from chatdesk.core.domain.turn import AnswerPlan, StreamChunk, TurnOutcome
from chatdesk.core.domain.usage import Usage
from chatdesk.core.errors import ChatDeskError
from tests.helpers.sync_sim.memory_profile import Profile, now

PLAN = AnswerPlan("offline", "demo")
# Stands in every text of a project that nobody shares.
PRIVATE_MARK = "only-for-me"
_ENDS = (Status.COMPLETE, Status.COMPLETE, Status.COMPLETE, Status.STOPPED, Status.ERROR)


class Hand:
    """One person at one computer. ``actions``: what they do, by weight; everything where it is empty."""

    def __init__(self, profile: Profile, rng: random.Random, name: str, actions: dict[str, int]) -> None:
        chosen = actions or ACTIONS
        self._actions, self._weights = list(chosen), list(chosen.values())
        self.profile = profile
        self.rng = rng
        self.name = name
        self.private = ""
        self._count = 0

    def act(self, projects: list[str], private: str) -> str:
        """One thing; its name. What the window does not let them do is "not possible". ``private``: the project that
        nobody shares."""
        self.private = private
        project = self.rng.choice(projects) if projects and self.rng.random() < 0.9 else private
        return self.act_in(project, self.rng.choices(self._actions, self._weights)[0])

    def act_in(self, project: str, action: str) -> str:
        """One thing of ``ACTIONS``; its name, as in ``act``."""
        try:
            getattr(self, action)(project)
        except ChatDeskError:
            return "not possible"
        return action

    def new_project(self, name: str) -> str:
        """One that is still private. Its id."""
        return now(self.profile.repositories.projects.create(name)).id

    def words(self, project: str) -> str:
        """A text that is never written twice."""
        self._count += 1
        mark = f" {PRIVATE_MARK}" if project == self.private else ""
        return f"{self.name} {self._count}{mark}"

    def _is_shared(self, project: str) -> bool:
        return bool(self.profile.rows("SELECT 1 FROM shared_projects WHERE project_id = ?", project))

    def _pick(self, query: str, *values: object) -> str | None:
        found = self.profile.rows(query, *values)
        return None if not found else str(self.rng.choice(found)[0])

    def thread(self, project: str, *, deleted: bool = False) -> str | None:
        state = "IS NOT NULL" if deleted else "IS NULL"
        return self._pick(f"SELECT id FROM threads WHERE project_id = ? AND deleted_at {state} ORDER BY id", project)

    def message(self, project: str, role: str = "%", *, deleted: bool = False) -> str | None:
        state = "IS NOT NULL" if deleted else "IS NULL"
        return self._pick(
            "SELECT m.id FROM messages m JOIN threads t ON t.id = m.thread_id WHERE t.project_id = ? AND m.role LIKE ?"
            f" AND m.deleted_at {state} AND t.deleted_at IS NULL AND m.purged_at IS NULL"
            " AND m.status NOT IN ('pending', 'streaming') ORDER BY m.id",
            project,
            role,
        )

    # What they do

    def attach(self, project: str) -> None:
        """A question with a file, which has to be on the server before it."""
        thread = self.thread(project)
        if thread is not None:
            data = self.words(project).encode()
            file = Attachment("notes.txt", "text/plain", hashlib.sha256(data).hexdigest(), len(data))
            now(
                self.profile.repositories.messages.add_question(
                    thread, self.words(project), with_answer=None, attachments=[file]
                )
            )

    def empty_trash(self, *, at_once: bool = False) -> int:
        """What has been there for long enough goes for good, or everything ``at_once``. How many things."""
        moment = self.profile.db.clock.now_ms() + 1 if at_once else None
        return now(self.profile.repositories.trash.purge_expired(moment))

    def begin_thread(self, project: str) -> None:
        title = self.words(project)
        _, _, answer = now(
            self.profile.repositories.messages.create_thread_with_question(
                project, title, self.words(project), provider="offline", model="demo", with_answer=PLAN
            )
        )
        if answer is not None:
            self.finish(answer.id, project)

    def ask(self, project: str) -> None:
        thread = self.thread(project)
        if thread is None:
            return self.begin_thread(project)
        _, answer, _ = now(
            self.profile.repositories.messages.add_question(thread, self.words(project), with_answer=PLAN)
        )
        if answer is not None and self.rng.random() < 0.9:
            self.finish(answer.id, project)
        return None

    def finish(self, answer_id: str, project: str, status: Status | None = None) -> None:
        messages = self.profile.repositories.messages
        at = self.profile.db.clock.now_ms()
        now(messages.start_streaming(answer_id, at))
        now(messages.append_chunks(answer_id, [StreamChunk(0, PartType.TEXT, self.words(project))]))
        end = status or self.rng.choice(_ENDS)
        now(messages.finish(answer_id, TurnOutcome(end, at, usage=Usage(10, 5, 2, 1), finish_reason="stop")))

    def finish_waiting(self, project: str) -> None:
        """An answer that streamed for a while comes to its end."""
        waiting = self._pick(
            "SELECT m.id FROM messages m JOIN threads t ON t.id = m.thread_id WHERE t.project_id = ?"
            " AND m.status = 'pending' ORDER BY m.id",
            project,
        )
        if waiting is not None:
            self.finish(waiting, project)

    def answer_again(self, project: str) -> None:
        question = self.message(project, "user")
        if question is not None:
            answer, _ = now(self.profile.repositories.messages.add_answer(question, PLAN))
            self.finish(answer.id, project)

    def edit_question(self, project: str) -> None:
        question = self.message(project, "user")
        if question is not None:
            _, answer, _ = now(
                self.profile.repositories.messages.add_question_version(question, self.words(project), PLAN)
            )
            if answer is not None:
                self.finish(answer.id, project)

    def go_on(self, project: str) -> None:
        answer = self._pick(
            "SELECT m.id FROM messages m JOIN threads t ON t.id = m.thread_id WHERE t.project_id = ?"
            " AND m.status IN ('stopped', 'error') AND m.deleted_at IS NULL AND t.deleted_at IS NULL"
            " AND m.purged_at IS NULL ORDER BY m.id",
            project,
        )
        if answer is not None:
            going_on = now(self.profile.repositories.messages.resume(answer, PLAN))
            self.finish(going_on.id, project, Status.COMPLETE)

    def delete_message(self, project: str) -> None:
        message = self.message(project)
        if message is not None:
            now(self.profile.repositories.paths.delete(message, with_later=self.rng.random() < 0.5))

    def delete_in_between(self, project: str) -> None:
        """A message alone, of which what is below it stays."""
        message = self._pick(
            "SELECT m.id FROM messages m JOIN threads t ON t.id = m.thread_id WHERE t.project_id = ?"
            " AND m.deleted_at IS NULL AND t.deleted_at IS NULL AND m.status NOT IN ('pending', 'streaming')"
            " AND EXISTS (SELECT 1 FROM messages c WHERE c.parent_id = m.id AND c.deleted_at IS NULL) ORDER BY m.id",
            project,
        )
        if message is not None:
            now(self.profile.repositories.paths.delete(message, with_later=False))

    def restore_message(self, project: str) -> None:
        message = self.message(project, deleted=True)
        if message is not None:
            now(self.profile.repositories.paths.restore(message))

    def rename(self, project: str) -> None:
        thread = self.thread(project)
        if thread is not None:
            now(self.profile.repositories.threads.rename(thread, self.words(project)))

    def choose_model(self, project: str) -> None:
        thread = self.thread(project)
        if thread is not None:
            now(self.profile.repositories.threads.set_model(thread, "offline", self.words(project)))

    def delete_thread(self, project: str) -> None:
        thread = self.thread(project)
        if thread is not None:
            now(self.profile.repositories.library.delete([thread]))

    def restore_thread(self, project: str) -> None:
        thread = self.thread(project, deleted=True)
        if thread is not None:
            now(self.profile.repositories.library.restore([thread]))

    def tag(self, project: str) -> None:
        thread = self.thread(project)
        if thread is not None:
            name = self.rng.choice(["red", "Green", "blue"])
            tags = [row[0] for row in self.profile.rows("SELECT name FROM tags WHERE name = ?", name)]
            takes = bool(tags) and self.rng.random() < 0.4
            now(
                self.profile.repositories.library.tag(
                    [thread], add=[] if takes else [name], remove=[name] if takes else []
                )
            )

    def mark_for_oneself(self, project: str) -> None:
        """What nobody else is to learn: pins, the archive."""
        thread = self.thread(project)
        if thread is not None:
            column = "pinned_at" if self.rng.random() < 0.5 else "archived_at"
            value = None if self.rng.random() < 0.3 else self.profile.db.clock.now_ms()
            now(self.profile.repositories.library.set_flag([thread], column, value, "Mark"))  # type: ignore[arg-type]

    def move_thread(self, project: str) -> None:
        """A private thread into a shared project; a shared one must not go anywhere."""
        homes = [row[0] for row in self.profile.rows("SELECT id FROM projects WHERE deleted_at IS NULL ORDER BY id")]
        source = self.rng.choice([home for home in homes if home != self.private] or [project])
        thread = self.thread(source)
        if thread is not None and self._is_shared(source) is False and self._is_shared(project):
            now(self.profile.repositories.library.set_flag([thread], "project_id", project, "Move"))

    def set_prompt(self, project: str) -> None:
        thread = self.thread(project)
        if thread is not None:
            now(self.profile.repositories.system_prompts.change(threads={thread: self.words(project)}, projects={}))

    def change_project(self, project: str) -> None:
        if self.rng.random() < 0.5:
            now(self.profile.repositories.projects.change(project, {"name": self.words(project)[:60]}))
        else:
            now(self.profile.repositories.system_prompts.change(threads={}, projects={project: self.words(project)}))

    def summarise(self, project: str) -> None:
        thread = self.thread(project)
        if thread is None:
            return
        path = self.profile.rows(
            "SELECT id FROM messages WHERE thread_id = ? AND on_path = 1 AND deleted_at IS NULL"
            " AND status NOT IN ('pending', 'streaming') ORDER BY position",
            thread,
        )
        if path:
            now(
                self.profile.repositories.summaries.add(
                    NewSummary(thread, path[0][0], path[-1][0], self.words(project), 5, SummaryAuthor.MODEL, "o", "m")
                )
            )

    def erase_message(self, project: str) -> None:
        """For everybody, as far as they may."""
        message = self.message(project, deleted=self.rng.random() < 0.5)
        if message is not None:
            now(self.profile.repositories.erasures.erase_message(message))

    def erase_thread(self, project: str) -> None:
        thread = self.thread(project, deleted=self.rng.random() < 0.5)
        if thread is not None:
            now(self.profile.repositories.erasures.erase_thread(thread))

    def switch_summary(self, project: str) -> None:
        summary = self._pick(
            "SELECT s.id FROM summaries s JOIN threads t ON t.id = s.thread_id WHERE t.project_id = ?"
            " AND t.deleted_at IS NULL ORDER BY s.id",
            project,
        )
        if summary is not None:
            now(self.profile.repositories.summaries.switch(summary, is_on=self.rng.random() < 0.5))


# By weight; names of methods of ``Hand``.
ACTIONS = {
    "begin_thread": 8,
    "ask": 22,
    "finish_waiting": 5,
    "answer_again": 6,
    "edit_question": 6,
    "go_on": 6,
    "delete_message": 8,
    "restore_message": 5,
    "rename": 9,
    "choose_model": 4,
    "delete_thread": 6,
    "restore_thread": 5,
    "tag": 5,
    "mark_for_oneself": 3,
    "move_thread": 2,
    "set_prompt": 4,
    "change_project": 4,
    "summarise": 3,
    "switch_summary": 2,
    "erase_message": 3,
    "erase_thread": 1,
}
# The same, with what takes a file along.
LONG_ACTIONS = ACTIONS | {"attach": 6, "go_on": 10, "restore_thread": 8, "move_thread": 4}
