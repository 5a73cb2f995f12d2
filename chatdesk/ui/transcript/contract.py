"""What the transcript asks of the rest of the program, and what it gives back: its doors and values."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from PySide6.QtGui import QImage

from chatdesk.core.domain.message import MessagePage, ThreadSizes
from chatdesk.core.domain.text_match import ThreadMatches
from chatdesk.core.rendering.blocks import Block

#: (provider, model) of an answer to what stands above it; both may be None, which gives an empty name.
ModelName = Callable[[str | None, str | None], str]


def own_model_name(_provider: str | None, model: str | None) -> str:
    """The id itself, where nobody knows a better name."""
    return model or ""


class MessageFetcher(Protocol):
    """Brings one page of the shown path. ``deliver`` is called later, once, in the GUI thread, or never when it failed.

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


class SizesFetcher(Protocol):
    """Brings the sizes of a thread, for a scroll bar that is true. Delivers as ``MessageFetcher`` does."""

    def __call__(self, thread_id: str, deliver: Callable[[ThreadSizes], None]) -> None: ...


class ThreadFinder(Protocol):
    """Looks for a text in a whole thread. A newer call replaces the one before it, which need not deliver any more."""

    def __call__(self, thread_id: str, text: str, deliver: Callable[[ThreadMatches], None]) -> None: ...


class Ticket(Protocol):
    def cancel(self) -> None: ...


class Update(Protocol):
    """Blocks from ``first_changed`` on are replaced by ``blocks``."""

    @property
    def first_changed(self) -> int: ...
    @property
    def blocks(self) -> tuple[Block, ...]: ...


class BlockStream(Protocol):
    def append(self, delta: str) -> None: ...
    def close(self) -> None: ...


class BlockRenderer(Protocol):
    """Turns Markdown into blocks elsewhere; callbacks arrive in the GUI thread. ``on_done`` may be called twice: blocks
    first, the same with colours later."""

    def request(self, text: str, on_done: Callable[[tuple[Block, ...]], None]) -> Ticket: ...
    def open_stream(self, on_update: Callable[[Update], None]) -> BlockStream: ...


@dataclass(frozen=True, slots=True)
class PictureSource:
    """Where a picture is; one of them is set: the name of a stored file, a URL that the reader has asked for, the
    bytes. ``most`` is the width and height in pixels that it is shown in at most. ``is_agreed``: the reader has agreed
    that the URL is in their own network."""

    stored: str = ""
    url: str = ""
    data: bytes = field(default=b"", repr=False)
    most: tuple[int, int] | None = None
    is_agreed: bool = False


@dataclass(frozen=True, slots=True)
class Picture:
    """A decoded picture, made smaller where it is shown smaller, and the ``size`` it has by itself; or the sentence
    that says why there is none. ``elsewhere`` is the URL at another ``host`` that has it, which the reader has to ask
    for; ``is_near``: that is in their own network, which they have to agree to."""

    image: QImage | None
    failure: str = ""
    elsewhere: str = ""
    host: str = ""
    size: tuple[int, int] | None = None
    is_near: bool = False


class PictureDoor(Protocol):
    """Reads and decodes pictures elsewhere; ``on_done`` is called later, once, in the GUI thread."""

    def load(self, source: PictureSource, on_done: Callable[[Picture], None]) -> Ticket: ...


@dataclass(frozen=True, slots=True)
class SharedWith:
    """What the transcript of a shared thread has to know: the name of whoever has an id, whether one may write here,
    and whether one may delete what others wrote."""

    name_of: Callable[[str], str]
    can_write: bool = True
    can_manage: bool = False


@dataclass(frozen=True, slots=True)
class ScrollAnchor:
    """Where the reader is: the top of the view is ``offset_px`` below the top of ``message_id`` (or above it).

    In pixels that holds for one width and one size of text. ``line`` says it for all of them, when it is known.
    """

    message_id: str | None
    offset_px: float
    is_at_end: bool
    line: LineAnchor | None = None


@dataclass(frozen=True, slots=True)
class LineAnchor:
    """The line with character ``offset`` of a message is ``y_px`` below the top of the view; it is in item ``index``,
    counted from the first of its content."""

    index: int
    offset: int
    y_px: float
