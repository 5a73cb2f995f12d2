"""Reads a backup in a process of its own, with limits of time, memory and bytes.

The process may be killed at any moment: its unfinished file has a name that no other code opens. One line of JSON goes
in, one comes out; the process ends with its input, and so with the window.
"""

from __future__ import annotations

import json
import logging
import os
import shutil
import sqlite3
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from chatdesk.core.domain.backup_contents import BackupContents
from chatdesk.core.errors import SchemaTooNew, StorageCorrupt, StorageError, StorageFull
from chatdesk.core.paths import migrations_dir
from chatdesk.core.storage.engine import tables
from chatdesk.core.storage.engine.backup import damaged_pages
from chatdesk.core.storage.engine.connection import connect
from chatdesk.core.storage.engine.failures import translated
from chatdesk.core.storage.engine.plain_text import from_json, shown_name
from chatdesk.core.storage.upkeep import backup_files, restored_rows
from chatdesk.core.system import child_process
from chatdesk.core.texts import Text, packed, unpacked

# A backup of the usual size is read in a few seconds; a gigabyte takes about a minute.
_LEAST_TIME_S: Final = 60.0
_TIME_S_A_MB: Final = 3.0
_MOST_MEMORY_BYTES: Final = 2 * 1024**3
# Databases pack to a third, but one endless text packs a database to a thousandth. A file that unpacks to far more than
# that, and to more than half of the free space, was made to fill the disk.
_MOST_UNPACKED_FACTOR: Final = 100
_MOST_OF_ENDLESS_TEXTS_BYTES: Final = 4 * 1024**3
_SPARE_BYTES: Final = 32 * 1024 * 1024
_LOOK_EVERY_BYTES: Final = 16 * 1024 * 1024
_TITLES: Final = 5
_MOST_REPLY_BYTES: Final = 1024 * 1024
_ERRORS: Final[dict[str, type[StorageError]]] = {
    each.code: each for each in (StorageError, StorageFull, StorageCorrupt, SchemaTooNew)
}


def run(
    backup: Path, *, plain: Path, blobs: Path, target: Path | None = None, command: Sequence[str] | None = None
) -> BackupContents:
    """Unpack ``backup`` to ``plain`` and return what is in it; with ``target``, also make a database of its rows there
    and put its files among ``blobs``. Raises ``StorageError``; the caller removes ``plain`` and ``target`` in any case.
    """
    _check_space(backup, plain.parent)

    limit_s = time_limit_s(backup)
    job = {
        "backup": str(backup.absolute()),  # the process works in another folder
        "plain": str(plain),
        "blobs": str(blobs),
        "target": None if target is None else str(target),
        "migrations": str(migrations_dir()),
        "cpu_s": int(limit_s),
    }
    reply = _ask(json.dumps(job).encode() + b"\n", limit_s, command or default_command())
    if "contents" in reply:
        found = reply["contents"]
        return BackupContents(**found | {key: tuple(found[key]) for key in ("titles", "workspaces")} | {"path": backup})
    error = reply.get("error")
    if error is None:
        raise StorageCorrupt(
            Text(
                "{name} needs more time or memory than a backup of its size should, so ChatDesk stopped reading it.",
                name=backup.name,
            ),
            safe=Text("Nothing was changed."),
            next_step=Text("Choose another backup."),
        )
    kind = _ERRORS.get(error["code"], StorageError)
    what, safe, next_step = map(unpacked, error["sentences"])
    raise kind(what, safe=safe, next_step=next_step)


def time_limit_s(backup: Path) -> float:
    """Return the time limit for reading a backup, by its size."""
    return _LEAST_TIME_S + backup.stat().st_size / 1_000_000 * _TIME_S_A_MB


def default_command() -> list[str]:
    """Return the command that starts the process."""
    return child_process.command_of("--restore-worker")


def _ask(job: bytes, limit_s: float, command: Sequence[str]) -> dict[str, Any]:
    process = child_process.start(command)
    assert process.stdin is not None
    assert process.stdout is not None
    timer = threading.Timer(limit_s, process.kill)
    timer.daemon = True
    timer.start()
    try:
        with suppress(OSError):  # killed before it had read its job
            process.stdin.write(job)
            process.stdin.flush()
        reply = process.stdout.read(_MOST_REPLY_BYTES)
    finally:
        timer.cancel()
        process.kill()
        process.wait()
        process.stdout.close()
        with suppress(OSError):
            process.stdin.close()
    return from_json(reply.decode("utf-8", "replace"))


def _check_space(path: Path, directory: Path) -> None:
    factor = 2 if path.name.endswith(".db") else 6
    needed = path.stat().st_size * factor + _SPARE_BYTES
    free = shutil.disk_usage(directory).free
    if free < needed:
        raise StorageFull(
            Text(
                "Checking the backup needs up to {needed} MB; {free} MB are free.",
                needed=needed // 1000000,
                free=free // 1000000,
            ),
            safe=Text("Nothing was changed."),
            next_step=Text("Free some space and try again."),
        )


# Code of the child process


