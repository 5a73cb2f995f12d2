"""Keeps the body of a request that is a file on disk while it is carried out: no size of it goes into memory."""

from __future__ import annotations

import asyncio
import errno
import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import IO, Final

from chatdesk.core.errors import StorageError, StorageFull
from chatdesk.core.system.file_writing import open_new

# The folder of files that are being received, beside the address.
UPLOADS: Final = "uploads"


@asynccontextmanager
async def received_file(stream: AsyncIterator[bytes], directory: Path) -> AsyncIterator[Path]:
    """Write a body to a file in a folder of its own, which is removed afterwards. Raises ``StorageFull``."""
    try:
        file = await asyncio.to_thread(_opened, directory / "service" / UPLOADS)
    except OSError as error:
        raise _without_room(error) from error
    path = Path(file.name)
    try:
        try:
            async for piece in stream:
                await asyncio.to_thread(file.write, piece)
            await asyncio.to_thread(file.close)
        except OSError as error:
            raise _without_room(error) from error
        yield path
    finally:
        await asyncio.to_thread(_removed, file, path)


def _opened(folder: Path) -> IO[bytes]:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return open_new(Path(tempfile.mkdtemp(dir=folder)) / "body")


def _removed(file: IO[bytes], path: Path) -> None:
    with suppress(OSError):  # the file is removed anyway
        file.close()
    shutil.rmtree(path.parent, ignore_errors=True)


def _without_room(error: OSError) -> StorageError:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return StorageFull()
    return StorageError(f"The file could not be kept: {error.strerror or error}.")
