"""One computer of a person: a profile in memory, its folder and its logs on the disk."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

from chatdesk.core.domain.sharing.team import NOWHERE, Workspace
from chatdesk.core.ids import new_id
from chatdesk.core.storage.engine.own_device import own_device
from chatdesk.core.storage.sync import joining_place, team
from chatdesk.core.storage.sync.store import SyncStore
from chatdesk.core.sync.computers.folder_store import FolderStore, library_file
from chatdesk.core.sync.computers.library_key import LibraryKey
from chatdesk.core.sync.computers.place import LIBRARY, Place
from chatdesk.core.sync.requests import Link, RoundResult
from chatdesk.core.sync.round import sync_round
from tests.helpers import shown_digest
from tests.helpers.driven_round import drive
from tests.helpers.sync_sim.memory_profile import Profile, now
from tests.helpers.sync_sim.seeded import SkewedClock, WorldTime

# What a team does not get.
_OWN = (
    "SELECT id, deleted_at IS NULL, archived_at FROM projects ORDER BY id",
    "SELECT id, project_id, pinned_at, archived_at, context_from_id FROM threads WHERE deleted_at IS NULL ORDER BY id",
    "SELECT id, context_mark FROM messages WHERE deleted_at IS NULL AND context_mark <> '' ORDER BY id",
)


class OwnComputer:
    """``image``: the profile that it begins with; ``make_place`` opens its folder."""

    def __init__(
        self,
        name: str,
        folder: Path,
        key: LibraryKey,
        clock: SkewedClock,
        *,
        image: bytes | None = None,
        make_place: Callable[[Path], Place] = Place,
    ) -> None:
        self.name = name
        self.key = key
        self.clock = clock
        self.place_folder = folder / "place"
        self.data = folder / "data"
        self.place_folder.mkdir(parents=True, exist_ok=True)
        self.place = make_place(self.place_folder)
        self.merge_at = 3
        self.profile = Profile(clock, workspace_id=key.workspace_id, member_id=key.member_id, image=image)
        self.join()

    @property
    def computer(self) -> str:
        """Its name in the folder."""
        return self.key.name_of("computer", self.profile.db.device_id)

    def begin(self) -> None:
        """Make the folder that of the library."""
        self.place.write(LIBRARY, library_file(self.key, self.clock.now_ms()))

    def join(self) -> None:
        """Join, also again where the profile is parked."""
        workspace = Workspace(
            self.key.workspace_id, "Mine", NOWHERE, self.key.member_id, True, 1, place=str(self.place_folder)
        )
        self.profile.db.write_now(lambda conn: joining_place.join(conn, self.profile.db.origin, workspace))
        self.profile.db.device_id = self.profile.db.read_now(own_device)

    def leave(self) -> None:
        """Leave the folder, and lose the logs."""
        now_ms = self.clock.now_ms()
        self.profile.db.write_now(lambda conn: team.leave_workspace(conn, self.key.workspace_id, now_ms))
        shutil.rmtree(self.data, ignore_errors=True)

    def go_to(self, key: LibraryKey, folder: Path) -> None:
        """Join another library."""
        self.key, self.place, self.place_folder = key, Place(folder), folder
        self.profile.workspace_id, self.profile.member_id = key.workspace_id, key.member_id
        self.profile.store = SyncStore(key.workspace_id, self.profile.db, put_blob=lambda _data: "0" * 64)
        self.join()

    def open(self) -> FolderStore:
        return FolderStore(
            self.place, self.key, self.data, self.clock, device=self.profile.db.device_id, merge_at=self.merge_at
        )

    def round(self) -> RoundResult:
        """One whole round over a new connection."""
        store = self.open()
        try:
            steps = sync_round(Link(), name=self.name, version="1", workspace_id=self.key.workspace_id)
            return drive(steps, self.profile.store, store)
        finally:
            self.looks = store.looks
            store.close()

    def projects(self) -> list[str]:
        rows = self.profile.rows("SELECT id FROM projects WHERE deleted_at IS NULL ORDER BY id")
        return [row[0] for row in rows]

    def begin_thread(self, text: str) -> str:
        thread, _, _ = now(
            self.profile.repositories.messages.create_thread_with_question(
                self.projects()[0], text[:40], text, provider=None, model=None
            )
        )
        return thread.id

    def ask(self, thread: str, text: str) -> None:
        now(self.profile.repositories.messages.add_question(thread, text, with_answer=None))

    def texts(self) -> list[str]:
        """The messages that are shown."""
        rows = self.profile.rows(
            "SELECT p.content FROM message_parts p JOIN messages m ON m.id = p.message_id JOIN threads t"
            " ON t.id = m.thread_id WHERE m.deleted_at IS NULL AND t.deleted_at IS NULL AND p.content IS NOT NULL"
        )
        return sorted(json.loads(row[0])["text"] for row in rows)

    def shown(self) -> dict[str, object]:
        """Everything that is shown of each project, and the rows of what only own computers get."""
        digest, log = shown_digest.digest, self.key.workspace_id
        return {
            each: self.profile.db.read_now(lambda conn, of=each: digest(conn, of, log=log))  # type: ignore[misc]
            for each in self.projects()
        } | {query: self.profile.rows(query) for query in _OWN}


def new_library(folder: Path, *names: str) -> list[OwnComputer]:
    """Computers that use one folder."""
    time = WorldTime()
    key = LibraryKey(new_id().encode()[:16])
    made = [OwnComputer(name, folder / name, key, SkewedClock(time)) for name in names]
    for each in made[1:]:
        each.place_folder.rmdir()
        each.place_folder.symlink_to(made[0].place_folder)
    made[0].begin()
    return made


def settle(*computers: OwnComputer) -> None:
    """Rounds until nothing is sent or received any more."""
    while sum(result.sent + result.received for result in [each.round() for each in computers]):
        computers[0].clock.time.ms += 1000
