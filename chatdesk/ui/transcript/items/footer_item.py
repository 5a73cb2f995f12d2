"""Draws the row of tools under a message; its room is always reserved, so that showing the tools moves nothing."""

from __future__ import annotations

from dataclasses import dataclass, replace

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QPainter

from chatdesk.core.texts import tr
from chatdesk.ui.qt.unread_guard import UnreadMoment
from chatdesk.ui.transcript.drawing.item import WORDS_PAD_PX, Button, Item, PaintState, paint_button
from chatdesk.ui.transcript.drawing.transcript_style import TOOL_PX, TranscriptStyle

_BY_PX = 160  # of a name
_WORDS_PX = 160  # of a quick action
_BESIDE = "compare"
_VERSIONS = ("version-previous", "version-next", _BESIDE)


@dataclass(frozen=True, slots=True)
class Tool:
    """A tool of the row; ``text`` is drawn if there is no ``icon``. ``acts`` is as for a ``Button``."""

    action: str
    label: str
    icon: str = ""
    text: str = ""
    is_enabled: bool = True
    acts: bool = False


class FooterItem(Item):
    """The row of tools under a message.

    ``versions`` is (shown, of) and stays in sight when there are several, because it is the only sign of the others,
    with the way to see those of an answer side by side;
    ``version_by`` names the author of the shown one, and ``versions_tip`` is its tooltip. ``note`` is at the right,
    ``time`` left of tools that are at the right; ``tip`` is the time in full. In a mirrored layout the sides are
    swapped.
    """

    kind = "footer"

    def __init__(
        self,
        tools: tuple[Tool, ...],
        *,
        versions: tuple[int, int] = (1, 1),
        version_by: str = "",
        versions_tip: str = "",
        note: str = "",
        time: str = "",
        tip: str = "",
        is_right_aligned: bool = False,
    ) -> None:
        super().__init__()
        self.unread = UnreadMoment()
        self.tools = tools
        self.versions = versions
        self.note = note
        self.time = time
        self._tip = tip
        self.version_by = version_by
        self._versions_tip = versions_tip
        self._time_area = QRectF()
        self.is_right_aligned = is_right_aligned
        self.gap = 0.0 if is_right_aligned else 8.0
        self._buttons: tuple[Button, ...] = ()
        self._count_area = QRectF()
        self._count_text = ""
        self._note_area = QRectF()

    def guess(self, style: TranscriptStyle, width: float) -> float:
        return style.px(TOOL_PX) if self._has_room else 0.0

    @property
    def _has_room(self) -> bool:
        """Return whether the row is more than the mark of a message's end, which is all that one without a time is."""
        return bool(self.tools or self.time)

    def layout(self, style: TranscriptStyle, width: float) -> None:
        self.height = self.guess(style, width)
        self.natural_width = width
        side = style.px(TOOL_PX)
        step = side + 2
        shown, count = self.versions
        metrics = style.metrics("muted")
        by = metrics.elidedText(self.version_by, Qt.TextElideMode.ElideRight, style.px(_BY_PX))
        place = tr("{number} / {count}", number=shown, count=count)
        self._count_text = f"{place} · {by}" if by else place
        count_wide = metrics.horizontalAdvance(self._count_text) + 16
        whole = sum(bool(tool.icon) for tool in self.tools) * step + (2 * step + count_wide if count > 1 else 0)
        x = width - whole + (side - 16) / 2 if self.is_right_aligned else -(side - 16) / 2
        wide = style.metrics("muted").horizontalAdvance(self.time) + style.px(12)
        self._time_area = QRectF(x - wide, 0, wide, side) if self.time and self.is_right_aligned else QRectF()
        buttons = [] if self.is_right_aligned else self._version_buttons(x, side, count_wide)
        x += 2 * step + count_wide - 2 if buttons else 0
        if buttons:
            icons_wide = sum(bool(tool.icon) for tool in self.tools) * step
            x = self._add_beside(buttons, x, style, room=width - x - icons_wide)
        for tool in self.tools:
            if tool.icon:
                area = QRectF(x, 0, side, side)
                buttons.append(
                    Button(tool.action, tool.label, area, tool.icon, is_enabled=tool.is_enabled, acts=tool.acts)
                )
                x += step
        x = self._add_words(buttons, x, style, room=width - x - self._note_width(style))
        if self.is_right_aligned:  # the versions, which are always seen, are at the edge
            buttons += self._version_buttons(x, side, count_wide)
        self._note_area = QRectF(x + style.px(8), 0, max(0.0, width - x - style.px(8)), side)
        if style.is_mirrored:
            buttons = [replace(each, area=_mirrored(each.area, width), icon=_turned(each.icon)) for each in buttons]
            self._count_area = _mirrored(self._count_area, width)
            self._time_area = _mirrored(self._time_area, width)
            self._note_area = _mirrored(self._note_area, width)
        self._buttons = tuple(buttons)

    def _note_width(self, style: TranscriptStyle) -> float:
        return style.metrics("muted").horizontalAdvance(self.note) + style.px(24) if self.note else 0.0

    def _add_beside(self, buttons: list[Button], x: float, style: TranscriptStyle, *, room: float) -> float:
        """Add the way to see the versions of an answer at once, if it fits, and return the x of the next button."""
        words = tr("Side by side")
        wide = round(style.metrics("muted").horizontalAdvance(words) + 2 * style.px(WORDS_PAD_PX))
        if wide > room:
            return x
        buttons.append(Button(_BESIDE, words, QRectF(round(x), 0, wide, style.px(TOOL_PX)), text=words))
        return x + wide + 2

    def _add_words(self, buttons: list[Button], x: float, style: TranscriptStyle, *, room: float) -> float:
        """Add the tools with words that fit into ``room``, and return the x where the next thing begins.

        The menu has all tools.
        """
        metrics, height, last = style.metrics("muted"), style.px(TOOL_PX), x + room
        for tool in self.tools:
            if not tool.icon:
                text = metrics.elidedText(tool.text, Qt.TextElideMode.ElideRight, style.px(_WORDS_PX))
                wide = metrics.horizontalAdvance(text) + 2 * style.px(WORDS_PAD_PX)
                if x + wide > last:
                    break
                area = QRectF(round(x), 0, round(wide), height)
                buttons.append(
                    Button(tool.action, tool.label, area, text=text, is_enabled=tool.is_enabled, acts=tool.acts)
                )
                x = area.right() + 2
        return x

    def _version_buttons(self, x: float, side: float, count_wide: float) -> list[Button]:
        shown, count = self.versions
        if count < 2:
            return []
        left, right = QRectF(x, 0, side, side), QRectF(x + side + count_wide, 0, side, side)
        self._count_area = QRectF(left.right(), 0, count_wide, side)
        return [
            Button("version-previous", tr("Previous version"), left, "chevron-left", is_enabled=shown > 1),
            Button("version-next", tr("Next version"), right, "chevron-right", is_enabled=shown < count),
        ]

    def buttons(self) -> tuple[Button, ...]:
        return self._buttons

    def tip_at(self, point: QPointF) -> str:
        if self.versions[1] > 1 and self._count_area.contains(point):
            return self._versions_tip
        return self._tip if self._time_area.contains(point) else ""

    def paint(self, painter: QPainter, state: PaintState) -> None:
        count = self.versions[1]
        if not state.is_active and count < 2:
            return
        style = state.style
        for button in self._buttons:
            if state.is_active or button.action in _VERSIONS:
                paint_button(painter, button, state)
        painter.setFont(style.font("muted"))
        painter.setPen(style.colour("muted"))
        if count > 1:
            painter.drawText(self._count_area, int(Qt.AlignmentFlag.AlignCenter), self._count_text)
        if not state.is_active:
            return
        near, far = Qt.AlignmentFlag.AlignLeft, Qt.AlignmentFlag.AlignRight
        if style.is_mirrored:
            near, far = far, near
        if state.is_attended:
            painter.drawText(self._time_area, int(Qt.AlignmentFlag.AlignVCenter | near), self.time)
        if self.note and not self.is_right_aligned:
            room = self._note_area.width()
            note = _whole_figures(self.note, style, room)
            painter.drawText(self._note_area, int(Qt.AlignmentFlag.AlignVCenter | far), note)


def _mirrored(area: QRectF, width: float) -> QRectF:
    return QRectF(width - area.right(), area.y(), area.width(), area.height())


def _whole_figures(note: str, style: TranscriptStyle, room: float) -> str:
    """Return as many of the figures as fit: half a number would be another number."""
    shown, metrics = note.split(" · "), style.metrics("muted")
    while shown and metrics.horizontalAdvance(" · ".join(shown)) > room:
        shown.pop()
    return " · ".join(shown)


def _turned(icon: str) -> str:
    return {"chevron-left": "chevron-right", "chevron-right": "chevron-left"}.get(icon, icon)
