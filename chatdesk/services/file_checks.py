"""Implements the checks of *doctor* on files that no service has read yet: ChatDesk's own files that are damaged or
were moved aside, and invalid backups. Nothing is changed."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from chatdesk.core.diagnostics.doctor import Finding, Level
from chatdesk.core.paths import AppPaths
from chatdesk.core.providers.models import model_lists
from chatdesk.core.settings import key_file, profile_id, providers_store
from chatdesk.core.settings.document_file import DocumentFile
from chatdesk.core.storage.engine import high_water
from chatdesk.core.storage.upkeep import backup_directory
from chatdesk.core.system.small_files import read_small_file
from chatdesk.core.system.system_errors import reason_text
from chatdesk.core.texts import Sentences, Text
from chatdesk.core.tools import permissions, servers_store

_MOST_NAMED: Final = 5
_MIB: Final = 1024 * 1024


@dataclass(frozen=True, slots=True)
class OwnFile:
    """One of ChatDesk's own small files. ``check`` raises ``ValueError`` for unusable bytes; a ``replaceable`` one is
    written again by itself."""

    path: Path
    most_bytes: int
    check: Callable[[bytes], object]
    is_replaceable: bool = False


def own_files(paths: AppPaths) -> tuple[OwnFile, ...]:
    """Return the small files of a data directory whose faults are not reported when they are read. The limits are those
    of their readers; settings and the documents of ``DocumentFile`` have checks of their own."""
    config, database = paths.config_dir, paths.database
    return (
        OwnFile(config / profile_id.FILE_NAME, 64, _check_id),
        OwnFile(config / key_file.FILE_NAME, _MIB, _check_object),
        OwnFile(config / "models.json", 4 * _MIB, _check_object),
        OwnFile(high_water.mark_path(database), 4096, _check_object),
        OwnFile(database.with_name(f"{database.name}.checked"), 4096, _check_object, is_replaceable=True),
        OwnFile(paths.data_dir / model_lists.FILE_NAME, 16 * _MIB, _check_object, is_replaceable=True),
        OwnFile(paths.window_state, 1_000_000, _check_object, is_replaceable=True),
    )


def own_file_findings(paths: AppPaths) -> tuple[Finding, ...]:
    """Return a finding for each small file that cannot be used, for each log, lock and folder that is something else,
    and on the damaged files that were kept under other names."""
    found = [finding for each in own_files(paths) if (finding := _fault(each)) is not None]
    for path in (paths.log_file, paths.data_dir / "instance.lock"):
        if path.exists() and not path.is_file():
            found.append(_problem(path, Text("{path} is not a file.", path=path)))
    for name in ("blobs", "file-changes", "service", "tools"):
        path = paths.data_dir / name
        if path.exists() and not path.is_dir():
            found.append(_problem(path, Text("{path} is not a directory.", path=path)))
    return (*found, *_kept_aside(paths))


def _fault(file: OwnFile) -> Finding | None:
    level = Level.NOTE if file.is_replaceable else Level.PROBLEM
    details = {"path": str(file.path)}
    try:
        file.check(read_small_file(file.path, file.most_bytes))
    except FileNotFoundError:
        return None
    except OSError as error:
        text = Text("{path} cannot be read ({reason}).", path=file.path, reason=reason_text(error))
    except (ValueError, RecursionError):
        text = Text("{path} is damaged.", path=file.path)
    else:
        return None
    return Finding(Text("own files"), level, Sentences.of(text, Text("ChatDesk goes on without it.")), details)


def _problem(path: Path, text: Text) -> Finding:
    return Finding(Text("own files"), Level.PROBLEM, text, {"path": str(path)})


def _kept_aside(paths: AppPaths) -> Iterator[Finding]:
    told = tuple(
        f"{Path(name).stem}.broken-"
        for name in (providers_store.FILE_NAME, servers_store.FILE_NAME, permissions.FILE_NAME)
    )
    for folder in dict.fromkeys((paths.config_dir, paths.data_dir)):
        try:
            names = sorted(each.name for each in folder.glob("*.broken-*") if not each.name.startswith(told))
        except OSError:
            continue  # said by the check of the directory
        if names:
            text = Text(
                "Damaged files were kept in {directory} as {names}. Remove them when you no longer need them.",
                directory=folder,
                names=tuple(names[:_MOST_NAMED]),
            )
            yield Finding(Text("own files"), Level.NOTE, text, {"kept": [str(folder / each) for each in names]})


def _check_id(data: bytes) -> None:
    if not profile_id.is_id(data):
        raise ValueError("no id")


def _check_object(data: bytes) -> None:
    if not isinstance(json.loads(data.decode("utf-8")), dict):
        raise ValueError("no object")


def document_findings(paths: AppPaths) -> tuple[Finding, ...]:
    """Return a finding for each document of tools that is damaged or was moved aside."""
    found = []
    for name, subject, list_name in (
        (servers_store.FILE_NAME, Text("tool servers"), "servers"),
        (permissions.FILE_NAME, Text("permissions of tools"), "permissions"),
    ):
        file = DocumentFile(paths.config_dir / name, subject=subject, list_name=list_name, version=1)
        problem = file.problem()
        if problem:
            found.append(Finding(Text("file of {subject}", subject=subject), Level.PROBLEM, problem))
    return tuple(found)


def backup_findings(paths: AppPaths) -> tuple[Finding, ...]:
    """Return a finding on the files that are named like backups but are not."""
    damaged = [each for each in _backups(paths) if not backup_directory.is_begun(each)]
    if not damaged:
        return ()
    named = tuple(each.name for each in damaged[:_MOST_NAMED])
    text = Sentences.of(
        Text("Empty or damaged, so that they count as no backups: {names}.", names=named),
        Text("Remove them from {directory}.", directory=paths.backup_dir),
    )
    return (Finding(Text("backups"), Level.PROBLEM, text, {"damaged": [str(each) for each in damaged]}),)


def _backups(paths: AppPaths) -> list[Path]:
    try:
        return backup_directory.restorable(paths.backup_dir, paths.database.stem)
    except OSError:
        return []  # said by the check of the directory
