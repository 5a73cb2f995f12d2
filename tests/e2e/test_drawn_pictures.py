"""Pictures of answers in the real window and beyond it: shown, copied, branched, exported, imported, and killed."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import os
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing, suppress
from pathlib import Path

import pytest
from PySide6.QtWidgets import QApplication

from chatdesk.core.domain.attachment import Attachment
from chatdesk.core.domain.exports import Choice, ExportFormat
from chatdesk.core.domain.library import ThreadQuery
from chatdesk.core.domain.message import Status
from chatdesk.core.paths import AppPaths
from chatdesk.core.settings.schema import Settings
from chatdesk.services.owner import open_services
from chatdesk.services.services import Services
from chatdesk.ui.application.window_application import WindowApplication
from chatdesk.ui.transcript.items.attached_picture_item import AttachedPictureItem
from tests.helpers.drawn_pictures import as_url, drawn, pictures_of
from tests.helpers.fault_server import Exchange, FaultServer, models
from tests.helpers.window import ask, play, until

pytestmark = pytest.mark.usefixtures("qapp")


def picture_in(application: WindowApplication) -> AttachedPictureItem | None:
    items = application.panes.transcript.entries[-1].items if application.panes.transcript.entries else ()
    return next((each for each in items if isinstance(each, AttachedPictureItem)), None)


def test_a_picture_of_an_answer_is_shown_copied_branched_and_exported(tmp_path: Path) -> None:
    async def script(application: WindowApplication) -> None:
        message = await ask(application, "/demo picture")
        (picture,) = pictures_of(message)
        assert isinstance(picture, Attachment) and picture.name == "A sunset over the sea.png"
        await until(lambda: (item := picture_in(application)) is not None and item.image is not None)
        item = picture_in(application)
        assert item is not None and item.label == picture.name
        assert [each.label for each in item.buttons()] == [
            "Open A sunset over the sea.png",
            "Save a copy of A sunset over the sea.png",
            "Copy A sunset over the sea.png",
            "Open as artifact: A sunset over the sea.png",
        ]
        application.panes.transcript.parts.actions.fileRequested.emit("file-copy", picture)
        await until(lambda: (clip := QApplication.clipboard().mimeData()) is not None and clip.hasUrls())
        (copied,) = QApplication.clipboard().mimeData().urls()
        services = await application.services()
        data = services.attachments.blobs.read(picture.sha256, max_bytes=100_000)
        assert Path(copied.toLocalFile()).read_bytes() == data
        assert QApplication.clipboard().mimeData().hasImage()
        branch = await services.chat.paths.branch_thread(message.id)
        page = await services.chat.reader.get_thread_messages(branch.id)
        assert pictures_of(page.messages[-1]) == [picture]
        await _check_exports(services, message.thread_id, data, tmp_path)

    play(AppPaths.find(tmp_path / "profile"), script)


async def _check_exports(services: Services, thread_id: str, data: bytes, folder: Path) -> None:
    for kind in ExportFormat:
        await services.exports.export(Choice((thread_id,)), kind, folder / f"a.{kind.value}")
    assert base64.b64encode(data).decode() in (folder / "a.html").read_text()
    assert (folder / "a.pdf").read_bytes().startswith(b"%PDF-")
    written = (folder / "a.md").read_text()
    assert "![A sunset over the sea.png](a-files/" in written
    assert [each.read_bytes() for each in (folder / "a-files").iterdir()] == [data]
    assert hashlib.sha256(data).hexdigest() in (folder / "a.json").read_text()


def test_a_kill_in_the_middle_of_a_picture_loses_no_text(tmp_path: Path) -> None:
    async def script(exchange: Exchange) -> None:
        if exchange.request.method == "GET":
            await models("m")(exchange)
            return
        await exchange.start()
        await exchange.delta(content="All of this is text. ")
        await exchange.delta(content=f"![A bird]({as_url(drawn(size=(600, 600)))[:400]}")
        await exchange.hang()

    async def run() -> None:
        data_dir = tmp_path / "profile"
        paths = AppPaths.find(str(data_dir))
        async with FaultServer(script) as server:
            environment = {**os.environ, "OPENAI_BASE_URL": server.base_url, "OPENAI_API_KEY": "sk-0123456789abcdef"}
            command = [sys.executable, "-m", "chatdesk", "--data-dir", str(data_dir), "ask", "--json", "Draw!"]
            process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE)
            try:
                await until(lambda: _is_stored(paths.database, "It did not arrive completely."))
            finally:
                process.send_signal(signal.SIGKILL)
                process.communicate()
        async with open_services(paths, Settings()) as services:
            (thread,) = (await services.library.list_threads(ThreadQuery())).threads
            page = await services.chat.reader.get_thread_messages(thread.id)
            last = page.messages[-1]
            assert last.status is Status.INTERRUPTED
            assert last.text == "All of this is text. "
            assert pictures_of(last) == ["It did not arrive completely."]

    asyncio.run(run())


def _is_stored(database: Path, text: str) -> bool:
    """Return whether a message holds a text for good; the files may hold it before that."""
    with suppress(sqlite3.OperationalError), closing(sqlite3.connect(f"{database.as_uri()}?mode=ro", uri=True)) as conn:
        found = conn.execute("SELECT 1 FROM message_parts WHERE instr(content, ?)", (text,)).fetchone()
        return found is not None
    return False  # the database is being made
