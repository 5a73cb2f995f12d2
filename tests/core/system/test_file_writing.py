"""Files that a person asked for: private, whole or not at all, and never written through somebody's symlink."""

from __future__ import annotations

import ast
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import chatdesk
from chatdesk.core.system.file_writing import (
    UNFINISHED,
    filling_folder,
    open_new,
    own_folder,
    remove_abandoned,
    replacing,
    replacing_text,
    unfinished_name,
    write_new_text,
    write_text,
)

PACKAGE = Path(chatdesk.__file__).parent
posix = pytest.mark.skipif(os.name != "posix", reason="modes and symlinks of POSIX")


def _mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


@posix
def test_a_new_file_is_private_whatever_the_umask_and_whatever_was_there(tmp_path: Path) -> None:
    target = tmp_path / "a.txt"
    target.write_text("old", "utf-8")
    target.chmod(0o666)
    before = os.umask(0)
    try:
        write_text(target, "one\r\ntwo\n")
        write_new_text(tmp_path / "b.txt", "three")
    finally:
        os.umask(before)
    assert target.read_bytes() == b"one\r\ntwo\n"
    assert (_mode(target), _mode(tmp_path / "b.txt")) == (0o600, 0o600)


_DAY_MS = 86_400_000


def _aged(path: Path, ms: int) -> Path:
    os.utime(path, (time.time() - ms / 1000,) * 2, follow_symlinks=False)
    return path


@posix
@pytest.mark.parametrize("name", ["a.txt", "a+(b).txt", "\u00e9" * 120])
def test_files_left_by_a_killed_writer_are_removed_after_a_day(tmp_path: Path, name: str) -> None:
    target = tmp_path / name
    parts = [unfinished_name(target) for _ in range(3)]
    for part, age_ms in zip(parts, (_DAY_MS + 1000, 30 * _DAY_MS, _DAY_MS - 1000), strict=True):
        open_new(part).close()
        _aged(part, age_ms)
    target.write_text("old", "utf-8")
    _aged(target, 9 * _DAY_MS)
    remove_abandoned(target)
    assert set(tmp_path.iterdir()) == {target, parts[2]}


@posix
def test_a_writer_that_is_killed_leaves_what_is_removed_later(tmp_path: Path) -> None:
    target = tmp_path / "a.txt"
    code = (
        "import os, signal, sys; from pathlib import Path; from chatdesk.core.system.file_writing import replacing\n"
        "with replacing(Path(sys.argv[1])) as file: os.kill(os.getpid(), signal.SIGKILL)"
    )
    killed = subprocess.run([sys.executable, "-c", code, str(target)], cwd=PACKAGE.parent)
    assert killed.returncode == -signal.SIGKILL
    [part] = tmp_path.iterdir()
    remove_abandoned(target)
    assert part.exists(), "another one may be writing it"
    _aged(part, 2 * _DAY_MS)
    remove_abandoned(target)
    assert list(tmp_path.iterdir()) == []


@posix
def test_nothing_but_a_file_of_ones_own_under_such_a_name_is_removed(tmp_path: Path) -> None:
    target, elsewhere = tmp_path / "a.txt", tmp_path / "elsewhere"
    elsewhere.write_text("mine", "utf-8")
    for path in (
        unfinished_name(tmp_path / "b.txt"),  # of another file
        tmp_path / ".a.txt.part",
        tmp_path / f".a.txt.{'0' * 15}.part",
        tmp_path / f".a.txt.{'G' * 16}.part",
        tmp_path / f".a.txt.{'0' * 16}.part.txt",
        tmp_path / f"a.txt.{'0' * 16}.part",
    ):
        path.write_text("kept", "utf-8")
    unfinished_name(target).symlink_to(elsewhere)
    os.link(elsewhere, unfinished_name(target))
    folder = unfinished_name(target)
    folder.mkdir()
    (folder / "x").write_text("kept", "utf-8")
    if os.geteuid() == 0:
        foreign = unfinished_name(target)
        foreign.write_text("kept", "utf-8")
        os.chown(foreign, 12345, -1)
    before = {_aged(path, 30 * _DAY_MS) for path in tmp_path.iterdir()}
    remove_abandoned(target)
    assert set(tmp_path.iterdir()) == before
    remove_abandoned(tmp_path / "no folder" / "a.txt")


def test_a_failure_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    target = tmp_path / "a.txt"
    target.write_text("old", "utf-8")

    def fail_in_a_file() -> None:
        with replacing_text(target) as file:
            file.write("half")
            raise ZeroDivisionError

    def fail_in_a_folder() -> None:
        with filling_folder(tmp_path / "folder") as folder:
            (folder / "x").write_text("half", "utf-8")
            raise ZeroDivisionError

    for fail in (fail_in_a_file, fail_in_a_folder):
        with pytest.raises(ZeroDivisionError):
            fail()
    with pytest.raises(UnicodeEncodeError):
        write_text(target, "\ud800")
    assert [path.name for path in tmp_path.iterdir()] == ["a.txt"]
    assert target.read_text("utf-8") == "old"


def test_an_export_may_be_as_long_as_a_name_may_be(tmp_path: Path) -> None:
    target = tmp_path / ("é" * 125 + ".md")
    write_text(target, "x")
    assert target.read_text("utf-8") == "x"
    assert len(unfinished_name(target).name.encode()) <= 255


