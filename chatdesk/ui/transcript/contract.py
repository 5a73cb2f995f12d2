"""Defines the interfaces and values through which the transcript talks to the rest of the program."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from PySide6.QtGui import QImage

from chatdesk.core.domain.artifacts.file_change import ChangeState, FileChange
from chatdesk.core.domain.attachment import Attachment, SentShare
from chatdesk.core.domain.message import MessagePage, ThreadSizes
from chatdesk.core.domain.text_match import ThreadMatches

# (provider, model) of an answer to what is above it; both may be None, which gives an empty name.
ModelName = Callable[[str | None, str | None], str]


def own_model_name(_provider: str | None, model: str | None) -> str:
    """Return the model's id as its name, or an empty string when there is no model."""
    return model or ""


class MessageFetcher(Protocol):
    """A function that fetches one page of the shown path.

    ``deliver`` is called later, once, in the GUI thread, or never when the page could not be fetched.

    ``before``, ``after`` and ``around`` are message ids with the meaning they have in the message repository; none of
    them means the newest page. A fetcher may also take ``at`` (a position on the path, int) for jumps into the middle;
    without it the view walks there page by page.
    """

    def __call__(
        self,
        thread_id: str,
        *,
        limit: int,
        before: str | None,
        after: str | None,
        around: str | None,
        deliver: Callable[[MessagePage], None],
    ) -> None: ...


# Fetches the sizes of a thread for its scroll bar; delivers as a ``MessageFetcher`` does.
SizesFetcher = Callable[[str, Callable[[ThreadSizes], None]], None]


# Searches a whole thread for a text. A newer call replaces the one before it, which need not deliver any more.
ThreadFinder = Callable[[str, str, Callable[[ThreadMatches], None]], None]


@dataclass(frozen=True, slots=True)
class PictureSource:
    """The place of a picture: the name of a stored file, a URL that the reader asked to load, or the bytes.

    Exactly one of the three is set. ``most`` is the largest width and height in pixels that it is shown in.
    ``is_agreed`` says that the reader has agreed to a URL in their own network.
    """

    stored: str = ""
    url: str = ""
    data: bytes = field(default=b"", repr=False)
    most: tuple[int, int] | None = None
    is_agreed: bool = False


@dataclass(frozen=True, slots=True)
class Picture:
    """A decoded picture, or a sentence that says why there is none.

    ``image`` is made smaller where it is shown smaller; ``size`` is its original width and height in pixels.
    ``elsewhere`` is a URL at another ``host`` that has the picture, which the reader has to ask for. ``is_near`` says
    that this URL is in the reader's own network, which they have to agree to.
    """

    image: QImage | None
    failure: str = ""
    elsewhere: str = ""
    host: str = ""
    size: tuple[int, int] | None = None
    is_near: bool = False


@dataclass(frozen=True, slots=True)
class ShownChange:
    """A change to a file as a message shows it; ``diff_sum`` is the SHA-256 sum of its text."""

    change: FileChange
    diff_sum: str


# Takes a change's id and the checksum of its text, and returns its state; None until that is known.
ChangeStateOf = Callable[[str, str], ChangeState | None]


# Returns the share of each attachment of a question that is sent to a provider's model; empty while unknown.
SharesOf = Callable[[tuple[Attachment, ...], str | None, str | None], Mapping[Attachment, SentShare]]


@dataclass(frozen=True, slots=True)
class SharedWith:
    """The names and rights of a shared thread.

    ``name_of`` gives the name of the member with an id. ``can_write`` says that the reader may write in the thread,
    ``can_manage`` that they may delete what others wrote.
    """

    name_of: Callable[[str], str]
    can_write: bool = True
    can_manage: bool = False


@dataclass(frozen=True, slots=True)
class ScrollAnchor:
    """The reader's place: the top of the view is ``offset_px`` below the top of ``message_id`` (or above it).

    The pixels hold for one width and one size of text. ``line``, where it is known, holds for all of them.
    """

    message_id: str | None
    offset_px: float
    is_at_end: bool
    line: LineAnchor | None = None


@dataclass(frozen=True, slots=True)
class LineAnchor:
    """A line of a message and its place: the line with character ``offset`` is ``y_px`` below the top of the view.

    The line is in item ``index``, counted from the first item of the content.
    """

    index: int
    offset: int
    y_px: float
