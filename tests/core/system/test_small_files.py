"""Small files of ChatDesk's own are read only where they are files, and small."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from chatdesk.core.system.small_files import read_small_file, read_small_json


def test_an_ordinary_file_is_read_also_through_a_link(tmp_path: Path) -> None:
    (tmp_path / "kept.json").write_text('{"a": "ä"}', encoding="utf-8")
    (tmp_path / "link.json").symlink_to("kept.json")
    assert read_small_file(tmp_path / "link.json", 100) == '{"a": "ä"}'.encode()
    assert read_small_json(tmp_path / "kept.json", 100) == {"a": "ä"}


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(OSError, match="no ordinary file"):
        read_small_file(tmp_path / "pipe", 100)


@pytest.mark.parametrize("target", ["/dev/zero", "/dev/tty", "/"])
def test_a_device_or_a_folder_is_not_read(tmp_path: Path, target: str) -> None:
    (tmp_path / "link").symlink_to(target)
    with pytest.raises(OSError):  # noqa: PT011 - the text is the system's
        read_small_file(tmp_path / "link", 100)


def test_a_missing_file_is_told_apart(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        read_small_file(tmp_path / "none", 100)


@pytest.mark.parametrize(
    "data", [b"x" * 101, b"[" * 100, b"\xff", b"1" * 5_000], ids=["large", "deep", "bytes", "digits"]
)
def test_what_is_too_large_or_no_document_is_a_value_error(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "document"
    path.write_bytes(data)
    with pytest.raises(ValueError):  # noqa: PT011 - of three kinds
        read_small_json(path, 100 if len(data) < 1_000 else 10_000)


def test_only_regular_files_are_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """To open a device may already do something: rewind a tape, take a terminal."""
    os.mkfifo(tmp_path / "pipe")
    opened: list[object] = []
    monkeypatch.setattr(os, "open", lambda *arguments: opened.append(arguments))
    for place in (tmp_path / "pipe", Path("/dev/null"), tmp_path):
        with pytest.raises(OSError):  # noqa: PT011 - the text is the system's
            read_small_file(place, 100)
    assert opened == []


def test_what_became_no_file_in_the_meantime_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, real = tmp_path / "document", os.open
    path.write_bytes(b"x")
    monkeypatch.setattr(os, "open", lambda _path, flags: real("/dev/zero", flags))
    with pytest.raises(OSError, match="no ordinary file"):
        read_small_file(path, 100)
