"""Each file that the source names in a data directory, in each state that damage leaves: *doctor* names it, nothing
waits or fails because of it, and what is moved aside is named afterwards."""

from __future__ import annotations

import ast
import asyncio
import importlib
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import chatdesk
from chatdesk.cli.doctor import examine
from chatdesk.core.context.catalogue import ModelCatalogue
from chatdesk.core.diagnostics.doctor import Level
from chatdesk.core.paths import AppPaths, resources_dir
from chatdesk.core.providers.models.model_lists import ModelLists
from chatdesk.core.settings.key_file import KeyFile
from chatdesk.core.settings.profile_id import ProfileId
from chatdesk.core.settings.store import SettingsStore
from chatdesk.core.storage.engine import high_water
from chatdesk.services.file_checks import own_file_findings, own_files
from chatdesk.ui.window.window_state import WindowStateFile
from tests.helpers.examples import sample

_SOURCE = Path(chatdesk.__file__).parent
# Names of the source that are no small file with a check of its own, and why.
_ELSEWHERE = {
    "settings.toml": "the check of the settings",
    "providers.json": "the check of the file of providers",
    "tools.json": "the check of the documents of tools",
    "tool-permissions.json": "the check of the documents of tools",
    "chatdesk.db": "the check of the database",
    "chatdesk.db-wal": "the check of the database",
    "chatdesk.db.before-": "a database that a restore or repair put aside",
    "chatdesk.db.restore": "a restore that every start completes or gives up",
    "chatdesk.db.restoring": "a restore that every start completes or gives up",
    "chatdesk.db.ballast": "room that is given back when the disk is full; never read",
    "instance.json": "written anew by each process",
    "instance.sock": "made anew by each process",
    "instance.lock": "never read; must be a file",
    "chatdesk.log": "never read; must be a file",
    "crashes": "a folder of reports",
    "blobs": "a folder; the check of the database names files that are missing or damaged",
    "file-changes": "a folder; a record that cannot be read is an undo that is refused",
    "service": "a folder that each service fills anew",
    "tools": "an empty folder",
    "demonstration.png": "a picture for whoever has no display; never read",
}
_OF_DATABASE = ("database", "path", "target")


def _named_in_source() -> set[str]:
    """The names below the folders of ``AppPaths`` that the source has, by constants and ``with_name``."""
    found = set()
    for file in _SOURCE.rglob("*.py"):
        text = file.read_text(encoding="utf-8")
        if "_dir /" not in text and "with_name(" not in text and "log_dir" not in text:
            continue
        module = ".".join(("chatdesk", *file.relative_to(_SOURCE).with_suffix("").parts))
        for node in ast.walk(ast.parse(text)):
            found |= set(_names_of(node, module))
    return found


def _names_of(node: ast.AST, module: str) -> Iterator[str]:
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div):
        folder = ast.unparse(node.left).rsplit(".", 1)[-1]
        if folder in ("data_dir", "config_dir", "log_dir"):
            yield from _constant(node.right, module)
    elif isinstance(node, ast.Call) and ast.unparse(node.func) == "database.with_name":
        text = ast.unparse(node.args[0])
        if text.startswith("database.name + "):
            yield from (f"chatdesk.db{each}" for each in _constant(node.args[0].right, module))  # type: ignore[attr-defined]
        elif isinstance(node.args[0], ast.JoinedStr):
            second = node.args[0].values[1]
            yield from (f"chatdesk.db{each}" for each in _constant(second, module))


def _constant(node: ast.AST, module: str) -> Iterator[str]:
    if isinstance(node, ast.Constant):
        yield str(node.value)
    elif isinstance(node, ast.Name) and node.id.isupper():
        yield str(getattr(importlib.import_module(module), node.id))


def test_each_name_in_the_source_has_a_check_or_a_reason(tmp_path: Path) -> None:
    named = _named_in_source()
    checked = {each.path.name for each in own_files(AppPaths.find(tmp_path))}
    assert len(named) > 15
    assert named - checked - set(_ELSEWHERE) == set()
    assert checked.isdisjoint(_ELSEWHERE)


