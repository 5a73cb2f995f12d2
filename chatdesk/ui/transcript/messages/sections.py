"""The sections of a message, one for each part: rendered text, folded reasoning, a tool's card, a file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from chatdesk.core.domain.artifacts.file_change import change_from
from chatdesk.core.domain.attachment import PICTURE_COMING, attachment_from
from chatdesk.core.domain.message import Part, PartType
from chatdesk.core.domain.tools import CALL_STATUS_TEXTS, FIND_TOOLS, PROGRESS, CallStatus
from chatdesk.core.hidden_characters import clean_line
from chatdesk.core.rendering.blocks import Block
from chatdesk.core.rendering.sources import Source, source_blocks, sources_of
from chatdesk.core.texts import shown, tr
from chatdesk.ui.local_forms import decimal_text
from chatdesk.ui.transcript.contract import PictureSource, ShownChange
from chatdesk.ui.transcript.drawing.item import Item
from chatdesk.ui.transcript.drawing.moments import duration_of
from chatdesk.ui.transcript.drawing.spans import split_plain
from chatdesk.ui.transcript.items.attached_picture_item import AttachedPictureItem
from chatdesk.ui.transcript.items.change_item import ChangeItem, diff_item, shows_whole
from chatdesk.ui.transcript.items.code_item import plain_code
from chatdesk.ui.transcript.items.file_item import FileItem
from chatdesk.ui.transcript.items.fold_item import FoldItem
from chatdesk.ui.transcript.items.items_from_blocks import Group, change_groups, items_for, plain_items, shown_items
from chatdesk.ui.transcript.items.picture_item import PictureItem
from chatdesk.ui.transcript.items.text_item import plain_item

_FOLD_TEXT_LIMIT = 400_000
# States that are beside a call; that it is done, its mark says.
_TOLD_STATES = frozenset(CallStatus) - {CallStatus.DONE}
_ENDED_STATES = frozenset({CallStatus.DONE, CallStatus.FAILED})
_MAX_SIDE = 100_000
_BELOW_ALL_PARTS = 1 << 31


class Section:
    """The items that show one part of a message."""

    def __init__(self, index: int) -> None:
        self.index = index
        self.items: list[Item] = []

    def append(self, delta: str) -> None:
        raise NotImplementedError

    def update_items(self) -> None:
        """Bring ``items`` up to date with the text that was appended."""

    def update_from(self, newer: Section) -> None:
        """Show the label and state of ``newer``, which is made from a later state of the same part."""
        old, new = _fold_of(self), _fold_of(newer)
        if old is not None and new is not None:
            old.rename(new.label)
            old.set_progress(new.aside, is_done=new.is_done)

    def keep_open(self, before: Section) -> None:
        """Be as open as ``before``, the section that was here."""
        old, new = _fold_of(before), _fold_of(self)
        if old is not None and new is not None and old.is_open != new.is_open:
            new.is_open = old.is_open
            self.update_items()


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


class ReasoningSection(Section):
    """The reasoning of a model, folded away below a line that says how long it took."""

    def __init__(self, part: Part | None, index: int, text: str, *, is_live: bool) -> None:
        super().__init__(index)
        self._chunks = [text] if text else []
        self._fold = FoldItem(f"reasoning-{index}", "")
        self.name(part, is_live=is_live)
        self.update_items()

    def name(self, part: Part | None, *, is_live: bool) -> None:
        if is_live and (part is None or part.completed_at is None):
            self._fold.label = tr("Thinking…")
        elif part is not None and part.started_at is not None and part.completed_at is not None:
            self._fold.label = tr("Thought for {time}", time=_seconds(part.completed_at - part.started_at))
        else:
            self._fold.label = tr("Thought")

    @property
    def text(self) -> str:
        return "".join(self._chunks)

    def append(self, delta: str) -> None:
        self._chunks.append(delta)

    def update_items(self) -> None:
        if not self._fold.is_open:
            self.items = [self._fold]
            return
        old = self.items[1:]
        body: list[Item] = []
        for place, piece in enumerate(split_plain(self.text[:_FOLD_TEXT_LIMIT])):
            before = old[place] if place < len(old) else None
            if before is not None and before.text == piece.replace("\n", "\u2028"):
                body.append(before)
            else:
                body.append(plain_item(piece, role="table", colour="muted", inset=14))
        self.items = [self._fold, *body]


class ToolSection(Section):
    """A tool's call and, once it is there, its result."""

    def __init__(self, part: Part | None, index: int) -> None:
        super().__init__(index)
        self._arguments: list[str] = []
        self._result: Part | None = None
        self._fold = FoldItem(f"tool-{index}", tr("Tool"), icon="terminal")
        if part is not None:
            self._show_call(part)
        self.update_items()

    def append(self, delta: str) -> None:
        self._arguments.append(delta)

    def set_result(self, part: Part) -> None:
        self._result = part
        self._fold.is_done = part.content.get("status") in (None, CallStatus.DONE.value)
        if part.tool_duration_ms is not None and not self._fold.aside:
            self._fold.aside = _tenths(part.tool_duration_ms)
        self.update_items()

    def _show_call(self, part: Part) -> None:
        name = clean_line(part.tool_name or str(part.content.get("name", ""))) or tr("Tool")
        arguments = str(part.content.get("arguments", ""))
        if arguments:
            self._arguments = [arguments]
        hint = clean_line(_hint(arguments))
        self._fold.label = f"{name} · {hint}" if hint else name
        if part.tool_duration_ms is not None:
            self._fold.aside = _tenths(part.tool_duration_ms)
        self.name(part)

    def name(self, part: Part) -> None:
        """Set the server and the state of a call that ran here."""
        server, status = part.content.get("server"), part.content.get("status")
        if isinstance(server, str) and server:
            tool = clean_line(str(part.content.get("tool", ""))) or tr("Tool")
            hint = clean_line(_hint(str(part.content.get("arguments", ""))))
            if status in _ENDED_STATES:
                asked = " · ".join(filter(None, (tool.replace("_", " "), hint)))
                self._fold.label = tr("Asked {server}: {what}", server=clean_line(server), what=asked)
            else:
                label = tr("{tool} of {server}", tool=tool, server=clean_line(server))
                self._fold.label = f"{label} · {hint}" if hint else label
        elif part.content.get("name") == FIND_TOOLS or part.tool_name == FIND_TOOLS:
            self._fold.label = tr("Looked for a tool")
        if status in _TOLD_STATES:
            progress = clean_line(str(part.content.get(PROGRESS, "")))
            self._fold.aside = " · ".join(filter(None, (shown(CALL_STATUS_TEXTS[CallStatus(status)]), progress)))

    def update_items(self) -> None:
        self.items = [self._fold]
        if self._fold.is_open:
            self.items.append(plain_code("".join(self._arguments)[:_FOLD_TEXT_LIMIT], "arguments"))
            if self._result is not None:
                self.items.append(plain_code(self._result.text[:_FOLD_TEXT_LIMIT], "result"))


