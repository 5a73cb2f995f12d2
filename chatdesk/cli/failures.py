"""Errors of the command line where the system lacks files, memory or space that every program needs."""

from __future__ import annotations

import errno
from pathlib import Path

from chatdesk.core.errors import InvalidInput, NotPossible
from chatdesk.core.system.processes import file_limit_shortfall
from chatdesk.core.system.system_errors import reason_text
from chatdesk.core.texts import Text


def check_files() -> None:
    """Raise ``NotPossible`` where too few files may be open at once."""
    lacking = file_limit_shortfall()
    if lacking is not None:
        raise NotPossible(
            Text(
                "This process may open only {limit} files at once, and ChatDesk needs at least {needed}.",
                limit=str(lacking[0]),
                needed=str(lacking[1]),
            ),
            next_step=Text("Raise the limit (ulimit -n 256), then try again."),
        )


def unusable(directory: Path, error: OSError) -> InvalidInput:
    """Return the error for a data ``directory`` that cannot be used."""
    next_step = Text("Check its owner and permissions, or choose another with --data-dir.")
    if isinstance(error, (FileExistsError, NotADirectoryError)):
        what = Text("The data directory cannot be used: {file} is a file.", file=error.filename)
        next_step = Text("Choose a directory with --data-dir.")
    elif error.errno in (errno.ENOSPC, errno.EDQUOT):
        what = Text("The data directory cannot be used: The disk of {directory} is full.", directory=directory)
        next_step = Text("Free some space, or choose another with --data-dir.")
    elif isinstance(error, PermissionError):
        what = Text(
            "The data directory cannot be used: {file} may not be opened or made by this user.", file=error.filename
        )
    else:
        reason = reason_text(error)
        what = Text("The data directory cannot be used: {reason}: {file}.", reason=reason, file=error.filename)
    return InvalidInput(what, safe=Text("Nothing was changed."), next_step=next_step)


def resource_failure(error: BaseException | None) -> NotPossible | None:
    """Return the error for the resource that the system did not give, if ``error`` comes from that."""
    while error is not None:
        number = error.errno if isinstance(error, OSError) else None
        if number in (errno.EMFILE, errno.ENFILE):
            return NotPossible(
                Text("This process may not open more files at once."),
                safe=Text("What was saved before is unchanged."),
                next_step=Text("Raise the limit (ulimit -n 256), then try again."),
            )
        is_thread = isinstance(error, RuntimeError) and "start new thread" in str(error)
        if number == errno.ENOMEM or is_thread or isinstance(error, MemoryError):
            return NotPossible(
                Text("The system gives this process no more memory or threads."),
                safe=Text("What was saved before is unchanged."),
                next_step=Text("Close other programs or raise the limits (ulimit), then try again."),
            )
        error = error.__cause__ or error.__context__
    return None
