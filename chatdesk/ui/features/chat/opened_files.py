"""Copies of attached files for other programs, under their names, until the window closes.

The copy's ending follows what the bytes are, never what the name claims: the desktop starts programs by endings.
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from tempfile import TemporaryDirectory

from chatdesk.core.attachments.file_kinds import safe_ending
from chatdesk.core.chat.attachment_service import AttachmentService
from chatdesk.core.domain.attachment import Attachment


class OpenedFiles:
    """The temporary copies of attached files that a window has opened. ``close`` deletes all copies."""

    def __init__(self) -> None:
        self._folder = TemporaryDirectory(prefix="chatdesk-", ignore_cleanup_errors=True)

    async def copy_of(self, attachments: AttachmentService, attachment: Attachment) -> Path:
        """Return a copy that nobody can execute. Raises ``AttachmentUnusable`` where the bytes are gone."""
        folder = Path(self._folder.name) / attachment.sha256[:16]
        target = folder / _file_name(attachment)
        await asyncio.to_thread(folder.mkdir, mode=0o700, exist_ok=True)
        await attachments.save_copy(attachment, target)
        await asyncio.to_thread(target.chmod, 0o600)
        return target

    def close(self) -> None:
        self._folder.cleanup()


def _file_name(attachment: Attachment) -> str:
    ending = safe_ending(attachment.mime)
    if ending is None or attachment.name.lower().endswith(ending):
        return attachment.name
    return f"{attachment.name}{ending}"
