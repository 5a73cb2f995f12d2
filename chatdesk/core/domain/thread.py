"""Defines threads, which are trees of messages, the projects that hold them, and their tags."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from chatdesk.core.domain.attachment import Attachment
from chatdesk.core.texts import Text

# The title of a thread whose first question has no words. Stored like any other; ``title_text`` names it for people.
NEW_THREAD_TITLE: Final = "New thread"
# The titles of threads that ChatDesk makes by itself, for texts that have lost their thread or its place in a team.
RECOVERED_TITLE: Final = "Recovered messages"
NOT_TAKEN_TITLE: Final = "Not taken by the team"
_NAMES: Final = {
    NEW_THREAD_TITLE: Text("New thread"),
    RECOVERED_TITLE: Text("Recovered messages"),
    NOT_TAKEN_TITLE: Text("Not taken by the team"),
}
# Ends the title of a thread that branched off another one, until a person renames it.
BRANCH_MARK: Final = " (branch)"


def title_text(title: str) -> str:
    """Return a stored title for display: one that ChatDesk itself wrote is a ``Text``."""
    own = title.removesuffix(BRANCH_MARK)
    name = _NAMES.get(own, own)
    return name if own == title else Text("{title} (branch)", title=name)


class TitleSource(StrEnum):
    """The author of a thread's title: its first question (by its words), a model, or a person, whose title stays."""

    TEXT = "text"
    MODEL = "model"
    PERSON = "person"


@dataclass(frozen=True, slots=True)
class Thread:
    """A thread with its counters. Times are milliseconds UTC, tokens are counts over all live messages.

    ``current_leaf_id`` is the newest message of the shown path; walking parents from it gives the path. ``deleted_at``
    is set while the thread is in the trash. ``tags`` are names in alphabetical order. ``author_id`` is the other member
    who began it; None: whoever works with this profile. ``assistant_id`` is the assistant that answers here, for this
    profile alone; it may be deleted by now.
    """

    id: str
    project_id: str
    title: str
    system_prompt: str
    provider: str | None
    model: str | None
    created_at: int
    last_activity_at: int
    archived_at: int | None = None
    pinned_at: int | None = None
    deleted_at: int | None = None
    current_leaf_id: str | None = None
    message_count: int = 0
    total_input_tokens: int = 0
    total_output_tokens: int = 0
    total_cached_tokens: int = 0
    total_reasoning_tokens: int = 0
    total_tool_time_ms: int = 0
    tool_counts: Mapping[str, int] = field(default_factory=dict)
    tags: tuple[str, ...] = ()
    author_id: str | None = None
    assistant_id: str | None = None

    @property
    def is_branch(self) -> bool:
        return self.title.endswith(BRANCH_MARK)

    @property
    def name(self) -> str:
        """The title for people, as of ``title_text``."""
        return title_text(self.title)

    @property
    def name_without_mark(self) -> str:
        """The name for where a sign says that the thread is a branch."""
        return title_text(self.title.removesuffix(BRANCH_MARK))


# The places of drafts that belong to no thread: the thread that does not exist yet, and the quick window.
NEW_DRAFT: Final = "new"
QUICK_DRAFT: Final = "quick"


@dataclass(frozen=True, slots=True)
class Draft:
    """The unsent text and files of one thread (``thread_id`` None: of the new, not yet created thread)."""

    thread_id: str | None
    text: str
    cursor: int
    updated_at: int
    attachments: tuple[Attachment, ...] = ()


@dataclass(frozen=True, slots=True)
class ThreadPage:
    """A part of a list of threads; ``next_cursor`` is opaque, None at the end."""

    threads: tuple[Thread, ...]
    next_cursor: str | None


@dataclass(frozen=True, slots=True)
class Tag:
    """A tag. ``thread_count`` counts threads that are not in the trash."""

    id: str
    name: str
    created_at: int
    thread_count: int = 0


DEFAULT_COLOUR: Final = "#5B7DB1"


@dataclass(frozen=True, slots=True)
class Project:
    """A project. Times are milliseconds UTC; ``last_chat_at`` is the newest activity of its threads that are not in
    the trash. ``provider`` and ``model`` are those of its new threads."""

    id: str
    name: str
    colour: str
    system_prompt: str
    provider: str | None
    model: str | None
    created_at: int
    last_chat_at: int | None
    deleted_at: int | None = None
    archived_at: int | None = None


@dataclass(frozen=True, slots=True)
class Question:
    """A question of the outline. ``preview`` is how its text begins, on one line; empty where it has none. ``asked_ms``
    is UTC."""

    message_id: str
    position: int
    asked_ms: int
    preview: str


@dataclass(frozen=True, slots=True)
class QuestionPage:
    """A part of the outline, in the order of the path. ``next_position`` is where the next page begins; None at the
    end."""

    questions: tuple[Question, ...]
    next_position: int | None = None