@posix
def test_a_symlink_is_replaced_and_not_followed(tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text("mine", "utf-8")
    target = tmp_path / "target"
    target.symlink_to(victim)
    write_text(target, "text")
    assert (victim.read_text("utf-8"), target.read_text("utf-8")) == ("mine", "text")
    assert not target.is_symlink()

    for name, leads_to in (("dangling", tmp_path / "nowhere"), ("link", victim)):
        link = tmp_path / name
        link.symlink_to(leads_to)
        with pytest.raises(FileExistsError):
            open_new(link)
        with pytest.raises(FileExistsError):
            write_new_text(link, "text")
    assert victim.read_text("utf-8") == "mine"
    assert not (tmp_path / "nowhere").exists()


@posix
def test_a_file_that_was_exchanged_meanwhile_does_not_get_the_name(tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text("mine", "utf-8")
    target = tmp_path / "target"

    def exchange() -> None:
        with replacing(target) as file:
            file.write(b"text")
            (unfinished,) = tmp_path.glob(f".target.*{UNFINISHED}")
            unfinished.unlink()
            unfinished.symlink_to(victim)

    with pytest.raises(FileNotFoundError, match="exchanged"):
        exchange()
    assert victim.read_text("utf-8") == "mine"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["victim"]


@posix
def test_a_folder_of_its_own_is_no_symlink_to_another(tmp_path: Path) -> None:
    own_folder(tmp_path / "files")
    own_folder(tmp_path / "files")
    assert _mode(tmp_path / "files") == 0o700
    (tmp_path / "link").symlink_to(tmp_path / "files", target_is_directory=True)
    (tmp_path / "file").touch()
    for name in ("link", "file"):
        with pytest.raises(FileExistsError):
            own_folder(tmp_path / name)


# Modules that write files in another way, and why. All but the last four write below the private data directory only.
EXCEPTIONS = {
    "core/system/file_writing.py": "the way itself",
    "core/attachments/origin_mark.py": "a mark that Windows keeps as a stream of the file",
    "core/attachments/blob_store.py": "bytes by their sum, in pieces that come over days",
    "core/diagnostics/crashes.py": "open before a crash, because nothing can be opened in one",
    "core/diagnostics/logs.py": "appended to",
    "core/local_api/instance.py": "the lock, which stays open",
    "core/paths.py": "opens directories to bring them to the disk",
    "core/storage/engine/backup.py": "SQLite writes by name",
    "core/storage/upkeep/backup_files.py": "copies of databases, which SQLite reads by name",
    "core/storage/engine/ballast.py": "a file that only takes room",
    "core/storage/engine/pending_restore.py": "the note of a restore, read back by its name",
    "core/storage/upkeep/maintenance.py": "a mark that is overwritten in place",
    "core/storage/engine/connection.py": "SQLite opens by name what is made private here first",
    "core/storage/engine/high_water.py": "a mark that every start reads by its name",
    "core/storage/upkeep/salvage.py": "a copy of a damaged database, which SQLite reads by name",
    "core/storage/upkeep/restore.py": "copies of databases, which SQLite reads by name",
    "core/sync/computers/place_files.py": "sealed pieces, put together beside the profile for the folder",
    "core/sync/team_store/connection.py": "certificates for a library that reads them by name, in a folder of its own",
    "ui/transcript/input/dragged_file.py": "what a drag carries, in a private folder that was made for it",
    "core/attachments/web_page.py": "a page for the process that reads files, in a private folder that was made for it",
    "cli/demo_data.py": "made-up threads on their way to an import, in a private folder that was made for them",
}
_WRITES = ("write_text", "write_bytes", "mkstemp", "NamedTemporaryFile", "copyfile", "copy2", "touch")


def _is_writing(call: ast.Call) -> bool:
    function = call.func
    if isinstance(function, ast.Attribute) and function.attr in _WRITES:
        return True
    name = function.id if isinstance(function, ast.Name) else getattr(function, "attr", "")
    if name != "open":
        return False
    is_low = isinstance(function, ast.Attribute) and isinstance(function.value, ast.Name) and function.value.id == "os"
    if is_low:
        return any("O_CREAT" in ast.unparse(each) for each in call.args)
    if isinstance(function, ast.Attribute) and "rchive" in ast.unparse(function.value):  # inside a zip
        return False
    modes = [*call.args, *(each.value for each in call.keywords if each.arg == "mode")]
    return any(
        isinstance(each, ast.Constant) and isinstance(each.value, str) and set(each.value) & set("wxa+")
        for each in modes
        if isinstance(each, ast.Constant) and set(str(each.value)) <= set("rwxabt+")
    )


def test_no_other_module_writes_files() -> None:
    """A module that does must use ``core/file_writing`` or say here why not."""
    found = set()
    may_write = re.compile(rf"\b(?:open|{'|'.join(_WRITES)})\s*\(")
    for path in PACKAGE.rglob("*.py"):
        text = path.read_text("utf-8")
        if not may_write.search(text):  # parsing is most of what this costs
            continue
        tree = ast.parse(text)
        imported = {
            each.name
            for node in ast.walk(tree)
            if isinstance(node, ast.ImportFrom) and node.module == "chatdesk.core.system.file_writing"
            for each in node.names
        }
        for call in (each for each in ast.walk(tree) if isinstance(each, ast.Call)):
            is_ours = isinstance(call.func, ast.Name) and call.func.id in imported
            if not is_ours and _is_writing(call):
                found.add(path.relative_to(PACKAGE).as_posix())
    assert found <= set(EXCEPTIONS), sorted(found - set(EXCEPTIONS))
