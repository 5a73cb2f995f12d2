"""Which system packages set-up asks for, and which it can do without."""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[1]


@pytest.fixture
def libraries() -> ModuleType:
    spec = importlib.util.spec_from_file_location("system_libraries", ROOT / "packaging" / "system_libraries.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_only_tests_need_what_a_screen_reader_needs(libraries: ModuleType) -> None:
    assert "screen_reader" in libraries.kinds_needed("test")
    assert not {"test", "screen_reader"} & set(libraries.kinds_needed("run"))
    assert set(libraries.OPTIONAL) == {"screen_reader"}


def test_everything_that_is_missing_is_named_by_its_package(
    libraries: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "which", lambda _program: None)
    monkeypatch.setattr(libraries, "AT_SPI_LAUNCHERS", ("/no/such/file",))
    monkeypatch.setattr(libraries, "SYSTEM_PYTHON", "/no/such/python")
    wanted = {"dbus-daemon", "xdotool", "at-spi2-core", "python3-gi", "gir1.2-atspi-2.0"}
    assert wanted | {"xvfb"} <= set(libraries.missing_packages(["windowless", "x11", "test", "screen_reader"]))
    assert not wanted & set(libraries.missing_packages(["windowless", "x11", "test"]))


def test_a_python_without_the_bindings_is_noticed(libraries: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    failed = subprocess.CompletedProcess([], 1)
    monkeypatch.setattr(libraries, "SYSTEM_PYTHON", "/bin/sh")
    monkeypatch.setattr(libraries.subprocess, "run", lambda *_arguments, **_options: failed)
    assert {"python3-gi", "gir1.2-atspi-2.0"} <= set(libraries.missing_for_screen_reader())
