"""Transfers the attached files of one workspace: sends them before the change that names them, fetches them after the
messages.

Files have a thread and a connection of their own, both only while there is something to transfer, so that no message
waits for a picture. A file travels in chunks, identified by its SHA-256; chunks that were transferred before a break
are not sent again. A fetched file is kept only if its SHA-256 is right.
"""

from __future__ import annotations

import hashlib
import logging
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO, Final

from chatdesk.core.attachments.blob_store import BlobStore
from chatdesk.core.attachments.virus_scan import FileInfected, FileNotScanned
from chatdesk.core.clock import Clock
from chatdesk.core.domain.sharing.sync_wire import CHUNK_BYTES
from chatdesk.core.errors import AttachmentUnusable, ChatDeskError
from chatdesk.core.storage.engine.connection import Connection
from chatdesk.core.storage.engine.database import Database
from chatdesk.core.storage.sync import files
from chatdesk.core.storage.sync.files import SharedFile
from chatdesk.core.sync.carrier import Carrier
from chatdesk.core.sync.delays import Backoff
from chatdesk.core.sync.errors import TeamError, TeamUnreachable
from chatdesk.core.sync.team_servers import close_quietly
from chatdesk.core.system.system_errors import reason_text
from chatdesk.core.texts import Text

_log = logging.getLogger(__name__)

# The largest file that another member may make this computer store.
MAX_FILE_BYTES: Final = 2 * 1024**3
# A large body is parsed in memory.
MAX_BODY_FILE_BYTES: Final = 64 * 1024**2
# How long to wait before asking the server again for a file that it did not have.
TRY_AGAIN_MS: Final = 10 * 60_000
_STOP_S: Final = 0.9

_NOT_HERE = Text("The file is no longer on the computer that sent the message.")
_NOT_THERE = Text("The team's database does not have the file (yet).")
_DAMAGED = Text("The team's database has a different file under this name.")
_TOO_LARGE = Text("The file is larger than ChatDesk takes from a team.")


