"""Unpacks the program of a release into an empty folder: files, folders and links that stay inside, nothing else."""

from __future__ import annotations

import os
import shutil
import tarfile
from pathlib import Path, PurePosixPath
from typing import Final

from chatdesk.core.updates.release import MOST_PROGRAM_BYTES

_MOST_ENTRIES: Final = 40_000
_LONGEST_NAME: Final = 400
_COPY_BYTES: Final = 1024 * 1024


class UnusableArchive(Exception):
    """An archive holds more than a program, or something else."""


def unpack(archive: Path, folder: Path, *, program: str) -> None:
    """Unpack ``archive`` into the empty ``folder``. Raises ``UnusableArchive``, ``OSError``; then the folder holds
    something of it."""
    try:
        with tarfile.open(archive, "r:*") as tar:
            _unpack(tar, folder)
    except (tarfile.TarError, EOFError, ValueError) as error:
        raise UnusableArchive(type(error).__name__) from error
    started = folder / program
    if started.is_symlink() or not started.is_file() or not os.access(started, os.X_OK):
        raise UnusableArchive("no program is in it")


def _unpack(tar: tarfile.TarFile, folder: Path) -> None:
    size_bytes, links = 0, set[PurePosixPath]()
    for count, member in enumerate(tar):
        size_bytes += max(member.size, 0)
        if count >= _MOST_ENTRIES or size_bytes > MOST_PROGRAM_BYTES:
            raise UnusableArchive("too much is in it")
        name = _place_of(member.name)
        if links.intersection((name, *name.parents)):
            raise UnusableArchive("it writes through a link")
        target = folder / name
        if member.isdir():
            target.mkdir(mode=0o755, parents=True, exist_ok=True)
        elif member.isreg():
            _write(tar, member, target)
        elif member.issym():
            _place_of(os.path.normpath(name.parent / member.linkname) if member.linkname[:1] != "/" else "/")
            target.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
            target.symlink_to(member.linkname)
            links.add(name)
        else:
            raise UnusableArchive("something is in it that is no file")


def _place_of(name: str) -> PurePosixPath:
    """Return where an entry goes below the folder. Raises ``UnusableArchive`` for any place outside."""
    place = PurePosixPath(name)
    if place.is_absolute() or ".." in place.parts or len(name) > _LONGEST_NAME or "\0" in name or "\\" in name:
        raise UnusableArchive("an entry leads outside")
    return place


def _write(tar: tarfile.TarFile, member: tarfile.TarInfo, target: Path) -> None:
    target.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
    mode = 0o755 if member.mode & 0o100 else 0o644
    source = tar.extractfile(member)
    assert source is not None  # it is a file
    descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with source, os.fdopen(descriptor, "wb") as file:
        shutil.copyfileobj(source, file, _COPY_BYTES)