def room(backup: Path, directory: Path) -> Callable[[int], None]:
    """Return a check of how much may be unpacked from ``backup`` into ``directory``. It counts bytes and ignores the
    sizes that the file declares."""
    packed_bytes = backup.stat().st_size
    of_endless_texts = min(_MOST_OF_ENDLESS_TEXTS_BYTES, shutil.disk_usage(directory).free // 2)
    most = max(packed_bytes * _MOST_UNPACKED_FACTOR + _SPARE_BYTES, of_endless_texts)
    looked_at = 0

    def check(count: int) -> None:
        nonlocal looked_at
        if count > most:
            raise StorageCorrupt(
                Text("{name} would fill the disk if it were unpacked, so it was not.", name=backup.name),
                safe=Text("Nothing was changed."),
                next_step=Text("Choose another backup."),
            )
        if count < looked_at:
            looked_at = 0  # the next file
        if count - looked_at >= _LOOK_EVERY_BYTES:
            looked_at = count
            if shutil.disk_usage(directory).free < _SPARE_BYTES:
                raise StorageFull(
                    Text("There is not enough room on the disk for the contents of the backup."),
                    safe=Text("Nothing was changed."),
                    next_step=Text("Free some space and try again."),
                )

    return check


def read(job: Mapping[str, Any]) -> BackupContents:
    """Carry out one job inside the process."""
    path, plain, blobs = Path(job["backup"]), Path(job["plain"]), Path(job["blobs"])
    try:
        is_room = room(path, plain.parent)
        backup_files.unpack(path, plain, is_room=is_room)
        with closing(connect(plain, "immutable")) as conn:
            conn.execute("PRAGMA query_only=ON")
            revision = _revision(conn, path)
            if job["target"] is not None and damaged_pages(conn):
                raise backup_files.not_a_backup(path)
            sizes = backup_files.named_sizes(conn)
            contents = _contents(conn, path, revision, _missing(path, blobs, sizes))
        if job["target"] is not None:
            target, migrations = Path(job["target"]), Path(job["migrations"])
            restored_rows.copy_rows(plain, target, revision, migrations=migrations, name=path.name)
            backup_files.unpack_blobs(path, blobs, sizes, is_room=is_room)
    except sqlite3.OperationalError as error:
        if "disk is full" in str(error):
            raise StorageFull from error
        raise backup_files.not_a_backup(path) from error
    except (sqlite3.Error, OverflowError, UnicodeError) as error:  # also names that are no text
        raise backup_files.not_a_backup(path) from error
    return contents


def _revision(conn: sqlite3.Connection, path: Path) -> str:
    try:
        return restored_rows.check_schema(conn, path.name)
    except SchemaTooNew as error:
        raise SchemaTooNew(
            Text("This backup was written by a newer ChatDesk."),
            safe=Text("Nothing was changed."),
            next_step=Text("Update ChatDesk to restore it."),
        ) from error


def _missing(path: Path, blobs: Path, sizes: Mapping[str, int]) -> int:
    brought = backup_files.blobs_of_zip(path)
    return sum(1 for name in sizes if name not in brought and not (blobs / name[:2] / name).is_file())


def _contents(conn: sqlite3.Connection, path: Path, revision: str, missing_files: int) -> BackupContents:
    threads, newest = conn.execute(
        "SELECT count(*), max(last_activity_at) FROM threads WHERE deleted_at IS NULL"
    ).fetchone()
    titles = conn.execute(
        "SELECT title FROM threads WHERE deleted_at IS NULL ORDER BY last_activity_at DESC, id DESC LIMIT ?", (_TITLES,)
    ).fetchall()
    there = {row[0] for row in conn.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    joined = f"SELECT name FROM workspaces WHERE left_at IS NULL LIMIT {_TITLES}"  # noqa: S608 - a constant
    teams = conn.execute(joined) if "workspaces" in there else ()
    return BackupContents(
        path=path,
        made_at=int(path.stat().st_mtime * 1000),
        newest_at=newest if isinstance(newest, int) else None,
        schema=revision,
        threads=threads,
        messages=conn.execute("SELECT count(*) FROM messages WHERE deleted_at IS NULL").fetchone()[0],
        titles=tuple(shown_name(str(row[0])[:200]) for row in titles),
        missing_files=missing_files,
        is_older_schema=revision != tables.HEAD_REVISION,
        unfinished=conn.execute("SELECT count(*) FROM messages WHERE status IN ('pending', 'streaming')").fetchone()[0],
        workspaces=tuple(shown_name(str(row[0])[:200]) for row in teams),
    )


def _limit_resources(cpu_s: int) -> None:
    """Set limits that hold even inside one call of a C library. Windows has none of them; the time limit is enforced
    from outside."""
    try:
        import resource
    except ImportError:
        return
    for kind, most in (
        (resource.RLIMIT_AS, _MOST_MEMORY_BYTES),
        (resource.RLIMIT_CPU, cpu_s),
        (resource.RLIMIT_CORE, 0),
    ):
        _, hard = resource.getrlimit(kind)
        resource.setrlimit(kind, (most if hard == resource.RLIM_INFINITY else min(most, hard), hard))
    os.nice(5)


def _reply(job: Mapping[str, Any]) -> dict[str, Any]:
    try:
        return {"contents": {**asdict(read(job)), "path": ""}}
    except StorageError as error:
        found = error
    except OSError as error:
        found = translated(error)
    except MemoryError:
        return {}
    except Exception as error:  # noqa: BLE001 - whatever a file provokes becomes a sentence
        logging.getLogger(__name__).warning("a backup cannot be read: %s", type(error).__name__)
        found = backup_files.not_a_backup(Path(job["backup"]))
    return {"error": {"code": found.code, "sentences": list(map(packed, (found.what, found.safe, found.next_step)))}}


def main() -> None:
    job = json.loads(sys.stdin.buffer.readline())
    _limit_resources(job["cpu_s"])

    def watch() -> None:
        sys.stdin.buffer.read()
        os._exit(1)  # the parent has ended

    threading.Thread(target=watch, name="input", daemon=True).start()
    reply = _reply(job)
    sys.stdout.buffer.write(json.dumps(reply).encode("ascii"))
    sys.stdout.buffer.flush()
    os._exit(0)  # the thread waits for input that never comes


if __name__ == "__main__":
    main()
