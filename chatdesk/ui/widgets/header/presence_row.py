"""The presence of others at a shared thread, in the thread's header: up to four discs with initials, and who types."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QFontMetrics, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from chatdesk.core.name_order import name_key
from chatdesk.core.texts import plural, shown, tr
from chatdesk.ui.local_forms import number_text
from chatdesk.ui.theme.theme import Theme
from chatdesk.ui.widgets.badges import paint_badge
from chatdesk.ui.widgets.elided_label import set_plain_tooltip
from chatdesk.ui.widgets.painting import line_start, mirrored
from chatdesk.ui.widgets.words import with_commas

MOST_BADGES = 4
_BADGE_PX, _GAP_PX, _RING_PX = 22, 3, 2
_WIDEST_WORDS_PX, _LEAST_WORDS_PX = 220, 40


@dataclass(frozen=True, slots=True)
class PresentMember:
    """A member who is present. ``is_in_thread``: at the open thread, not elsewhere in its project."""

    member_id: str
    name: str
    is_typing: bool = False
    is_in_thread: bool = True


class PresenceRow(QWidget):
    """A row of people. Its accessible name says all of it; it changes without being announced."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self.people: tuple[PresentMember, ...] = ()
        self.words = ""
        self.setObjectName("presence")
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self.setVisible(False)
        theme.changed.connect(self._on_theme_changed)

    def set_people(self, people: Sequence[PresentMember]) -> None:
        """Set the people: those in the thread come first, and of these those who type."""
        ordered = tuple(
            sorted(people, key=lambda each: (not each.is_typing, not each.is_in_thread, name_key(each.name)))
        )
        if ordered == self.people:
            return
        self.people = ordered
        self.words = typing_words([each.name for each in ordered if each.is_typing])
        text = ", ".join(filter(None, (here_words(ordered), self.words)))
        self.setAccessibleName(text)
        set_plain_tooltip(self, text)
        self.setVisible(bool(ordered))
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:
        least = self.minimumSizeHint()
        words = self._theme.tokens.space.s + self._words_width() if self.words else 0
        return QSize(least.width() + words, least.height())

    def minimumSizeHint(self) -> QSize:
        """Return the size without the text of who types: without room for it, it is left to the tooltip and to screen
        readers."""
        side = self._side()
        discs = min(len(self.people), MOST_BADGES)
        more = self._metrics().horizontalAdvance(self.more) if self.more else 0
        return QSize(round(discs * (side + _GAP_PX) + more) + 2, round(side) + 2 * _RING_PX)

    def paintEvent(self, _event: QPaintEvent) -> None:
        theme, side = self._theme, self._side()
        painter = QPainter(self)
        whole, direction = QRectF(self.rect()), self.layoutDirection()
        font, x, top = theme.font("muted"), 0.0, (self.height() - side) / 2
        for person in self.people[:MOST_BADGES]:
            area = mirrored(QRectF(x, top, side, side), whole, direction)
            paint_badge(painter, area, person.name, key=person.member_id, tokens=theme.tokens, font=font)
            x += side + _GAP_PX
        metrics = self._metrics()
        painter.setFont(font)
        painter.setPen(theme.colour("muted"))
        flags = line_start(direction)
        if self.more:
            wide = metrics.horizontalAdvance(self.more)
            painter.drawText(mirrored(QRectF(x, 0, wide + 1, self.height()), whole, direction), flags, self.more)
            x += wide
        x += theme.tokens.space.s
        wide = min(self._words_width(), int(whole.width() - x))
        if self.words and wide >= _LEAST_WORDS_PX:
            text = metrics.elidedText(self.words, Qt.TextElideMode.ElideRight, wide)
            painter.drawText(mirrored(QRectF(x, 0, wide + 1, self.height()), whole, direction), flags, text)
        painter.end()

    @property
    def more(self) -> str:
        """The number of people for whom there is no room, as it is shown; empty if all have a badge."""
        left = len(self.people) - MOST_BADGES
        return f" +{number_text(left)}" if left > 0 else ""

    def _side(self) -> float:
        return float(round(_BADGE_PX * max(1.0, self._theme.scale)))

    def _metrics(self) -> QFontMetrics:
        return QFontMetrics(self._theme.font("muted"))

    def _words_width(self) -> int:
        most = round(_WIDEST_WORDS_PX * max(1.0, self._theme.scale))
        return min(most, self._metrics().horizontalAdvance(self.words) + 1)

    def _on_theme_changed(self) -> None:
        self.updateGeometry()
        self.update()


def typing_words(names: Sequence[str]) -> str:
    """ "Ana is typing…"; empty for nobody."""
    if not names:
        return ""
    if len(names) == 1:
        return tr("{first} is typing…", first=names[0])
    if len(names) == 2:
        return tr("{first} and {second} are typing…", first=names[0], second=names[1])
    return shown(plural("{count} people are typing…", "{count} person is typing…", len(names)))


def here_words(people: Sequence[PresentMember]) -> str:
    """ "Here now: Ana, Ben (elsewhere in the project)"; empty for nobody."""
    if not people:
        return ""
    names = [
        each.name if each.is_in_thread else tr("{name} (elsewhere in the project)", name=each.name) for each in people
    ]
    return tr("Here now: {names}", names=with_commas(names))