class FileMover:
    """Transfers the files of one workspace on a thread of its own. ``fill_parts`` fills in the messages whose parts are
    in the file with a project, a SHA-256 and these bytes. ``on_sent``: changes that waited for a file may be sent now;
    ``on_moved``: these files have arrived, or are known to be missing. All are called on that thread."""

    def __init__(
        self,
        workspace_id: str,
        *,
        database: Database,
        fill_parts: Callable[[str, str, bytes], None],
        blobs: BlobStore,
        open_team: Callable[[], Carrier],
        clock: Clock,
        on_sent: Callable[[str], None],
        on_moved: Callable[[frozenset[str]], None],
    ) -> None:
        self._workspace_id = workspace_id
        self._database = database
        self._fill_messages = fill_parts
        self._blobs = blobs
        self._open_team = open_team
        self._clock = clock
        self._on_sent = on_sent
        self._on_moved = on_moved
        self._backoff = Backoff()
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._is_news = threading.Event()
        self._team: Carrier | None = None
        self._step_at = 0.0
        self._thread: threading.Thread | None = None

    # From any thread

    @property
    def is_running(self) -> bool:
        """True while files are transferred, or are waited for to be transferred again."""
        return self._thread is not None

    def start(self) -> None:
        """Start the thread, or have it look for files again."""
        with self._lock:
            self._is_news.set()
            if self._stopping.is_set() or self.is_running:
                return
            self._thread = threading.Thread(target=self._run, name=f"files-{self._workspace_id[-6:]}", daemon=True)
            self._thread.start()

    def start_if_needed(self) -> None:
        """Start the thread if there are files to transfer; costs a query on the caller's thread."""
        if self.is_running or self._database.read_now(self._is_any):
            self.start()

    def break_off(self, stuck_s: float) -> None:
        """Abort the connection if nothing was transferred for longer than ``stuck_s`` seconds."""
        with self._lock:
            team = self._team
        if team is not None and self._clock.monotonic_s() - self._step_at > stuck_s:
            team.abort()

    def stop(self) -> bool:
        """Abort the transfers under way. Returns false if the thread did not end in time."""
        with self._lock:
            self._stopping.set()
            team, thread = self._team, self._thread
        self._is_news.set()
        if team is not None:
            team.abort()
        if thread is not None:
            thread.join(_STOP_S)
            return not thread.is_alive()
        return True

    # On the mover's thread

    def _run(self) -> None:
        while True:
            self._is_news.clear()
            wait_s: float | None = None
            try:
                self._move_all()
                self._backoff.reset()
            except ChatDeskError as error:
                wait_s = self._backoff.next_s()
                _log.info("files of workspace %s wait: %s", self._workspace_id, error.code)
            except Exception:  # noqa: BLE001 - the edge of this thread
                wait_s = self._backoff.next_s()
                _log.exception("moving files of workspace %s failed", self._workspace_id)
            self._disconnect()
            if wait_s is not None and not self._stopping.is_set():
                self._is_news.wait(wait_s)
                continue
            with self._lock:
                if self._stopping.is_set() or not self._is_news.is_set():
                    self._thread = None
                    return

    def _move_all(self) -> None:
        while not self._stopping.is_set():
            sending = self._database.read_now(lambda conn: files.to_send(conn, self._workspace_id, limit=20))
            if sending:
                for file in sending:
                    self._send(file)
                continue
            fetching = self._database.read_now(self._to_fetch)
            if not fetching:
                return
            for file in fetching:
                self._fetch(file)

    def _to_fetch(self, conn: Connection) -> list[SharedFile]:
        return files.to_fetch(conn, self._workspace_id, tried_before=self._tried_before, limit=8)

    def _is_any(self, conn: Connection) -> bool:
        return files.is_any(conn, self._workspace_id, tried_before=self._tried_before)

    @property
    def _tried_before(self) -> int:
        return self._clock.now_ms() - TRY_AGAIN_MS

    def _connected(self) -> Carrier:
        self._step_at = self._clock.monotonic_s()
        team = self._team
        if team is None:
            team = self._open_team()
            with self._lock:
                self._team = team
            if self._stopping.is_set():
                team.abort()
        return team

    def _disconnect(self) -> None:
        with self._lock:
            team, self._team = self._team, None
        close_quietly(team)

    # Up

    def _send(self, file: SharedFile) -> None:
        if self._stopping.is_set():
            return
        path = self._blobs.path(file.sha256)
        try:
            size_bytes = path.stat().st_size
        except OSError:
            # The file can never be sent, and the rows that name it must not wait for it.
            self._mark(file, files.SENT, problem=_NOT_HERE)
            self._on_sent(file.project_id)
            return
        total = _chunks(size_bytes)
        there = self._connected().chunks.have(file.project_id, file.sha256)
        self._send_chunks(file, path, total, there)
        if there and not self._stopping.is_set() and self._is_broken(file):
            self._send_chunks(file, path, total, set())
        if self._stopping.is_set():
            return
        self._mark(file, files.SENT, done=total)
        self._on_sent(file.project_id)

    def _send_chunks(self, file: SharedFile, path: Path, total: int, there: set[int]) -> None:
        for index in range(total):
            if self._stopping.is_set():
                return
            if index not in there:
                self._connected().chunks.put(file.project_id, file.sha256, index, total, _chunk(path, index))

    def _is_broken(self, file: SharedFile) -> bool:
        """Return whether chunks on the server, which another member may have sent, did not match the SHA-256 and were
        removed."""
        try:
            return self._connected().chunks.discard_broken(file.project_id, file.sha256)
        except TeamUnreachable:
            raise
        except TeamError as error:  # larger than the server can look through, or no right to
            _log.info("a shared file was not looked through: %s", error.code)
            return False

    # Down

    def _fetch(self, file: SharedFile) -> None:
        if self._stopping.is_set():
            return
        done = None
        if not self._blobs.has(file.sha256):
            problem = self._fetch_bytes(file)
            done = _chunks(file.size_bytes)
            if problem is not None:
                self._mark(file, files.MISSING, problem=problem)
                self._on_moved(frozenset((file.sha256,)))
                return
        if self._stopping.is_set():
            return
        self._fill_parts(file)
        self._mark(file, files.HERE, done=done)
        self._on_moved(frozenset((file.sha256,)))

    def _fetch_bytes(self, file: SharedFile) -> str | None:
        """Fetch a file. Returns the problem as a sentence; None if the file has arrived or the thread is to stop."""
        if file.size_bytes > MAX_FILE_BYTES:
            return _TOO_LARGE
        unfinished = self._blobs.unfinished(file.sha256)
        total = _chunks(file.size_bytes)
        index = _whole_chunks(unfinished)
        while index < total:
            if self._stopping.is_set():
                return None
            found = self._connected().chunks.get(file.project_id, file.sha256, index)
            if found is None:
                return _NOT_THERE
            if found[0] != total or len(found[1]) > CHUNK_BYTES:
                return _DAMAGED
            _append(unfinished, index, found[1])
            index += 1
        try:
            with unfinished.open("rb") as stream:
                blob = self._blobs.put(_expected(stream, file.sha256), max_bytes=MAX_FILE_BYTES)
        except _OtherFile:
            return _DAMAGED
        except (FileInfected, FileNotScanned) as error:
            return error.sentence
        finally:
            unfinished.unlink(missing_ok=True)
        return None if blob.sha256 == file.sha256 else _DAMAGED

    def _fill_parts(self, file: SharedFile) -> None:
        """Apply a file that holds the parts of a message too large for the log."""
        if self._database.read_now(lambda conn: files.is_attached(conn, file.sha256)):
            return
        try:
            data = self._blobs.read(file.sha256, max_bytes=MAX_BODY_FILE_BYTES)
        except AttachmentUnusable as error:
            _log.warning("a large message was not taken in: %s", error.what)
            return
        self._fill_messages(file.project_id, file.sha256, data)

    def _mark(self, file: SharedFile, state: str, *, done: int | None = None, problem: str | None = None) -> None:
        now = self._clock.now_ms()
        self._database.write_now(lambda conn: files.mark(conn, file, state, now=now, done=done, problem=problem))


