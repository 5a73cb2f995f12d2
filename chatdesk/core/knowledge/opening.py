"""Opens the files of projects in the processes that take hostile files apart, and limits the memory of these."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from chatdesk.core.texts import Text
from chatdesk.core.tools.folder.beneath import CAN_OPEN_BENEATH, FileRefused, names_of, opened, opened_file


@contextmanager
def open_below(folder: Path, path: str, *, allows_secrets: bool = False) -> Iterator[BinaryIO]:
    """Open a file below a folder; one that looks like a secret only if that is allowed. Raises ``FileRefused``."""
    *above, name = names_of(path, allows_secrets=allows_secrets)
    if not CAN_OPEN_BENEATH:  # Windows: nothing can be opened in an open folder
        whole = folder.joinpath(*above, name)
        if whole.resolve() != folder.resolve().joinpath(*above, name) or not whole.is_file():
            raise FileRefused(Text("“{name}” is not a file but a folder, a link or a device.", name=name))
        with whole.open("rb") as file:
            yield file
        return
    with opened(folder, above) as parent:
        try:
            descriptor = opened_file(parent, name)
        except FileNotFoundError as error:
            raise FileRefused(Text("“{name}” is no longer a file.", name=name)) from error
        with os.fdopen(descriptor, "rb") as file:
            yield file


def limit_memory(most_bytes: int) -> None:
    """Refuse this process more memory than a file may take, inside one call of a C library too. Where the system has no
    such limit, the memory is only watched from outside."""
    try:
        import resource
    except ImportError:
        return
    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    most = most_bytes if hard == resource.RLIM_INFINITY else min(most_bytes, hard)
    resource.setrlimit(resource.RLIMIT_DATA, (most, hard))
