"""Holds a message of the transcript: its actions, its items, and its sections in their order, grown while it
streams."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from weakref import WeakMethod

from chatdesk.core.domain.message import Message, Role, Status
from chatdesk.core.rendering.blocks import Block
from chatdesk.core.rendering.client import RenderClient, RenderTicket
from chatdesk.ui.commands.message_action import MessageAction, MessageState
from chatdesk.ui.transcript.contract import ModelName, SharedWith, own_model_name
from chatdesk.ui.transcript.drawing.item import Item, artifact_of, show_alone
from chatdesk.ui.transcript.items.fold_item import FoldItem
from chatdesk.ui.transcript.items.gaps import alike, grown_gaps
from chatdesk.ui.transcript.items.text_item import plain_item
from chatdesk.ui.transcript.messages.entry_places import EntryPlaces
from chatdesk.ui.transcript.messages.frame_items import FrameItems, footer_of
from chatdesk.ui.transcript.messages.message_facts import MessageFacts
from chatdesk.ui.transcript.messages.notices import EntryNotices
from chatdesk.ui.transcript.messages.section import Section
from chatdesk.ui.transcript.messages.sections import SourcesSection, TextSection, new_section, sections_of
from chatdesk.ui.transcript.messages.tool_sections import StepsSection


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
        show_changes = _weak(self._show_changes)  # a reference cycle would keep unloaded messages alive for longer
        self.facts = MessageFacts(message, shared, model_name, is_bare=is_bare, on_changed=show_changes)
        self.frame = FrameItems(self.facts, show_changes)
        self.notices = EntryNotices(self.facts, show_changes)
        self._places = EntryPlaces(self.facts)
        self._items: list[Item] = []
        self._gaps: list[float] = []
        self._made_sections: EntrySections | None = None
        self.is_end = False
        self._quick: tuple[MessageAction, ...] = ()
        self.is_edited = False
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
    def places(self) -> EntryPlaces:
        """The places of the items in the message."""
        if self._made_sections is None:
            self._make_sections()
        return self._places

    @property
    def _sections(self) -> EntrySections:
        return self._make_sections()

    def _make_sections(self) -> EntrySections:
        if self._made_sections is None:
            self._made_sections = EntrySections()
            self._set_parts()
        return self._made_sections

    # What it is

    @property
    def message(self) -> Message:
        return self.facts.message

    @property
    def is_unanswered(self) -> bool:
        """True if this is the reader's own question and the thread ends with it."""
        return self.is_end and self.facts.is_question and not self.message.is_note and self.message.author_id is None

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
            is_context_start=self.frame.start_line is not None,
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
    def caret_item(self) -> Item | None:
        """The item that shows the caret while text arrives; None while the answer waits to be requested."""
        if not self.facts.is_live or self.notices.is_held:
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
            self.notices.forget()
        if not self._sections.has_same_parts(message):
            self._set_parts()
        else:
            self.rebuild()

    def append(self, part_index: int, kind: str, delta: str) -> Section:
        """Append text to a part and return its section; call ``show_appended`` once a frame to show it."""
        section = self._sections.append(part_index, kind, delta)
        if self.message.status is Status.PENDING:
            self.facts.message = replace(self.message, status=Status.STREAMING)
        self.notices.forget()
        return section

    def show_appended(self) -> None:
        self._sections.update_items()
        self.rebuild(is_growth=True)

    def set_end(self, is_end: bool, *, quick: tuple[MessageAction, ...]) -> bool:
        """Set whether the thread ends here, with its ``quick`` actions; return whether anything shown changed."""
        if (is_end, quick if is_end else ()) == (self.is_end, self._quick):
            return False
        self.is_end, self._quick = is_end, quick if is_end else ()
        self._show_changes()
        return True

    def _show_changes(self) -> None:
        """Show changed facts, if items were made before."""
        if self._made_sections is not None:
            self.rebuild()

    def toggle_fold(self, item: FoldItem) -> None:
        item.is_open = not item.is_open
        self._sections.update_items()
        self.rebuild()

    def request_blocks(self, renderer: RenderClient, on_ready: Callable[[MessageEntry], None]) -> None:
        """Ask the renderer for the blocks of texts that have none; each text is requested once."""
        is_answer = self.message.role is Role.ASSISTANT
        self._sections.request_blocks(renderer, lambda: on_ready(self), is_answer=is_answer)

    @property
    def awaits_blocks(self) -> bool:
        """True while blocks were requested and have not come."""
        return self._made_sections is not None and self._made_sections.awaits_blocks

    def close(self) -> None:
        if self._made_sections is not None:
            self._made_sections.close()

    def _set_parts(self) -> None:
        self._sections.set_parts(self.message)
        self.rebuild()

    # Items

    def rebuild(self, *, is_growth: bool = False) -> None:
        """Put the items together again, keeping the layouts of those that stay; ``is_growth``: only the end grew."""
        items = self.frame.above()
        first = len(items)
        items += self._sections.items
        if self.facts.is_bare:
            show_alone(items)
        if len(items) == first and (self.facts.is_question or (self.facts.is_live and not self.notices.is_held)):
            items.append(plain_item("") if self.facts.is_question else self.frame.waiting())
        last = len(items)
        notices = self.notices.items(is_unanswered=self.is_unanswered)
        if not self.facts.is_question:
            items += notices
        before = self._items if is_growth else []
        quick = () if self.facts.is_live else self._quick
        items.append(before[self._foot] if before else footer_of(self.state(), self.facts, quick=quick))
        self._foot = len(items) - 1
        if self.facts.is_question:
            items += notices
        if self.frame.summary_line is not None:
            items.append(self.frame.summary_line)
        self._body = (first, last)
        known = alike(before, items)
        self._gaps = grown_gaps(self._gaps[:known], items, is_question=self.facts.is_question)
        self._items = items
        self._places.show(items, self._gaps, body=self._body, foot=self._foot, known=known)


