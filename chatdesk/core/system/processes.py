"""Protects every process of ChatDesk at its start, and limits what its child processes see.

A core dump contains keys and chats, and a process's environment can be read by every other process of its user. So no
core is written, keys are removed from the environment once they were read, and child processes get only the variables
that they need.
"""

from __future__ import annotations

import os
import re
import sys
from collections import ChainMap
from collections.abc import Mapping
from contextlib import suppress

# Set to 1 to look into a crash: cores are written, and debuggers can be attached.
CORE_DUMPS_VARIABLE = "CHATDESK_CORE_DUMPS"
_PR_SET_DUMPABLE = 4
_M_ARENA_MAX = -8  # from malloc.h
_WANTED_FILES, _FEWEST_FILES = 256, 20
# Compiled when a name is first compared, which the start of a window does without.
_KEPT_BACK = r".*_API_KEY|CHATDESK_.*(?:PASSWORD|PASSPHRASE)"
_PASSED_ON = (
    r"PATH|HOME|USER|LOGNAME|LANG|LANGUAGE|LC_\w+|TZ|TMPDIR|TMP|TEMP|DISPLAY|WAYLAND_DISPLAY|XAUTHORITY|XDG_\w+|QT_\w+"
    r"|FONTCONFIG_\w+|LD_LIBRARY_PATH|DYLD_\w+|VIRTUAL_ENV|PYTHON\w*|COV\w*|CHATDESK_CORE_DUMPS"
    r"|SYSTEMROOT|SYSTEMDRIVE|WINDIR|COMSPEC|PATHEXT|APPDATA|LOCALAPPDATA|PROGRAM\w+|USERPROFILE|HOMEDRIVE|HOMEPATH"
    r"|NUMBER_OF_PROCESSORS|PROCESSOR_\w+"
)
# Secrets taken out of this process's environment, by variable.
_taken: dict[str, str] = {}


def forbid_core_dumps() -> None:
    """Forbid core dumps from now on, for this process and those that it starts."""
    if os.name != "posix" or os.environ.get(CORE_DUMPS_VARIABLE) == "1":
        return
    import resource

    _, hard = resource.getrlimit(resource.RLIMIT_CORE)
    # 1 and not 0: with 0 Linux still hands the core to a program that ``core_pattern`` names.
    most = 1 if hard == resource.RLIM_INFINITY else min(1, hard)
    resource.setrlimit(resource.RLIMIT_CORE, (most, hard))


def forbid_looking_in() -> None:
    """Forbid other processes of this user to read this process's memory or environment. Not for the window: the
    desktop's portals refuse a process that they cannot look up
    (https://github.com/flatpak/xdg-desktop-portal/issues/785), and with them go file dialogs and notifications."""
    if sys.platform != "linux" or os.environ.get(CORE_DUMPS_VARIABLE) == "1":
        return
    import ctypes

    ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)


def share_malloc_arena() -> None:
    """Make all threads started from now on share one malloc arena: with arenas of their own they hold some 9 MB unused.
    Python's lock lets one of them run at a time anyway. Does nothing where malloc is not glibc's."""
    if sys.platform != "linux":
        return
    import ctypes

    with suppress(AttributeError):
        ctypes.CDLL(None).mallopt(_M_ARENA_MAX, 1)


def file_limit_shortfall() -> tuple[int, int] | None:
    """Raise the limit of open files if necessary. Return the limit and the number needed where the system allows too
    few, else None."""
    if os.name != "posix":
        return None
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY or soft >= _WANTED_FILES:
        return None
    most = _WANTED_FILES if hard == resource.RLIM_INFINITY else min(_WANTED_FILES, hard)
    if most > soft:
        with suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
            soft = most
    return None if soft >= _FEWEST_FILES else (soft, _FEWEST_FILES)


def start_child() -> None:
    """Protect a process without a window; the first thing that it does."""
    forbid_core_dumps()
    forbid_looking_in()


def remove_secrets() -> None:
    """Remove keys and passwords from the environment of this process; ``environment`` still has them."""
    for name in [name for name in os.environ if re.fullmatch(_KEPT_BACK, name)]:
        _taken[name] = os.environ[name]
        _blank(name)
        del os.environ[name]


def environment() -> Mapping[str, str]:
    """Return the environment as this process was given it."""
    return ChainMap(_taken, os.environ)


def child_environment() -> dict[str, str]:
    """Return the environment of a child process: paths, languages and the display, and nothing that could be a key."""
    return {
        name: value
        for name, value in os.environ.items()
        if re.fullmatch(_PASSED_ON, name.upper()) and not re.fullmatch(_KEPT_BACK, name)
    }


def _blank(name: str) -> None:
    """Overwrite the value where ``/proc/PID/environ`` and ``ps`` read it; removing a variable leaves that as it was."""
    if os.name != "posix":
        return
    import ctypes

    find = ctypes.CDLL(None).getenv
    find.restype = ctypes.c_void_p
    place = find(os.fsencode(name))
    if place:
        ctypes.memset(place, 0, len(os.fsencode(os.environ[name])))
