"""Draws a code card: language and tools above, lines below.

The card scrolls sideways or wraps, folds when it is long, and grows cheaply.
"""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QPainter, QTextLayout

from chatdesk.core.attachments.file_kinds import is_page
from chatdesk.core.domain.artifacts.artifact import LEAST_LINES
from chatdesk.core.rendering.blocks import CodeBlock
from chatdesk.core.rendering.code_names import suggested_name
from chatdesk.core.texts import plural, shown, tr
from chatdesk.ui.qt.unread_guard import UnreadMoment
from chatdesk.ui.transcript.drawing.card import AT_LEFT, paint_card, paint_hairline
from chatdesk.ui.transcript.drawing.code_layouts import CodeLayouts
from chatdesk.ui.transcript.drawing.code_lines import LINE_LIMIT, CodeLines
from chatdesk.ui.transcript.drawing.item import (
    OPEN_ACTION,
    ArtifactSource,
    Button,
    Grip,
    Item,
    Outcome,
    PaintState,
    artifact_of,
    paint_button,
)
from chatdesk.ui.transcript.drawing.side_scroll import SideScroll
from chatdesk.ui.transcript.drawing.transcript_style import TranscriptStyle

_FOLD_LINES = 40
_HEADER_PX = 31
_PAD_X = 14
_PAD_Y = 10
_FOLD_PX = 32
_MAX_LABEL = 40
_LEAST_COLUMNS = 20


