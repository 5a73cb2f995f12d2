"""Draws a notice below a message that names a fault, with buttons for the next steps."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QPainter

from chatdesk.core.clock import Clock
from chatdesk.core.rendering.blocks import Span
from chatdesk.core.texts import Text, shown, tr
from chatdesk.ui.local_forms import duration_of
from chatdesk.ui.qt.unread_guard import UnreadMoment
from chatdesk.ui.transcript.drawing.card import paint_card
from chatdesk.ui.transcript.drawing.heights import guess_text_height
from chatdesk.ui.transcript.drawing.item import Button, Item, PaintState, paint_button
from chatdesk.ui.transcript.drawing.spans import Flow, flow_of
from chatdesk.ui.transcript.drawing.text_box import TextBox
from chatdesk.ui.transcript.drawing.transcript_style import TranscriptStyle

_PAD_X = 12
_PAD_Y = 10
_BUTTON_PX = 34
_WORDS_PX = 340  # with less room beside them, the buttons are below words that need it
_MAX_TEXT = 2_000
_AT_END = Text("Trying again…")
_ICONS = {"danger": "circle-x", "warning": "triangle-alert"}


@dataclass(frozen=True, slots=True)
class Countdown:
    """The sentence that tells the time left until ``due_ms``, when attempt number ``attempt`` is made."""

    due_ms: int
    attempt: int

    def words(self, now_ms: int) -> str:
        left_ms = self.due_ms - now_ms
        if left_ms <= 0:
            return f" {shown(_AT_END)}"
        words = tr("Trying again in {time} (attempt {attempt}).", time=duration_of(left_ms + 999), attempt=self.attempt)
        return f" {words}"


class NoticeItem(Item):
    """A sentence in a frame, with buttons.

    ``actions`` are (action, label) pairs; ``tone`` is the border's token: danger, warning or line. ``lead``, with which
    ``text`` begins, is bold. ``countdown`` ends the text. A notice that is not selectable is not copied.
    """

    kind = "notice"
    gap = 16.0

    def __init__(
        self,
        text: str,
        actions: tuple[tuple[str, str], ...] = (),
        *,
        tone: str = "danger",
        lead: str = "",
        countdown: Countdown | None = None,
        is_selectable: bool = True,
    ) -> None:
        super().__init__()
        self.is_selectable = is_selectable
        self.actions = tuple((action, shown(label)) for action, label in actions)
        self.tone = tone
        self.ticks = countdown is not None
        self._lead, self._rest = lead, text[len(lead) : _MAX_TEXT]
        self._countdown = countdown
        self._box = self._made_box(0 if countdown is None else Clock().now_ms())
        self._room = 0.0
        self._left = 0.0
        self._button_areas: list[QRectF] = []
        self.unread = UnreadMoment()

    @property
    def flow(self) -> Flow:
        """The words with their formats."""
        return self._box.flow

    def with_actions(self, actions: tuple[tuple[str, str], ...]) -> NoticeItem:
        """Return a copy of the notice with other buttons."""
        text = f"{self._lead}{self._rest}"
        return NoticeItem(
            text,
            actions,
            tone=self.tone,
            lead=self._lead,
            countdown=self._countdown,
            is_selectable=self.is_selectable,
        )

    def guess(self, style: TranscriptStyle, width: float) -> float:
        lines = guess_text_height(
            self.text,
            width=width - 200,
            char_width=style.metrics("table").averageCharWidth(),
            line_height=style.line_height("table"),
        )
        return max(lines, style.px(_BUTTON_PX)) + 2 * style.px(_PAD_Y)

    def layout(self, style: TranscriptStyle, width: float) -> None:
        pad_x, pad_y = style.px(_PAD_X), style.px(_PAD_Y)
        self._left = pad_x + style.px(27)
        wide = [style.metrics("muted").horizontalAdvance(label) + style.px(24) for _, label in self.actions]
        buttons = sum(wide) + style.px(8) * len(wide)
        words = min(style.px(_WORDS_PX), style.metrics("table").horizontalAdvance(self.text) + 1)
        is_beside = width - self._left - buttons - 2 * pad_x > words
        room = width - self._left - pad_x - (buttons + pad_x if is_beside and wide else 0)
        self._room = max(60.0, room)
        self._box.lay_out(style, self._room, font=style.font("table"), line_height=style.line_height("table"))
        button_height = style.px(_BUTTON_PX)
        if is_beside or not wide:
            body = max(self._box.height, button_height if wide else 0)
            x = width - pad_x - (buttons - style.px(8) if wide else 0)
            y = pad_y + (body - button_height) / 2
        else:
            body = self._box.height + pad_y + button_height
            x, y = self._left, pad_y + self._box.height + pad_y
        self._button_areas = []
        for each in wide:
            if not is_beside and self._button_areas and x + each > width - pad_x:  # another row of buttons
                x, y = self._left, y + button_height + style.px(8)
                body += button_height + style.px(8)
            self._button_areas.append(QRectF(round(x), round(y), each, button_height))
            x += each + style.px(8)
        if style.is_mirrored:
            self._left = width - self._left - self._room
            self._button_areas = [each.translated(width - each.left() - each.right(), 0) for each in self._button_areas]
        self.height = body + 2 * pad_y
        self._text_top = pad_y + (max(0.0, body - self._box.height) / 2 if is_beside or not wide else 0)
        self.natural_width = width

    def tick(self, now_ms: int) -> bool:
        box = self._made_box(now_ms)
        if box.flow.text == self.text:
            return False
        if self._laid_out is not None:
            style = self._laid_out[0]
            box.lay_out(style, self._room, font=style.font("table"), line_height=style.line_height("table"))
        self._box = box
        self.revision += 1
        return True

    def _made_box(self, now_ms: int) -> TextBox:
        end = "" if self._countdown is None else self._countdown.words(now_ms)
        return TextBox(flow_of((Span(self._lead, is_bold=True), Span(f"{self._rest}{end}"))))

    def paint(self, painter: QPainter, state: PaintState) -> None:
        style = state.style
        paint_card(painter, style, QRectF(0, 0, self.natural_width, self.height), ground=None, border=self.tone)
        pixmap = style.icon(_ICONS.get(self.tone, "info"), "muted" if self.tone == "line" else self.tone)
        side = pixmap.deviceIndependentSize().height()
        y = self._text_top + (style.line_height("table") - side) / 2
        x = self.natural_width - style.px(_PAD_X) - side if style.is_mirrored else style.px(_PAD_X)
        painter.drawPixmap(QPointF(round(x), round(y)), pixmap)
        painter.translate(self._left, self._text_top)
        self._box.draw(painter, style, style.colour("text"), selected=state.selected)
        painter.translate(-self._left, -self._text_top)
        for button in self.buttons():
            paint_button(painter, button, state)

    @property
    def text(self) -> str:
        return self._box.flow.text

    def copied(self, start: int, end: int) -> str:
        return self._box.flow.copied(start, end)

    def offset_at(self, point: QPointF) -> int:
        return self._box.offset_at(point - QPointF(self._left, self._text_top))

    def areas_of(self, start: int, end: int) -> list[QRectF]:
        return [area.translated(self._left, self._text_top) for area in self._box.areas_of(start, end)]

    def buttons(self) -> tuple[Button, ...]:
        return tuple(
            Button(action, label, area, text=label, is_framed=True, acts=True)
            for (action, label), area in zip(self.actions, self._button_areas, strict=False)
        )

    _text_top = 0.0
