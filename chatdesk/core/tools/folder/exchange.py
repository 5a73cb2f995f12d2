"""Replaces one file of a project's folder: completely or not at all, only while it is unchanged, and through no link.
Blocks, and is called in a thread."""

from __future__ import annotations

import errno
import hashlib
import os
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from chatdesk.core.system.file_writing import UNFINISHED
from chatdesk.core.system.system_errors import reason_text
from chatdesk.core.texts import Text
from chatdesk.core.tools.folder.beneath import FileRefused, opened, opened_below, read_file

# Larger files are not changed.
MOST_CHANGED_BYTES: Final = 1024 * 1024
_NEW: Final = os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0)
_LONGEST_STEM: Final = 60


class FileChanged(FileRefused):
    """The file differs from the version that the change was based on."""

    code = "project_file_changed"
    what = Text("The file was changed after the change was proposed.")
    next_step = Text("Ask the model to read the file again and to propose the change again.")


@dataclass(frozen=True, slots=True)
class Exchanged:
    """The result of replacing a file. ``mode`` is that of the file that was there, None where there was none; ``made``
    counts the folders that were made for a new file."""

    mode: int | None
    made: int = 0


def sum_of(data: bytes | None) -> str:
    """Return the SHA-256 sum of a file's bytes; empty for a file that is not there."""
    return "" if data is None else hashlib.sha256(data).hexdigest()


def read_state(folder: Path, names: Sequence[str], token: str = "") -> tuple[bytes | None, int | None]:
    """Return the bytes of the file as it is now, and its mode; None where there is none. ``token`` is that of a change
    that may have been cut off. Raises ``FileRefused``."""
    try:
        with opened(folder) as top, opened_below(top, names[:-1]) as parent:
            own_link = _unfinished_name(names, token) if token else ""
            data, facts = read_file(parent, names[-1], most_bytes=MOST_CHANGED_BYTES, own_link=own_link)
    except FileNotFoundError:
        return None, None
    except FileRefused as error:
        if isinstance(error.__cause__, FileNotFoundError):  # a folder of the path is missing
            return None, None
        raise
    return data, stat.S_IMODE(facts.st_mode)


def exchange(
    folder: Path, names: Sequence[str], *, expected: str, data: bytes | None, token: str, mode: int | None = None
) -> Exchanged:
    """Replace the contents of the file by ``data`` (None: remove it), if its sum is ``expected`` (empty: there is no
    such file). ``mode`` is for a new file. ``token`` names the unfinished file: one that a killed attempt with the same
    token left is removed. Raises ``FileChanged`` and ``FileRefused``; nothing is changed then."""
    unfinished = _unfinished_name(names, token)
    try:
        with opened(folder) as top:
            made = 0 if expected else _make_folders(top, names[:-1])
            with _removed_again(folder, names, made), opened_below(top, names[:-1]) as parent:
                with suppress(FileNotFoundError):
                    os.unlink(unfinished, dir_fd=parent)
                found = _facts(parent, names[-1], expected)
                if data is None and found is not None:
                    _check_same(parent, names[-1], found)
                    os.unlink(names[-1], dir_fd=parent)
                elif data is not None and found is None:
                    _write(parent, unfinished, data, mode=mode, like=None)
                    _place_new(parent, unfinished, names[-1])
                elif data is not None and found is not None:
                    _write(parent, unfinished, data, mode=stat.S_IMODE(found.st_mode), like=names[-1])
                    _replace(parent, unfinished, names[-1], found)
                with suppress(OSError):  # some file systems sync no folders
                    os.fsync(parent)
    except FileRefused:
        raise
    except OSError as error:
        raise _failure(error, names[-1]) from error
    return Exchanged(None if found is None else stat.S_IMODE(found.st_mode), made)


def _unfinished_name(names: Sequence[str], token: str) -> str:
    return f".{names[-1].encode()[:_LONGEST_STEM].decode('utf-8', 'ignore')}.{token}{UNFINISHED}"


@contextmanager
def _removed_again(folder: Path, names: Sequence[str], count: int) -> Iterator[None]:
    """Remove the folders that were made for a file when the block fails."""
    try:
        yield
    except BaseException:
        remove_folders(folder, names, count)
        raise


def remove_folders(folder: Path, names: Sequence[str], count: int) -> None:
    """Remove the innermost ``count`` folders of a path, as far as they are empty."""
    for depth in range(len(names) - 1, max(0, len(names) - 1 - count), -1):
        with suppress(FileRefused, OSError), opened(folder, names[: depth - 1]) as parent:
            os.rmdir(names[depth - 1], dir_fd=parent)


