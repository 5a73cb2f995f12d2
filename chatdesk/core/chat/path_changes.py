"""Changes which messages of a thread are shown: deletes and restores them, selects versions, and branches threads.

Every change happens whole or not at all, and publishes its events once it is durable.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

from chatdesk.core.chat.results import Moved
from chatdesk.core.chat.task_set import uninterruptible
from chatdesk.core.chat.titles import branch_title
from chatdesk.core.domain.thread import Thread
from chatdesk.core.events import EventBus, PathChanged, ThreadChanged, ThreadCreated
from chatdesk.core.ids import checked_id
from chatdesk.core.storage.repositories import Repositories


class PathChanges:
    """Changes which messages a thread shows; ``ChatService.paths`` exposes it. ``stop`` ends the answers of a thread
    whose messages are deleted."""

    def __init__(self, repositories: Repositories, bus: EventBus, *, stop: Callable[[str], Awaitable[object]]) -> None:
        self._messages = repositories.messages
        self._paths = repositories.paths
        self._threads = repositories.threads
        self._bus = bus
        self._stop = stop

    @uninterruptible
    async def delete_message(self, message_id: str, *, with_later: bool = False, end_id: str | None = None) -> Moved:
        """Move a message to the trash, alone or with all below it. ``end_id``: the end of the shown path then."""
        message = await self._messages.get(checked_id(message_id))
        await self._stop(message.thread_id)
        thread, ids = await self._paths.delete(message.id, with_later=with_later, end_id=end_id)
        self.publish(thread, message.parent_id)
        return Moved(thread, tuple(ids))

    @uninterruptible
    async def delete_messages(self, message_ids: Sequence[str], *, end_id: str | None = None) -> Moved:
        """Move exactly these messages of one thread to the trash, the topmost first."""
        top = await self._messages.get(checked_id(message_ids[0]))
        await self._stop(top.thread_id)
        thread, ids = await self._paths.delete_these(message_ids, end_id=end_id)
        self.publish(thread, top.parent_id)
        return Moved(thread, tuple(ids))

    @uninterruptible
    async def restore_message(self, message_id: str, *, end_id: str | None = None) -> Moved:
        """Restore a message from the trash, with everything that went there in the same step. It is shown unless the
        path is to end at ``end_id``."""
        checked = checked_id(message_id)
        thread, ids = await self._paths.restore(checked, end_id=end_id)
        restored = await self._messages.get(checked)
        self.publish(thread, restored.parent_id)
        return Moved(thread, tuple(ids))

    async def end_of_path(self, message_id: str) -> str | None:
        """Return the last message of the path shown now in that message's thread, for ``lead_path_to``."""
        return await self._paths.end_of_path(checked_id(message_id))

    @uninterruptible
    async def select_version(self, message_id: str) -> Thread:
        """Show a version and the path below it."""
        message = await self._messages.get(checked_id(message_id))
        thread = await self._paths.select_version(message.id)
        self.publish(thread, message.parent_id)
        return thread

    @uninterruptible
    async def lead_path_to(self, message_id: str) -> Thread:
        """Show the path that ends with a message."""
        thread, last_kept = await self._paths.lead_path_to(checked_id(message_id))
        self.publish(thread, last_kept)
        return thread

    @uninterruptible
    async def branch_thread(self, message_id: str) -> Thread:
        """Create a thread that begins with everything from the first message to this one."""
        message = await self._messages.get(checked_id(message_id))
        thread = await self._threads.get(message.thread_id)
        branched = await self._paths.branch(message.id, branch_title(thread.title))
        self._bus.publish(ThreadCreated(branched))
        return branched

    def publish(self, thread: Thread, from_message_id: str | None) -> None:
        """Report that the shown path differs below a message (None: from its beginning)."""
        for event in changed_path(thread, from_message_id):
            self._bus.publish(event)


def changed_path(thread: Thread, from_message_id: str | None) -> tuple[PathChanged, ThreadChanged]:
    """Return the events that say that the shown path differs below a message (None: from its beginning)."""
    return PathChanged(thread.id, from_message_id), ThreadChanged(thread)
