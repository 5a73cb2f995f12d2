"""The programs of the system that tests start. A test that misses one is skipped, and says which package has it."""

from __future__ import annotations

import importlib.util
import shutil
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

_PLACE = Path(__file__).parents[2] / "packaging" / "system_libraries.py"
# Each system that can run ``make test`` has these: the bare Debian, and what README asks for.
ALWAYS_HERE = frozenset({"git", "make", "mount", "python3", "setpriv", "sh", "sleep", "tar", "umount", "unshare"})


@cache
def system_libraries() -> ModuleType:
    """The module with which set-up finds and installs what is missing."""
    spec = importlib.util.spec_from_file_location("system_libraries", _PLACE)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def package_of_programs() -> Mapping[str, str]:
    """Debian's package of each program that set-up installs for tests."""
    libraries: Any = system_libraries()
    named = {"Xvfb": "xvfb", "weston": "weston"}
    return named | libraries.SCREEN_READER_PROGRAMS | libraries.SERVER_PROGRAMS | libraries.TEST_PROGRAMS


def missing_program(error: BaseException) -> str:
    """Why a test that failed with this could not be run here; empty where no program of set-up was missing."""
    for link in _chain(error):
        program = link.filename if isinstance(link, FileNotFoundError) else None
        package = package_of_programs().get(program) if isinstance(program, str) else None
        if package is not None and shutil.which(str(program)) is None:
            return f"NOT PROVEN HERE: {program} needs apt-get install {package}"
    return ""


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        if isinstance(error, BaseExceptionGroup):
            for member in error.exceptions:
                yield from _chain(member)
        error = error.__cause__ or error.__context__
