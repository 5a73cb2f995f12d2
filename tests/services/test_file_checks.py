"""*Doctor* tells what is wrong with files that nothing has read yet, before and after they were moved aside."""

from __future__ import annotations

import gzip
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from chatdesk.core.paths import AppPaths
from chatdesk.core.settings.document_file import DocumentFile, NewerDocument
from chatdesk.core.storage.upkeep.backup_directory import BackupDirectory
from chatdesk.core.tools import permissions, servers_store
from chatdesk.services.file_checks import backup_findings, document_findings

_LIMIT = 4 * 1024 * 1024
_FAULTS: dict[str, Callable[[Path], object]] = {
    "empty": lambda path: path.write_bytes(b""),
    "junk": lambda path: path.write_bytes(b'{"version":1,"servers":['),
    "one byte too long": lambda path: path.write_bytes(b'{"servers":[],"permissions":[]}'.ljust(_LIMIT + 1)),
    "5 MB": lambda path: path.write_bytes(b"x" * 5_000_000),
    "a folder": lambda path: path.mkdir(),
    "a pipe": os.mkfifo,
    "a link to itself": lambda path: path.symlink_to(path.name),
}


@pytest.fixture
def paths(tmp_path: Path) -> AppPaths:
    found = AppPaths.find(tmp_path / "data")
    found.make_directories()
    return found


@pytest.mark.parametrize("fault", _FAULTS.values(), ids=list(_FAULTS))
@pytest.mark.parametrize(
    ("name", "list_name"),
    [(servers_store.FILE_NAME, "servers"), (permissions.FILE_NAME, "permissions")],
)
def test_a_document_that_cannot_be_used_is_named_before_and_after_it_is_read(
    fault: Callable[[Path], object], name: str, list_name: str, paths: AppPaths
) -> None:
    assert document_findings(paths) == ()
    path = paths.config_dir / name
    fault(path)
    (before,) = document_findings(paths)
    assert str(path) in before.message
    document, said = DocumentFile(path, subject="tools", list_name=list_name, version=1).read()
    assert (document, str(path) in said) == (None, True)
    (after,) = document_findings(paths)
    assert str(path) in after.message


@pytest.mark.parametrize(
    ("name", "list_name"),
    [(servers_store.FILE_NAME, "servers"), (permissions.FILE_NAME, "permissions")],
)
def test_a_document_of_a_newer_chatdesk_is_named_and_left_as_it_is(name: str, list_name: str, paths: AppPaths) -> None:
    path = paths.config_dir / name
    text = f'{{"version": 99, "{list_name}": [], "since_then": 1}}'
    path.write_text(text)
    file = DocumentFile(path, subject="tools", list_name=list_name, version=1)
    assert file.read()[1] == ""
    with pytest.raises(NewerDocument):
        file.write({list_name: []})
    assert path.read_text() == text
    (found,) = document_findings(paths)
    assert str(path) in found.message
    assert "newer ChatDesk" in found.message


_PACKED = gzip.compress(b"SQLite format 3\0".ljust(4096))


@pytest.mark.parametrize(
    "data",
    [b"", b"no backup at all", gzip.compress(b"no backup at all" * 256), _PACKED[:-6], _PACKED[:12]],
    ids=["empty", "junk", "packed junk", "cut", "cut short"],
)
def test_an_invalid_backup_is_named_and_not_counted(data: bytes, paths: AppPaths) -> None:
    assert backup_findings(paths) == ()
    name = "chatdesk-000007-20260101T000000Z.db.gz"
    (paths.backup_dir / name).write_bytes(data)
    backups = BackupDirectory(paths.backup_dir, "chatdesk", daily=7, weekly=4)
    assert backups.kept() == []
    assert backups.is_due(1_767_225_600_000)
    (found,) = backup_findings(paths)
    assert name in found.message