def _weak(method: Callable[[], None]) -> Callable[[], None]:
    """Return a function that calls a method for as long as its object is there."""
    reference = WeakMethod(method)

    def call() -> None:
        found = reference()
        if found is not None:
            found()

    return call


class EntrySections:
    """Sections keep their items and blocks where a newer state of the message has the same text."""

    def __init__(self) -> None:
        self._sections: list[Section] = []
        self._tickets: list[RenderTicket] = []

    @property
    def items(self) -> Iterator[Item]:
        for section in self._sections:
            yield from section.items

    @property
    def texts(self) -> list[TextSection]:
        return [each for each in self._sections if isinstance(each, TextSection)]

    def update_items(self) -> None:
        """Bring the items up to date with the text that was appended."""
        for section in self._sections:
            section.update_items()

    def append(self, part_index: int, kind: str, delta: str) -> Section:
        """Append text to a part and return its section."""
        section = next((each for each in self._sections if each.index == part_index), None)
        if section is None:
            section = new_section(part_index, kind)
            self._sections.append(section)
            self._sections.sort(key=lambda each: each.index)
        section.append(delta)
        return section

    # Newer states of the message

    def set_parts(self, message: Message) -> None:
        old = {each.index: each for each in self.texts}
        before_by_place = {each.index: each for section in self._sections for each in section.inner()}
        open_steps = {each.index for each in self._sections if isinstance(each, StepsSection) and each.is_open}
        self._sections = sections_of(message.parts, is_live=not message.status.is_final)
        for place, section in enumerate(self._sections):
            if isinstance(section, StepsSection):
                section.keep_open_all(before_by_place, was_open=section.index in open_steps)
            elif section.index in before_by_place:
                section.keep_open(before_by_place[section.index])
            before = old.get(section.index)
            if isinstance(section, TextSection) and before is not None:
                if before.text == section.text:
                    self._sections[place] = before
                elif before.blocks is not None:
                    # The old blocks are until the new ones come: nothing flashes back to plain text.
                    section.set_blocks(before.blocks)
                    section.wants_blocks = True

    def has_same_parts(self, message: Message) -> bool:
        """Return whether the text shown is the text of ``message``; a stored answer may be behind while it streams."""
        is_live = not message.status.is_final
        if is_live and not message.parts:
            return True
        if is_live and self._sections and isinstance(self._sections[-1], SourcesSection):
            return False  # the answer goes on above them
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
                    self._sections[place].update_from(new)
                else:
                    new.keep_open(self._sections[place])
                    self._sections[place] = new
        return True

    # Rendering

    def request_blocks(self, renderer: RenderClient, on_ready: Callable[[], None], *, is_answer: bool) -> None:
        """Ask the renderer for the blocks of texts that have none; each text is requested once."""
        for section in self.texts:
            if section.wants_blocks:
                section.wants_blocks = False
                receive = self._receiver(section, on_ready)
                self._tickets.append(renderer.request(section.text, receive, is_answer=is_answer))

    @property
    def awaits_blocks(self) -> bool:
        """True while blocks were requested and have not come."""
        return bool(self._tickets) and any(bool(each.text) and each.blocks is None for each in self.texts)

    def close(self) -> None:
        tickets, self._tickets = self._tickets, []
        for ticket in tickets:
            ticket.cancel()

    def _receiver(self, section: TextSection, on_ready: Callable[[], None]) -> Callable[[tuple[Block, ...]], None]:
        def receive(blocks: tuple[Block, ...]) -> None:
            if section in self._sections:
                section.set_blocks(blocks)
                on_ready()

        return receive