class CodeItem(ArtifactSource, Item):
    """A card that shows the code of one block, folded if it has more than ``fold_lines``."""

    kind = "code"
    is_selectable = True
    gap = 11.0

    def __init__(self, block: CodeBlock, *, fold_lines: int = _FOLD_LINES) -> None:
        super().__init__()
        self._fold_lines = fold_lines
        self.block = block
        self.at = block.at
        # Code that the reader watches being written stays open: folding it at its end would make the page jump.
        self.is_unfolded = block.is_open
        self.is_of_answer = True
        self.is_lower_half = False  # the continuation of a card that begins above
        self.is_wrapped = False
        self._is_wrap_chosen = False
        self._lines = CodeLines(_shown(block.text), block.runs)
        self._layouts = CodeLayouts(self._lines)
        self.scroll: SideScroll = SideScroll()
        self._width = 0.0
        self.unread = UnreadMoment()
        self._style: TranscriptStyle | None = None
        self._left = 0.0

    def update(self, block: CodeBlock) -> bool:
        """Show a newer state of the same code, and return whether the height may have changed."""
        before = len(self._lines)
        first = self._lines.replace(_shown(block.text), block.runs)
        self._layouts.forget_from(first)
        self.block, self.at = block, block.at
        self.revision += 1
        self._measure_content()
        return len(self._lines) != before

    @property
    def _can_fold(self) -> bool:
        return len(self._lines) > self._fold_lines and not self.is_alone

    @property
    def is_folded(self) -> bool:
        return self._can_fold and not self.is_unfolded

    @property
    def artifact(self) -> CodeBlock | None:
        is_finished = self.is_of_answer and not self.block.is_open
        return self.block if is_finished and len(self._lines) >= LEAST_LINES else None

    @property
    def shown_lines(self) -> int:
        return self._fold_lines if self.is_folded else len(self._lines)

    def guess(self, style: TranscriptStyle, width: float) -> float:
        return self._height(style)

    def layout(self, style: TranscriptStyle, width: float) -> None:
        if style is not self._style:
            self._layouts.clear()
        self._style = style
        self._left, right = style.insets(self.at, width)
        self._width = width - right
        self._cut_lines(style)
        self._measure_content()
        self.height = self._height(style)
        self.natural_width = width

    def release(self) -> None:
        super().release()
        self._layouts.clear()

    def paint(self, painter: QPainter, state: PaintState) -> None:
        style = state.style
        area = QRectF(self._left, 0, self._width - self._left, self.height)
        paint_card(painter, style, area, ground="code", half="lower" if self.is_lower_half else "")
        if self.is_lower_half:
            paint_hairline(painter, style, QPointF(self._left + 1, 0), area.width() - 2)
        header = style.px(_HEADER_PX)
        if state.clip.top() <= header:
            self._paint_header(painter, state, header)
        self._paint_lines(painter, state, header)
        if self._can_fold:
            paint_hairline(painter, style, QPointF(self._left + 1, self.height - style.px(_FOLD_PX)), area.width() - 2)
            paint_button(painter, self._fold_button(style), state)
        self._measure_content()  # lines that were painted may be wider than they were guessed
        self.scroll.paint(painter, style, self._bar_area)

    @property
    def text(self) -> str:
        return self._lines.text

    def copied(self, start: int, end: int) -> str:
        return self._lines.text[start:end]

    def offset_at(self, point: QPointF) -> int:
        style = self._style
        if style is None:
            return 0
        index = int((point.y() - style.px(_HEADER_PX + _PAD_Y)) // style.line_height("code"))
        if index < 0:
            return 0
        if index >= self.shown_lines:
            return self._lines.end(self.shown_lines - 1)
        x = point.x() - self._left - style.px(_PAD_X) + self.scroll.x
        return self._lines.start(index) + self._layouts.offset_at(style, index, x)

    def areas_of(self, start: int, end: int) -> list[QRectF]:
        style = self._style
        if style is None:
            return []
        height = style.line_height("code")
        top, left = style.px(_HEADER_PX + _PAD_Y), self._left + style.px(_PAD_X) - self.scroll.x
        inner = QRectF(self._left + 1, 0, self._width - self._left - 2, self.height)
        areas = []
        for index in range(self._lines.line_of(start), min(self._lines.line_of(end) + 1, self.shown_lines)):
            low, high = (max(0, min(each, self._lines.end(index)) - self._lines.start(index)) for each in (start, end))
            x, right = self._layouts.x_of(style, index, low), self._layouts.x_of(style, index, high)
            areas.append(QRectF(left + x, top + index * height, right - x, height).intersected(inner))
        return areas

    def reveal(self, offset: int) -> bool:
        style = self._style
        index = self._lines.line_of(offset)
        is_hidden = index >= self.shown_lines
        if is_hidden:
            self.toggle_fold()
        if style is None:
            return is_hidden
        x, room = self._layouts.x_of(style, index, offset - self._lines.start(index)), self._room(style)
        is_aside = not self.scroll.x <= x <= self.scroll.x + room
        return (self.scroll.move(x - room / 2 - self.scroll.x) if is_aside else False) or is_hidden

    def line_at(self, offset: int) -> tuple[int, int]:
        index = self._lines.line_of(offset)
        return self._lines.start(index), self._lines.end(index)

    @property
    def header_height(self) -> float:
        """The height in px of the header, by which the card is dragged."""
        return self._style.px(_HEADER_PX) if self._style is not None else 0.0

    def buttons(self) -> tuple[Button, ...]:
        style = self._style
        if style is None:
            return ()
        tools = self._tools(style)
        return (*tools, self._fold_button(style)) if self._can_fold else tools

    def _tools(self, style: TranscriptStyle) -> tuple[Button, ...]:
        copy_name, save_name, open_name = _names_of(self.block.language[:_MAX_LABEL])
        text = tr("Copy")
        wide, side = max(style.px(78), style.metrics("muted").horizontalAdvance(text) + style.px(46)), style.px(28)
        copy = QRectF(self._width - wide - 4, 1.5, wide, side)
        save = QRectF(copy.x() - side - 2, 1.5, side, side)
        wrap = QRectF(save.x() - side - 2, 1.5, side, side)
        tools: tuple[Button, ...] = (
            Button("copy-code", copy_name, copy, "copy", text=text),
            Button(
                "wrap-code", tr("Do not wrap lines") if self.is_wrapped else tr("Wrap lines"), wrap, "corner-down-right"
            ),
            Button("save-code", save_name, save, "download"),
        )
        if artifact_of(self) is not None:
            area = QRectF(wrap.x() - side - 2, 1.5, side, side)
            tools += (Button(OPEN_ACTION, open_name, area, "panel-right"),)
        if is_page(self.block.language) and not self.block.is_open:
            area = QRectF(tools[-1].area.x() - side - 2, 1.5, side, side)
            tools += (Button("show-page", tr("Open this page in your browser"), area, "external-link", acts=True),)
        return tools

    def press(self, action: str) -> Outcome | None:
        if action == "copy-code":
            return Outcome(copied=self.block.source)
        if action == "save-code":
            return Outcome(saved=self.block.source, file_name=suggested_name(self.block.language))
        if action == OPEN_ACTION:
            return Outcome(artifact=self.block)
        if action == "show-page":
            return Outcome(page=self.block.source)
        if action == "wrap-code":
            self.is_wrapped, self._is_wrap_chosen = not self.is_wrapped, True
            self.invalidate()
            return Outcome(is_resized=True)
        if action == "fold-code":
            self.toggle_fold()
            return Outcome(is_resized=True)
        return None

    def grip_at(self, point: QPointF) -> Grip | None:
        return self.scroll.grip_at(point, self._bar_area) if self._style is not None else None

    @property
    def _bar_area(self) -> QRectF:
        assert self._style is not None
        fold = self._style.px(_FOLD_PX) if self._can_fold else 0
        return QRectF(self._left, 0, self._width - self._left, self.height - fold)

    def toggle_fold(self) -> None:
        self.is_unfolded = not self.is_unfolded
        self.invalidate()

    def _cut_lines(self, style: TranscriptStyle) -> None:
        """Cut the lines at the width of the card if they are to wrap; all letters of code are equally wide.

        Where code is shown alone, lines that are too long to be read sideways wrap, unless a person chose otherwise.
        """
        if self.is_alone and not self._is_wrap_chosen and self._lines.longest >= LINE_LIMIT:
            self.is_wrapped = True
        limit = LINE_LIMIT
        if self.is_wrapped:
            limit = max(_LEAST_COLUMNS, int(self._room(style) / style.metrics("code").horizontalAdvance("0")))
        if limit != self._lines.limit:
            self._lines = CodeLines(_shown(self.block.text), self.block.runs, limit=limit)
            self._layouts = CodeLayouts(self._lines)

    def _height(self, style: TranscriptStyle) -> float:
        lines = self.shown_lines * style.line_height("code")
        fold = style.px(_FOLD_PX) if self._can_fold else 0
        return style.px(_HEADER_PX) + 2 * style.px(_PAD_Y) + lines + fold

    def _room(self, style: TranscriptStyle) -> float:
        return self._width - self._left - 2 * style.px(_PAD_X)

    def _measure_content(self) -> None:
        # One advance for all letters: wide letters may need more than this guess, which the painted lines correct.
        style = self._style
        if style is not None:
            guess = self._lines.longest * style.metrics("code").horizontalAdvance("0")
            self.scroll.set_widths(max(self._layouts.widest, guess), self._room(style))

    def _fold_button(self, style: TranscriptStyle) -> Button:
        count = self._lines.source_count
        text = (
            shown(plural("Show all {count} lines", "Show the {count} line", count))
            if self.is_folded
            else tr("Show fewer lines")
        )
        wide = max(style.px(170), style.metrics("muted").horizontalAdvance(text) + style.px(40))
        height = style.px(_FOLD_PX)
        area = QRectF(self._left + 6, self.height - height + 2, wide, height - 4)
        icon = "chevron-right" if self.is_folded else "chevron-down"
        return Button("fold-code", text, area, icon=icon, text=text)

    def _paint_header(self, painter: QPainter, state: PaintState, header: float) -> None:
        style = state.style
        paint_hairline(painter, style, QPointF(self._left + 1, header), self._width - self._left - 2)
        painter.setFont(style.font("muted"))
        painter.setPen(style.colour("muted"))
        tools = self._tools(style)
        left, right = self._left + style.px(12), min(each.area.x() for each in tools) - style.px(8)
        area = QRectF(left, 0, right - left, header)
        words = " · ".join(filter(None, (self.block.language[:_MAX_LABEL], shown(self.block.remark))))
        language = style.metrics("muted").elidedText(words, Qt.TextElideMode.ElideRight, area.width())
        painter.drawText(area, int(AT_LEFT), language)
        for button in tools:
            is_at_hand = state.is_attended or button.action == "copy-code"
            if is_at_hand or (button.action == "wrap-code" and self.is_wrapped):
                paint_button(painter, button, state)

    def _paint_lines(self, painter: QPainter, state: PaintState, header: float) -> None:
        style = state.style
        line_height = style.line_height("code")
        top = header + style.px(_PAD_Y)
        first = max(0, int((state.clip.top() - top) // line_height))
        last = min(self.shown_lines, int((state.clip.bottom() - top) // line_height) + 1)
        if last <= first:
            return
        painter.save()
        inner = QRectF(self._left + 1, 0, self._width - self._left - 2, self.height)
        painter.setClipRect(inner, Qt.ClipOperation.IntersectClip)
        for index in range(first, last):
            tone = self._lines.tone(index)
            if tone:
                row = QRectF(inner.x(), top + index * line_height, inner.width(), line_height)
                painter.fillRect(row, style.diff_ground(tone))
        painter.setPen(style.colour("text"))
        x = self._left + style.px(_PAD_X) - self.scroll.x
        for index in range(first, last):
            layout = self._layouts.layout(style, index)
            layout.draw(painter, QPointF(x, top + index * line_height), self._selection(style, state, index))
        painter.restore()
        if state.show_caret and last == len(self._lines):
            self._paint_caret(painter, style, top + (last - 1) * line_height, x)

    def _paint_caret(self, painter: QPainter, style: TranscriptStyle, y: float, x: float) -> None:
        right = min(x + self._layouts.width_of(style, len(self._lines) - 1) + 3, self._width - 12)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(style.colour("accent"))
        painter.drawRoundedRect(QRectF(right, y + 3, style.px(8), style.px(14)), 2, 2)

    def _selection(self, style: TranscriptStyle, state: PaintState, index: int) -> list[QTextLayout.FormatRange]:
        if state.selected is None:
            return []
        start = max(state.selected[0], self._lines.start(index)) - self._lines.start(index)
        end = min(state.selected[1], self._lines.end(index)) - self._lines.start(index)
        if end <= start:
            return []
        return [self._layouts.selection(style, index, start, end)]


def _shown(text: str) -> str:
    """Return the text of a fence without its last line break, which is not a line of its own."""
    return text[:-1] if text.endswith("\n") else text


def plain_code(text: str, language: str = "") -> CodeItem:
    """Return a card for text that is in no answer, such as the arguments of a tool."""
    item = CodeItem(CodeBlock(language, text, ()))
    item.is_of_answer = False
    return item


def _names_of(language: str) -> tuple[str, str, str]:
    """Return the names of the buttons that copy the code, save it, and open it as artifact."""
    if not language:
        return tr("Copy code"), tr("Save code…"), tr("Open code as artifact")
    return (
        tr("Copy {language} code", language=language),
        tr("Save {language} code…", language=language),
        tr("Open {language} code as artifact", language=language),
    )
