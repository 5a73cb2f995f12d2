"""Collects the files that go with the report of a bug: log, doctor, health, settings, crash reports, all plain text.

They contain no person's text, no key, and no name of a home folder: settings with free text are described by their
length, paths begin at ``~``, and every text is redacted again. They are collected first, so that the person can review
them, and written as a zip on request.
"""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from chatdesk.core.diagnostics.doctor import DoctorReport
from chatdesk.core.diagnostics.redaction import Redactor
from chatdesk.core.errors import ExportFailed
from chatdesk.core.paths import AppPaths
from chatdesk.core.system.file_writing import remove_abandoned, replacing
from chatdesk.core.system.system_errors import reason_text
from chatdesk.core.texts import Text

_MOST_FILE_BYTES = 4 * 1024 * 1024
_MOST_CRASHES = 20
_ABOUT = """\
This goes with the report of a bug in ChatDesk. It holds no messages, no titles, no names of files or people, and no
keys. Look through it before you send it; every file is plain text.

doctor.txt      what ChatDesk found when it examined itself
health.json     how the running window was, in numbers
settings.txt    settings; texts that a person wrote are told by their length
log/            what happened, with ids and times
crashes/        where an unexpected failure happened in the program
"""


@dataclass(frozen=True, slots=True)
class ReportFile:
    """A file of the bundle."""

    name: str
    text: str

    @property
    def size_bytes(self) -> int:
        return len(self.text.encode("utf-8", "replace"))


def collect(
    paths: AppPaths,
    redactor: Redactor,
    *,
    doctor: DoctorReport,
    health: Mapping[str, Any] | None,
    settings: Sequence[str],
) -> tuple[ReportFile, ...]:
    """Return all files, cleaned; ``settings`` are lines without words of a person. Reads the log, so it runs on a
    thread."""
    found = [
        ReportFile("about.txt", _ABOUT),
        ReportFile("doctor.txt", _doctor_text(doctor)),
        *([] if health is None else [ReportFile("health.json", json.dumps(health, indent=2))]),
        ReportFile("settings.txt", "".join(f"{line}\n" for line in settings)),
        *_files(paths.log_dir, f"{paths.log_file.name}*", "log"),
        *list(_files(paths.crash_dir, "crash-*.txt", "crashes"))[:_MOST_CRASHES],
    ]
    return tuple(ReportFile(each.name, _cleaned(each.text, paths, redactor)) for each in found)


def write(target: Path, files: Sequence[ReportFile]) -> None:
    """Write a zip at ``target``, whole or not at all. Raises ``ExportFailed``."""
    remove_abandoned(target)
    try:
        with replacing(target) as file, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
            for each in files:
                archive.writestr(each.name, each.text.encode("utf-8", "replace"))
    except OSError as error:
        raise ExportFailed(
            Text("The report could not be written to {target}: {reason}.", target=target, reason=reason_text(error)),
            safe=Text("Nothing half-written was left."),
        ) from error


def _files(folder: Path, pattern: str, place: str) -> Iterator[ReportFile]:
    """Yield the files of a folder, the newest first; of a large one its end."""
    for path in sorted(folder.glob(pattern), key=_modified, reverse=True):
        try:
            if path.is_symlink() or not path.is_file():
                continue
            with path.open("rb") as file:
                file.seek(max(0, path.stat().st_size - _MOST_FILE_BYTES))
                yield ReportFile(f"{place}/{path.name}", file.read(_MOST_FILE_BYTES).decode("utf-8", "replace"))
        except OSError as error:
            yield ReportFile(f"{place}/{path.name}", f"It could not be read: {error.strerror}.\n")


def _modified(path: Path) -> float:
    try:
        return path.lstat().st_mtime
    except OSError:
        return 0.0


def _doctor_text(report: DoctorReport) -> str:
    """Return the report as on the command line, without the names of teams and the places of their servers."""
    lines = []
    for each in report.findings:
        is_of_team = each.name.startswith("workspace ")
        details = {name: value for name, value in each.details.items() if name != "last_problem"} if is_of_team else {}
        name = f"workspace {each.details.get('id', '')}" if is_of_team else each.name
        message = json.dumps(details) if is_of_team else each.message
        lines.append(f"{each.level.value:8}{name:20} {message}")
        if each.name == "versions":
            lines += [f"{'':8}{package:20} {version}" for package, version in each.details.items()]
    return "\n".join(lines) + "\n"


def _cleaned(text: str, paths: AppPaths, redactor: Redactor) -> str:
    """Remove secrets from a text, and the names of the folders that ChatDesk is in."""
    for folder, name in sorted(_places(paths).items(), key=lambda each: len(each[0]), reverse=True):
        text = text.replace(folder, name)
    return redactor.redact(text)


def _places(paths: AppPaths) -> dict[str, str]:
    places = {
        str(paths.data_dir): "<data directory>",
        str(paths.config_dir): "<configuration>",
        str(paths.log_dir): "<logs>",
        str(paths.backup_dir): "<backups>",
    }
    try:
        home = str(Path.home())
    except (RuntimeError, OSError):
        return places
    return places if home in ("/", "") else {**places, home: "~"}
