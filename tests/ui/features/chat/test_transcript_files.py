"""Saving code and showing stored pictures, in a window's stead."""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import Coroutine, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from PySide6.QtCore import QObject, QUrl, Signal
from PySide6.QtGui import QDesktopServices, QGuiApplication
from PySide6.QtWidgets import QApplication, QFileDialog, QWidget
from pytestqt.qtbot import QtBot

from chatdesk.core.attachments.blob_store import BlobStore
from chatdesk.core.chat.attachment_service import AttachmentService
from chatdesk.core.domain.attachment import Attachment
from chatdesk.core.errors import AttachmentUnusable, ChatDeskError
from chatdesk.core.rendering.blocks import CodeBlock
from chatdesk.core.rendering.markdown import parse_markdown
from chatdesk.ui.features.chat.transcript_files import TranscriptFiles
from chatdesk.ui.transcript.contract import Picture, PictureSource
from chatdesk.ui.transcript.items.code_item import CodeItem
from tests.ui.transcript.items.test_image_item import picture_bytes


class FakeActions(QObject):
    saveRequested = Signal(str, str)
    pageRequested = Signal(str)
    fileRequested = Signal(str, object)


class FakeTranscript:
    def __init__(self) -> None:
        self.parts = SimpleNamespace(actions=FakeActions())

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
    handlers = SimpleNamespace(bind=lambda _action, _handler: None)
    window = FakeWindow()  # which is the pane, too: both show toasts
    made = SimpleNamespace(window=window, pane=window, transcript=FakeTranscript(), message_handlers=handlers)
    yield made
    made.window.deleteLater()


def files_of(panes: SimpleNamespace, blobs: BlobStore | None = None) -> TranscriptFiles:
    rows = SimpleNamespace(is_read_only=False)
    attachments = AttachmentService(blobs, rows)  # type: ignore[arg-type]
    context = SimpleNamespace(panes=panes, tasks=FakeTasks(), open_thread=None, settings=None, chats=None)
    return TranscriptFiles(context, attachments)  # type: ignore[arg-type]


def test_code_is_saved_where_the_person_says(panes: SimpleNamespace, tmp_path: Path) -> None:
    files = files_of(panes)
    panes.transcript.parts.actions.saveRequested.emit("x = 'é'", "code.py")
    dialog = panes.window.findChild(QFileDialog)
    assert dialog is not None
    assert Path(dialog.selectedFiles()[0]).name == "code.py"
    dialog.fileSelected.emit(str(tmp_path / "mine.py"))
    dialog.close()
    assert (tmp_path / "mine.py").read_text(encoding="utf-8") == "x = 'é'"
    assert panes.window.toasts == ["Saved to mine.py"]
    assert [each.name for each in tmp_path.iterdir()] == ["mine.py"]
    files.close()


@pytest.mark.parametrize("frame", ["{}", "- item\n\n  {}", "> {}"])
@pytest.mark.parametrize(
    "code",
    ["a\tb\n\tc", "a  \n\n\nb", "a\u200b\ufeff\u00ad", "\u202ea\u202c", "\x1b[31mE\x1b[0m", "a\u0085b\fc"],
)
def test_code_is_saved_to_the_letter(panes: SimpleNamespace, tmp_path: Path, frame: str, code: str) -> None:
    first = frame.removesuffix("{}")
    indent = first.rpartition("\n")[2]
    lines = ["~~~", *code.split("\n"), "~~~"]
    (block,) = (
        each for each in parse_markdown(first + f"\n{indent}".join(lines) + "\n") if isinstance(each, CodeBlock)
    )
    outcome = CodeItem(block).press("save-code")
    assert outcome is not None
    asyncio.run(files_of(panes).save(outcome.saved or "", tmp_path / "code.txt"))
    assert (tmp_path / "code.txt").read_bytes() == f"{code}\n".encode()


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
    qtbot.waitUntil(lambda: len(found) == 2)
    assert sorted(picture.image is not None for picture in found) == [False, True]
    files.close()


def attached(blobs: BlobStore, name: str, mime: str, data: bytes = b"words") -> Attachment:
    blob = blobs.put([data], max_bytes=1000)
    return Attachment(name, mime, blob.sha256, blob.size_bytes)


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[QUrl]:
    urls: list[QUrl] = []
    monkeypatch.setattr(QDesktopServices, "openUrl", lambda url: urls.append(url) or True)
    return urls


