"""The sections of one message in their order: made from its parts, grown while it streams, rendered when asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from chatdesk.core.domain.message import Message
from chatdesk.core.rendering.blocks import Block
from chatdesk.ui.transcript.contract import BlockRenderer, Ticket
from chatdesk.ui.transcript.drawing.item import Item
from chatdesk.ui.transcript.messages.section import Section
from chatdesk.ui.transcript.messages.sections import SourcesSection, TextSection, new_section, sections_of
from chatdesk.ui.transcript.messages.tool_sections import StepsSection


class EntrySections:
    """Sections keep their items and blocks where a newer state of the message has the same text."""

    def __init__(self) -> None:
        self._sections: list[Section] = []
        self._tickets: list[Ticket] = []

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

    def request_blocks(self, renderer: BlockRenderer, on_ready: Callable[[], None]) -> None:
        """Ask the renderer for the blocks of texts that have none; each text is requested once."""
        for section in self.texts:
            if section.wants_blocks:
                section.wants_blocks = False
                self._tickets.append(renderer.request(section.text, self._receiver(section, on_ready)))

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
