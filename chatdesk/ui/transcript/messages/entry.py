"""A message in the transcript: its items, where they stand in it, and what it offers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import accumulate

from chatdesk.core.domain.context import SummaryEnd
from chatdesk.core.domain.message import Message, Role, Status
from chatdesk.core.rendering.blocks import Block
from chatdesk.ui.commands.message_action import MessageAction, MessageState
from chatdesk.ui.transcript.contract import BlockRenderer, ModelName, SharedWith, own_model_name
from chatdesk.ui.transcript.drawing.artifact_source import artifact_of, leave_alone
from chatdesk.ui.transcript.drawing.item import Item
from chatdesk.ui.transcript.drawing.transcript_style import BUBBLE_MAX_PX, BUBBLE_PAD_X, TranscriptStyle
from chatdesk.ui.transcript.items.fold_item import FoldItem
from chatdesk.ui.transcript.items.gaps import alike, grown_gaps
from chatdesk.ui.transcript.items.text_item import plain_item
from chatdesk.ui.transcript.messages.entry_notices import EntryNotices, Retry
from chatdesk.ui.transcript.messages.entry_sections import EntrySections
from chatdesk.ui.transcript.messages.footer import footer_of
from chatdesk.ui.transcript.messages.frame_items import FrameItems
from chatdesk.ui.transcript.messages.message_facts import MessageFacts
from chatdesk.ui.transcript.messages.sections import Section

_MESSAGE_GAP = 22.0
_OUTSIDE_BUBBLE = ("footer", "unread", "mark", "line", "header", "notice")
_HUG_ITEMS = 12  # a bubble with more items than this is as wide as it may be


class MessageEntry:
    """A message as it is shown: its items in reading order, and the space above each in ``gaps``.

    Heights are guesses before layout. Items are made when first asked for: a page has more messages than the view.
    """

    def __init__(
        self,
        message: Message,
        shared: SharedWith | None = None,
        *,
        model_name: ModelName = own_model_name,
        is_bare: bool = False,
    ) -> None:
        """Show ``message``; ``shared`` is None in a private thread; ``is_bare``: show nothing around its text."""
        self.facts = MessageFacts(message, shared, model_name, is_bare=is_bare)
        self._frame = FrameItems(self.facts)
        self._notices = EntryNotices(self.facts)
        self._items: list[Item] = []
        self._gaps: list[float] = []
        self.width = 0.0
        self._made_sections: EntrySections | None = None
        self._is_first_unread = False
        self.is_end = False
        self._quick: tuple[MessageAction, ...] = ()
        self.is_edited = False
        self._tops: list[float] | None = None
        self._indexes: dict[int, int] | None = None
        self._style: TranscriptStyle | None = None
        self._body: tuple[int, int] = (0, 0)
        self._foot = 0

    # What it shows

    @property
    def items(self) -> list[Item]:
        if self._made_sections is None:
            self._make_sections()
        return self._items

    @property
    def gaps(self) -> list[float]:
        if self._made_sections is None:
            self._make_sections()
        return self._gaps

    @property
    def _sections(self) -> EntrySections:
        return self._make_sections()

    def _make_sections(self) -> EntrySections:
        if self._made_sections is None:
            self._made_sections = EntrySections()
            self._take_parts()
        return self._made_sections

    # What it is

    @property
    def message(self) -> Message:
        return self.facts.message

    @property
    def is_question(self) -> bool:
        return self.facts.is_question

    @property
    def is_live(self) -> bool:
        return self.facts.is_live

    @property
    def is_unanswered(self) -> bool:
        """True if this is the reader's own question and the thread ends with it."""
        return self.is_end and self.is_question and not self.message.is_note and self.message.author_id is None

    @property
    def has_blocks(self) -> bool:
        """True if the text is shown rendered, False while it is shown as it was written."""
        return all(each.blocks is not None for each in self._sections.texts)

    def state(self, *, has_selection: bool = False, starts_later: bool = False) -> MessageState:
        """Return the facts that decide which actions the message offers."""
        return MessageState(
            self.message,
            is_unanswered=self.is_unanswered,
            can_continue=self.facts.can_continue,
            has_quick_actions=self.message.role is Role.ASSISTANT and bool(self.text) and not self.facts.is_bare,
            is_context_start=self._frame.start_line is not None,
            is_shared=self.facts.shared is not None,
            has_selection=has_selection,
            starts_later=starts_later,
            is_bare=self.facts.is_bare,
            has_artifact=lambda: any(artifact_of(item) is not None for item in self.items),
        )

    @property
    def text(self) -> str:
        """The Markdown of the message, as far as it has arrived."""
        if self._made_sections is None:
            return self.message.text
        texts = [each.text for each in self._sections.texts]
        return "".join(texts) if texts else self.message.text

    @property
    def blocks(self) -> list[Block]:
        """The blocks of the message's Markdown, as far as they are known."""
        return [block for each in self._sections.texts for block in each.blocks or ()]

    @property
    def body(self) -> tuple[int, int]:
        """The index of the first item of the content, and the index after its last one."""
        self._make_sections()
        return self._body

    @property
    def foot_top(self) -> float:
        """The top of the row of tools, in px below the top of the message."""
        return self.tops[self._foot]

    @property
    def foot_bottom(self) -> float:
        return self.foot_top + self.items[self._foot].height

    @property
    def caret_item(self) -> Item | None:
        """The item that shows the caret while text arrives; None while the answer waits to be requested."""
        if not self.is_live or self._notices.is_held:
            return None
        first, end = self._body
        last = self.items[end - 1] if end > first else None
        return last if last is not None and last.kind in ("text", "code") else None

    # Changes

    def change(self, message: Message) -> None:
        """Show a newer state of the message; items stay as they are when the text did not change."""
        old, self.facts.message = self.message, message
        if self._made_sections is None:
            return
        if message.status is not old.status or message.error != old.error:
            self._notices.forget()
        if not self._sections.has_same_parts(message):
            self._take_parts()
        else:
            self.rebuild()

    def append(self, part_index: int, kind: str, delta: str) -> Section:
        """Append text to a part and return its section; call ``show_appended`` once a frame to show it."""
        section = self._sections.append(part_index, kind, delta)
        if self.message.status is Status.PENDING:
            self.facts.message = replace(self.message, status=Status.STREAMING)
        self._notices.forget()
        return section

    def show_appended(self) -> None:
        self._sections.update_items()
        self.rebuild(is_growth=True)

    def set_retry(self, retry: Retry | None) -> None:
        """Set the next attempt at this answer; None means that there is none."""
        self._notices.retry = retry
        self._rebuild_if(True)

    def set_asked(self, at_ms: int) -> None:
        """Set the time since which the provider has been asked for this answer."""
        self._frame.asked_ms = at_ms
        self._rebuild_if(True)

    def set_end(self, is_end: bool, *, quick: tuple[MessageAction, ...]) -> bool:
        """Set whether the thread ends here, with its ``quick`` actions; return whether anything shown changed."""
        if (is_end, quick if is_end else ()) == (self.is_end, self._quick):
            return False
        self.is_end, self._quick = is_end, quick if is_end else ()
        return self._rebuild_if(True)

    def set_waiting(self, text: str, *, before: int) -> None:
        """Show why this answer is not requested yet; ``before`` others come first. An empty text shows nothing."""
        self._notices.set_waiting(text, before=before)
        self._rebuild_if(True)

    def set_unread(self, is_first: bool) -> None:
        """Set whether the unread part of the thread begins here."""
        before, self._is_first_unread = self._is_first_unread, is_first
        self._rebuild_if(is_first != before)

    def set_model_name(self, model_name: ModelName) -> bool:
        """Set the function that names models, and return whether the name shown here changed."""
        before, self.facts.model_name = self.facts.author, model_name
        return self._rebuild_if(self.facts.author != before)

    def set_shared(self, shared: SharedWith | None) -> bool:
        """Set with whom the thread is shared, and return whether anything shown here changed."""
        before, self.facts.shared = self.facts.shown_of_team, shared
        return self._rebuild_if(self.facts.shown_of_team != before)

    def set_landmarks(self, *, is_context_start: bool, summary_end: SummaryEnd | None) -> bool:
        """Set whether the context starts here and which summary ends here; return whether that is new."""
        return self._rebuild_if(self._frame.set_landmarks(is_context_start=is_context_start, summary_end=summary_end))

    def _rebuild_if(self, is_other: bool) -> bool:
        """Show what differs, if items were made before; return whether anything does."""
        if is_other and self._made_sections is not None:
            self.rebuild()
        return is_other

    def toggle_fold(self, item: FoldItem) -> None:
        item.is_open = not item.is_open
        self._sections.update_items()
        self.rebuild()

    def request_blocks(self, renderer: BlockRenderer, on_ready: Callable[[MessageEntry], None]) -> None:
        """Ask the renderer for the blocks of texts that have none; each text is requested once."""
        self._sections.request_blocks(renderer, lambda: on_ready(self))

    @property
    def awaits_blocks(self) -> bool:
        """True while blocks were requested and have not come."""
        return self._made_sections is not None and self._made_sections.awaits_blocks

    def close(self) -> None:
        if self._made_sections is not None:
            self._made_sections.close()

    def _take_parts(self) -> None:
        self._sections.take_parts(self.message)
        self.rebuild()

    # Items and their places

    def rebuild(self, *, is_growth: bool = False) -> None:
        """Put the items together again, keeping the layouts of those that stay; ``is_growth``: only the end grew."""
        items = self._frame.above(is_first_unread=self._is_first_unread)
        first = len(items)
        items += self._sections.items
        if self.facts.is_bare:
            leave_alone(items)
        if len(items) == first and (self.is_question or (self.is_live and not self._notices.is_held)):
            items.append(plain_item("") if self.is_question else self._frame.waiting())
        last = len(items)
        notices = self._notices.items(is_unanswered=self.is_unanswered)
        if not self.is_question:
            items += notices
        before = self._items if is_growth else []
        quick = () if self.is_live else self._quick
        items.append(before[self._foot] if before else footer_of(self.state(), self.facts, quick=quick))
        self._foot = len(items) - 1
        if self.is_question:
            items += notices
        if self._frame.summary_line is not None:
            items.append(self._frame.summary_line)
        self._body = (first, last)
        known = alike(before, items)
        self._gaps = grown_gaps(self._gaps[:known], items, is_question=self.is_question)
        self._items = items
        if self._style is not None:
            for item in items[known:]:
                if item.height == 0.0 and not item.is_laid_out(self._style, self.width_of(item)):
                    item.height = item.guess(self._style, self.width_of(item))
        self.forget_places()

    def prepare(self, style: TranscriptStyle, width: float) -> None:
        """Set the style and the column's width in px, and guess the heights of items that are not laid out."""
        style = self.style_in(style)
        if style is self._style and width == self.width:
            return
        self._style, self.width = style, width
        for item in self.items:
            # A bubble may be as wide as before in a wider column: what is laid out then keeps its true height.
            if not item.is_laid_out(style, self.width_of(item)):
                item.height = item.guess(style, self.width_of(item))
        self._tops = None
        if self.is_question and self._body[1] - self._body[0] <= _HUG_ITEMS:
            for item in self.items[slice(*self._body)]:
                item.ensure_layout(style, self.width_of(item))

    def style_in(self, style: TranscriptStyle) -> TranscriptStyle:
        """Return the style of this message, where the others have the style ``style``."""
        return style.quiet if self.facts.is_excluded else style

    def measure(self, index: int) -> bool:
        """Lay out item ``index`` and return whether its height changed."""
        item = self.items[index]
        assert self._style is not None
        if item.ensure_layout(self._style, self.width_of(item)):
            self._tops = None
            return True
        return False

    @property
    def tops(self) -> list[float]:
        """The top of each item in px below the top of the message."""
        if self._tops is None:
            heights = [item.height for item in self.items]
            steps = [gap + height for gap, height in zip(self.gaps, heights, strict=True)]
            bottoms = list(accumulate(steps))
            self._tops = [bottom - height for bottom, height in zip(bottoms, heights, strict=True)]
        return self._tops

    @property
    def height(self) -> float:
        return self.tops[-1] + self.items[-1].height + self.tail

    @property
    def tail(self) -> float:
        return 0.0 if self.is_question or self.facts.is_bare else _MESSAGE_GAP

    def index_of(self, item: Item) -> int | None:
        if self._indexes is None:
            self._indexes = {id(each): place for place, each in enumerate(self.items)}
        return self._indexes.get(id(item))

    def forget_places(self) -> None:
        self._tops = None
        self._indexes = None

    def width_of(self, item: Item) -> float:
        return self.room_of(item) - self._indent_of(item)

    def x_of(self, item: Item) -> float:
        """Return the left edge of ``item`` from the left of the column, in px."""
        indent = 0.0 if item.at.is_right_to_left else self._indent_of(item)
        if self.is_question and item.kind not in _OUTSIDE_BUBBLE:
            if item.is_right_to_left:
                return self.bubble_left + self.bubble_width - self.width_of(item) - BUBBLE_PAD_X
            return self.body_left + indent
        return indent

    @property
    def style(self) -> TranscriptStyle | None:
        """The style this message is drawn in; None before ``prepare``."""
        return self._style

    def quotes_left(self, item: Item) -> float:
        """Return the left edge of the area in which quote bars stand, from the left of the column."""
        if self.is_question and item.at.is_right_to_left:
            return self.bubble_left + self.bubble_width - BUBBLE_PAD_X - self.room_of(item)
        return self.body_left

    @property
    def body_left(self) -> float:
        """The left edge of the content from the left of the column."""
        return self.bubble_left + BUBBLE_PAD_X if self.is_question else 0.0

    def room_of(self, item: Item) -> float:
        """Return the width of an item that is in no list."""
        if self.is_question and item.kind not in _OUTSIDE_BUBBLE:
            style = self._style
            most = style.px(BUBBLE_MAX_PX) if style is not None else BUBBLE_MAX_PX
            return min(most, self.width) - 2 * BUBBLE_PAD_X
        return self.width

    def _indent_of(self, item: Item) -> float:
        return item.indent(self._style, self.room_of(item)) if self._style is not None else 0.0

    @property
    def bubble_left(self) -> float:
        """The left edge of the bubble from the left of the column."""
        is_mirrored = self._style is not None and self._style.is_mirrored
        return 0.0 if is_mirrored else self.width - self.bubble_width

    @property
    def bubble_width(self) -> float:
        body = self.items[slice(*self._body)]
        most = self.room_of(body[0]) + 2 * BUBBLE_PAD_X if body else 0.0
        if len(body) > _HUG_ITEMS:
            return most
        return min(
            most, max((item.natural_width + self._indent_of(item) for item in body), default=0.0) + 2 * BUBBLE_PAD_X + 1
        )
