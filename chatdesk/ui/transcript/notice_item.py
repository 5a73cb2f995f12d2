"""What went wrong, in place: the sentence, what is safe, and buttons for what to do next."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QPainter

from chatdesk.core.rendering.blocks import Span
from chatdesk.ui.transcript.card import paint_card
from chatdesk.ui.transcript.heights import guess_text_height
from chatdesk.ui.transcript.item import Button, Item, PaintState, paint_button
from chatdesk.ui.transcript.looks import Looks
from chatdesk.ui.transcript.spans import flow_of
from chatdesk.ui.transcript.text_box import TextBox

_PAD_X = 12
_PAD_Y = 10
_BUTTON_PX = 34
_MAX_TEXT = 2_000


class NoticeItem(Item):
    """``actions`` are (action, label) pairs; ``tone`` is the border's token: danger, warning or line."""

    kind = "notice"
    is_selectable = True
    gap = 16.0

    def __init__(self, text: str, actions: tuple[tuple[str, str], ...] = (), *, tone: str = "danger") -> None:
        super().__init__()
        self.actions = actions
        self.tone = tone
        self._box = TextBox(flow_of((Span(text[:_MAX_TEXT]),)))
        self._left = 0.0
        self._button_areas: list[QRectF] = []

    def guess(self, looks: Looks, width: float) -> float:
        lines = guess_text_height(
            self.text,
            width=width - 200,
            char_width=looks.metrics("table").averageCharWidth(),
            line_height=looks.line_height("table"),
        )
        return max(lines, looks.px(_BUTTON_PX)) + 2 * looks.px(_PAD_Y)

    def layout(self, looks: Looks, width: float) -> None:
        pad_x, pad_y = looks.px(_PAD_X), looks.px(_PAD_Y)
        self._left = pad_x + looks.px(27)
        wide = [looks.metrics("muted").horizontalAdvance(label) + looks.px(24) for _, label in self.actions]
        buttons = sum(wide) + looks.px(8) * len(wide)
        is_beside = width - self._left - buttons - 2 * pad_x > looks.px(260)
        room = width - self._left - pad_x - (buttons + pad_x if is_beside and wide else 0)
        self._box.lay_out(looks, max(60.0, room), font=looks.font("table"), line_height=looks.line_height("table"))
        button_height = looks.px(_BUTTON_PX)
        if is_beside or not wide:
            body = max(self._box.height, button_height if wide else 0)
            x = width - pad_x - (buttons - looks.px(8) if wide else 0)
            y = pad_y + (body - button_height) / 2
        else:
            body = self._box.height + pad_y + button_height
            x, y = self._left, pad_y + self._box.height + pad_y
        self._button_areas = []
        for each in wide:
            if not is_beside and self._button_areas and x + each > width - pad_x:  # another row of buttons
                x, y = self._left, y + button_height + looks.px(8)
                body += button_height + looks.px(8)
            self._button_areas.append(QRectF(round(x), round(y), each, button_height))
            x += each + looks.px(8)
        self.height = body + 2 * pad_y
        self._text_top = pad_y + (max(0.0, body - self._box.height) / 2 if is_beside or not wide else 0)
        self.natural_width = width

    def paint(self, painter: QPainter, state: PaintState) -> None:
        looks = state.looks
        ground = {"danger": "danger_tint", "warning": "warning_tint"}.get(self.tone)
        paint_card(painter, looks, QRectF(0, 0, self.natural_width, self.height), ground=ground, border=self.tone)
        name = "info" if self.tone == "line" else "triangle-alert"
        pixmap = looks.icon(name, "muted" if self.tone == "line" else self.tone)
        side = pixmap.deviceIndependentSize().height()
        y = self._text_top + (looks.line_height("table") - side) / 2
        painter.drawPixmap(QPointF(round(looks.px(_PAD_X)), round(y)), pixmap)
        painter.translate(self._left, self._text_top)
        self._box.draw(painter, looks, looks.colour("text"), selected=state.selected)
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
            Button(action, label, area, text=label, is_framed=True)
            for (action, label), area in zip(self.actions, self._button_areas, strict=False)
        )

    _text_top = 0.0
