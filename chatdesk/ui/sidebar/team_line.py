"""A line with one sentence, which can be pressed for more: sync where a workspace was joined, questions that wait to be
sent, or a temporary chat."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from chatdesk.core.texts import Text, shown, tr
from chatdesk.ui.accessibility.announce import announce
from chatdesk.ui.theme.icons import paint_icon
from chatdesk.ui.theme.theme import Theme
from chatdesk.ui.theme.tokens import ICON_PX
from chatdesk.ui.widgets.buttons import ThemedButton
from chatdesk.ui.widgets.painting import draw_line, mirrored, paint_box, paint_focus_ring
from chatdesk.ui.widgets.plain_tooltip import set_plain_tooltip

# By tone: the icon, and the colours of icon and words. What differs is never the colour alone.
_TONES: Final = {
    "calm": ("cloud", "muted", "muted"),
    "offline": ("cloud-off", "muted", "text"),
    "waiting": ("clock", "muted", "text"),
    "temporary": ("eye-off", "muted", "text"),
    "refused": ("circle-alert", "danger", "danger"),
}
_PAD_PX = 8  # as the line of what was saved begins below it


class TeamLine(ThemedButton):
    def __init__(
        self,
        theme: Theme,
        parent: QWidget | None = None,
        *,
        what: str = Text("Sync"),
        object_name: str = "teamStatus",
        opens: str = Text("Opens the details of sync"),
    ) -> None:
        super().__init__(theme, name=shown(what), object_name=object_name, parent=parent)
        self.tone = "calm"
        self._said_tone = "calm"
        self._what = shown(what)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.setAccessibleDescription(shown(opens))

    def show_status(self, text: str, *, tone: str, tip: str, is_under_way: bool = False) -> None:
        """Show the state of sync; the tooltip ``tip`` has what does not fit. It is announced only when its tone differs
        from the one announced last, and not while a try is under way (``is_under_way``), which may fail as the one
        before."""
        is_other = tone != self._said_tone and bool(self.text()) and not is_under_way
        if not is_under_way:
            self._said_tone = tone
        self.tone = tone
        self.setText(text)
        self.setAccessibleName(tr("{what}: {text}", what=self._what, text=text))
        set_plain_tooltip(self, tip or text)
        self.update()
        if is_other:
            announce(self, text)

    def sizeHint(self) -> QSize:
        return QSize(80, self._theme.target_px())

    def paintEvent(self, _event: QPaintEvent) -> None:
        theme, tokens = self._theme, self._theme.tokens
        name, icon_colour, text_colour = _TONES[self.tone]
        painter = QPainter(self)
        whole, direction = QRectF(self.rect()), self.layoutDirection()
        if self._is_hot():
            paint_box(painter, whole, tokens.radius.row, fill=theme.colour("hover"))
        side = ICON_PX * max(1.0, theme.scale)
        sign = QRectF(_PAD_PX, (self.height() - side) / 2, side, side)
        paint_icon(painter, mirrored(sign, whole, direction), name, theme.colour(icon_colour))
        painter.setFont(theme.font("muted"))
        painter.setPen(theme.colour(text_colour))
        left = sign.right() + tokens.space.s
        area = QRectF(left, 0, max(0.0, whole.width() - left - _PAD_PX), whole.height())
        text = painter.fontMetrics().elidedText(self.text(), Qt.TextElideMode.ElideRight, int(area.width()))
        draw_line(painter, mirrored(area, whole, direction), text, direction)
        if self.shows_ring:
            paint_focus_ring(painter, whole, tokens.radius.row, theme.colour("accent"))
        painter.end()
