"""Two members with one project, for stories that are told step by step."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from chatdesk.core.domain.sharing.sync_wire import Hello, TeamView, body_digest
from chatdesk.core.domain.sharing.team import EndReason, TeamRole
from chatdesk.core.ids import new_id
from chatdesk.core.storage.sync import sharing
from chatdesk.core.sync.requests import Link
from chatdesk.core.sync.round import sync_round
from tests.helpers import shown_digest
from tests.helpers.driven_round import drive
from tests.helpers.sync_sim.memory_profile import Profile, now
from tests.helpers.sync_sim.model_server import ModelServer, ModelTeam
from tests.helpers.sync_sim.seeded import SkewedClock, WorldTime

_TREE = (
    "SELECT m.id, m.thread_id, m.parent_id, m.position, m.role, m.status, m.deleted_at IS NULL,"
    " (SELECT group_concat(p.content) FROM message_parts p WHERE p.message_id = m.id) FROM messages m"
    " JOIN threads t ON t.id = m.thread_id WHERE t.project_id = ? ORDER BY m.id"
)
_THREADS = (
    "SELECT id, title, system_prompt, message_count, deleted_at IS NULL FROM threads WHERE project_id = ? ORDER BY id"
)


class _SlowTeam(ModelTeam):
    """``meanwhile`` happens while the first answer to ``view`` is on its way."""

    def __init__(self, server: ModelServer, member_id: str, meanwhile: Callable[[], object]) -> None:
        super().__init__(server, member_id)
        self._meanwhile = [meanwhile]

    def view(self, device: str, *, since: int = 0) -> tuple[Hello, TeamView]:
        answer = super().view(device, since=since)
        while self._meanwhile:
            self._meanwhile.pop()()
        return answer


class Pair:
    """Ann and Bob, who both write in one project of Ann's."""

    def __init__(self) -> None:
        self.time = WorldTime()
        self.server = ModelServer(new_id(), self.time.now_ms)
        self.ann, self.bob = self.profile("Ann"), self.profile("Bob")
        self.project = now(self.ann.repositories.projects.create("Plans")).id
        self.server.create_project(self.ann.member_id, self.project)
        self.server.set_role(self.project, self.bob.member_id, "editor")
        self.ann.share(self.project)
        self.threads: list[str] = []
        for name in ("One", "Two"):
            self.begin(self.ann, name)
            self.settle()
        for profile in (self.bob, self.ann, self.bob):
            for thread in self.threads:
                self.ask(profile, thread)
            self.settle()
        self.begin(self.bob, "Bob's")
        now(self.ann.repositories.threads.rename(self.threads[0], "Better"))
        leaf = self.ann.rows("SELECT id FROM messages WHERE author_id IS NULL ORDER BY id DESC LIMIT 1")[0][0]
        now(self.ann.repositories.paths.delete(leaf, with_later=False))
        self.settle()

    def copy(self) -> Pair:
        """The same again; making it takes a tenth of the time."""
        made = Pair.__new__(Pair)
        made.time, made.server = WorldTime(), self.server.snapshot()
        made.time.ms = self.time.ms
        made.server.now_ms = made.time.now_ms
        made.project, made.threads = self.project, list(self.threads)
        made.ann, made.bob = (
            Profile(
                SkewedClock(made.time, 0),
                workspace_id=each.workspace_id,
                member_id=each.member_id,
                image=each.db.image(),
            )
            for each in (self.ann, self.bob)
        )
        return made

    def profile(self, name: str) -> Profile:
        member = new_id()
        self.server.add_member(member, name, is_owner=name == "Ann")
        clock = SkewedClock(self.time, 0)
        return Profile(clock, workspace_id=self.server.workspace_id, member_id=member)

    def begin(self, profile: Profile, name: str) -> str:
        """A new thread; its id."""
        thread, _, _ = now(
            profile.repositories.messages.create_thread_with_question(
                self.project, name, f"first of {name}", provider=None, model=None
            )
        )
        self.threads.append(thread.id)
        return thread.id

    def ask(self, profile: Profile, thread: str) -> None:
        now(profile.repositories.messages.add_question(thread, f"{profile.member_id} {self.time.ms}", with_answer=None))

    def round(self, profile: Profile, *, meanwhile: Callable[[], object] = lambda: None) -> int:
        """``meanwhile``: what happens once the server has answered how things are, and before that is here."""
        self.time.ms += 1000
        steps = sync_round(Link(), name="a desk", version="1", workspace_id=self.server.workspace_id)
        return drive(steps, profile.store, _SlowTeam(self.server, profile.member_id, meanwhile)).sent

    def settle(self) -> None:
        while sum(self.round(profile) for profile in (self.ann, self.bob)):
            pass

    def say_otherwise(self, seq: int, body: str) -> None:
        """As if the server had taken other words with this number."""
        rows = self.server.projects[self.project].rows
        chain: bytes | None = None
        for place, row in enumerate(rows):
            changed = replace(row, body=body, digest=body_digest(body)) if row.seq == seq else row
            rows[place] = replace(changed, chain=changed.chain_after(chain))
            chain = rows[place].chain

    def seen(self, profile: Profile) -> tuple[object, ...]:
        """All that a profile holds of the project."""
        digest = profile.db.read_now(lambda conn: shown_digest.digest(conn, self.project))
        return digest, profile.rows(_TREE, self.project), profile.rows(_THREADS, self.project)

    def leave(self) -> None:
        """Bob leaves; what is on his computer stays there as a private copy."""
        self.server.set_role(self.project, self.bob.member_id, None)
        self.bob.db.write_now(lambda conn: sharing.end(conn, self.project, EndReason.LEFT))

    def come_back(self, role: TeamRole = TeamRole.EDITOR) -> None:
        """Ann lets Bob in again, and he chooses *Share…* on his copy."""
        self.server.set_role(self.project, self.bob.member_id, role.value)
        self.bob.share(self.project, role, joined_seq=self.server.projects[self.project].head)
