"""Steps to the version of a message before or after the one that is shown."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial

from chatdesk.core.domain.message import Message
from chatdesk.core.events import PathChanged
from chatdesk.core.texts import tr
from chatdesk.ui.accessibility.assistance import announce
from chatdesk.ui.features.chat.thread_binding import ThreadBinding
from chatdesk.ui.features.chat.undo_binding import UndoBinding
from chatdesk.ui.window.window_context import WindowContext

# Messages of another path that are shown before it is stored: more than a screen of them.
_AHEAD = 20


class VersionSteps:
    """Shows another version, and the path below it, before the path is stored."""

    def __init__(
        self,
        context: WindowContext,
        threads: ThreadBinding,
        undo: UndoBinding,
        *,
        member_name: Callable[[str], str],
    ) -> None:
        self._transcript = context.panes.transcript
        self._threads = threads
        self._undo = undo
        self._open_thread = context.open_thread
        self._tasks = context.tasks
        self._member_name = member_name
        self._switching = asyncio.Lock()
        self._ahead: tuple[str, str | None] | None = None  # thread and message below which another path is seen
        for name, step in (("version-previous", -1), ("version-next", 1)):
            context.panes.message_handlers.bind(name, partial(self._step_version, step))

    def forget(self) -> None:
        """Forget the path that is shown ahead: the pages of a thread that was left are asked for again when it is
        opened."""
        self._ahead = None

    def is_shown_already(self, event: PathChanged) -> bool:
        """Return whether the stored path is the one shown in advance, and forget the advance."""
        ahead, self._ahead = self._ahead, None
        return ahead == (event.thread_id, event.from_message_id)

    def _step_version(self, step: int, message_id: str) -> None:
        self._tasks.start(self._switch_version(message_id, step), "select version")

    async def _switch_version(self, message_id: str, step: int) -> None:
        """Show another version, then store the choice, which writes to every message on the new path. Switches run one
        after the other, so that each press continues from what the one before it showed."""
        async with self._switching:
            chat, transcript = self._open_thread.chat, self._transcript
            versions = await chat.reader.list_versions(message_id)
            here = next((i for i, version in enumerate(versions) if version.id == message_id), 0)
            if not 0 <= here + step < len(versions):
                return
            there = versions[here + step]
            page = await chat.reader.read_ahead(there.id, _AHEAD)
            if page is not None and transcript.show_ahead(page, there.parent_id):
                self._ahead = (there.thread_id, there.parent_id)
            if there.thread_id != self._threads.thread_id:
                return  # the thread was left in the meantime, so the step is dropped
            if there.parent_id is None:
                # The first message changes, so no message keeps the view's place.
                transcript.jump_to(there.id)
            try:
                await (await self._undo.stack()).select_version(there.id)
            finally:
                if self._ahead is not None:  # the change was not stored
                    self._ahead = None
                    transcript.reload_from(there.parent_id)
            if there.thread_id != self._threads.thread_id:
                return
            announce(
                transcript,
                self._said(there, here + step + 1, len(versions)),
            )

    def _said(self, version: Message, number: int, count: int) -> str:
        """Return the words for a version, with who wrote or edited it where that is another member or not the model."""
        place = {"number": number, "count": count}
        if version.author_id is None:
            if version.is_edited_answer:
                return tr("Version {number} of {count}, edited by you", **place)
            return tr("Version {number} of {count}", **place)
        name = self._member_name(version.author_id)
        if version.is_edited_answer:
            return tr("Version {number} of {count}, edited by {name}", name=name, **place)
        return tr("Version {number} of {count}, by {name}", name=name, **place)