def _make_folders(top: int, names: Sequence[str]) -> int:
    """Make the folders on the way that are missing, and return how many they are."""
    made = 0
    for depth, name in enumerate(names):
        with opened_below(top, names[:depth]) as parent:
            try:
                os.mkdir(name, dir_fd=parent)
            except FileExistsError:
                continue
            made += 1
    return made


def _facts(parent: int, name: str, expected: str) -> os.stat_result | None:
    """Return the system's status of the existing file, if it may be replaced. Raises ``FileChanged``."""
    try:
        data, facts = read_file(parent, name, most_bytes=MOST_CHANGED_BYTES)
    except FileNotFoundError:
        if expected:
            raise FileChanged(Text("The file was removed after the change was proposed.")) from None
        return None
    if sum_of(data) != expected:
        raise FileChanged if expected else FileChanged(Text("There is already a file with that name."))
    if facts.st_uid != os.geteuid():
        raise FileRefused(Text("The file belongs to another user of this computer."))
    if not facts.st_mode & stat.S_IWUSR:
        raise FileRefused(
            Text("The file is write-protected."), next_step=Text("Remove the protection, then try again.")
        )
    return facts


def _place_new(parent: int, unfinished: str, name: str) -> None:
    """Rename a new file to its name, never over a file that was made in the meantime."""
    try:
        try:
            os.link(unfinished, name, src_dir_fd=parent, dst_dir_fd=parent, follow_symlinks=False)
        except FileExistsError:
            raise FileChanged(Text("There is already a file with that name.")) from None
        except OSError as error:
            if error.errno not in (errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS):
                raise
            # A file system without hard links, such as that of a memory stick.
            _check_absent(parent, name)
            os.rename(unfinished, name, src_dir_fd=parent, dst_dir_fd=parent)
    finally:
        with suppress(FileNotFoundError):
            os.unlink(unfinished, dir_fd=parent)


def _replace(parent: int, unfinished: str, name: str, before: os.stat_result) -> None:
    try:
        _check_same(parent, name, before)
        os.rename(unfinished, name, src_dir_fd=parent, dst_dir_fd=parent)
    except BaseException:
        with suppress(OSError):
            os.unlink(unfinished, dir_fd=parent)
        raise


def _check_same(parent: int, name: str, before: os.stat_result) -> None:
    """Raise ``FileChanged`` if the file was replaced or changed since ``before``."""
    now = os.stat(name, dir_fd=parent, follow_symlinks=False)
    if _identity(now) != _identity(before):
        raise FileChanged


def _identity(facts: os.stat_result) -> tuple[int, ...]:
    return facts.st_dev, facts.st_ino, facts.st_size, facts.st_mtime_ns, facts.st_ctime_ns


def _check_absent(parent: int, name: str) -> None:
    try:
        os.stat(name, dir_fd=parent, follow_symlinks=False)
    except FileNotFoundError:
        return
    raise FileChanged(Text("There is already a file with that name."))


def _write(parent: int, unfinished: str, data: bytes, *, mode: int | None, like: str | None) -> None:
    """Write a new file that is on the disk then. It has the extended attributes of ``like``."""
    target = os.open(unfinished, _NEW, 0o666 if mode is None else 0o600, dir_fd=parent)
    try:
        with os.fdopen(target, "wb") as file:
            file.write(data)
            file.flush()
            if like is not None:
                _copy_attributes(parent, like, target)
            if mode is not None:
                os.fchmod(target, mode)
            os.fsync(target)
    except BaseException:
        with suppress(OSError):
            os.unlink(unfinished, dir_fd=parent)
        raise


def _copy_attributes(parent: int, name: str, target: int) -> None:
    """Copy a file's extended attributes, access lists among them, as far as possible."""
    if not hasattr(os, "listxattr"):
        return
    with suppress(OSError):
        source = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=parent)
        try:
            for attribute in os.listxattr(source):
                with suppress(OSError):
                    os.setxattr(target, attribute, os.getxattr(source, attribute))
        finally:
            os.close(source)


def _failure(error: OSError, name: str) -> FileRefused:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return FileRefused(
            Text("The disk of “{name}” is full.", name=name), next_step=Text("Free some space, then try again.")
        )
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return FileRefused(Text("You may not write to “{name}”.", name=name))
    return FileRefused(
        Text("“{name}” could not be written: {reason}.", name=name, reason=reason_text(error)),
        next_step=Text("Try again."),
    )
