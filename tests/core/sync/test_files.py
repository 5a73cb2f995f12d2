"""Attached files on their way to the team's database and back."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from chatdesk.core.attachments.blob_store import BlobStore
from chatdesk.core.attachments.virus_scan import ScanRules
from chatdesk.core.clock import Clock
from chatdesk.core.domain.sharing.sync_wire import CHUNK_BYTES
from chatdesk.core.errors import StorageError
from chatdesk.core.storage.engine.database import Database
from chatdesk.core.storage.sync import files as sync_files
from chatdesk.core.storage.sync import outbox
from chatdesk.core.sync import files
from chatdesk.core.sync.errors import TeamError, TeamNotTaken, TeamUnreachable
from chatdesk.core.sync.files import TRY_AGAIN_MS, FileMover
from tests.helpers.clamd import SIGNATURE, fake_clamd
from tests.helpers.waiting import wait_until

LARGE = bytes(range(256)) * 4096 * 3 + b"the end"  # three chunks and a little


def sum_of(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


class Server:
    """Chunks by project, sum and number. ``fails_after``: that many chunks go through, then the connection breaks."""

    def __init__(self) -> None:
        self.stored: dict[tuple[str, str], dict[int, tuple[int, bytes]]] = {}
        self.fails_after: int | None = None
        self.puts = self.gets = self.opened = self.closed = 0
        self.trouble: TeamError | None = None  # of looking through a file

    def open(self) -> Server:
        self.opened += 1
        return self

    def _step(self) -> None:
        if self.fails_after is not None:
            self.fails_after -= 1
            if self.fails_after < 0:
                self.fails_after = None
                raise TeamUnreachable

    @property
    def chunks(self) -> Server:
        """It plays that part, too."""
        return self

    def have(self, project_id: str, sha256: str) -> set[int]:
        return set(self.stored.get((project_id, sha256), {}))

    def put(self, project_id: str, sha256: str, index: int, total: int, data: bytes) -> None:
        self._step()
        self.puts += 1
        self.stored.setdefault((project_id, sha256), {})[index] = total, data

    def get(self, project_id: str, sha256: str, index: int) -> tuple[int, bytes] | None:
        self._step()
        self.gets += 1
        return self.stored.get((project_id, sha256), {}).get(index)

    def discard_broken(self, project_id: str, sha256: str) -> bool:
        if self.trouble is not None:
            raise self.trouble
        pieces = self.stored[project_id, sha256]
        total = next(iter(pieces.values()))[0]
        is_broken = len(pieces) == total and sum_of(b"".join(pieces[index][1] for index in sorted(pieces))) != sha256
        if is_broken:
            del self.stored[project_id, sha256]
        return is_broken

    def keep(self, project_id: str, data: bytes, *, name: str | None = None) -> str:
        pieces = [data[start : start + CHUNK_BYTES] for start in range(0, len(data), CHUNK_BYTES)] or [b""]
        sha256 = name or sum_of(data)
        self.stored[project_id, sha256] = {index: (len(pieces), piece) for index, piece in enumerate(pieces)}
        return sha256

    def abort(self) -> None: ...

    def close(self) -> None:
        self.closed += 1


class Profile:
    """A database with a shared project, and what the mover told."""

    def __init__(self, database: Database, blobs: BlobStore) -> None:
        self.database = database
        self.blobs = blobs
        self.bodies: list[tuple[str, bytes]] = []
        self.sent: list[str] = []
        self.moved: set[str] = set()
        self.clock = Clock()

    def read(self, work: Callable[[Any], Any]) -> Any:
        return self.database.read_now(work)

    def write(self, work: Callable[[Any], Any]) -> Any:
        return self.database.write_now(work)

    def fill_parts(self, _project_id: str, sha256: str, data: bytes) -> None:
        self.bodies.append((sha256, data))

    def want(self, sha256: str, size: int, state: str, *, project: str = "p1", is_attached: bool = True) -> None:
        def work(conn: Any) -> None:
            conn.exec_driver_sql(
                "INSERT INTO shared_files (project_id, sha256, state, size_bytes) VALUES (?, ?, ?, ?)",
                (project, sha256, state, size),
            )
            if is_attached:
                conn.exec_driver_sql("PRAGMA defer_foreign_keys=ON")
                _attach(conn, sha256, size)

        self.write(work)

    def states(self) -> dict[str, tuple[str, str | None]]:
        return self.read(
            lambda conn: {
                row[0]: (row[1], row[2])
                for row in conn.exec_driver_sql("SELECT sha256, state, problem FROM shared_files")
            }
        )


def _attach(conn: Any, sha256: str, size: int) -> None:
    message = conn.exec_driver_sql("SELECT id FROM messages LIMIT 1").scalar()
    part = f"part {sha256}"
    columns = {row[1]: (row[2], row[3]) for row in conn.exec_driver_sql("PRAGMA table_info(message_parts)")}
    given = {
        "id": part,
        "message_id": message,
        "part_index": 100 + hash(sha256) % 10_000,
        "type": "file",
        "content": "{}",
    }
    for name, (kind, is_needed) in columns.items():
        if is_needed and name not in given:
            given[name] = 0 if kind == "INTEGER" else ""
    conn.exec_driver_sql(
        f"INSERT INTO message_parts ({', '.join(given)}) VALUES ({', '.join('?' * len(given))})", tuple(given.values())
    )
    conn.exec_driver_sql(
        "INSERT INTO artifacts (id, part_id, kind, path, mime, size_bytes, sha256, hlc, origin_device)"
        " VALUES (?, ?, 'file', ?, 'text/plain', ?, ?, 0, '')",
        (f"artifact {sha256}", part, f"{sha256[:2]}/{sha256}", size, sha256),
    )


@pytest.fixture(autouse=True)
def _patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """What ends a mover ends it at once; how long a busy machine needs for that is no matter."""
    monkeypatch.setattr(files, "_STOP_S", 15.0)


@pytest.fixture
async def profile(tmp_path: Path) -> Any:
    from tests.helpers.store import MovableClock, Store

    store = Store(tmp_path / "chatdesk.db", MovableClock())
    await store.db.open()
    await store.ask(await store.thread())
    made = Profile(store.db, BlobStore(tmp_path / "blobs"))
    await store.db.write(
        lambda conn: conn.exec_driver_sql(
            "INSERT INTO shared_projects (project_id, workspace_id, role, state, shared_at)"
            " VALUES ('p1', 'w1', 'editor', 'shared', 0), ('p2', 'w1', 'editor', 'ended', 0)"
        )
    )
    yield made
    await store.db.close()


def mover(profile: Profile, server: Server) -> FileMover:
    return FileMover(
        "w1",
        database=profile.database,
        fill_parts=profile.fill_parts,
        blobs=profile.blobs,
        open_team=server.open,  # type: ignore[arg-type] - the methods that move files
        clock=profile.clock,
        on_sent=profile.sent.append,
        on_moved=profile.moved.update,
    )


def run(profile: Profile, server: Server) -> None:
    """Until there is nothing to do."""
    it = mover(profile, server)
    it.start()
    wait_until(lambda: not it.is_running)
    assert it.stop()


async def test_a_file_travels_whole_from_one_profile_to_another(profile: Profile) -> None:
    server = Server()
    sha256 = profile.blobs.put((LARGE,), max_bytes=10**8).sha256
    profile.want(sha256, len(LARGE), "to_send")
    run(profile, server)
    assert profile.states()[sha256] == ("sent", None)
    assert profile.sent == ["p1"]
    assert server.puts == 4
    profile.blobs.remove(sha256)
    profile.write(lambda conn: conn.exec_driver_sql("UPDATE shared_files SET state = 'to_fetch'"))
    run(profile, server)
    assert profile.states()[sha256] == ("here", None)
    assert profile.blobs.read(sha256, max_bytes=10**8) == LARGE
    assert profile.moved == {sha256}
    assert server.opened == server.closed == 2
    assert not [path for path in profile.blobs.folder.iterdir() if path.name.startswith(".part")]


async def test_an_infected_file_of_a_team_is_kept_out_and_said_so(profile: Profile, tmp_path: Path) -> None:
    server = Server()
    sha256 = server.keep("p1", LARGE + SIGNATURE)
    profile.want(sha256, len(LARGE + SIGNATURE), "to_fetch")
    with fake_clamd(tmp_path) as clamd:
        profile.blobs.scan.use(ScanRules(clamd.address))
        run(profile, server)
    state, problem = profile.states()[sha256]
    assert state == "missing" and "virus scanner" in problem
    assert not profile.blobs.has(sha256)


async def test_what_was_sent_before_a_break_is_not_sent_again(profile: Profile) -> None:
    server = Server()
    sha256 = profile.blobs.put((LARGE,), max_bytes=10**8).sha256
    profile.want(sha256, len(LARGE), "to_send")
    server.fails_after = 2
    it = mover(profile, server)
    it.start()
    wait_until(lambda: server.fails_after is None)
    it.start()  # something happened: it does not wait for its turn
    wait_until(lambda: profile.states()[sha256][0] == "sent")
    assert it.stop()
    assert server.puts == 4


async def test_foreign_pieces_of_a_file_are_replaced(profile: Profile) -> None:
    server = Server()
    sha256 = profile.blobs.put((LARGE,), max_bytes=10**8).sha256
    profile.want(sha256, len(LARGE), "to_send")
    server.stored["p1", sha256] = {1: (4, b"something else")}
    run(profile, server)
    assert profile.states()[sha256] == ("sent", None)
    assert b"".join(piece for _, (_, piece) in sorted(server.stored["p1", sha256].items())) == LARGE


async def test_a_file_that_the_server_cannot_look_through_counts_as_sent(profile: Profile) -> None:
    server = Server()
    sha256 = profile.blobs.put((LARGE,), max_bytes=10**8).sha256
    profile.want(sha256, len(LARGE), "to_send")
    server.keep("p1", LARGE)
    server.trouble = TeamNotTaken()
    run(profile, server)
    assert profile.states()[sha256] == ("sent", None)
    assert server.puts == 0


async def test_what_arrived_before_a_break_is_not_fetched_again(profile: Profile) -> None:
    server = Server()
    sha256 = server.keep("p1", LARGE)
    profile.want(sha256, len(LARGE), "to_fetch")
    server.fails_after = 3
    it = mover(profile, server)
    it.start()
    wait_until(lambda: server.fails_after is None)
    assert it.stop()
    assert server.gets == 3
    run(profile, server)
    assert server.gets == 4
    assert profile.blobs.read(sha256, max_bytes=10**8) == LARGE


async def test_a_restored_server_is_given_only_files_that_it_had(profile: Profile) -> None:
    """Whoever knows the SHA-256 of a private file can name it; that does not make it theirs."""
    server = Server()
    private = profile.blobs.put((b"a private file",), max_bytes=10**8).sha256
    profile.want(private, 14, "to_fetch")
    shared = server.keep("p1", LARGE)
    profile.want(shared, len(LARGE), "to_fetch")
    run(profile, server)
    assert profile.states() == {private: ("here", None), shared: ("here", None)}

    server.stored.clear()
    profile.write(lambda conn: outbox.start_over(conn, "p1"))
    run(profile, server)

    assert server.stored.keys() == {("p1", shared)}


async def test_a_file_that_the_server_does_not_have_is_missing_and_asked_for_again_later(profile: Profile) -> None:
    server = Server()
    sha256 = sum_of(LARGE)
    profile.want(sha256, len(LARGE), "to_fetch")
    run(profile, server)
    state, problem = profile.states()[sha256]
    assert state == "missing"
    assert problem is not None
    assert "does not have the file" in problem
    assert profile.read(sync_files.not_here) == {sha256: "missing"}
    server.keep("p1", LARGE)
    run(profile, server)
    assert profile.states()[sha256][0] == "missing"  # too soon
    later = profile.clock.now_ms() - 2 * TRY_AGAIN_MS
    profile.write(lambda conn: conn.exec_driver_sql("UPDATE shared_files SET tried_at = ?", (later,)))
    run(profile, server)
    assert profile.states()[sha256] == ("here", None)
    assert profile.read(sync_files.not_here) == {}


@pytest.mark.parametrize("lie", [LARGE[:-1] + b"X", LARGE[:-5], b"", LARGE + LARGE])
async def test_other_bytes_under_that_name_are_never_kept(profile: Profile, lie: bytes) -> None:
    server = Server()
    sha256 = server.keep("p1", lie, name=sum_of(LARGE))
    profile.want(sha256, len(LARGE), "to_fetch")
    run(profile, server)
    assert profile.states()[sha256][0] == "missing"
    assert not profile.blobs.has(sha256)
    assert not [
        path for path in profile.blobs.folder.glob("*") if path.name.startswith(".part") and path.stat().st_size
    ]


async def test_a_file_of_absurd_size_is_not_asked_for(profile: Profile) -> None:
    server = Server()
    profile.want(sum_of(LARGE), 2**50, "to_fetch")
    run(profile, server)
    assert server.gets == 0
    assert "larger" in (profile.states()[sum_of(LARGE)][1] or "")


async def test_an_empty_file_travels_too(profile: Profile) -> None:
    server = Server()
    sha256 = profile.blobs.put((b"",), max_bytes=1).sha256
    profile.want(sha256, 0, "to_send")
    run(profile, server)
    profile.blobs.remove(sha256)
    profile.write(lambda conn: conn.exec_driver_sql("UPDATE shared_files SET state = 'to_fetch'"))
    run(profile, server)
    assert profile.states()[sha256][0] == "here"
    assert profile.blobs.has(sha256)


async def test_what_nobody_can_send_does_not_hold_up_what_was_written(profile: Profile) -> None:
    server = Server()
    profile.want(sum_of(LARGE), len(LARGE), "to_send")
    run(profile, server)
    state, problem = profile.states()[sum_of(LARGE)]
    assert state == "sent"
    assert problem is not None
    assert profile.sent == ["p1"]
    assert server.opened == 0


async def test_nothing_moves_for_a_project_that_is_shared_no_more(profile: Profile) -> None:
    server = Server()
    profile.want(sum_of(LARGE), len(LARGE), "to_fetch", project="p2")
    run(profile, server)
    assert server.opened == 0


async def test_a_body_that_travelled_as_a_file_is_taken_in(profile: Profile) -> None:
    server = Server()
    body = b'{"parts": []}'
    sha256 = server.keep("p1", body)
    profile.want(sha256, len(body), "to_fetch", is_attached=False)
    run(profile, server)
    assert profile.bodies == [(sha256, body)]
    assert profile.states()[sha256][0] == "here"


async def test_a_local_failure_is_retried(profile: Profile, monkeypatch: pytest.MonkeyPatch) -> None:
    server = Server()
    sha256 = server.keep("p1", LARGE)
    profile.want(sha256, len(LARGE), "to_fetch")
    put, failures = profile.blobs.put, [StorageError(), ZeroDivisionError()]

    def failing(*args: Any, **options: Any) -> Any:
        if failures:
            raise failures.pop()
        return put(*args, **options)

    monkeypatch.setattr(profile.blobs, "put", failing)
    it = mover(profile, server)
    for left in (1, 0):
        it.start()
        wait_until(lambda left=left: len(failures) == left)
    it.start()
    wait_until(lambda: profile.states()[sha256][0] == "here")
    assert it.stop()


async def test_it_stops_while_the_server_is_silent(profile: Profile) -> None:
    server = Server()
    asked, silent = threading.Event(), threading.Event()
    server.abort = silent.set  # type: ignore[method-assign]

    def get_chunk(*_args: object) -> None:
        asked.set()
        silent.wait(20)
        raise TeamUnreachable

    server.get = get_chunk  # type: ignore[method-assign, assignment]
    profile.want(sum_of(LARGE), len(LARGE), "to_fetch")
    it = mover(profile, server)
    it.start()
    assert asked.wait(20)
    assert it.stop()
    assert not it.is_running
    it.start()  # after the end: nothing
    assert not it.is_running


async def test_upkeep_leaves_what_waits_to_be_sent(profile: Profile) -> None:
    profile.want(sum_of(LARGE), 1, "to_send", is_attached=False)
    assert profile.read(sync_files.still_needed) == {sum_of(LARGE)}
