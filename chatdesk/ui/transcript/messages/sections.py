"""Makes the sections of a message, one for each part: rendered text, folded reasoning, a tool's card, a file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from chatdesk.core.domain.artifacts.file_change import change_from
from chatdesk.core.domain.attachment import PICTURE_COMING, attachment_from
from chatdesk.core.domain.message import Part, PartType
from chatdesk.core.hidden_characters import clean_line
from chatdesk.core.rendering.blocks import Block
from chatdesk.core.rendering.sources import below_answer
from chatdesk.core.texts import tr
from chatdesk.ui.transcript.contract import PictureSource, ShownChange
from chatdesk.ui.transcript.items.attached_picture_item import AttachedPictureItem
from chatdesk.ui.transcript.items.change_item import ChangeItem, diff_item, shows_whole
from chatdesk.ui.transcript.items.file_item import FileItem
from chatdesk.ui.transcript.items.fold_item import FoldItem
from chatdesk.ui.transcript.items.items_from_blocks import Group, change_groups, items_for, plain_items, shown_items
from chatdesk.ui.transcript.items.picture_item import PictureItem
from chatdesk.ui.transcript.messages.section import ReasoningSection, Section
from chatdesk.ui.transcript.messages.tool_sections import ToolSection, with_folded_steps

_MAX_SIDE = 100_000
_BELOW_ALL_PARTS = 1 << 31


class TextSection(Section):
    """A Markdown text; plain paragraphs replace its blocks until the renderer delivers them."""

    def __init__(self, index: int, text: str) -> None:
        super().__init__(index)
        self._chunks = [text] if text else []
        self.blocks: tuple[Block, ...] | None = None
        self.wants_blocks = bool(text)
        self._groups: list[Group] = []
        self.items = plain_items(text)

    @property
    def text(self) -> str:
        if len(self._chunks) > 1:
            self._chunks = ["".join(self._chunks)]
        return self._chunks[0] if self._chunks else ""

    def append(self, delta: str) -> None:
        self._chunks.append(delta)

    def update_items(self) -> None:
        if self.blocks is not None:
            self.items = shown_items(self.blocks, self._groups)
            return
        items = plain_items(self.text)
        for place, (old, new) in enumerate(zip(self.items, items, strict=False)):
            if old.text != new.text:
                break
            items[place] = old
        self.items = items

    def set_blocks(self, blocks: tuple[Block, ...], *, first: int = 0) -> None:
        """Show all blocks of the text; those before ``first`` are unchanged."""
        old = self.blocks or ()
        first = min(first, len(old), len(blocks))
        self._groups = change_groups(old, self._groups, blocks, first=first)
        self.blocks = blocks
        self.wants_blocks = False
        self.items = shown_items(blocks, self._groups)


def sections_of(parts: tuple[Part, ...], *, is_live: bool) -> list[Section]:
    """Return one section for each part.

    A result joins the call it answers, and an error is shown by the message's notice. In an answer that has ended,
    calls that follow one another are folded into one section, and its sources follow.
    """
    sections: list[Section] = []
    calls: dict[str, ToolSection] = {}
    last_call: ToolSection | None = None
    for part in sorted(parts, key=lambda each: each.index):
        if part.type is PartType.TEXT:
            sections.append(TextSection(part.index, part.text))
        elif part.type is PartType.REASONING:
            sections.append(ReasoningSection(part, part.index, part.text, is_live=is_live))
        elif part.type is PartType.TOOL_CALL:
            last_call = ToolSection(part, part.index)
            if part.tool_call_id:
                calls[part.tool_call_id] = last_call
            sections.append(last_call)
        elif part.type is PartType.TOOL_RESULT:
            call = calls.get(part.tool_call_id or "", last_call)
            if call is None:
                call = ToolSection(part, part.index)
                sections.append(call)
            call.set_result(part)
        elif part.type in (PartType.IMAGE, PartType.FILE):
            call = calls.get(part.tool_call_id or "")
            if call is not None and change_from(part.content) is not None:
                call.hide()
            sections.append(FileSection(part, is_live=is_live))
    if not is_live:
        sections = with_folded_steps(sections)
    blocks = () if is_live else below_answer(parts)
    if blocks:
        sections.append(SourcesSection(blocks))
    return sections


class SourcesSection(Section):
    """The web pages and passages behind an answer, as a numbered list of links below it, or why there are none."""

    def __init__(self, blocks: Sequence[Block]) -> None:
        super().__init__(_BELOW_ALL_PARTS)
        self.items = [item for block in blocks for item in items_for(block)]


class FileSection(Section):
    """A file that came with a message: an image, or a card for anything else.

    An image gets the shape that ``width`` and ``height`` tell. In old messages ``path`` names the stored file. In the
    place of a picture that an answer could not keep is the reason.
    """

    def __init__(self, part: Part, *, is_live: bool = False) -> None:
        super().__init__(part.index)
        self._content = part.content
        name = str(part.content.get("name") or part.content.get("path") or part.type.value)
        icon = "image" if part.type is PartType.IMAGE else "file-text"
        attachment = attachment_from(part.content)
        change = change_from(part.content)
        if attachment is not None and change is not None:
            diff = diff_item(part.content)
            is_whole = shows_whole(part.content, attachment.sha256)
            card = ChangeItem(ShownChange(change, attachment.sha256), diff=diff, is_whole=is_whole)
            self.items = [card, *([diff] if diff is not None else [])]
            return
        if attachment is not None and part.type is PartType.FILE:
            self.items = [FileItem(attachment)]
            return
        if attachment is not None:
            self.items = [AttachedPictureItem(attachment, shape=_shape(part.content))]
            return
        problem = part.content.get("problem")
        if isinstance(problem, str) and problem:
            words = tr("It is on its way…") if is_live and problem == PICTURE_COMING else clean_line(problem)
            self.items = [PictureItem(tr("{name}: {state}", name=clean_line(name), state=words), None)]
            return
        stored = part.content.get("path")
        if part.type is PartType.IMAGE and isinstance(stored, str) and stored:
            self.items = [PictureItem(name, PictureSource(stored=stored), shape=_shape(part.content))]
            return
        unknown = FoldItem(f"file-{part.index}", name, icon=icon)
        unknown.can_open = False
        self.items = [unknown]

    def update_from(self, newer: Section) -> None:
        """Show the newest state of a picture; its last state stays until the next one is decoded."""
        if not isinstance(newer, FileSection) or newer._content == self._content:
            return
        for old, new in zip(self.items, newer.items, strict=False):
            if isinstance(old, PictureItem) and isinstance(new, PictureItem):
                new.image = old.image
        self._content, self.items = newer._content, newer.items

    def keep_open(self, before: Section) -> None:
        if isinstance(before, FileSection) and before._content == self._content and "problem" not in self._content:
            self.items = before.items


def _shape(content: Mapping[str, Any]) -> tuple[int, int] | None:
    width, height = content.get("width"), content.get("height")
    if not isinstance(width, int) or not isinstance(height, int):
        return None
    return (width, height) if 0 < width < _MAX_SIDE and 0 < height < _MAX_SIDE else None


def new_section(index: int, kind: str) -> Section:
    """Return the section for a part that begins to stream."""
    if kind == "reasoning":
        return ReasoningSection(None, index, "", is_live=True)
    if kind == "tool_call":
        return ToolSection(None, index)
    return TextSection(index, "")
