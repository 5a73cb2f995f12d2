"""Writes files that a person asked for: private, whole or not at all, and never through a symlink.

Others may write to the folder (a team's share, ``/tmp``) and may have prepared any name in it. A new file therefore
gets an unguessable name, is created exclusively by this process, and is written through its descriptor; it replaces a
symlink at the target, never the file behind it.
"""

from __future__ import annotations

import errno
import io
import logging
import os
import re
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO, TextIO

from chatdesk.core.errors import ExportFailed
from chatdesk.core.paths import sync_directory
from chatdesk.core.system.system_errors import reason_text
from chatdesk.core.texts import Text

_log = logging.getLogger(__name__)

# The ending of files and folders while they are written.
UNFINISHED = ".part"
_PRIVATE_FILE, _PRIVATE_FOLDER = 0o600, 0o700
_LONGEST_STEM_BYTES = 160  # of the 255 that most file systems allow
_ABANDONED_S = 24 * 60 * 60
_OF_SQLITE = r"(?:-wal|-shm|-journal)?"  # beside a database that was being written
_NEW = os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)


def unfinished_name(target: Path) -> Path:
    """Return an unguessable hidden name beside ``target``, for the file that will replace it."""
    return target.with_name(f".{_stem(target)}.{os.urandom(8).hex()}{UNFINISHED}")


def remove_abandoned(target: Path) -> None:
    """Remove files left beside ``target`` by killed writers or a loss of power, as far as that is certain: files of
    this user under such a name, unchanged for a day. Folders stay, since a person may have put something into them, and
    so does everything on systems without file owners. Raises nothing."""
    if os.name != "posix":
        return
    name = re.compile(rf"\.{re.escape(_stem(target))}\.[0-9a-f]{{16}}{re.escape(UNFINISHED)}{_OF_SQLITE}")
    with suppress(OSError):
        folder = os.open(target.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            with os.scandir(folder) as entries:
                named = [entry for entry in entries if name.fullmatch(entry.name)]
            for entry in named:
                facts = entry.stat(follow_symlinks=False)
                is_ours = stat.S_ISREG(facts.st_mode) and facts.st_nlink == 1 and facts.st_uid == os.geteuid()
                if is_ours and facts.st_mtime < time.time() - _ABANDONED_S:
                    os.unlink(entry.name, dir_fd=folder)
        finally:
            os.close(folder)


def _stem(target: Path) -> str:
    return target.name.encode("utf-8", "surrogateescape")[:_LONGEST_STEM_BYTES].decode("utf-8", "ignore")


def open_new(path: Path) -> BinaryIO:
    """Make a file that only its owner may read, for writing and reading. Raises ``FileExistsError`` where there is
    anything of that name, a symlink that leads nowhere included."""
    return open(path, "w+b", opener=lambda name, _flags: os.open(name, _NEW, _PRIVATE_FILE))


@contextmanager
def replacing(target: Path) -> Iterator[BinaryIO]:
    """Yield a new file that replaces ``target`` when the block ends well and its bytes are on the disk.

    When the block raises, nothing is left behind and ``target`` is as it was. Raises ``OSError``; also where somebody
    else exchanged the new file before it had its name.
    """
    unfinished = unfinished_name(target)
    file = open_new(unfinished)
    try:
        with file:
            yield file
            file.flush()
            os.fsync(file.fileno())
            _check_same(file, unfinished)
            if os.name == "posix":
                unfinished.replace(target)
        if os.name != "posix":  # Windows renames no file that is open
            unfinished.replace(target)
    except BaseException:
        with suppress(OSError):
            unfinished.unlink()
        raise
    _sync_names_beside(target)


@contextmanager
def replacing_text(target: Path, *, errors: str = "strict") -> Iterator[TextIO]:
    """Yield a new text file in UTF-8 that replaces ``target`` as with ``replacing``; line ends are written as they are
    given."""
    with replacing(target) as file:
        text = io.TextIOWrapper(file, encoding="utf-8", errors=errors, newline="")
        try:
            yield text
            text.flush()
        finally:
            with suppress(OSError, ValueError):
                text.detach()


def write_text(target: Path, text: str, *, errors: str = "strict") -> None:
    """Replace ``target`` by a file with ``text``, or leave it as it was. Raises ``OSError``."""
    remove_abandoned(target)
    with replacing_text(target, errors=errors) as file:
        file.write(text)


def write_new_text(path: Path, text: str) -> None:
    """Write a file that must not exist yet. Raises ``FileExistsError``, other ``OSError``."""
    with making(path) as file:
        file.write(text.encode("utf-8", "replace"))


@contextmanager
def making(path: Path) -> Iterator[BinaryIO]:
    """Make a file that must not exist yet, and yield it; when the block raises, the file is removed. Raises
    ``FileExistsError``, other ``OSError``."""
    file = open_new(path)
    try:
        with file:
            yield file
            file.flush()
            os.fsync(file.fileno())
    except BaseException:
        with suppress(OSError):
            path.unlink()
        raise
    _sync_names_beside(path)


def remove_file(path: Path) -> None:
    """Remove a file, which may be missing, so that it is gone after a power loss too. Raises ``OSError``."""
    try:
        path.unlink()
    except FileNotFoundError:
        return
    _sync_names_beside(path)


def move_aside(path: Path) -> Path | None:
    """Keep a damaged file under the first free name beside it, so that the newest damage never overwrites an older
    copy. Returns the new path; None where it stays under its own name."""
    for number in range(1, 100):
        kept = path.with_name(f"{path.stem}.broken-{number}{path.suffix}")
        if not os.path.lexists(kept):
            try:
                path.replace(kept)
            except OSError as error:
                _log.warning("a damaged file was not moved: %s", error.strerror)
                return None
            _sync_names_beside(kept)
            return kept
    return None


@contextmanager
def filling_folder(final: Path) -> Iterator[Path]:
    """Yield a new private folder that gets the name ``final``, which must be free, when the block ends well."""
    unfinished = unfinished_name(final)
    final.parent.mkdir(parents=True, exist_ok=True)
    unfinished.mkdir(mode=_PRIVATE_FOLDER)
    try:
        yield unfinished
        unfinished.rename(final)
        _sync_names_beside(final)
    except BaseException:
        from shutil import rmtree

        rmtree(unfinished, ignore_errors=True)
        raise


def own_folder(folder: Path) -> None:
    """Make ``folder``, or accept that it is a folder already. Raises ``FileExistsError`` for anything else there,
    symlinks included: they lead to a place that the person did not choose."""
    try:
        folder.mkdir(mode=_PRIVATE_FOLDER)
    except FileExistsError:
        if folder.is_symlink() or not folder.is_dir():
            words = Text("“{name}” beside it is a link or a file, not a folder", name=folder.name)
            raise FileExistsError(errno.EEXIST, words, str(folder)) from None


def check_place(target: Path) -> None:
    """Raise the ``OSError`` with which a file that replaces ``target`` could not be made, as far as that is seen before
    anything is written."""
    if target.is_dir():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(target))
    if not target.parent.stat().st_mode & stat.S_IFDIR:
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(target))
    if not os.access(target.parent, os.W_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(target))


