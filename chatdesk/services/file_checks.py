"""The checks of *doctor* on files that no service has read yet: documents that are damaged or were moved aside, and
backups that are none. Nothing is changed."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from chatdesk.core.diagnostics.doctor import Finding, Level
from chatdesk.core.paths import AppPaths
from chatdesk.core.settings.document_file import DocumentFile
from chatdesk.core.storage.upkeep import backup_directory
from chatdesk.core.texts import Sentences, Text
from chatdesk.core.tools import permissions, servers_store

_MOST_NAMED: Final = 5


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
    """Return a finding on the files that are called backups and are none."""
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
