"""Errors of the command line where the system lacks files, memory or space that every program needs."""

from __future__ import annotations

import errno
from pathlib import Path

from chatdesk.core.errors import InvalidInput, NotPossible
from chatdesk.core.processes import file_limit_shortfall


def check_files() -> None:
    """Raise ``NotPossible`` where too few files may be open at once."""
    lacking = file_limit_shortfall()
    if lacking is not None:
        raise NotPossible(
            f"This process may open only {lacking[0]} files at once, and ChatDesk needs at least {lacking[1]}.",
            next_step="Raise the limit (ulimit -n 256), then try again.",
        )


def unusable(directory: Path, error: OSError) -> InvalidInput:
    """Return the error that says why nothing can be kept in ``directory``."""
    next_step = "Check its owner and permissions, or choose another with --data-dir."
    if isinstance(error, (FileExistsError, NotADirectoryError)):
        cause, next_step = f"{error.filename} is a file.", "Choose a directory with --data-dir."
    elif error.errno in (errno.ENOSPC, errno.EDQUOT):
        cause, next_step = f"The disk of {directory} is full.", "Free some space, or choose another with --data-dir."
    elif isinstance(error, PermissionError):
        cause = f"{error.filename} may not be opened or made by this user."
    else:
        cause = f"{error.strerror or error}: {error.filename}."
    return InvalidInput(f"The data directory cannot be used: {cause}", safe="Nothing was changed.", next_step=next_step)


def resource_failure(error: BaseException | None) -> NotPossible | None:
    """Return the error for the resource that the system did not give, if ``error`` comes from that."""
    while error is not None:
        number = error.errno if isinstance(error, OSError) else None
        if number in (errno.EMFILE, errno.ENFILE):
            return NotPossible(
                "This process may not open more files at once.",
                safe="What was saved before is unchanged.",
                next_step="Raise the limit (ulimit -n 256), then try again.",
            )
        is_thread = isinstance(error, RuntimeError) and "start new thread" in str(error)
        if number == errno.ENOMEM or is_thread or isinstance(error, MemoryError):
            return NotPossible(
                "The system gives this process no more memory or threads.",
                safe="What was saved before is unchanged.",
                next_step="Close other programs or raise the limits (ulimit), then try again.",
            )
        error = error.__cause__ or error.__context__
    return None
