from __future__ import annotations

import sys
from pathlib import Path

import pytest

from chatdesk.core import paths as paths_module
from chatdesk.core.paths import AppPaths, encodings_dir, help_page, migrations_dir, resources_dir


def test_the_option_wins_over_the_variable_which_wins_over_the_platform(tmp_path: Path) -> None:
    environ = {"CHATDESK_DATA_DIR": str(tmp_path / "variable")}
    assert AppPaths.find(tmp_path / "option", environ).data_dir == tmp_path / "option"
    assert AppPaths.find(None, environ).data_dir == tmp_path / "variable"
    platform = AppPaths.find(None, {})
    assert platform.data_dir.name == "chatdesk"
    assert platform.data_dir not in platform.backup_dir.parents


def test_a_chosen_directory_holds_everything(tmp_path: Path) -> None:
    paths = AppPaths.find(tmp_path / "here", {})
    places = [paths.database, paths.window_state, paths.settings_file, paths.instance_socket, paths.log_file]
    for place in [*places, paths.crash_dir, paths.backup_dir]:
        assert place.is_relative_to(tmp_path / "here")


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX permissions")
def test_directories_are_private_even_if_they_were_not(tmp_path: Path) -> None:
    (tmp_path / "here").mkdir(mode=0o755)
    paths = AppPaths.find(tmp_path / "here", {})
    paths.make_directories()
    paths.make_directories()
    for directory in (paths.data_dir, paths.config_dir, paths.log_dir, paths.backup_dir, paths.crash_dir):
        assert directory.stat().st_mode & 0o777 == 0o700


def test_a_home_relative_directory_is_expanded() -> None:
    assert AppPaths.find("~/chat", {}).data_dir == Path.home() / "chat"


def test_a_checkout_has_its_folders_beside_the_package() -> None:
    root = Path(__file__).parents[2]
    assert migrations_dir() == root / "migrations"
    assert resources_dir() == root / "resources"
    assert encodings_dir() in (root / "build" / "encodings", root / "resources" / "encodings")


def test_a_wheel_has_them_inside_the_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "_bundled" / "migrations").mkdir(parents=True)
    (tmp_path / "_bundled" / "resources" / "encodings").mkdir(parents=True)
    monkeypatch.setattr(paths_module, "_PACKAGE", tmp_path)
    assert migrations_dir() == tmp_path / "_bundled" / "migrations"
    assert encodings_dir() == tmp_path / "_bundled" / "resources" / "encodings"


def test_a_packaged_app_has_them_beside_the_program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "_MEIPASS", str(tmp_path), raising=False)
    assert resources_dir() == tmp_path / "resources"


def _with_page(folder: Path) -> Path:
    folder.mkdir(parents=True)
    page = folder / "index.html"
    page.touch()
    return page


def test_help_is_the_packaged_pages_else_those_of_the_checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "chatdesk"
    monkeypatch.setattr(paths_module, "_PACKAGE", package)
    (tmp_path / "docs").mkdir()
    assert help_page() is None  # a folder of others beside an installed package
    (tmp_path / "mkdocs.yml").touch()
    assert help_page() == tmp_path / "docs"
    built = _with_page(tmp_path / "build" / "site")
    assert help_page() == built
    bundled = _with_page(package / "_bundled" / "site")
    assert help_page() == bundled
    beside_program = _with_page(tmp_path / "unpacked" / "site")
    monkeypatch.setattr(sys, "_MEIPASS", str(tmp_path / "unpacked"), raising=False)
    assert help_page() == beside_program
