"""What builds need and put into packages: the feed of a portable program, and the translations of a wheel."""

from __future__ import annotations

import importlib
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

from chatdesk.core.updates.feed_source import FeedSource, read_feed_source

ROOT = Path(__file__).parents[1]


@pytest.fixture
def package(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr(sys, "dont_write_bytecode", sys.dont_write_bytecode)  # a build sets it for good
    monkeypatch.syspath_prepend(str(ROOT / "packaging"))
    return importlib.import_module("package")


def test_the_feed_of_a_build_is_the_one_that_its_program_follows(
    package: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = tmp_path / "1.root.json"
    root.write_bytes(b"signed")
    monkeypatch.setenv("CHATDESK_UPDATE_FEED", "https://updates.example/chatdesk")
    monkeypatch.setenv("CHATDESK_UPDATE_ROOT", str(root))
    package.put_feed(tmp_path / "updates")
    assert read_feed_source(tmp_path) == FeedSource("https://updates.example/chatdesk/", b"signed")
    monkeypatch.delenv("CHATDESK_UPDATE_FEED")
    package.put_feed(tmp_path / "updates")
    assert read_feed_source(tmp_path) is None  # nothing of the build before is left


def test_a_feed_without_encryption_is_not_built_in(
    package: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CHATDESK_UPDATE_FEED", "http://updates.example/")
    monkeypatch.setenv("CHATDESK_UPDATE_ROOT", str(tmp_path / "1.root.json"))
    with pytest.raises(package.set_up.SetUpError, match="must begin with https"):
        package.put_feed(tmp_path / "updates")
    assert read_feed_source(tmp_path) is None


def test_the_translations_of_a_wheel_are_compiled_by_the_python_that_builds_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An environment that pip makes for a build has no ``.venv``, but what pyproject.toml asks for."""
    monkeypatch.syspath_prepend(str(ROOT / "packaging"))
    translations = importlib.import_module("translations")
    monkeypatch.setattr(translations, "TARGET", tmp_path)
    translations.compile_changed(sys.executable)
    sources = {path.stem for path in translations.SOURCES.glob("*.ts")}
    assert {path.stem for path in tmp_path.iterdir()} == sources
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    asked = settings["build-system"]["requires"]
    of_qt = [each for each in settings["project"]["dependencies"] if each.startswith("PySide6")]
    assert of_qt == [each for each in asked if each.startswith("PySide6")]
    assert {"hatchling", "mkdocs-material", "uv"} <= {each.partition(">")[0] for each in asked}
