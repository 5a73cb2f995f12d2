"""Defines the structure of a search query, and its results: hits in groups.

All offsets are of code points in the text beside them, end exclusive. Times are milliseconds UTC.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from chatdesk.core.domain.message import Role


class SearchKind(StrEnum):
    """The kind of hits in a group."""

    MESSAGE = "message"
    THREAD = "thread"
    PROJECT = "project"
    TAG = "tag"
    ARTIFACT = "artifact"


ALL_KINDS = frozenset(SearchKind)


class FilterName(StrEnum):
    """The words before a colon that narrow a search."""

    PROJECT = "project"
    TAG = "tag"
    ROLE = "role"
    MODEL = "model"
    BEFORE = "before"
    AFTER = "after"
    HAS = "has"
    IS = "is"


HAS_VALUES = ("code", "image", "file")
IS_VALUES = ("pinned", "archived", "trashed")


@dataclass(frozen=True, slots=True)
class Term:
    """Words that must be together, in this order; mostly a single word. ``is_prefix``: the last word may be
    incomplete."""

    text: str
    is_phrase: bool = False
    is_prefix: bool = False


@dataclass(frozen=True, slots=True)
class Filter:
    """A condition that narrows a search. ``moment_ms`` is what a date means, for ``before`` (earlier than it) and
    ``after`` (at it or later). ``role``, ``has`` and ``is`` may have several values with bars between them, any of
    which will do."""

    name: FilterName
    value: str
    is_excluded: bool = False
    moment_ms: int | None = None


@dataclass(frozen=True, slots=True)
class SearchQuery:
    """A parsed query. All ``clauses`` must hold, each by any of its terms, and none of the ``excluded`` terms may
    occur."""

    clauses: tuple[tuple[Term, ...], ...] = ()
    excluded: tuple[Term, ...] = ()
    filters: tuple[Filter, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Return whether nothing is asked for; exclusions alone ask for nothing."""
        return not self.clauses and not self.filters


@dataclass(frozen=True, slots=True)
class Snippet:
    """A piece of plain text, about 120 characters around the best match, with the places of the words in it."""

    text: str
    matches: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True, slots=True)
class SearchHit:
    """A result of a search. ``id`` is that of the message, thread, project or tag, or of the part that holds a file.
    To jump, open ``thread_id`` at ``message_id``.

    ``title`` is the thread's, or the name of the project, tag or file, with ``title_matches`` in it. ``snippet`` is
    empty where only the name was found. ``needle`` is what *Find in thread* marks: the first match as it is written
    there. ``is_on_path`` is false for a message of another version than the shown one.
    """

    kind: SearchKind
    id: str
    title: str
    title_matches: tuple[tuple[int, int], ...] = ()
    snippet: Snippet = field(default_factory=lambda: Snippet(""))
    needle: str = ""
    project_id: str | None = None
    project: str = ""
    thread_id: str | None = None
    message_id: str | None = None
    role: Role | None = None
    model: str | None = None
    at: int = 0
    is_on_path: bool = True
    is_archived: bool = False
    is_in_trash: bool = False


@dataclass(frozen=True, slots=True)
class SearchGroup:
    """The best hits of one kind, best first. ``count`` is of all hits, exact unless ``is_more``: then it is a lower
    bound. ``note`` is a sentence for the reader about parts that were not searched, and why. ``next_cursor`` is opaque,
    None at the end.

    ``elapsed_ms`` is the time in the database and for the snippets, without waiting for a turn.
    """

    kind: SearchKind
    hits: tuple[SearchHit, ...]
    count: int
    is_more: bool = False
    elapsed_ms: float = 0.0
    note: str | None = None
    next_cursor: str | None = None


@dataclass(frozen=True, slots=True)
class IndexState:
    """The state of the search index. ``percent`` of the texts can be found (100: all). ``problem`` is a sentence when
    nothing can be."""

    percent: int = 100
    problem: str | None = None

    @property
    def is_whole(self) -> bool:
        return self.percent >= 100 and self.problem is None
