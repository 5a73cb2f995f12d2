"""Says which threads a list holds: its view, and what it was narrowed to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from chatdesk.ui.sidebar.grouping import ThreadView

if TYPE_CHECKING:
    from chatdesk.core.domain.thread import Thread


@dataclass(frozen=True, slots=True)
class ThreadFilter:
    """The threads of one view with ``query`` in their titles, of one project and with one tag (None: any)."""

    view: ThreadView = ThreadView.ACTIVE
    query: str = ""
    project_id: str | None = None
    tag: str | None = None

    def holds(self, thread: Thread) -> bool:
        return (
            self.view.holds(thread)
            and self.project_id in (None, thread.project_id)
            and (self.tag is None or self.tag in thread.tags)
            and self.query.casefold() in thread.title.casefold()
        )
