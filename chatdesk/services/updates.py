"""Builds the service for updates of this installation, over what it needs of the other services."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from chatdesk import __version__
from chatdesk.core.clock import SystemClock
from chatdesk.core.paths import resources_dir
from chatdesk.core.updates.feed_source import read_feed_source
from chatdesk.core.updates.installation import find_installation
from chatdesk.core.updates.update_service import UpdatePorts, UpdateService

if TYPE_CHECKING:
    from chatdesk.services.services import Services


def build_updates(services: Services) -> UpdateService:
    """Return the service for updates; nothing is asked yet."""

    def is_busy() -> bool:
        tools = services.chat.tools  # of temporary threads too
        is_waiting = bool(tools.approvals.waiting() or tools.questions.waiting())
        temporary = services.chat_of(services.temporary.thread_id)
        return is_waiting or services.chat.is_writing or temporary.is_writing

    async def back_up(version: str) -> Path:
        paths = services.paths
        name = f"{paths.database.stem}-pre-{version}-from-{__version__}.db"
        return await services.database.back_up(paths.backup_dir / name)

    ports = UpdatePorts(lambda: services.settings.updates_check, is_busy, back_up)
    return UpdateService(find_installation(), read_feed_source(resources_dir()), ports, SystemClock())
