"""A message in the transcript: its items, where they stand in it, and what it offers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import accumulate

from chatdesk.core.clock import SystemClock
from chatdesk.core.domain.context import SummaryEnd
from chatdesk.core.domain.message import ContextMark, Message, Role, Status
from chatdesk.core.rendering.blocks import Block
from chatdesk.ui.commands.catalogue import message_action
from chatdesk.ui.commands.message_action import MessageAction, MessageState
from chatdesk.ui.transcript.contract import BlockRenderer, ModelName, SharedWith, Ticket, own_model_name
from chatdesk.ui.transcript.drawing.item import Item
from chatdesk.ui.transcript.drawing.moments import time_of, whole_time_of
from chatdesk.ui.transcript.drawing.transcript_style import BUBBLE_MAX_PX, BUBBLE_PAD_X, TranscriptStyle
from chatdesk.ui.transcript.items.author_item import AuthorItem
from chatdesk.ui.transcript.items.fold_item import FoldItem
from chatdesk.ui.transcript.items.footer_item import FooterItem
from chatdesk.ui.transcript.items.gaps import alike, grown_gaps
from chatdesk.ui.transcript.items.header_item import HeaderItem
from chatdesk.ui.transcript.items.line_item import LineItem, start_line, summary_line
from chatdesk.ui.transcript.items.mark_item import MarkItem, mark_of
from chatdesk.ui.transcript.items.notice_item import NoticeItem
from chatdesk.ui.transcript.items.text_item import plain_item
from chatdesk.ui.transcript.items.unread_item import UnreadItem
from chatdesk.ui.transcript.items.waiting_item import WaitingItem
from chatdesk.ui.transcript.messages.footer import footer_of
from chatdesk.ui.transcript.messages.notices import CANCEL_WAITING, SEND_FIRST, Action, notice_of, retry_notice
from chatdesk.ui.transcript.messages.sections import Section, TextSection, new_section, sections_of

_ONLY_READ = "you can only read this project"
_MESSAGE_GAP = 22.0
_ANSWER: Action = ("answer", "Answer")
_OUTSIDE_BUBBLE = ("footer", "unread", "mark", "line", "header", "notice")
_HUG_ITEMS = 12  # a bubble with more items than this is as wide as it may be


@dataclass(frozen=True, slots=True)
class Retry:
    """The next attempt at an answer: the reason to wait, its number, and its time in milliseconds UTC."""

    reason: str
    attempt: int
    due_ms: int


class MessageEntry:
    """A message as it is shown: its items in reading order, and the space above each in ``gaps``.

    Heights are guesses before layout. Items are made when first asked for: a page has more messages than the view.
    """

    def __init__(
        self, message: Message, shared: SharedWith | None = None, *, model_name: ModelName = own_model_name
    ) -> None:
        """Show ``message``; ``shared`` is None in a private thread."""
        self.message = message
        self._shared = shared
        self._model_name = model_name
        self._items: list[Item] = []
        self._gaps: list[float] = []
        self.width = 0.0
        self._made_sections: list[Section] | None = None
        self._is_first_unread = False
        self._unread = UnreadItem()
        self._start_line: LineItem | None = None
        self._summary_line: tuple[SummaryEnd, LineItem] | None = None
        self._mark: tuple[tuple[str, str], MarkItem] | None = None
        self._notice = ""
        self._retry: Retry | None = None
        self._asked_ms = message.created_at
        self._waiting_item: WaitingItem | None = None
        self.is_end = False
        self._quick: tuple[MessageAction, ...] = ()
        self.is_edited = False
        self._made_header: tuple[tuple[str, int, str], HeaderItem] | None = None
        self._made_author: tuple[str, AuthorItem] | None = None
        self._tickets: list[Ticket] = []
        self._tops: list[float] | None = None
        self._indexes: dict[int, int] | None = None
        self._style: TranscriptStyle | None = None
        self._notice_actions: tuple[Action, ...] = ()
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
    def _sections(self) -> list[Section]:
        return self._make_sections()

    def _make_sections(self) -> list[Section]:
        if self._made_sections is None:
            self._made_sections = []
            self._take_parts()
        return self._made_sections

    # What it is

    @property
    def is_question(self) -> bool:
        return self.message.role is Role.USER

    @property
    def is_live(self) -> bool:
        return not self.message.status.is_final

    @property
    def is_pinned(self) -> bool:
        return self.message.context_mark is ContextMark.PINNED

    @property
    def is_excluded(self) -> bool:
        return self.message.context_mark is ContextMark.EXCLUDED

    @property
    def can_continue(self) -> bool:
        """True if the answer ended before it was complete."""
        message = self.message
        is_cut_off = message.status is Status.COMPLETE and message.finish_reason == "length"
        return message.role is Role.ASSISTANT and (message.status.can_continue or is_cut_off)

    @property
    def is_unanswered(self) -> bool:
        """True if this is the reader's own question and the thread ends with it."""
        return self.is_end and self.is_question and not self.message.is_note and self.message.author_id is None

    @property
    def is_context_start(self) -> bool:
        """True if the line that marks the start of the context stands above this message."""
        return self._start_line is not None

    @property
    def has_blocks(self) -> bool:
        """True if the text is shown rendered, False while it is shown as it was written."""
        texts = [each for each in self._sections if isinstance(each, TextSection)]
        return all(each.blocks is not None for each in texts)

    @property
    def author(self) -> str:
        if self.is_question:
            return self.person or "You"
        if self.message.role is Role.ASSISTANT:
            return self._model_name(self.message.provider, self.message.model) or "Assistant"
        return self.message.role.value.capitalize()

    @property
    def person(self) -> str:
        """The name of the other member who wrote the message or asked for it; empty for the reader."""
        author_id = self.message.author_id
        if author_id is None:
            return ""
        return (self._shared.name_of(author_id) if self._shared is not None else "") or "Another member"

    @property
    def version_words(self) -> str:
        """The shown version, such as "version 2 of 3, by Ana"; empty in a private thread or with one version."""
        message = self.message
        if self._shared is None or message.version_count < 2:
            return ""
        return f"version {message.version_index} of {message.version_count}, by {self.person or 'you'}"

    @property
    def is_shared(self) -> bool:
        """True if other members have this message, too."""
        return self._shared is not None

    def state(self, *, has_selection: bool = False, starts_later: bool = False) -> MessageState:
        """Return the facts that decide which actions the message offers."""
        return MessageState(
            self.message,
            is_unanswered=self.is_unanswered,
            can_continue=self.can_continue,
            has_quick_actions=self.message.role is Role.ASSISTANT and bool(self.text),
            is_context_start=self.is_context_start,
            is_shared=self.is_shared,
            has_selection=has_selection,
            starts_later=starts_later,
        )

    def is_refused(self, action: str) -> str:
        """Return why the reader may not do ``action`` with this message; empty if they may."""
        shared, known = self._shared, message_action(action)
        if shared is None or known is None or not known.writes:
            return ""
        if not shared.can_write:
            return _ONLY_READ
        if known.is_danger and self.message.author_id is not None and not shared.can_manage:
            return f"{self.person} wrote this"
        return ""

    @property
    def text(self) -> str:
        """The Markdown of the message, as far as it has arrived."""
        if self._made_sections is None:
            return self.message.text
        texts = [each.text for each in self._sections if isinstance(each, TextSection)]
        return "".join(texts) if texts else self.message.text

    @property
    def blocks(self) -> list[Block]:
        """The blocks of the message's Markdown, as far as they are known."""
        return [block for each in self._sections if isinstance(each, TextSection) for block in each.blocks or ()]

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
        if not self.is_live or self._is_held:
            return None
        first, end = self._body
        last = self.items[end - 1] if end > first else None
        return last if last is not None and last.kind in ("text", "code") else None

    # Changes

    def change(self, message: Message) -> None:
        """Show a newer state of the message; items stay as they are when the text did not change."""
        old, self.message = self.message, message
        if self._made_sections is None:
            return
        if message.status is not old.status or message.error != old.error:
            self._forget_notice()
        if not self._has_same_parts(message):
            self._take_parts()
        else:
            self.rebuild()

    def append(self, part_index: int, kind: str, delta: str) -> Section:
        """Append text to a part and return its section; call ``show_appended`` once a frame to show it."""
        section = next((each for each in self._sections if each.index == part_index), None)
        if section is None:
            section = new_section(part_index, kind)
            self._sections.append(section)
            self._sections.sort(key=lambda each: each.index)
        section.append(delta)
        if self.message.status is Status.PENDING:
            self.message = replace(self.message, status=Status.STREAMING)
        self._forget_notice()
        return section

    def show_appended(self) -> None:
        for section in self._sections:
            section.update_items()
        self.rebuild(is_growth=True)

    def set_retry(self, retry: Retry | None) -> None:
        """Set the next attempt at this answer; None means that there is none."""
        self._retry = retry
        if self._made_sections is not None:
            self.rebuild()

    def set_asked(self, at_ms: int) -> None:
        """Set the time since which the provider has been asked for this answer."""
        self._asked_ms = at_ms
        if self._made_sections is not None:
            self.rebuild()

    def set_end(self, is_end: bool, *, quick: tuple[MessageAction, ...]) -> bool:
        """Set whether the thread ends here, with its ``quick`` actions; return whether anything shown changed."""
        if (is_end, quick if is_end else ()) == (self.is_end, self._quick):
            return False
        self.is_end, self._quick = is_end, quick if is_end else ()
        if self._made_sections is not None:
            self.rebuild()
        return True

    def _forget_notice(self) -> None:
        self._notice, self._notice_actions, self._retry = "", (), None

    def set_waiting(self, text: str, *, before: int) -> None:
        """Show why this answer is not requested yet; ``before`` others come first. An empty text shows nothing."""
        self._notice = text
        self._notice_actions = ((SEND_FIRST, CANCEL_WAITING) if before else (CANCEL_WAITING,)) if text else ()
        if self._made_sections is not None:
            self.rebuild()

    def set_unread(self, is_first: bool) -> None:
        """Set whether the unread part of the thread begins here."""
        if is_first != self._is_first_unread:
            self._is_first_unread = is_first
            if self._made_sections is not None:
                self.rebuild()

    def set_model_name(self, model_name: ModelName) -> bool:
        """Set the function that names models, and return whether the name shown here changed."""
        before, self._model_name = self.author, model_name
        is_other = self.author != before
        if is_other and self._made_sections is not None:
            self.rebuild()
        return is_other

    def set_shared(self, shared: SharedWith | None) -> bool:
        """Set with whom the thread is shared, and return whether anything shown here changed."""
        before = self._shown_of_team()
        self._shared = shared
        is_other = self._shown_of_team() != before
        if is_other and self._made_sections is not None:
            self.rebuild()
        return is_other

    def _shown_of_team(self) -> tuple[object, ...]:
        return self.person, self.version_words, *(self.is_refused(action) for action in ("edit", "delete"))

    def set_landmarks(self, *, is_context_start: bool, summary_end: SummaryEnd | None) -> bool:
        """Set whether the context starts here and which summary ends here; return whether that is new."""
        shown = self._summary_line[0] if self._summary_line is not None else None
        if is_context_start == self.is_context_start and summary_end == shown:
            return False
        if is_context_start != self.is_context_start:
            self._start_line = start_line() if is_context_start else None
        if summary_end != shown:
            self._summary_line = None if summary_end is None else (summary_end, summary_line(summary_end))
        if self._made_sections is not None:
            self.rebuild()
        return True

    def toggle_fold(self, item: FoldItem) -> None:
        item.is_open = not item.is_open
        for section in self._sections:
            section.update_items()
        self.rebuild()

    def request_blocks(self, renderer: BlockRenderer, on_ready: Callable[[MessageEntry], None]) -> None:
        """Ask the renderer for the blocks of texts that have none; each text is requested once."""
        for section in self._sections:
            if isinstance(section, TextSection) and section.wants_blocks:
                section.wants_blocks = False
                self._tickets.append(renderer.request(section.text, self._receiver(section, on_ready)))

    @property
    def awaits_blocks(self) -> bool:
        """True while blocks were requested and have not come."""
        return bool(self._tickets) and any(
            isinstance(each, TextSection) and bool(each.text) and each.blocks is None for each in self._sections
        )

    def close(self) -> None:
        tickets, self._tickets = self._tickets, []
        for ticket in tickets:
            ticket.cancel()

    def _receiver(
        self, section: TextSection, on_ready: Callable[[MessageEntry], None]
    ) -> Callable[[tuple[Block, ...]], None]:
        def receive(blocks: tuple[Block, ...]) -> None:
            if section in self._sections:
                section.take_blocks(blocks)
                on_ready(self)

        return receive

    def _has_same_parts(self, message: Message) -> bool:
        """Return whether the text shown is the text of ``message``; a stored answer may be behind while it streams."""
        is_live = not message.status.is_final
        if is_live and not message.parts:
            return True
        fresh = sections_of(message.parts, is_live=is_live)
        kinds = [type(each) for each in self._sections]
        if is_live:
            kinds = kinds[: len(fresh)]
        if [type(each) for each in fresh] != kinds:
            return False
        for new, old in zip(fresh, self._sections, strict=False):
            if not isinstance(new, TextSection) or not isinstance(old, TextSection):
                continue
            if new.text != old.text and not (is_live and old.text.startswith(new.text)):
                return False
        for place, new in enumerate(fresh):
            # Folds get names and durations when they end; texts keep their laid-out blocks.
            if not isinstance(new, TextSection):
                if is_live:
                    self._sections[place].take_name(new)
                else:
                    new.keep_open(self._sections[place])
                    self._sections[place] = new
        return True

    def _take_parts(self) -> None:
        old = {each.index: each for each in self._sections if isinstance(each, TextSection)}
        folds = {each.index: each for each in self._sections}
        self._made_sections = sections_of(self.message.parts, is_live=self.is_live)
        for place, section in enumerate(self._sections):
            if section.index in folds:
                section.keep_open(folds[section.index])
            before = old.get(section.index)
            if isinstance(section, TextSection) and before is not None:
                if before.text == section.text:
                    self._sections[place] = before
                elif before.blocks is not None:
                    # The old blocks stand until the new ones come: nothing flashes back to plain text.
                    section.take_blocks(before.blocks)
                    section.wants_blocks = True
        self.rebuild()

    # Items and their places

    def rebuild(self, *, is_growth: bool = False) -> None:
        """Put the items together again, keeping the layouts of those that stay; ``is_growth``: only the end grew."""
        items: list[Item] = []
        if self._is_first_unread:
            items.append(self._unread)
        if self._start_line is not None:
            items.append(self._start_line)
        if not self.is_question:
            items.append(self._header())
        elif self.message.author_id is not None:
            items.append(self._author_item(self.message.author_id))
        mark = self._mark_item()
        if mark is not None:
            items.append(mark)
        first = len(items)
        for section in self._sections:
            items += section.items
        if len(items) == first and (self.is_question or (self.is_live and not self._is_held)):
            items.append(plain_item("") if self.is_question else self._waiting())
        last = len(items)
        notices = self._notices()
        if not self.is_question:
            items += notices
        before = self._items if is_growth else []
        items.append(before[self._foot] if before else self._footer())
        self._foot = len(items) - 1
        if self.is_question:
            items += notices
        if self._summary_line is not None:
            items.append(self._summary_line[1])
        self._body = (first, last)
        known = alike(before, items)
        self._gaps = grown_gaps(self._gaps[:known], items, is_question=self.is_question)
        self._items = items
        if self._style is not None:
            self._guess_heights(self._style, items[known:])
        self.forget_places()

    @property
    def _is_held(self) -> bool:
        """True while the answer waits to be requested, or to be requested again."""
        return bool(self._notice_actions) or self._retry is not None

    def _waiting(self) -> WaitingItem:
        who, since_ms = self.author, self._asked_ms
        made = self._waiting_item
        if made is None or (made.who, made.since_ms) != (who, since_ms):
            made = self._waiting_item = WaitingItem(who, since_ms)
        return made

    def _header(self) -> HeaderItem:
        name, when, person = self.author, self.message.created_at, self.person
        if self._made_header is None or self._made_header[0] != (name, when, person):
            is_asked_for = bool(person) and not self.message.is_edited_answer  # whose the words are is said below
            asked_by = (self.message.author_id or "", person) if is_asked_for else None
            header = HeaderItem(name, time_of(when), whole_time_of(when), asked_by)
            self._made_header = (name, when, person), header
        return self._made_header[1]

    def _author_item(self, author_id: str) -> AuthorItem:
        name = self.person
        if self._made_author is None or self._made_author[0] != name:
            tip = f"{name}, {whole_time_of(self.message.created_at)}"
            self._made_author = name, AuthorItem(name, author_id, tip=tip)
        return self._made_author[1]

    def _mark_item(self) -> MarkItem | None:
        mark = mark_of(self.message, self.person)
        if mark is None:
            self._mark = None
        elif self._mark is None or self._mark[0] != mark:
            self._mark = mark, MarkItem(mark, is_beside_end=self.is_question)
        return self._mark[1] if self._mark is not None else None

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
        return style.quiet if self.is_excluded else style

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
        return 0.0 if self.is_question else _MESSAGE_GAP

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

    def _guess_heights(self, style: TranscriptStyle, items: list[Item]) -> None:
        for item in items:
            if item.height == 0.0 and not item.is_laid_out(style, self.width_of(item)):
                item.height = item.guess(style, self.width_of(item))

    def _notices(self) -> list[NoticeItem]:
        if self._shared is not None and not self._shared.can_write and not self._notice:
            return [
                each.with_actions(tuple(way for way in each.actions if not self.is_refused(way[0])))
                for each in self._own_notices()
            ]
        return self._own_notices()

    def _own_notices(self) -> list[NoticeItem]:
        if self._notice:
            return [NoticeItem(self._notice, self._notice_actions, tone="line")]
        now_ms = SystemClock().now_ms()
        if self._retry is not None:
            return [retry_notice(self._retry.reason, attempt=self._retry.attempt, due_ms=self._retry.due_ms)]
        if self.is_unanswered and self.message.status.is_final:
            return [NoticeItem("This question has no answer.", (_ANSWER,), tone="line", is_selectable=False)]
        notice = notice_of(self.message, person=self.person, can_continue=self.can_continue, now_ms=now_ms)
        return [notice] if notice is not None else []

    def _footer(self) -> FooterItem:
        return footer_of(
            self.state(),
            quick=() if self.is_live else self._quick,
            is_refused=self.is_refused,
            version_by=(self.person or "you") if self.version_words else "",
            versions_tip=self.version_words.capitalize(),
        )