class _OtherFile(Exception):
    pass


def _chunks(size_bytes: int) -> int:
    return max(1, -(-size_bytes // CHUNK_BYTES))


def _chunk(path: Path, index: int) -> bytes:
    try:
        with path.open("rb") as stream:
            stream.seek(index * CHUNK_BYTES)
            return stream.read(CHUNK_BYTES)
    except OSError as error:
        raise AttachmentUnusable(_NOT_HERE) from error


def _whole_chunks(unfinished: Path) -> int:
    try:
        return unfinished.stat().st_size // CHUNK_BYTES
    except OSError:
        return 0


def _append(unfinished: Path, index: int, data: bytes) -> None:
    try:
        unfinished.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with unfinished.open("r+b" if unfinished.exists() else "wb") as stream:
            stream.seek(index * CHUNK_BYTES)
            stream.truncate()
            stream.write(data)
    except OSError as error:
        raise AttachmentUnusable(
            Text("A shared file could not be saved: {reason}.", reason=reason_text(error)),
            next_step=Text("Make room on the disk; ChatDesk tries again by itself."),
        ) from error


def _expected(stream: BinaryIO, sha256: str) -> Iterator[bytes]:
    """Yield the stream in pieces. Raises ``_OtherFile`` at its end if the SHA-256 is another one."""
    digest = hashlib.sha256()
    while piece := stream.read(256 * 1024):
        digest.update(piece)
        yield piece
    if digest.hexdigest() != sha256:
        raise _OtherFile
