"""Saving code and showing stored pictures, in a window's stead."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QApplication, QFileDialog, QWidget
from pytestqt.qtbot import QtBot

from chatdesk.core.errors import ChatDeskError
from chatdesk.ui.application.transcript_files import TranscriptFiles
from chatdesk.ui.transcript.contract import Picture, PictureSource
from tests.ui.transcript.test_blocks_images import picture_bytes


class FakeTranscript(QObject):
    saveRequested = Signal(str, str)

    def set_pictures(self, door: Any) -> None:
        self.door = door


class FakeWindow(QWidget):
    def __init__(self) -> None:
        super().__init__()
        self.toasts: list[str] = []

    def show_toast(self, text: str) -> None:
        self.toasts.append(text)


class FakeTasks:
    def start(self, work: Coroutine[Any, Any, None], _name: str) -> None:
        asyncio.run(work)


@pytest.fixture
def panes(qapp: QApplication) -> Iterator[SimpleNamespace]:
    made = SimpleNamespace(window=FakeWindow(), transcript=FakeTranscript())
    yield made
    made.window.deleteLater()


def files_of(panes: SimpleNamespace) -> TranscriptFiles:
    return TranscriptFiles(panes, FakeTasks())  # type: ignore[arg-type]


def test_code_is_saved_where_the_person_says(panes: SimpleNamespace, tmp_path: Path) -> None:
    files = files_of(panes)
    panes.transcript.saveRequested.emit("x = 'é'", "code.py")
    dialog = panes.window.findChild(QFileDialog)
    assert dialog is not None
    assert Path(dialog.selectedFiles()[0]).name == "code.py"
    dialog.fileSelected.emit(str(tmp_path / "mine.py"))
    dialog.close()
    assert (tmp_path / "mine.py").read_text(encoding="utf-8") == "x = 'é'"
    assert panes.window.toasts == ["Saved to mine.py"]
    assert [each.name for each in tmp_path.iterdir()] == ["mine.py"]
    files.close()


def test_a_place_that_cannot_be_written_is_told(panes: SimpleNamespace, tmp_path: Path) -> None:
    files = files_of(panes)
    with pytest.raises(ChatDeskError) as caught:
        asyncio.run(files.save("x", tmp_path / "missing" / "code.py"))
    assert "could not be written" in caught.value.sentence
    assert panes.window.toasts == []


def test_stored_pictures_come_from_the_data_directory(panes: SimpleNamespace, tmp_path: Path, qtbot: QtBot) -> None:
    (tmp_path / "blobs").mkdir()
    (tmp_path / "blobs" / "a.png").write_bytes(picture_bytes())
    files = files_of(panes)
    files.open_pictures(tmp_path)
    found: list[Picture] = []
    panes.transcript.door.load(PictureSource(stored="a.png"), found.append)
    panes.transcript.door.load(PictureSource(url="http://127.0.0.1:1/a.png"), found.append)
    qtbot.waitUntil(lambda: len(found) == 2, timeout=10_000)
    assert sorted(picture.image is not None for picture in found) == [False, True]
    files.close()
