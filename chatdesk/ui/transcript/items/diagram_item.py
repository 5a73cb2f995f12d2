"""Draws a diagram, as a picture with a button that shows its source."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QColor, QPainter

from chatdesk.core.rendering.blocks import CodeBlock, Placement
from chatdesk.core.rendering.drawing.picture_rules import ZOOM
from chatdesk.core.texts import tr
from chatdesk.ui.transcript.contract import PictureSource
from chatdesk.ui.transcript.drawing.item import (
    OPEN_ACTION,
    ArtifactSource,
    Button,
    Item,
    Outcome,
    PaintState,
    paint_button,
)
from chatdesk.ui.transcript.drawing.picture_loader import PictureLoader
from chatdesk.ui.transcript.drawing.transcript_style import TranscriptStyle
from chatdesk.ui.transcript.items.code_item import CodeItem
from chatdesk.ui.transcript.items.picture_item import PictureItem, png_shape

_BAR_PX = 32
_MIDDLE = 0.5


class DiagramItem(ArtifactSource, Item):
    """The picture of a diagram for the present theme, or its code."""

    kind = "diagram"
    is_selectable = True
    is_indented = True

    def __init__(self, block: CodeBlock) -> None:
        super().__init__()
        self.block = block
        self.at = block.at
        self.is_source_shown = False
        self._code = CodeItem(replace(block, at=Placement()))
        self._pictures = [
            PictureItem(
                tr("Picture") if self._is_picture else tr("Diagram"),
                PictureSource(data=each),
                shape=png_shape(each),
                zoom=ZOOM,
            )
            for each in block.pictures
        ]
        self._is_dark = False
        self._bar = 0.0

    @property
    def _is_picture(self) -> bool:
        return self.block.language.lower() == "svg"

    @property
    def shown(self) -> Item:
        self._code.is_alone = self.is_alone
        if self.is_source_shown or self._picture.failure:
            return self._code
        return self._picture

    @property
    def _picture(self) -> PictureItem:
        return self._pictures[-1 if self._is_dark else 0]

    @property
    def artifact(self) -> CodeBlock | None:
        return self.block

    def ask(self, loader: PictureLoader, on_change: Callable[[], None]) -> None:
        """Request the picture in view as ``PictureItem.ask`` does."""
        self._picture.ask(loader, lambda: self._on_picture(on_change))

    def guess(self, style: TranscriptStyle, width: float) -> float:
        self._match_theme(style)
        return self.shown.guess(style, width) + style.px(_BAR_PX)

    def layout(self, style: TranscriptStyle, width: float) -> None:
        self._match_theme(style)
        self.shown.ensure_layout(style, width)
        self.scroll = self.shown.scroll
        self._bar = 0.0 if self.is_alone else style.px(_BAR_PX)
        self.height = self.shown.height + self._bar
        self.natural_width = width

    def release(self) -> None:
        super().release()
        self._code.release()
        for picture in self._pictures:
            picture.release()

    def paint(self, painter: QPainter, state: PaintState) -> None:
        self.shown.paint(painter, state)
        if not self.is_alone:  # a diagram shown alone has buttons outside
            paint_button(painter, self._switch(), state)
            paint_button(painter, self._opener(), state)

    def buttons(self) -> tuple[Button, ...]:
        shown = tuple(each for each in self.shown.buttons() if each.action != OPEN_ACTION)
        return shown if self.is_alone else (*shown, self._opener(), self._switch())

    def press(self, action: str) -> Outcome | None:
        if action == OPEN_ACTION:
            return Outcome(artifact=self.block)
        if action == "show-source":
            self.is_source_shown = not self.is_source_shown
        else:
            outcome = self.shown.press(action)
            if outcome is None or not outcome.is_resized:
                return outcome
        self.invalidate()
        return Outcome(is_resized=True)

    @property
    def text(self) -> str:
        return self._code.text

    def copied(self, start: int, end: int) -> str:
        return self._code.copied(start, end)

    def offset_at(self, point: QPointF) -> int:
        if self.shown is self._code:
            return self._code.offset_at(point)
        return 0 if point.y() < self.height / 2 else len(self.text)

    def areas_of(self, start: int, end: int) -> list[QRectF]:
        return self.shown.areas_of(start, end)

    def _match_theme(self, style: TranscriptStyle) -> None:
        self._is_dark = QColor(style.tokens.background).lightnessF() < _MIDDLE

    def _on_picture(self, on_change: Callable[[], None]) -> None:
        self.invalidate()
        on_change()

    def _switch(self) -> Button:
        drawn = tr("Show picture") if self._is_picture else tr("Show diagram")
        label = drawn if self.is_source_shown else tr("Show source")
        area = QRectF(0, self.height - self._bar + 2, self._bar * 4, self._bar - 4)
        return Button("show-source", label, area, icon="code", text=label)

    def _opener(self) -> Button:
        switch = self._switch().area
        area = QRectF(switch.right() + 4, switch.y(), self._bar * 4.6, switch.height())
        return Button(OPEN_ACTION, tr("Open as artifact"), area, icon="panel-right", text=tr("Open as artifact"))
