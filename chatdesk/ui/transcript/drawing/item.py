"""Defines the base of the items that the transcript lays out and paints, such as a paragraph, a code card or a row of
tools, and of those that can be opened as an artifact.

Items are independent of scrolling and of messages.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QPainter, QPen

from chatdesk.core.domain.attachment import Attachment
from chatdesk.core.rendering.blocks import CodeBlock, Placement
from chatdesk.ui.qt.unread_guard import UnreadMoment
from chatdesk.ui.transcript.contract import ShownChange
from chatdesk.ui.transcript.drawing.card import AT_LEFT
from chatdesk.ui.transcript.drawing.side_scroll import SideScroll
from chatdesk.ui.transcript.drawing.transcript_style import TranscriptStyle

LINK_ACTION = "link-"
WORDS_PAD_PX = 8  # left and right of the words of a button without a frame
OPEN_ACTION = "open-artifact"


@dataclass(frozen=True, slots=True)
class Button:
    """A place in an item that does ``action`` when it is pressed. ``label`` is its tooltip and its accessible name;
    ``text`` and ``icon`` are drawn. The mouse does not see a button that is ``for_keys``. One that ``acts`` sends,
    writes, fetches or starts something: the mouse cannot press it in the ``unread`` moment of its item."""

    action: str
    label: str
    area: QRectF
    icon: str = ""
    text: str = ""
    is_enabled: bool = True
    is_framed: bool = False
    for_keys: bool = False
    acts: bool = False


@dataclass(frozen=True, slots=True)
class Outcome:
    """The effects of a pressed button outside its item.

    These are text for the clipboard (``formats`` holds other formats of it by MIME type), text to save under a
    suggested name, a link to follow, an action on an attached file or on a proposed change, what is to be opened as an
    artifact, or HTML to show in the browser. ``is_resized`` says that the item's height changed.
    """

    copied: str = ""
    formats: Mapping[str, str] = field(default_factory=dict)
    saved: str = ""
    file_name: str = ""
    link: str = ""
    file: tuple[str, Attachment] | None = None
    artifact: CodeBlock | Attachment | None = None
    change: tuple[str, ShownChange] | None = None
    page: str = ""
    is_resized: bool = False


class Grip(Protocol):
    """A part of an item that is moved with the mouse while its button is held."""

    @property
    def shape(self) -> Qt.CursorShape:
        """The shape of the mouse pointer over this part."""
        ...

    def move(self, point: QPointF) -> bool:
        """Follow the mouse to ``point`` of the item; return whether heights may have changed."""
        ...


@dataclass(slots=True)
class PaintState:
    """The state in which an item paints itself, with its top left corner at the origin."""

    style: TranscriptStyle
    clip: QRectF
    selected: tuple[int, int] | None = None
    hovered_action: str | None = None
    focused_action: str | None = None
    is_active: bool = False  # the message is hovered, has the focus or is the last: its tools are shown
    is_attended: bool = False  # the message is hovered or has the focus
    show_caret: bool = False


class Item:
    """The base of all items.

    ``layout`` sets ``height`` and ``natural_width``; before that, ``height`` is a guess.
    """

    kind = "item"
    gap = 10.0  # space above, unless the item before asks for less
    is_selectable = False
    is_structure = False  # has no words to select, and is copied together with the selection around it
    is_right_to_left = False
    revision = 0  # grows with every change that shows
    at = Placement()  # the lists and quotes around it
    is_indented = False  # begins at the text of its lists and quotes, not at the edge of the column
    scroll: SideScroll | None = None  # its horizontal offset
    unread: UnreadMoment | None = None  # for acting buttons that appear unasked; begins with their first painting

    def __init__(self) -> None:
        self.height = 0.0
        self.natural_width = 0.0
        self._laid_out: tuple[TranscriptStyle, float, float] | None = None  # for which style and width, and the height

    # Layout

    def guess(self, style: TranscriptStyle, width: float) -> float:
        """Return the likely height before layout, in px."""
        raise NotImplementedError

    def is_laid_out(self, style: TranscriptStyle, width: float) -> bool:
        """Return whether the height is the true one. It is a guess again where it was set to one since the layout, for
        a width that was gone before anything was laid out in it."""
        done = self._laid_out
        return done is not None and done[0] is style and done[1] == width and done[2] == self.height

    def ensure_layout(self, style: TranscriptStyle, width: float) -> bool:
        """Lay out unless this is done already, and return whether the height changed."""
        if self.is_laid_out(style, width):
            return False
        before = self.height
        self.layout(style, width)
        self._laid_out = (style, width, self.height)
        return self.height != before

    def layout(self, style: TranscriptStyle, width: float) -> None:
        raise NotImplementedError

    def invalidate(self) -> None:
        self._laid_out = None
        self.revision += 1

    def release(self) -> None:
        """Free the memory of the layout; the height stays as the guess."""
        self._laid_out = None

    def paint(self, painter: QPainter, state: PaintState) -> None:
        raise NotImplementedError

    # Text

    @property
    def text(self) -> str:
        """The text of the item that can be selected."""
        return ""

    def copied(self, start: int, end: int) -> str:
        return self.text[start:end]

    def offset_at(self, point: QPointF) -> int:
        return 0

    def areas_of(self, start: int, end: int) -> list[QRectF]:
        """Return the visible rectangles of the characters from ``start`` to ``end``."""
        return []

    def reveal(self, offset: int) -> bool:
        """Unfold or scroll sideways until the character at ``offset`` can be seen; return whether anything changed."""
        return False

    def line_at(self, offset: int) -> tuple[int, int]:
        """Return the range that a triple click at ``offset`` selects."""
        return 0, len(self.text)

    # Things to press

    def link_at(self, point: QPointF) -> str | None:
        return None

    def tip_at(self, point: QPointF) -> str:
        """Return the tooltip of a point without a button or link."""
        return ""

    def buttons(self) -> tuple[Button, ...]:
        return ()

    def press(self, action: str) -> Outcome | None:
        """Carry out the action of a button, or return None if the action is not one of the item's own."""
        return None

    def links(self) -> tuple[Button, ...]:
        """Return the links in view as stops for the keyboard; ``label`` is the target of each."""
        return ()

    def button_at(self, point: QPointF) -> Button | None:
        for each in self.buttons():
            if each.is_enabled and not each.for_keys and each.area.contains(point):
                return each
        return None

    def grip_at(self, point: QPointF) -> Grip | None:
        """Return the part at ``point`` that can be moved with the mouse, or None."""
        return None


