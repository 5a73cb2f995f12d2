"""*Export*: asks where, reads the whole shown path, writes the file on a thread."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QFileDialog

from chatdesk.core.domain.message import Message
from chatdesk.core.errors import ChatDeskError
from chatdesk.ui.application.service_handle import ServiceHandle
from chatdesk.ui.application.thread_binding import ThreadBinding
from chatdesk.ui.async_tasks import AsyncTasks

if TYPE_CHECKING:
    from chatdesk.core.chat.service import ChatService
    from chatdesk.ui.application.panes import Panes

_PAGE = 500
_FILTERS = {"md": "Markdown (*.md)", "json": "JSON (*.json)"}
_KEPT_IN_NAMES = " -_"
_LONGEST_NAME = 60


class ThreadExport(QObject):
    """Writes threads to files that the person names."""

    def __init__(self, panes: Panes, threads: ThreadBinding, handle: ServiceHandle, tasks: AsyncTasks) -> None:
        super().__init__()
        self._panes = panes
        self._handle = handle
        self._tasks = tasks
        commands = panes.commands
        commands.bind("thread.export_markdown", lambda: self._ask(threads.thread_id, "md"))
        commands.bind("thread.export_json", lambda: self._ask(threads.thread_id, "json"))
        panes.sidebar.exportRequested.connect(lambda thread_id: self._ask(thread_id, "md"))

    def _ask(self, thread_id: str | None, kind: str) -> None:
        if thread_id is not None:
            self._tasks.start(self._open_dialog(thread_id, kind), "export")

    async def _open_dialog(self, thread_id: str, kind: str) -> None:
        thread = await (await self._handle.chat()).get_thread(thread_id)
        dialog = QFileDialog(self._panes.window, "Export thread", safe_name(thread.title), _FILTERS[kind])
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setDefaultSuffix(kind)
        dialog.fileSelected.connect(lambda name: self._tasks.start(self.export(thread_id, kind, Path(name)), "export"))
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()

    async def export(self, thread_id: str, kind: str, target: Path) -> None:
        """Write one thread; the target is replaced only by a whole file."""
        from chatdesk.core.transfer import export

        chat = await self._handle.chat()
        thread = await chat.get_thread(thread_id)
        messages = await all_messages(chat, thread_id)
        render = export.thread_to_json if kind == "json" else export.thread_to_markdown

        def write() -> None:
            temporary = target.with_name(target.name + ".part")
            temporary.write_text(render(thread, messages), encoding="utf-8")
            temporary.replace(target)

        try:
            await asyncio.to_thread(write)
        except OSError as error:
            raise ChatDeskError(
                f"The file could not be written: {error.strerror}.",
                safe="The thread is unchanged.",
                next_step="Choose another place.",
            ) from error
        self._panes.window.show_toast(f"Exported to {target.name}")


async def all_messages(chat: ChatService, thread_id: str) -> list[Message]:
    """The whole shown path, oldest first, a page at a time."""
    page = await chat.get_thread_messages(thread_id, _PAGE)
    pages = [page.messages]
    while page.has_older and page.messages:
        page = await chat.get_thread_messages(thread_id, _PAGE, before=page.messages[0].id)
        pages.append(page.messages)
    return [message for messages in reversed(pages) for message in messages]


def safe_name(title: str) -> str:
    """A file name from a title: letters, digits and a few marks, never a path."""
    kept = "".join(char if char.isalnum() or char in _KEPT_IN_NAMES else " " for char in title)
    return " ".join(kept.split())[:_LONGEST_NAME].strip() or "thread"
