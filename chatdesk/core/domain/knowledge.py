"""Describes a project's files as ChatDesk knows them: their origin, what was read, and what a question finds."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

# What makes vectors without a network (``core/knowledge/word_vectors.py``), and how many numbers each has. Another
# name, for example after another way of counting, makes them anew.
OWN_VECTORS: Final = "wordllama-l2-256/2"
OWN_DIMENSIONS: Final = 256


class SourceKind(StrEnum):
    """The kinds of places in a project's files. A folder is watched where it is; nothing of it is copied but text. One
    of the team is at another member's computer, or at another one of this person: only its text may be here."""

    FOLDER = "folder"
    FILE = "file"
    PAGE = "page"
    TEAM = "team"

    @property
    def is_on_disk(self) -> bool:
        return self in (SourceKind.FOLDER, SourceKind.FILE)


class Sharing(StrEnum):
    """The parts of a source that the team of a shared project gets: nothing, its name, or the text of its files too."""

    NOTHING = "nothing"
    NAME = "name"
    TEXT = "text"


class FileState(StrEnum):
    """The state of a file. One that cannot be read says why, and is tried again once it has changed; one that looks
    like a secret is only listed."""

    WAITING = "waiting"
    READ = "read"
    UNREADABLE = "unreadable"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class KnowledgeSource:
    """A folder, a file or the address of a web page. ``exclusions`` are lines as in a ``.gitignore``; ``problem`` is
    the sentence why nothing of it can be read now, empty where it can."""

    id: str
    project_id: str
    kind: SourceKind
    place: str
    exclusions: str = ""
    is_paused: bool = False
    added_at: int = 0
    problem: str = ""
    sharing: Sharing = Sharing.NAME


@dataclass(frozen=True, slots=True)
class SourceStatus:
    """The state of a source, in numbers of files. ``read_at`` is when one was read last, None for never;
    ``seconds_left`` how long the waiting ones take, None where that cannot be said."""

    source: KnowledgeSource
    read: int = 0
    waiting: int = 0
    unreadable: int = 0
    passages: int = 0
    read_at: int | None = None
    seconds_left: int | None = None
    secrets: int = 0

    @property
    def total(self) -> int:
        return self.read + self.waiting + self.unreadable + self.secrets


@dataclass(frozen=True, slots=True)
class KnownFile:
    """A file of a source. ``path`` is relative to the folder, with ``/``; for a single file its name, for a page its
    address. ``stamp`` (size and time) tells whether it has changed; ``problem`` is a sentence."""

    id: int
    source_id: str
    path: str
    state: FileState
    stamp: str = ""
    mime: str = ""
    problem: str = ""
    characters: int = 0
    read_at: int | None = None


@dataclass(frozen=True, slots=True)
class NamedFile:
    """A file that a question can name after an @."""

    id: int
    path: str
    characters: int


@dataclass(frozen=True, slots=True)
class Passage:
    """A part of a file's text: offsets in characters, the page it begins on (None: the file has no pages), and the
    headings above it (“Guide › Install”)."""

    start: int
    end: int
    text: str
    page: int | None = None
    heading: str = ""


@dataclass(frozen=True, slots=True)
class FoundPassage:
    """A passage that a question finds. ``by_words`` and ``by_meaning`` are its places in both lists, from 1; None where
    it is not in one. ``nearness`` is the cosine of both vectors, from -1 to 1; ``is_far``: it has nothing to do with
    the question, and is only listed."""

    id: int
    file: KnownFile
    source: KnowledgeSource
    position: int
    passage: Passage
    by_words: int | None = None
    by_meaning: int | None = None
    nearness: float | None = None
    score: float = 0.0
    is_far: bool = False


class PassageChoice(StrEnum):
    """A person's decision about a passage, or a whole file, for all questions of a thread."""

    NONE = "none"
    PINNED = "pinned"
    LEFT_OUT = "left_out"