def test_an_attached_file_is_opened_under_an_ending_that_cannot_run(
    panes: SimpleNamespace, tmp_path: Path, opened: list[QUrl]
) -> None:
    blobs = BlobStore(tmp_path / "blobs")
    files = files_of(panes, blobs)
    panes.transcript.parts.actions.fileRequested.emit("file-open", attached(blobs, "install.desktop", "text/plain"))
    (url,) = opened
    copy = Path(url.toLocalFile())
    assert copy.name == "install.desktop.txt"
    assert copy.read_bytes() == b"words"
    assert not copy.stat().st_mode & 0o111
    files.close()
    assert not copy.exists()


def test_an_executable_file_is_only_offered_for_saving(
    panes: SimpleNamespace, tmp_path: Path, opened: list[QUrl]
) -> None:
    blobs = BlobStore(tmp_path / "blobs")
    files = files_of(panes, blobs)
    program = attached(blobs, "run.exe", "application/octet-stream")
    panes.transcript.parts.actions.fileRequested.emit("file-open", program)
    assert opened == []
    dialog = panes.window.findChild(QFileDialog)
    assert Path(dialog.selectedFiles()[0]).name == "run.exe"
    dialog.fileSelected.emit(str(tmp_path / "kept.exe"))
    dialog.close()
    assert (tmp_path / "kept.exe").read_bytes() == b"words"
    assert panes.window.toasts == ["Saved to kept.exe"]
    files.close()


def test_its_folder_is_shown_and_the_file_copied(panes: SimpleNamespace, tmp_path: Path, opened: list[QUrl]) -> None:
    blobs = BlobStore(tmp_path / "blobs")
    files = files_of(panes, blobs)
    attachment = attached(blobs, "report.pdf", "application/pdf")
    panes.transcript.parts.actions.fileRequested.emit("file-folder", attachment)
    assert [Path(url.toLocalFile()) for url in opened] == [blobs.path(attachment.sha256).parent]
    panes.transcript.parts.actions.fileRequested.emit("file-copy", attachment)
    (url,) = QGuiApplication.clipboard().mimeData().urls()
    assert Path(url.toLocalFile()).name == "report.pdf"
    assert panes.window.toasts == ["Copied"]
    QGuiApplication.clipboard().clear()
    files.close()


def test_a_file_that_is_gone_says_so(panes: SimpleNamespace, tmp_path: Path, opened: list[QUrl]) -> None:
    blobs = BlobStore(tmp_path / "blobs")
    files = files_of(panes, blobs)
    attachment = attached(blobs, "report.pdf", "application/pdf")
    blobs.remove(attachment.sha256)
    with pytest.raises(AttachmentUnusable, match="no longer there"):
        asyncio.run(files.use("file-open", attachment))
    files.close()


@pytest.mark.skipif(os.name != "posix", reason="symlinks of POSIX")
def test_saved_code_goes_through_no_planted_symlink(panes: SimpleNamespace, tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text("mine", "utf-8")
    for name in ("setup.sh", "setup.sh.part", ".setup.sh.part"):
        (tmp_path / name).symlink_to(victim)
    asyncio.run(files_of(panes).save("echo theirs", tmp_path / "setup.sh"))
    assert victim.read_text("utf-8") == "mine"
    assert (tmp_path / "setup.sh").read_text("utf-8") == "echo theirs"
    assert (tmp_path / "setup.sh").lstat().st_mode & 0o777 == 0o600


def test_a_page_goes_to_the_browser_by_an_address_of_this_computer(
    panes: SimpleNamespace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[str] = []
    monkeypatch.setattr(QDesktopServices, "openUrl", lambda url: opened.append(url.toString()) is None)
    blobs = BlobStore(tmp_path / "blobs")
    files = files_of(panes, blobs)
    panes.transcript.parts.actions.pageRequested.emit("<h1>Draft</h1>")
    assert re.fullmatch(r"http://127\.0\.0\.1:\d+/[\w-]{43}", opened[0])
    assert panes.window.toasts == ["Opened in your browser"]
    data = "<p>Zürich</p>".encode()
    stored = blobs.put(iter([data]), max_bytes=100)
    page = Attachment("plan.html", "text/html", stored.sha256, len(data))
    panes.transcript.parts.actions.fileRequested.emit("file-open", page)
    assert len(opened) == 2 and opened[0] != opened[1]
    monkeypatch.setattr(QDesktopServices, "openUrl", lambda _url: False)
    with pytest.raises(ChatDeskError, match="No browser could be opened"):
        asyncio.run(files.show_page("<h1>Draft</h1>"))
    with pytest.raises(ChatDeskError, match="empty"):
        asyncio.run(files.show_page_in("There is no page here."))
    files.close()
