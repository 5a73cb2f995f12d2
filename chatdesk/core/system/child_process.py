"""Starts the child processes that do slow or dangerous work.

Each is a module that reads requests from its input and answers on its output, and ends when its input does. A packaged
program cannot be told to run a module: it starts itself, with the switch of the module.
"""

from __future__ import annotations

import marshal
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Any, BinaryIO, Final

from chatdesk.core.system.processes import child_environment

_CHECKOUT = Path(__file__).parents[3]


# The modules that run as processes of their own, by their switches.
WORKERS: Final[Mapping[str, str]] = {
    "--render-worker": "chatdesk.core.rendering.worker",
    "--print-worker": "chatdesk.ui.features.transfer.printing",
    "--restore-worker": "chatdesk.core.storage.upkeep.restore_process",
    "--reading-process": "chatdesk.core.attachments.reading_process",
    "--knowledge-reader": "chatdesk.core.knowledge.reading_process",
    "--page-drawer": "chatdesk.core.knowledge.page_process",
    "--host-tools": "chatdesk.core.tools.host.process",
    "--export-worker": "chatdesk.core.transfer.exports.process",
}


def is_packaged() -> bool:
    """Return whether this program was packaged with its Python, which then has no ``-m``."""
    return bool(getattr(sys, "frozen", False))


def command_of(switch: str, *arguments: str) -> list[str]:
    """Return the command that runs the module of ``switch``, from a checkout, a wheel or a packaged program."""
    if is_packaged():  # by its own folder: a link that leads there may lead to a newer version by now
        return [os.path.realpath(sys.executable), switch, *arguments]
    return [sys.executable, "-m", WORKERS[switch], *arguments]


def run_worker(arguments: list[str]) -> bool:
    """Run the module whose switch comes first in the command line of a packaged program. Returns false where the
    command line is a person's."""
    if not is_packaged() or len(arguments) < 2 or arguments[1] not in WORKERS:
        return False
    import runpy  # a window needs it never

    switch = arguments.pop(1)
    runpy.run_module(WORKERS[switch], run_name="__main__")
    return True


def package_parent() -> str | None:
    """Return the folder in which ``-m chatdesk`` finds the package when it is not installed; None in a packaged
    program."""
    return None if is_packaged() else str(_CHECKOUT)


def start(
    command: Sequence[str], *, stdout: int | IO[bytes] = subprocess.PIPE, stderr: int = subprocess.DEVNULL
) -> subprocess.Popen[bytes]:
    """Start ``command`` with a pipe as its input, no window and an environment without secrets. Raises ``OSError``."""
    return subprocess.Popen(
        list(command),
        stdin=subprocess.PIPE,
        stdout=stdout,
        stderr=stderr,
        cwd=package_parent(),
        env=child_environment(),
        creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
    )


MAX_FRAME_BYTES = 256 * 1024 * 1024
Wire = tuple[Any, ...]


def write_frame(stream: BinaryIO, value: Wire) -> None:
    """Write one frame and flush it."""
    body = marshal.dumps(value)
    stream.write(len(body).to_bytes(4, "big") + body)
    stream.flush()


def read_frame(stream: BinaryIO) -> Wire | None:
    """Return the next frame, None at the end of the stream or in the middle of a broken one."""
    head = stream.read(4)
    if len(head) < 4:
        return None
    size = int.from_bytes(head, "big")
    body = stream.read(size) if size <= MAX_FRAME_BYTES else b""
    if len(body) < size or not size:
        return None
    value = marshal.loads(body)  # noqa: S302 - written by the same program at the other end of our own pipe
    return value if isinstance(value, tuple) else None