def sections_of(parts: tuple[Part, ...], *, is_live: bool) -> list[Section]:
    """Return one section for each part.

    A result joins the call it answers, and an error is shown by the message's notice. The sources of an answer that
    has ended follow.
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
            sections.append(FileSection(part, is_live=is_live))
    sources = () if is_live else sources_of(parts)
    if sources:
        sections.append(SourcesSection(sources))
    return sections


class SourcesSection(Section):
    """The web pages that an answer's tools read, as a numbered list of links below it."""

    def __init__(self, sources: Sequence[Source]) -> None:
        super().__init__(_BELOW_ALL_PARTS)
        self.items = [item for block in source_blocks(sources) for item in items_for(block)]


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
            card = ChangeItem(ShownChange(change, attachment.sha256), is_whole=is_whole)
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


def _hint(arguments: str) -> str:
    """Return the first value of a call's arguments, which is enough to tell calls apart."""
    import json

    if len(arguments) > 20_000:
        return ""
    try:
        data = json.loads(arguments)
    except (ValueError, RecursionError):
        return ""
    if not isinstance(data, dict):
        return ""
    for value in data.values():
        if isinstance(value, str | int | float) and str(value):
            return " ".join(str(value)[:80].split())
    return ""


def _seconds(milliseconds: int) -> str:
    return duration_of(round(milliseconds, -3)) if milliseconds >= 1000 else tr("under a second")


def _tenths(milliseconds: int) -> str:
    return tr("{seconds} s", seconds=decimal_text(milliseconds / 1000, 1))


def _fold_of(section: Section) -> FoldItem | None:
    first = section.items[0] if section.items else None
    return first if isinstance(first, FoldItem) else None
