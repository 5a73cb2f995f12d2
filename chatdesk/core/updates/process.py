"""The process that asks a feed of updates and makes a new version ready to start; it may be killed at any moment.

It reads one job from its input, a JSON line, and answers with JSON lines: ``progress`` while it works, then
``release``, ``staged`` or ``error``. It changes nothing that starts: it writes what it knows of the feed, and below the
folder for work; the caller puts a staged version in its place.
"""

from __future__ import annotations

import errno
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from chatdesk.core.processes import child_environment
from chatdesk.core.updates.feed_client import EXPIRED, REFUSED, UNREACHABLE, FeedClient
from chatdesk.core.updates.program_archive import UnusableArchive, unpack
from chatdesk.core.updates.program_folder import PROGRAM, ProgramFolder
from chatdesk.core.updates.release import Release, Version

_LONGEST_JOB_BYTES: Final = 256 * 1024
_DOWNLOAD: Final = "download"
_SPARE_BYTES: Final = 64 * 1024 * 1024
_VERSION_S: Final = 60.0
# A copy of the database, its upgrade, and the backup that the upgrade makes.
_DATABASE_FACTOR: Final = 4
_FULL: Final = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class Unusable(Exception):
    """An update cannot be used; carries the code of the reason."""


def main() -> None:
    """Do the one job that comes in."""
    if hasattr(os, "setpgrp"):
        os.setpgrp()  # whoever ends this process ends the program that is tried, too
    job = json.loads(sys.stdin.buffer.readline(_LONGEST_JOB_BYTES))
    folder = ProgramFolder(Path(job["place"]))
    try:
        with folder.locked("worker"):  # one whose window was killed may still be at work
            folder.clear_work()
            tempfile.tempdir = str(folder.make_work_folder())  # what is fetched goes through a file without a name
            _report(_check(job, folder) if job["kind"] == "check" else _stage(job, folder))
    except BlockingIOError:
        _report({"error": "busy"})
    except EXPIRED:
        _report({"error": "expired"})
    except REFUSED:
        _report({"error": "refused"})
    except UNREACHABLE:
        _report({"error": "unreachable"})
    except (UnusableArchive, FileExistsError):
        _report({"error": "unusable"})
    except Unusable as error:
        _report({"error": str(error)})
    except OSError as error:
        _report({"error": "full" if error.errno in _FULL else "disk", "errno": error.errno})


def _check(job: Mapping[str, Any], folder: ProgramFolder) -> dict[str, Any]:
    found = FeedClient(job, folder.feed / "metadata", lambda _count: None).release()
    return {"release": None if found is None else _as_data(found[0])}


def _stage(job: Mapping[str, Any], folder: ProgramFolder) -> dict[str, Any]:
    """Have the wanted version in a folder of its own, whole, tried, and on the disk."""
    wanted = Version.read(job["wanted"])
    progress = _Progress()
    client = FeedClient(job, folder.feed / "metadata", progress.add)
    found = client.release()
    if found is None or found[0].version != wanted:
        raise Unusable("changed")
    release, target = found
    backup = Path(job["backup"])
    _check_room(folder.work, release, backup)
    archive = folder.work / _DOWNLOAD
    progress.start(release.download_bytes)
    client.download(target, archive)
    _report({"progress": "unpack"})
    staged = folder.make_work_folder() / "program"
    staged.mkdir()
    unpack(archive, staged, program=PROGRAM)
    _report({"progress": "try"})
    _try(staged / PROGRAM, release, backup, folder, limit_s=job["trial_s"])
    archive.unlink()
    os.sync()
    return {"staged": str(staged)}


def _check_room(folder: Path, release: Release, backup: Path) -> None:
    needed = release.download_bytes * 2 + release.program_bytes + backup.stat().st_size * _DATABASE_FACTOR
    if shutil.disk_usage(folder).free < needed + _SPARE_BYTES:
        raise Unusable("full")


def _try(program: Path, release: Release, backup: Path, folder: ProgramFolder, *, limit_s: float) -> None:
    """Have the new version say which it is, and upgrade a copy of the data."""
    said = _run([str(program), "--version"], _VERSION_S)
    if said.split() != ["chatdesk", str(release.version)]:
        raise Unusable("does_not_start")
    copied = folder.make_work_folder()
    try:
        shutil.copy(backup, copied / "chatdesk.db")
        _run([str(program), "--data-dir", str(copied), "threads", "--json"], limit_s)
    finally:
        shutil.rmtree(copied, ignore_errors=True)


def _run(command: list[str], limit_s: float) -> str:
    try:
        ended = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=limit_s,
            env={**child_environment(), "CHATDESK_PROVIDER": "offline"},
            check=True,
        )
    except (subprocess.SubprocessError, OSError) as error:
        raise Unusable("does_not_start") from error
    return ended.stdout[:1000].decode("utf-8", "replace")


class _Progress:
    """Reports how much of a download has come, in whole percent."""

    def __init__(self) -> None:
        self._total = 0
        self._said = -1

    def start(self, total_bytes: int) -> None:
        self._total = total_bytes

    def add(self, count: int) -> None:
        percent = min(count * 100 // self._total, 100) if self._total else -1
        if percent > self._said:
            self._said = percent
            _report({"progress": "download", "percent": percent})


def _as_data(release: Release) -> dict[str, Any]:
    return {
        "version": str(release.version),
        "notes": release.notes,
        "download_bytes": release.download_bytes,
        "program_bytes": release.program_bytes,
    }


def _report(line: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
