"""Keeps the versions of a portable program beside each other, and says which one starts.

    PLACE/versions/0.2.0/   the program, one folder a version
    PLACE/current           a link to the folder that starts
    PLACE/previous          a link to the folder that started before: the way back (install.sh --previous)
    PLACE/feed/             what was last known of the feed, and what a person said
    PLACE/work/             downloads and what is being unpacked

A new version is whole on the disk before the one rename that makes it start. Killed at any moment, the program that
started before starts again. The names of folders are made here, of the numbers of versions alone.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from chatdesk.core.file_writing import write_text
from chatdesk.core.paths import sync_directory
from chatdesk.core.small_files import read_small_json
from chatdesk.core.updates.installation import VERSIONS
from chatdesk.core.updates.release import Version

PROGRAM: Final = "chatdesk"
_LARGEST_STATE_BYTES: Final = 64 * 1024


class ProgramFolder:
    """The versions below ``place``. Its methods may wait for the disk."""

    def __init__(self, place: Path) -> None:
        self.place = place
        self.feed = place / "feed"
        self.work = place / "work"

    @property
    def current(self) -> Path:
        """The folder of the version that starts next."""
        return (self.place / "current").resolve()

    @property
    def previous(self) -> Path:
        """The folder of the version that started before; the current one where there was none."""
        link = self.place / "previous"
        return link.resolve() if link.exists() else self.current

    @contextmanager
    def locked(self, name: str) -> Iterator[None]:
        """Hold a lock that one process has at a time. Raises ``BlockingIOError`` where another has it."""
        import fcntl  # not on Windows, where no portable program is built yet

        self.feed.mkdir(mode=0o700, exist_ok=True)
        with (self.feed / f"{name}.lock").open("a") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            yield

    def make_work_folder(self) -> Path:
        """Return a new folder for what is being unpacked."""
        self.work.mkdir(mode=0o700, exist_ok=True)
        return Path(tempfile.mkdtemp(prefix="new-", dir=self.work))

    def clear_work(self) -> None:
        """Remove the files of updates that were cut off, but for a download. Only for whoever holds the lock."""
        with suppress(FileNotFoundError):
            for each in self.work.iterdir():
                if each.is_dir() and not each.is_symlink():
                    shutil.rmtree(each, ignore_errors=True)

    def activate(self, staged: Path, version: Version) -> None:
        """Make the program in ``staged``, which is whole on this disk, the one that starts next time. Raises
        ``OSError``; the same program as before starts then."""
        target = self.place / VERSIONS / str(version)
        running = self.current
        if target == running:
            raise FileExistsError(f"{target} is in use")
        if target.exists():  # of an update that was cut off, or one that was gone back from
            target.rename(self.make_work_folder() / "replaced")
        staged.rename(target)
        sync_directory(target.parent)
        self._link("previous", running)
        self._link("current", target)

    def remove_others(self, running: Path) -> None:
        """Remove all versions but the current, the previous and those that run: also of other windows, of a service or
        of a client over MCP, which would find nothing any more of what they have not loaded yet."""
        kept = {self.current, self.previous, running.resolve(), *_folders_of_processes()}
        with suppress(FileNotFoundError):
            for each in (self.place / VERSIONS).iterdir():
                if each.resolve() not in kept and not each.is_symlink():
                    shutil.rmtree(each, ignore_errors=True)

    def read_state(self) -> dict[str, object]:
        """Return the remembered state of this installation; an empty one where the file is damaged."""
        try:
            found = read_small_json(self.feed / "state.json", _LARGEST_STATE_BYTES)
        except (OSError, ValueError):
            return {}
        return found if isinstance(found, dict) else {}

    def write_state(self, state: dict[str, object]) -> None:
        """Remember something of this installation. Raises ``OSError``."""
        self.feed.mkdir(mode=0o700, exist_ok=True)
        write_text(self.feed / "state.json", json.dumps(state))

    def _link(self, name: str, target: Path) -> None:
        """Point a link at a version, in one rename."""
        folder = self.make_work_folder()
        try:
            made = folder / name
            made.symlink_to(Path(VERSIONS) / target.name)
            made.replace(self.place / name)
            sync_directory(self.place)
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def _folders_of_processes() -> Iterator[Path]:
    """Yield the folders of the programs that run on this computer, as far as this user may know them."""
    for link in Path("/proc").glob("[0-9]*/exe"):
        with suppress(OSError):  # it has ended, or belongs to somebody else
            yield link.readlink().parent
