"""Starts the child processes that do slow or dangerous work.

Each is a module that reads requests from its input and answers on its output, and ends when its input does. A packaged
program has no modules to run: it starts itself, with a switch.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import IO

from chatdesk.core.processes import child_environment

_CHECKOUT = Path(__file__).parents[2]


def command_of(module: str, switch: str, *arguments: str) -> list[str]:
    """Return the command that runs ``module``, from a checkout, a wheel or, by ``switch``, a packaged program."""
    if getattr(sys, "frozen", False):
        return [sys.executable, switch, *arguments]
    return [sys.executable, "-m", module, *arguments]


def package_parent() -> str | None:
    """Return the folder in which ``-m chatdesk`` finds the package when it is not installed; None in a packaged
    program."""
    return None if getattr(sys, "frozen", False) else str(_CHECKOUT)


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
