"""The folders of projects on this computer: kept, checked, and nobody else's."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from chatdesk.core.events import EventBus, ToolServersChanged
from chatdesk.core.paths import AppPaths
from chatdesk.core.tools.project_folders import FolderNotUsable
from chatdesk.core.tools.servers_store import FILE_NAME
from tests.helpers.accounts import MemoryKeyring
from tests.helpers.tools_world import make_service


def _paths(folder: Path) -> AppPaths:
    paths = AppPaths.find(folder / "profile")
    paths.make_directories()
    return paths


async def test_a_project_has_a_folder_on_this_computer(tmp_path: Path) -> None:
    ring, paths, bus = MemoryKeyring(), _paths(tmp_path), EventBus()
    service = make_service(paths, keyring=ring, bus=bus)
    changes: list[ToolServersChanged] = []
    bus.subscribe(ToolServersChanged, changes.append)
    folder = tmp_path / "work"
    with pytest.raises(FolderNotUsable, match="There is no folder"):
        await service.folders.set("p1", folder)
    with pytest.raises(FolderNotUsable):
        await service.folders.set("p1", Path("relative"))
    folder.mkdir()
    await service.folders.set("p1", folder)
    await service.folders.set("p1", folder)
    assert service.folders.of("p1") == folder and service.folders.of("p2") is None and len(changes) == 1
    await service.close()
    again = make_service(paths, keyring=ring)
    assert again.folders.of("p1") == folder
    folder.rmdir()
    assert again.folders.of("p1") is None
    folder.mkdir()
    await again.folders.set("p1", None)
    await again.close()
    assert make_service(paths, keyring=ring).folders.of("p1") is None


async def test_the_folders_of_another_data_directory_do_not_hold(tmp_path: Path) -> None:
    ring, paths = MemoryKeyring(), _paths(tmp_path)
    mine = make_service(paths, keyring=ring)
    (tmp_path / "work").mkdir()
    await mine.folders.set("p1", tmp_path / "work")
    await mine.close()
    file = paths.config_dir / FILE_NAME
    document = json.loads(file.read_text("utf-8"))
    document["folders"][0]["path"] = str(tmp_path.parent)
    document["folders"] += [7, {"project": "p2"}, {**document["folders"][0], "project": "p3"}]
    file.write_text(json.dumps(document), "utf-8")
    assert make_service(paths, keyring=ring).folders.of("p1") is None
    assert make_service(paths, keyring=ring).folders.of("p3") is None


async def test_the_folders_of_projects_that_are_gone_are_forgotten(tmp_path: Path) -> None:
    ring, paths, bus = MemoryKeyring(), _paths(tmp_path), EventBus()
    service = make_service(paths, keyring=ring, bus=bus)
    (tmp_path / "work").mkdir()
    for project_id in ("p1", "p2"):
        await service.folders.set(project_id, tmp_path / "work")
    changes: list[ToolServersChanged] = []
    bus.subscribe(ToolServersChanged, changes.append)
    await service.folders.forget_others({"p1", "p2", "p3"})
    assert not changes
    await service.folders.forget_others({"p1"})
    await service.close()
    again = make_service(paths, keyring=ring)
    assert again.folders.of("p2") is None and again.folders.of("p1") is not None and len(changes) == 1
