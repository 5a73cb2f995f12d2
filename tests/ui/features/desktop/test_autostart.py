"""The file that starts ChatDesk at login: what desktops read in it, and what they do to it."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

from chatdesk.ui.features.desktop.autostart import (
    NoStartAtLogin,
    autostart_file,
    set_start_at_login,
    starts_at_login,
)

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="Linux desktops read this file")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "config" / "autostart" / "chatdesk.desktop"


def _command(file: Path) -> list[str]:
    (line,) = (each for each in file.read_text(encoding="utf-8").splitlines() if each.startswith("Exec="))
    value = line.removeprefix("Exec=").replace("\\\\", "\\").replace("%%", "%")
    return [re.sub(r"\\(.)", r"\1", each) for each in re.findall(r'"((?:[^"\\]|\\.)*)"', value)]


def test_it_lies_where_the_desktop_looks(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert autostart_file({}) == tmp_path / ".config/autostart/chatdesk.desktop"
    assert autostart_file({"XDG_CONFIG_HOME": "/etc/own"}) == Path("/etc/own/autostart/chatdesk.desktop")
    # What is not a whole path counts as not set.
    assert autostart_file({"XDG_CONFIG_HOME": "own"}) == tmp_path / ".config/autostart/chatdesk.desktop"


def test_it_is_written_and_removed(file: Path) -> None:
    assert not starts_at_login(file)
    set_start_at_login(file, is_on=True)
    assert starts_at_login(file)
    assert _command(file) == [sys.executable, "-P", "-m", "chatdesk"]
    set_start_at_login(file, is_on=False)
    assert not file.exists()
    set_start_at_login(file, is_on=False)  # it is gone already


def test_the_command_keeps_every_sign_of_a_path(file: Path) -> None:
    odd = '/home/a b/100%/"q"/$HOME/`x`/back\\slash'
    set_start_at_login(file, is_on=True, arguments=("--data-dir", odd))
    assert _command(file)[-2:] == ["--data-dir", odd]


@pytest.mark.parametrize("line", ["Hidden=true", "X-GNOME-Autostart-enabled=false", "hidden = TRUE"])
def test_a_desktop_may_switch_it_off(file: Path, line: str) -> None:
    set_start_at_login(file, is_on=True)
    file.write_text(f"{file.read_text(encoding='utf-8')}{line}\n", encoding="utf-8")
    assert not starts_at_login(file)


def test_a_folder_in_its_place_is_said(tmp_path: Path) -> None:
    (tmp_path / "autostart").write_text("a file", encoding="utf-8")
    with pytest.raises(NoStartAtLogin) as raised:
        set_start_at_login(tmp_path / "autostart" / "chatdesk.desktop", is_on=True)
    assert "could not be changed" in raised.value.sentence