def write_failure(error: OSError, target: Path) -> ExportFailed:
    """Return the error that explains what stopped the writing of ``target``, a file or folder that a person chose."""
    next_step = Text("Choose another place.")
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        what, next_step = (
            Text("The disk of {target} is full.", target=target),
            Text("Free some space, or choose another place."),
        )
    elif error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        what = Text("{target} may not be written by this user.", target=target)
    elif error.errno == errno.EISDIR:
        what, next_step = Text("{target} is a folder.", target=target), Text("Name a file in it.")
    elif error.errno in (errno.ENOENT, errno.ENOTDIR, errno.ENODEV) and not target.parent.is_dir():
        what, next_step = (
            Text("The folder of {target} is not there.", target=target),
            Text("Put the drive back, or choose another place."),
        )
    elif error.errno == errno.ENOENT:
        what = Text("No file can be made in {parent}.", parent=target.parent)
    elif error.errno == errno.ENAMETOOLONG:
        what = Text("The name {name}… is too long for that place.", name=target.name[:40])
    else:
        what = Text("{target} could not be written: {strerror}.", target=target, strerror=reason_text(error))
    return ExportFailed(what, next_step=next_step)


def _sync_names_beside(path: Path) -> None:
    with suppress(OSError):  # a folder that may be written but not opened; the names are as they should be all the same
        sync_directory(path.parent)


def _check_same(file: BinaryIO, path: Path) -> None:
    ours, there = os.fstat(file.fileno()), path.lstat()
    if (ours.st_dev, ours.st_ino) != (there.st_dev, there.st_ino):
        raise FileNotFoundError(errno.ENOENT, "Another program exchanged the unfinished file", str(path))