_PATHS = own_files(AppPaths.find("/data"))
_FAULTS: dict[str, Callable[[Path, int], object]] = {
    "empty": lambda path, most: path.write_bytes(b""),
    "junk": lambda path, most: path.write_bytes(b'{"version":1,"x":['),
    "another kind": lambda path, most: path.write_bytes(b"[1]"),
    "no text": lambda path, most: path.write_bytes(b"\xff\xfe\x00"),
    "nested": lambda path, most: path.write_bytes(b"[" * most),
    "one byte too long": lambda path, most: path.write_bytes(b"{}".ljust(most + 1)),
    "a folder": lambda path, most: path.mkdir(),
    "a pipe": lambda path, most: os.mkfifo(path),
    "a link to itself": lambda path, most: path.symlink_to(path.name),
    "a device": lambda path, most: path.symlink_to("/dev/zero"),
}
_CASES = [(place, fault) for place in range(len(_PATHS)) for fault in _FAULTS]


def _read_all(paths: AppPaths) -> None:
    """Read each file as the program does. Nothing may be raised or waited for."""
    ProfileId(paths.config_dir).find()
    assert not KeyFile(paths.config_dir).is_open
    ModelCatalogue.of_files(resources_dir() / "models.json", paths.config_dir / "models.json")
    high_water.read(paths.database)
    high_water.untold_loss(paths.database)
    ModelLists(paths.data_dir)
    WindowStateFile(paths.window_state).load()
    SettingsStore(paths.settings_file).load()


@pytest.fixture
def paths(tmp_path: Path) -> AppPaths:
    found = AppPaths.find(tmp_path / "data")
    found.make_directories()
    return found


@pytest.mark.parametrize(
    ("place", "fault"), sample(_CASES, 35), ids=lambda each: _PATHS[each].path.name if isinstance(each, int) else each
)
def test_a_file_that_cannot_be_used_is_named_before_and_after_it_is_read(
    place: int, fault: str, paths: AppPaths
) -> None:
    assert own_file_findings(paths) == ()
    file = own_files(paths)[place]
    _FAULTS[fault](file.path, file.most_bytes)
    (before,) = own_file_findings(paths)
    assert str(file.path) in before.message
    _read_all(paths)
    (after,) = own_file_findings(paths)
    is_kept = not os.path.lexists(file.path)
    assert (f"{file.path.stem}.broken-1" if is_kept else str(file.path)) in after.message


def test_an_id_that_is_replaced_is_kept_and_named(paths: AppPaths) -> None:
    path = paths.config_dir / "profile-id"
    path.write_text("old id")
    ProfileId(paths.config_dir).make()
    assert (paths.config_dir / "profile-id.broken-1").read_text() == "old id"
    (found,) = own_file_findings(paths)
    assert "profile-id.broken-1" in found.message


@pytest.mark.parametrize("name", ["logs/chatdesk.log", "instance.lock", "blobs", "file-changes", "service", "tools"])
def test_a_file_of_another_kind_is_named(name: str, paths: AppPaths) -> None:
    path = paths.data_dir / name
    if name in ("logs/chatdesk.log", "instance.lock"):
        path.mkdir()
    else:
        path.write_text("no folder")
    (found,) = own_file_findings(paths)
    assert (str(path) in found.message, found.level) == (True, Level.PROBLEM)


def test_doctor_runs_to_its_end_with_each_file_damaged(paths: AppPaths) -> None:
    for each in own_files(paths):
        each.path.mkdir()
    report = asyncio.run(examine(paths, SettingsStore(paths.settings_file).load()))
    told = [each.message for each in report.findings if each.name == "own files"]
    assert [any(str(each.path) in message for message in told) for each in own_files(paths)] == [True] * len(_PATHS)
    assert not any("failed" in each.message for each in report.findings)
