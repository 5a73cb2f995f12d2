"""The option that writes what a command makes into a private file instead of printing it."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from chatdesk.core.errors import ChatDeskError, InvalidInput
from chatdesk.core.system import terminal
from chatdesk.core.system.file_writing import making
from chatdesk.core.system.system_errors import reason_text
from chatdesk.core.texts import Text, tr


def add_output(parser: argparse.ArgumentParser, help_text: str) -> None:
    """Add ``--output FILE``, for a command that makes a secret within ``secret_file``."""
    parser.add_argument("--output", metavar="FILE", help=help_text)


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
