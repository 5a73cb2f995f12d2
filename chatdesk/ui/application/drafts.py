"""Unsent text: saved shortly after each key, for each thread, and given back when the thread is opened."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer

from chatdesk.core.errors import StorageError
from chatdesk.ui.application.unsaved import Unsaved
from chatdesk.ui.async_tasks import AsyncTasks

if TYPE_CHECKING:
    from chatdesk.core.chat.service import ChatService
    from chatdesk.core.domain.attachment import Attachment
    from chatdesk.ui.composer.composer import Composer

SAVE_AFTER_MS = 150


class DraftKeeper(QObject):
    """Follows one composer. ``thread_id`` None stands for the thread that does not exist yet."""

    def __init__(
        self, composer: Composer, tasks: AsyncTasks, chat: Callable[[], Awaitable[ChatService]], *, unsaved: Unsaved
    ) -> None:
        super().__init__(composer)
        self._unsaved = unsaved
        self._composer = composer
        self._tasks = tasks
        self._chat = chat
        self._thread_id: str | None = None
        self._is_loading = False
        self._has_unsaved = False
        self._lock = asyncio.Lock()  # what stands in the composer belongs to one thread at a time
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(SAVE_AFTER_MS)
        self._timer.timeout.connect(self._on_timer_timeout)
        composer.textChanged.connect(self._on_composer_text_changed)

    def _on_composer_text_changed(self) -> None:
        if not self._is_loading:
            self._has_unsaved = True
            self._timer.start()

    def _on_timer_timeout(self) -> None:
        self._tasks.start(self._save_or_keep(), "save draft")

    async def _save_or_keep(self) -> None:
        try:
            await self.save()
        except StorageError as error:
            self._unsaved.keep("draft", error, self.save)

    async def save(self) -> None:
        """Store what stands in the composer now, if it is not stored yet."""
        async with self._lock:
            await self._save()

    async def add_attachment(self, thread_id: str | None, key: str, attachment: Attachment) -> None:
        """A file that was attached in ``thread_id`` is there: in the composer if that thread is still the one that is
        written in, else in its draft."""
        async with self._lock:
            if thread_id == self._thread_id:
                self._composer.shelf.finish(key, attachment)
                return
            chat = await self._chat()
            draft = await chat.get_draft(thread_id)
            text, cursor, before = (draft.text, draft.cursor, draft.attachments) if draft else ("", 0, ())
            await chat.save_draft(thread_id, text, cursor, attachments=(*before, attachment))

    async def _save(self) -> None:
        self._timer.stop()
        if not self._has_unsaved:
            return
        self._has_unsaved = False
        thread_id, text, cursor = self._thread_id, self._composer.text(), self._composer.cursor_position()
        attached = self._composer.attached
        try:
            await (await self._chat()).save_draft(thread_id, text, cursor, attachments=attached)
        except BaseException:
            self._has_unsaved = True
            raise

    async def switch(self, thread_id: str | None) -> None:
        """Save the draft of the thread that is left, then show that of ``thread_id``."""
        async with self._lock:
            await self._save()
            chat = await self._chat()
            self._thread_id = thread_id
            draft = await chat.get_draft(thread_id)
            if self._thread_id != thread_id or self._has_unsaved:
                return  # somebody was faster: another thread, or a key pressed meanwhile
            self._show(draft.text if draft else "", draft.cursor if draft else 0, draft.attachments if draft else ())

    async def start(self, thread_id: str | None) -> None:
        """The first thread after start-up: keys pressed before storage was there are kept after the stored draft."""
        chat = await self._chat()
        self._thread_id = thread_id
        draft = await chat.get_draft(thread_id)
        typed = self._composer.text()
        if draft is None or not (draft.text or draft.attachments):
            if typed:
                self._on_composer_text_changed()  # it may be older than this keeper
            return
        if typed:
            joined = f"{draft.text}\n{typed}" if draft.text.strip() not in ("", typed.strip()) else typed
            self._show(joined, len(joined), draft.attachments)
            self._on_composer_text_changed()
        else:
            self._show(draft.text, draft.cursor, draft.attachments)

    def adopt(self, thread_id: str | None) -> None:
        """What stands in the composer belongs to ``thread_id`` from now on."""
        self._thread_id = thread_id
        self._on_composer_text_changed()

    def _show(self, text: str, cursor: int, attachments: Sequence[Attachment]) -> None:
        self._is_loading = True
        try:
            self._composer.set_attached(attachments)
            self._composer.set_text(text)
            self._composer.set_cursor_position(min(cursor, len(text)))
        finally:
            self._is_loading = False
