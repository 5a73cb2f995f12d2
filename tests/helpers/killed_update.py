"""Puts a version in place and is killed at one call of the system that changes a name.

python -m tests.helpers.killed_update PLACE STAGED NUMBER before|after
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from chatdesk.core.updates.program_folder import ProgramFolder
from chatdesk.core.updates.release import Version

NEW = Version(0, 3, 0)


def main() -> None:
    place, staged, number, moment = sys.argv[1:]
    count = 0

    def killing(call: Callable[..., Any]) -> Callable[..., Any]:
        def made(*arguments: Any, **options: Any) -> Any:
            nonlocal count
            count += 1
            is_last = count == int(number)
            if is_last and moment == "before":
                os.kill(os.getpid(), signal.SIGKILL)
            try:
                return call(*arguments, **options)
            finally:
                if is_last:
                    os.kill(os.getpid(), signal.SIGKILL)

        return made

    for name in ("rename", "replace", "symlink", "mkdir", "rmdir", "unlink"):
        setattr(os, name, killing(getattr(os, name)))
    ProgramFolder(Path(place)).activate(Path(staged), NEW)


if __name__ == "__main__":
    main()