def link_number(action: str | None) -> int | None:
    """Return the number of the link that ``action`` follows, or None for any other action."""
    return int(action.removeprefix(LINK_ACTION)) if action is not None and action.startswith(LINK_ACTION) else None


def word_bounds(text: str, offset: int) -> tuple[int, int]:
    """Return the bounds of the run of letters, or of other signs, around ``offset``."""
    if not text:
        return 0, 0
    offset = min(offset, len(text) - 1)
    is_word = _is_word(text[offset])
    if text[offset].isspace():
        return offset, offset + 1
    start = end = offset
    while start > 0 and _is_word(text[start - 1]) == is_word and not text[start - 1].isspace():
        start -= 1
    while end < len(text) and _is_word(text[end]) == is_word and not text[end].isspace():
        end += 1
    return start, end


def _is_word(character: str) -> bool:
    return character.isalnum() or character == "_"


def paint_button(painter: QPainter, button: Button, state: PaintState) -> None:
    """Paint a button: icon, text or both; tinted when hovered, ringed when focused."""
    style = state.style
    area = button.area
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    is_hovered = state.hovered_action == button.action and button.is_enabled
    if is_hovered or button.is_framed:
        painter.setPen(style.line_pen if button.is_framed else Qt.PenStyle.NoPen)
        painter.setBrush(style.colour("hover") if is_hovered else style.colour("card"))
        painter.drawRoundedRect(area.adjusted(0.5, 0.5, -0.5, -0.5), style.tokens.radius.row, style.tokens.radius.row)
    colour = "text" if is_hovered or button.is_framed else "muted"
    painter.setOpacity(1.0 if button.is_enabled else 0.4)
    x = area.x() + style.px(12 if button.is_framed else WORDS_PAD_PX if button.text and not button.icon else 0)
    if button.icon:
        pixmap = style.icon(button.icon, colour)
        side = pixmap.deviceIndependentSize().width()
        left = area.center().x() - side / 2 if not button.text else x + style.px(4)
        painter.drawPixmap(QPointF(round(left), round(area.center().y() - side / 2)), pixmap)
        x = left + side + style.px(8)
    if button.text:
        painter.setFont(style.font("muted"))
        painter.setPen(style.colour(colour))
        painter.drawText(
            QRectF(x, area.y(), area.right() - x, area.height()),
            int(AT_LEFT),
            button.text,
        )
    painter.setOpacity(1.0)
    if state.focused_action == button.action:
        painter.setPen(QPen(style.colour("accent"), 2))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRoundedRect(area.adjusted(1, 1, -1, -1), style.tokens.radius.row, style.tokens.radius.row)


class ArtifactSource:
    """A part of such an item. ``is_alone``: it is shown as an artifact already, whole, and does not offer to be opened
    again."""

    is_alone = False

    @property
    def artifact(self) -> CodeBlock | Attachment | None:
        """The code or file to be opened; None if there is none."""
        raise NotImplementedError


def artifact_of(item: object) -> CodeBlock | Attachment | None:
    """Return the artifact that an item shows; None where it shows none."""
    return item.artifact if isinstance(item, ArtifactSource) and not item.is_alone else None


def show_alone(items: Iterable[object]) -> None:
    """Show items as the content of an artifact, where nothing else is shown."""
    for item in items:
        if isinstance(item, ArtifactSource):
            item.is_alone = True
