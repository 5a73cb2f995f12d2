"""What an export is about."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Choice:
    """Which threads: those named, or all of a project, or all there are."""

    thread_ids: tuple[str, ...] = ()
    project_id: str | None = None
    has_trash: bool = False

    @property
    def is_everything(self) -> bool:
        return not self.thread_ids and self.project_id is None
