"""The sentences before threads are deleted for good."""

from __future__ import annotations

from chatdesk.core.texts import plural, shown, tr


def whole_trash_text(count: int) -> str:
    """Return a sentence on the threads and messages that emptying the trash removes."""
    return shown(
        plural(
            "{count} threads of all projects, with all messages, will be removed. This cannot be undone.",
            "{count} thread of all projects, with all messages, will be removed. This cannot be undone.",
            count,
        )
    )


def shared_text() -> str:
    """Return a sentence on the fate of threads in shared projects."""
    return tr(
        "In shared projects it erases for everyone what you wrote, or all of it where you are an owner or admin. The "
        "rest is hidden on this computer only."
    )
