"""Runs the checks of *doctor* and returns their results as data. Each probe is a callable, so that this module needs no
other folder.

A probe that raises or takes too long is a finding too, never the end of the examination.
"""

from __future__ import annotations

import asyncio
import importlib.util
import os
import platform
import shutil
import sys
import tempfile
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from importlib import metadata
from pathlib import Path
from typing import Any

from chatdesk import __version__
from chatdesk.core.errors import ChatDeskError
from chatdesk.core.paths import AppPaths
from chatdesk.core.texts import Text, shown

_PROBE_TIMEOUT_S = 30.0
_LOW_SPACE_BYTES = 512 * 1024 * 1024
_PACKAGES = ("PySide6_Essentials", "SQLAlchemy", "alembic", "openai", "tiktoken", "keyring", "qasync")


class Level(StrEnum):
    OK = "ok"
    NOTE = "note"  # works, with less
    PROBLEM = "problem"


_LEVELS = {Level.OK: Text("ok"), Level.NOTE: Text("note", "finding"), Level.PROBLEM: Text("problem")}


@dataclass(frozen=True, slots=True)
class Finding:
    """A line of the report; ``details`` is JSON data."""

    name: str
    level: Level
    message: str
    details: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class DoctorReport:
    findings: tuple[Finding, ...]

    @property
    def is_healthy(self) -> bool:
        return all(finding.level is not Level.PROBLEM for finding in self.findings)

    def as_data(self) -> dict[str, Any]:
        """Return the report as JSON data, for ``--json``."""
        return {
            "version": __version__,
            "is_healthy": self.is_healthy,
            "findings": [
                {"name": each.name, "level": each.level.value, "message": each.message, "details": dict(each.details)}
                for each in self.findings
            ],
        }

    def as_text(self) -> str:
        """Return the report for people, a line for each finding."""
        rows = [(shown(_LEVELS[each.level]), shown(each.name), shown(each.message)) for each in self.findings]
        first = max(len(shown(each)) for each in _LEVELS.values())
        second = max((len(name) for _level, name, _message in rows), default=0)
        return "\n".join(f"{level:{first}} {name:{second}}  {message}" for level, name, message in rows)


Probe = Callable[[], Awaitable[Finding | tuple[Finding, ...]]]


async def run_doctor(
    paths: AppPaths,
    probes: Mapping[str, Probe],
    *,
    environ: Mapping[str, str] | None = None,
    timeout_s: float = _PROBE_TIMEOUT_S,
) -> DoctorReport:
    """Run the module's own checks (versions, paths, space, display), then all probes at the same time; findings keep
    their order."""
    environment = os.environ if environ is None else environ
    findings = [_versions(), *_directories(paths), _free_space(paths), _display(environment)]
    for found in await asyncio.gather(*(_probed(name, probe, timeout_s) for name, probe in probes.items())):
        findings.extend(found)
    return DoctorReport(tuple(findings))


async def _probed(name: str, probe: Probe, timeout_s: float) -> tuple[Finding, ...]:
    try:
        async with asyncio.timeout(timeout_s):
            found = await probe()
    except TimeoutError:
        return (Finding(name, Level.PROBLEM, Text("No answer within {timeout_s} s.", timeout_s=f"{timeout_s:g}")),)
    except ChatDeskError as error:
        return (Finding(name, Level.PROBLEM, error.sentence, {"code": error.code}),)
    except Exception as error:  # noqa: BLE001 - a broken probe is a finding
        return (Finding(name, Level.PROBLEM, Text("The check itself failed ({name}).", name=type(error).__name__)),)
    return found if isinstance(found, tuple) else (found,)


def _versions() -> Finding:
    versions = {"chatdesk": __version__, "python": platform.python_version(), "platform": platform.platform()}
    for package in _PACKAGES:
        try:
            versions[package] = metadata.version(package)
        except metadata.PackageNotFoundError:  # a packaged app may leave it out
            versions[package] = "unknown"
    return Finding(
        Text("versions"),
        Level.OK,
        Text("ChatDesk {version}, Python {python}", version=__version__, python=versions["python"]),
        versions,
    )


def _directories(paths: AppPaths) -> list[Finding]:
    places = {
        Text("data directory"): paths.data_dir,
        Text("settings directory"): paths.config_dir,
        Text("logs directory"): paths.log_dir,
        Text("backups directory"): paths.backup_dir,
    }
    findings = []
    for name, path in places.items():
        details = {"path": str(path)}
        message: str
        if not path.is_dir():
            exists_as_file = path.exists()
            level = Level.PROBLEM if exists_as_file else Level.OK
            message = (
                Text("{path} is not a directory.", path=path)
                if exists_as_file
                else Text("{path} (made when it is needed)", path=path)
            )
        elif not (os.access(path, os.R_OK | os.X_OK) and _takes_files(path)):
            level, message = (
                Level.PROBLEM,
                Text("{path} cannot be written to. Check its owner and permissions.", path=path),
            )
        elif os.name == "posix" and path.stat().st_mode & 0o077:
            level, message = Level.PROBLEM, Text("Others can look into {path}. Run: chmod 700 {path}", path=path)
        else:
            level, message = Level.OK, str(path)
        findings.append(Finding(name, level, message, details))
    return findings


def _takes_files(folder: Path) -> bool:
    """Return whether a file can be written in ``folder``, which is tried: rights say nothing of a disk that fails."""
    try:
        with tempfile.TemporaryFile(dir=folder, buffering=0) as file:
            file.write(b"tried")
    except OSError:
        return False
    return True


def _free_space(paths: AppPaths) -> Finding:
    place = next((each for each in (paths.data_dir, *paths.data_dir.parents) if each.is_dir()), paths.data_dir)
    free_bytes = shutil.disk_usage(place).free
    if free_bytes < _LOW_SPACE_BYTES:
        level, message = (
            Level.NOTE,
            Text("Only {free_bytes} MB are free. Free some space soon.", free_bytes=free_bytes // 1000000),
        )
    else:
        level, message = Level.OK, Text("{free_bytes} MB free", free_bytes=free_bytes // 1000000)
    return Finding(Text("disk"), level, message, {"free_bytes": free_bytes})


def _display(environ: Mapping[str, str]) -> Finding:
    if importlib.util.find_spec("PySide6") is None:
        return Finding(Text("display"), Level.PROBLEM, Text("PySide6 is not installed, so there can be no window."))
    chosen = environ.get("QT_QPA_PLATFORM", "")
    display = environ.get("WAYLAND_DISPLAY") or environ.get("DISPLAY") or ""
    details = {"display": display, "qt_platform": chosen}
    if chosen or display or not sys.platform.startswith("linux"):
        return Finding(Text("display"), Level.OK, display or chosen or Text("the system's"), details)
    return Finding(
        Text("display"), Level.NOTE, Text("No display here: the window runs unseen, the command line works."), details
    )
