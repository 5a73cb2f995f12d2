"""Reserves disk space in a file, and frees it when the disk is full.

On a full disk SQLite can neither delete nor checkpoint; with the room of this file it can do both, and the person's
last text is still saved.
"""

from __future__ import annotations

import errno
import logging
import os
import shutil
from contextlib import suppress
from pathlib import Path

_log = logging.getLogger(__name__)

SIZE_BYTES = 16 * 1024 * 1024
# Room for the ballast must not be what fills the disk.
_LEAST_FREE = 16


class Ballast:
    """The reserve file beside one database."""

    def __init__(self, database: Path) -> None:
        self.path = database.with_name(database.name + ".ballast")

    def reserve(self) -> bool:
        """Create the file if plenty of space is free. Returns whether it exists now."""
        if self.path.exists():
            return True
        try:
            if shutil.disk_usage(self.path.parent).free < _LEAST_FREE * SIZE_BYTES:
                return False
            descriptor = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            try:
                _reserve(descriptor)
            finally:
                os.close(descriptor)
        except OSError as error:
            _log.info("no ballast: errno %s", error.errno)
            self.release()
            return False
        return True

    def release(self) -> bool:
        """Delete the file to free its space. Returns whether it existed."""
        with suppress(OSError):
            self.path.unlink()
            return True
        return False


def _reserve(descriptor: int) -> None:
    """Allocate real blocks, not a sparse file."""
    if hasattr(os, "posix_fallocate"):
        try:
            os.posix_fallocate(descriptor, 0, SIZE_BYTES)
        except OSError as error:
            if error.errno not in (errno.EOPNOTSUPP, errno.EINVAL):
                raise
        else:
            return
    for _ in range(SIZE_BYTES // (1024 * 1024)):
        os.write(descriptor, bytes(1024 * 1024))
