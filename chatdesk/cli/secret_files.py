"""Declares the option that writes a command's result into a private file instead of printing it."""

from __future__ import annotations

import argparse
import errno
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from chatdesk.core.errors import ChatDeskError, InvalidInput
from chatdesk.core.system import terminal
from chatdesk.core.system.file_writing import check_place, making, write_failure
from chatdesk.core.system.system_errors import reason_text
from chatdesk.core.texts import Text, tr


def add_output(parser: argparse.ArgumentParser, help_text: str) -> None:
    """Add ``--output FILE``, for a command that makes a secret within ``secret_file``."""
    parser.add_argument("--output", metavar="FILE", help=help_text)


def check_output(options: argparse.Namespace) -> None:
    """Raise ``InvalidInput`` where the file that ``--output`` names is there already, or could not be made."""
    if options.output is None:
        return
    path = Path(options.output)
    try:
        if os.path.lexists(path):
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(path))
        check_place(path)
    except OSError as error:
        raise unusable(path, error) from error


def check_target(name: str | None) -> None:
    """Raise ``ExportFailed`` where a file is named that could not be written."""
    if name is None:
        return
    path = Path(name)
    try:
        check_place(path)
    except OSError as error:
        raise write_failure(error, path) from error


@contextmanager
def secret_file(name: str | None) -> Iterator[Callable[[str], None]]:
    """Yield the function that writes a secret: into the new file ``name``, which only its owner can read, or without a
    name to stdout.

    The file is made before the block runs, which asks a server for what is made once, and is removed where the block
    raises. A secret that a full disk does not take is printed. Raises ``InvalidInput``.
    """
    if name is None:
        yield terminal.say
        return
    secret = ""

    def write(text: str) -> None:
        nonlocal secret
        secret = text
        file.write(text.encode("utf-8", "replace"))

    path = Path(name)
    try:
        with making(path) as file:
            yield write
    except OSError as error:
        if secret:
            terminal.say(secret)
        raise unusable(path, error) from error


def unusable(path: Path, error: OSError) -> ChatDeskError:
    """Return the error that explains why a file, which a person named, can be neither read nor written."""
    return InvalidInput(
        Text("{path}: {reason}.", path=path, reason=reason_text(error)),
        safe="",
        next_step=tr("Check the name of the file."),
    )