class PassageFate(StrEnum):
    """The fate of what was found for a question: sent, or why not."""

    SENT = "sent"
    NO_ROOM = "no_room"
    FAR = "far"
    LEFT_OUT = "left_out"
    HELD_BACK = "held_back"
    GONE = "gone"


class FilesOutcome(StrEnum):
    """The outcome of looking for a question in a project's files, as the person is told below its answer."""

    FOUND = "found"
    NOTHING = "nothing"
    NO_ROOM = "no_room"
    HELD_BACK = "held_back"


@dataclass(frozen=True, slots=True)
class PassagePlace:
    """The place of a passage in a source; from 0 to 0 it is the whole file. ``digest`` finds its text again where the
    offsets have changed."""

    source_id: str
    path: str
    start: int = 0
    end: int = 0
    digest: str = ""

    @property
    def is_whole_file(self) -> bool:
        return self.end == 0

    def is_at(self, other: PassagePlace) -> bool:
        """Return whether a choice about this place is about ``other``."""
        if (self.source_id, self.path) != (other.source_id, other.path):
            return False
        if self.is_whole_file or other.is_whole_file:
            return self.is_whole_file
        return self.digest == other.digest or self.start == other.start


@dataclass(frozen=True, slots=True)
class ListedPassage:
    """A row of what was found for a question: its place, rank and reason, and whether it is sent. ``rank`` counts from
    1, None for what was not found but pinned; ``number`` is that in the request."""

    place: PassagePlace
    title: str
    link: str = ""
    fate: PassageFate = PassageFate.SENT
    rank: int | None = None
    by_words: int | None = None
    by_meaning: int | None = None
    is_named: bool = False
    choice: PassageChoice = PassageChoice.NONE
    number: int | None = None


@dataclass(frozen=True, slots=True)
class FilesQuestion:
    """A question to the files of a project, asked in a thread of a provider. ``earlier`` is the question before it;
    ``window_tokens`` the window of the model. ``is_draft``: it was not sent yet, and must not leave this computer."""

    project_id: str
    thread_id: str
    provider: str
    text: str
    earlier: str
    window_tokens: int
    is_draft: bool = False


class EmbeddingState(StrEnum):
    """The states of the vectors of a chosen model: being made while others answer, answering, or being removed."""

    WANTED = "wanted"
    ANSWERING = "answering"
    LEAVING = "leaving"


@dataclass(frozen=True, slots=True)
class Embedding:
    """A model of a provider that a project's passages are sent to for their vectors. ``farthest`` is the cosine that
    texts about different things reach with it; ``probe`` the vector of a text of ours, which tells whether the server
    still has the same model. ``problem`` is the sentence why vectors cannot be made now."""

    id: int
    project_id: str
    provider: str
    model: str
    dimensions: int
    farthest: float
    probe: bytes
    state: EmbeddingState = EmbeddingState.WANTED
    problem: str = ""


@dataclass(frozen=True, slots=True)
class EmbeddingStatus:
    """The models that make a project's vectors: the one that answers questions, None for the built-in one, and the one
    that will once all passages have its vectors. ``missing`` passages wait for the newest of them. ``fallback`` is the
    sentence why the last question was compared by the built-in vectors all the same."""

    answering: Embedding | None = None
    wanted: Embedding | None = None
    passages: int = 0
    missing: int = 0
    fallback: str = ""


@dataclass(frozen=True, slots=True)
class EmbeddingCost:
    """The cost of having a project's passages embedded by the provider ``label``. ``usd`` is None where the price is
    unknown."""

    label: str
    model: str
    texts: int
    tokens: int
    requests: int
    usd: float | None
    is_on_this_computer: bool = False


@dataclass(frozen=True, slots=True)
class EnclosedPassages:
    """The text for a request, empty for none, and for each number in it, from 1, the title and the link of its source.
    ``rows`` has all that was found, sent or not."""

    text: str
    sources: tuple[tuple[str, str], ...] = ()
    rows: tuple[ListedPassage, ...] = ()
    outcome: FilesOutcome = FilesOutcome.FOUND
