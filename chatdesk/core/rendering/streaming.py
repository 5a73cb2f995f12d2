"""Parses Markdown that is still being written: a settled part that is never parsed again, and a live tail.

The tail is parsed again at each addition; text before a safe boundary in it settles. Two long things have paths of
their own, so that a frame costs the same in a 50 KB answer as in a short one: an open fence at the top takes lines as
they come, and a table takes rows. A long list settles item by item. Footnotes are behind the tail. Once finished, the
blocks are those of ``parse_markdown``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from chatdesk.core.hidden_characters import visible_code
from chatdesk.core.rendering.block_builder import BlockBuilder
from chatdesk.core.rendering.block_rules import MAX_TABLE_CELLS, split_cells
from chatdesk.core.rendering.blocks import Block, CodeBlock, Table
from chatdesk.core.rendering.footnotes import Note, is_expected, place_notes
from chatdesk.core.rendering.markdown import (
    ParsedText,
    clean_source,
    parse_markdown,
    parse_source,
    parser,
)
from chatdesk.core.rendering.open_marks import close_marks, close_text
from chatdesk.core.rendering.picture_data import without_unfinished_picture
from chatdesk.core.rendering.plain_text import is_too_long, plain_blocks
from chatdesk.core.rendering.span_builder import table_row
from chatdesk.core.rendering.wire import common_prefix

# A last line that may yet become something else is held back: a bare marker, a rule or setext line in the making, the
# opening of a fence, a table's delimiter row, a link definition, the label of a footnote.
_HELD_LINE = re.compile(
    r"[ \t>]*(?:[-+*_=|:#~ \t]+|\d{1,9}[.)]?[ \t]*|(?:[-+*]|\d{1,9}[.)])[ \t]+\[?[ xX]?\]?"
    r"|`{1,2}|`{3,}[^`\n]*|~{3,}[^\n]*|\\\[?|\\[a-z]{1,5}\{?[a-z*]{0,12}\}?|\$\$?"
    r"|</?(?:details|summary)[^\n]*|\[\^?[^\]\s^]{0,60}\]?|\[[^\]\s^][^\]\s]{0,60}\]:.*)"
)
# A possible half of a delimiter or tag at the very end, and an unfinished image.
_HELD_END = re.compile(r"(?:[*_~`$\\]+|!|!\[[^\]\n]*(?:\](?:\([^)\n]*)?)?|\[|\^|</?[A-Za-z]{0,10})$")
_MAX_HELD_ENDS = 4
_UNCERTAIN_NUMBER = re.compile(r"[ \t]*\d{1,9}[.)]?[ \t]*")
_MATH_OPENING = re.compile(r" {0,3}(?:\$\$|\\\[|\\begin\{)")
_MAX_HELD_CHARS = 200
_MOST_RESTARTS = 20  # each parses everything again


@dataclass(frozen=True, slots=True)
class BlockUpdate:
    """A change of the blocks: those from ``first_changed`` on are replaced by ``blocks`` (maybe empty or fewer than
    before)."""

    first_changed: int
    blocks: tuple[Block, ...]


@dataclass(slots=True)
class _OpenFence:
    """The state of the fast path for a fence at the top, not indented."""

    block: CodeBlock
    closing: re.Pattern[str]
    lines: str  # finished lines, each with its newline, as they are shown
    original: str  # the same lines unchanged
    partial: str  # the unfinished line, unchanged
    line_count: int


@dataclass(slots=True)
class _OpenTable:
    """The state of the fast path for a table at the top whose rows begin with a pipe."""

    block: Table
    rows: list[tuple[tuple[Any, ...], ...]]
    partial: str


class StreamingMarkdown:
    """Parses a text that comes in pieces of any size; each call returns the change."""

    def __init__(self) -> None:
        self._source = ""  # the whole text, normalised
        self._carry = ""  # a "\r" whose "\n" may still arrive
        self._settled_chars = 0
        self._settled_lines = 0
        self._settled_blocks = 0
        self._blocks: list[Block] = []
        self._references: dict[str, Any] = {}
        self._footnotes: set[str] = set()
        self._note_numbers: dict[str, int] = {}
        self._settled_notes: list[Note] = []
        self._has_notes = False  # then the last block is not the one that grows
        self._missed: set[str] = set()
        self._next_number: int | None = None
        self._open_folds = 0  # before the tail
        self._restarts = 0
        self._fast: _OpenFence | _OpenTable | None = None

    @property
    def blocks(self) -> tuple[Block, ...]:
        return tuple(self._blocks)

    def append(self, delta: str) -> BlockUpdate:
        """Add ``delta`` to the text and return the change."""
        text = self._carry + delta
        self._carry = ""
        if text.endswith("\r"):
            text, self._carry = text[:-1], "\r"
        return self._extend(clean_source(text))

    def finish(self) -> BlockUpdate:
        """End the text: show the held-back part, and resolve definitions that came after their use."""
        if self._carry:
            self._carry = ""
            self._source += "\n"
        if is_too_long(self._source):
            return self._replace_from(0, list(plain_blocks(self._source)))
        self._fast = None
        parsed = self._parse(self._source[self._settled_chars :], self._missed, is_live=False)
        defined = parsed.references.keys() | {"^" + label for label in parsed.footnotes}
        if defined & self._missed or any(is_expected(label[1:]) for label in self._missed):
            return self._replace_from(0, list(parse_markdown(self._source)))
        return self._replace_from(self._settled_blocks, self._live_blocks(parsed))

    def _extend(self, text: str) -> BlockUpdate:
        self._source += text
        if is_too_long(self._source):
            return self._show_plain()
        if not text:
            return BlockUpdate(len(self._blocks), ())
        if isinstance(self._fast, _OpenFence):
            if (update := self._extend_fence(self._fast, text)) is not None:
                return update
        elif isinstance(self._fast, _OpenTable) and (update := self._extend_table(self._fast, text)) is not None:
            return update
        self._fast = None
        return self._parse_tail()

    def _show_plain(self) -> BlockUpdate:
        """Show everything as plain paragraphs, since the text is over the limit; only the last ones change."""
        return self._replace_from(0, list(plain_blocks(self._source)))

    def _replace_from(self, first: int, new: list[Block]) -> BlockUpdate:
        same = common_prefix(self._blocks[first:], new)
        self._blocks[first:] = new
        return BlockUpdate(first + same, tuple(new[same:]))

    def _parse(
        self,
        source: str,
        missed: set[str],
        *,
        numbers: dict[str, int] | None = None,
        is_live: bool = True,
        is_tail: bool = False,
    ) -> ParsedText:
        """Parse ``source``. Without ``numbers``, footnotes numbered now are numbered again next time. ``is_tail``:
        shown until more comes, and parsed again then."""
        return parse_source(
            source,
            references=self._references,
            footnotes=self._footnotes,
            note_numbers=dict(self._note_numbers) if numbers is None else numbers,
            missed=missed,
            is_live=is_live,
            is_tail=is_tail,
        )

    def _builder(self, parsed: ParsedText) -> BlockBuilder:
        return BlockBuilder(
            parser(),
            parsed.env,
            line_offset=self._settled_lines,
            first_number=self._next_number,
            open_folds=self._open_folds,
        )

    def _live_blocks(self, parsed: ParsedText) -> list[Block]:
        """Return the blocks of the tail, followed by all footnotes, those of the settled part too."""
        builder = self._builder(parsed)
        blocks = builder.build(parsed.tokens)
        notes = [*self._settled_notes, *builder.notes]
        self._has_notes = bool(notes)
        return [*blocks, *place_notes(notes, parsed.env["note_numbers"])]

    def _parse_tail(self) -> BlockUpdate:
        shown = without_uncertain_end(self._source[self._settled_chars :])
        parsed = self._parse(shown, set(), is_tail=True)
        late = {label for label in parsed.footnotes - self._footnotes if f"^{label}" in self._missed}
        if late and self._restarts < _MOST_RESTARTS:
            self._unsettle(late)
            return self._parse_tail()
        boundary, is_in_list = last_boundary(parsed, shown)
        first = self._settled_blocks
        settled: list[Block] = []
        if boundary:
            lines = shown.split("\n")
            chars = sum(len(line) + 1 for line in lines[:boundary])
            settled = self._finalise(shown[:chars], boundary, is_in_list=is_in_list)
            shown = shown[chars:]
            parsed = self._parse(shown, set(), is_tail=True)
        closed = close_marks(shown, parsed.tokens)
        if closed != shown:
            parsed = self._parse(closed, set(), is_tail=True)
        live = self._live_blocks(parsed)
        self._start_fast_path(parsed, live)
        update = self._replace_from(first, settled + live)
        self._settled_blocks = first + len(settled)
        return update

    def _unsettle(self, footnotes: set[str]) -> None:
        """Unsettle everything: footnotes have begun whose marks were settled as words."""
        self._restarts += 1
        self._settled_chars = self._settled_lines = self._settled_blocks = self._open_folds = 0
        self._references, self._note_numbers, self._settled_notes = {}, {}, []
        self._footnotes = self._footnotes | footnotes
        self._missed = set()
        self._next_number = None

    def _finalise(self, source: str, lines: int, *, is_in_list: bool) -> list[Block]:
        """Return the blocks of ``source``, which is before the boundary: they are never built again."""
        alone = self._parse(source, self._missed, numbers=self._note_numbers)
        builder = self._builder(alone)
        settled = _closed(builder.build(alone.tokens))
        self._settled_notes += [Note(note.label, tuple(_closed(note.blocks))) for note in builder.notes]
        self._references = alone.references
        self._footnotes = alone.footnotes
        self._next_number = builder.next_number if is_in_list else None
        self._open_folds = builder.open_folds
        self._settled_chars += len(source)
        self._settled_lines += lines
        return settled

    def _start_fast_path(self, parsed: ParsedText, blocks: list[Block]) -> None:
        last = parsed.tokens[-1] if parsed.tokens else None
        if last is None or last.level or last.map is None or not blocks or self._has_notes:
            return
        tail = self._source[self._settled_chars :]
        lines = tail.split("\n")
        block = blocks[-1]
        first = last.map[0]
        if isinstance(block, CodeBlock) and last.type == "fence" and block.is_open and lines[first][:1] in "`~":
            body = lines[first + 1 :]
            if not body:
                return
            mark = last.markup
            closing = re.compile(rf" {{0,3}}{re.escape(mark[0])}{{{len(mark)},}}[ \t]*")
            original = "".join(line + "\n" for line in body[:-1])
            count = self._settled_lines + len(lines) - 1
            self._fast = _OpenFence(block, closing, visible_code(original), original, body[-1], count)
        elif isinstance(block, Table) and last.type == "chat_table" and len(block.rows) > 4:
            if last.map[1] < len(lines) - 1:
                return
            rows = list(block.rows)[: len(lines) - 1 - first - 2]
            self._fast = _OpenTable(block, rows, lines[-1])

    def _extend_fence(self, fence: _OpenFence, text: str) -> BlockUpdate | None:
        """Add lines of code; return None when the fence closes."""
        *finished, partial = (fence.partial + text).split("\n")
        if any(fence.closing.fullmatch(line) for line in finished):
            return None
        added = "".join(line + "\n" for line in finished)
        fence.lines += visible_code(added)
        fence.original += added
        fence.partial = partial
        fence.line_count += len(finished)
        mark = fence.block
        if _may_close(fence, partial):
            partial = ""
        shown = visible_code(partial, is_whole=False)
        end = fence.line_count + (1 if partial else 0)
        code = fence.lines + shown if shown else fence.lines.removesuffix("\n")
        original = fence.original + partial if shown else fence.original.removesuffix("\n")
        fence.block = replace(
            mark,
            text=code,
            original=original if original != code else None,
            ends_line=bool(fence.lines) and not shown,
            at=replace(mark.at, end_line=end),
        )
        return self._replace_from(len(self._blocks) - 1, [fence.block])

    def _extend_table(self, table: _OpenTable, text: str) -> BlockUpdate | None:
        """Add rows; return None for a line that need not be a row, and when the table grows too large."""
        *finished, partial = (table.partial + text).split("\n")
        columns = len(table.block.alignments)
        if not all(line.startswith("|") for line in finished) or (partial and not partial.startswith("|")):
            return None
        if columns * (len(table.rows) + len(finished) + 2) > MAX_TABLE_CELLS:
            return None
        table.rows += [self._row(line, columns) for line in finished]
        table.partial = partial
        rows = tuple(table.rows)
        shown = without_uncertain_end(partial) if partial else ""
        if shown:
            rows += (self._row(shown, columns, is_open=True),)
        at = replace(table.block.at, end_line=table.block.at.first_line + 2 + len(rows))
        table.block = replace(table.block, rows=rows, at=at)
        return self._replace_from(len(self._blocks) - 1, [table.block])

    def _row(self, line: str, columns: int, *, is_open: bool = False) -> tuple[tuple[Any, ...], ...]:
        env = self._parse("", self._missed).env
        cells = split_cells(line.strip())
        if is_open and cells and not line.rstrip().endswith("|"):
            cells[-1] = close_text(cells[-1])
        return table_row(parser(), env, cells, columns)


def _closed(blocks: Iterable[Block]) -> list[Block]:
    """Return ``blocks`` as they are with more text behind them: no fence is open."""
    return [
        replace(block, is_open=False) if isinstance(block, CodeBlock) and block.is_open else block for block in blocks
    ]


def _may_close(fence: _OpenFence, partial: str) -> bool:
    mark = fence.closing.pattern
    return bool(partial.strip()) and not partial.strip(" `" if "`" in mark else " ~")


def without_uncertain_end(text: str) -> str:
    """Return ``text`` without an end that may mean something else with the next character."""
    text = without_unfinished_picture(text)
    for _ in range(_MAX_HELD_ENDS):
        start = text.rfind("\n") + 1
        last = text[start:]
        if last and len(last) <= _MAX_HELD_CHARS and _HELD_LINE.fullmatch(last):
            return text[:start]
        match = _HELD_END.search(last[-_MAX_HELD_CHARS:])
        if match is None:
            return text
        text = text[: len(text) - len(match[0])]
    return text


def last_boundary(parsed: ParsedText, source: str) -> tuple[int, bool]:
    """Return (line, is in a list) of the last line before which nothing can change any more; line 0 for none."""
    lines = source.split("\n")
    complete = len(lines) - 1  # the last one has no newline yet
    best, is_best_in_list = 0, False
    math_lines: set[int] = set()
    closed_fence_end = -1
    list_start = -1
    for token in parsed.tokens:
        if token.map is None:
            continue
        first, end = token.map
        if token.type == "chat_math" and not token.meta.get("is_open"):
            math_lines.update(range(first, end))
        if token.type in ("fence", "code_block"):
            math_lines.update(range(first, end))
        is_item = token.type == "list_item_open" and token.level == 1
        if (token.level and not is_item) or token.meta.get("is_definition"):
            continue  # a definition stays with its terms
        if token.type in ("ordered_list_open", "bullet_list_open"):
            list_start = first
        if first > best and first < len(lines):
            is_certain = first < complete or _UNCERTAIN_NUMBER.fullmatch(lines[first]) is None
            if is_item and first > list_start >= 0:
                if is_certain and not _has_loose_math(lines, best, first, math_lines):
                    best, is_best_in_list = first, True
            elif not is_item and (
                (is_certain and not lines[first - 1].strip())
                or (token.type in ("fence", "heading_open") and first < complete and lines[first][:1] in "`~#")
                or closed_fence_end == first
            ):
                best, is_best_in_list = first, False
        if token.type == "fence" and not token.meta["is_open"]:
            closed_fence_end = end
    return best, is_best_in_list


def _has_loose_math(lines: list[str], first: int, end: int, math_lines: set[int]) -> bool:
    """Return whether a formula is open before line ``end``: it may close behind the next item. A blank line ends
    every one."""
    for number in range(end - 1, first - 1, -1):
        if not lines[number].strip():
            return False
        if number not in math_lines and _MATH_OPENING.match(lines[number]):
            return True
    return False
