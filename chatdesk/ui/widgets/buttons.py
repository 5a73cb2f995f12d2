"""Buttons that paint themselves: an icon alone, or a pill with text.

They take the focus by Tab and not by click, so that a click beside the composer does not stop the typing.
"""

from __future__ import annotations

from PySide6.QtCore import QEvent, QPoint, QRectF, QSize, Qt
from PySide6.QtGui import (
    QColor,
    QEnterEvent,
    QFocusEvent,
    QFontMetrics,
    QKeyEvent,
    QKeySequence,
    QMouseEvent,
    QPainter,
    QPaintEvent,
)
from PySide6.QtWidgets import QAbstractButton, QMenu, QPushButton, QSizePolicy, QToolTip, QWidget

from chatdesk.core.texts import shown, tr
from chatdesk.ui.accessibility.assistance import announce
from chatdesk.ui.theme.icons import paint_icon
from chatdesk.ui.theme.theme import Theme
from chatdesk.ui.theme.tokens import FOCUS_RING_PX, HIT_TARGET_PX, ICON_PX, FontRole
from chatdesk.ui.widgets.elided_label import set_plain_tooltip
from chatdesk.ui.widgets.focus_ring import shows_ring
from chatdesk.ui.widgets.outside import open_outside
from chatdesk.ui.widgets.painting import paint_box, paint_focus_ring

DISABLED_OPACITY = 0.4


class ThemedButton(QAbstractButton):
    """The base of both kinds of buttons: name, tooltip, keys, repainting when the look changes."""

    _OPENS_UP = False
    _repeats = False

    def __init__(self, theme: Theme, *, name: str, object_name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._menu: QMenu | None = None
        self._is_ringed = True
        self.setObjectName(object_name)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.set_name(name)
        self.clicked.connect(self._open_menu)
        theme.changed.connect(self._on_theme_changed)

    def set_name(self, name: str, *, tooltip: str | None = None) -> None:
        """Set the name that a screen reader says; the tooltip is the same unless given."""
        self.setAccessibleName(shown(name))
        set_plain_tooltip(self, name if tooltip is None else tooltip)

    def setText(self, text: str) -> None:
        """Show the text as it is: an & in the name of a model or a project makes no letter a key."""
        super().setText(shown(text))
        self.setShortcut(QKeySequence())

    @property
    def menu(self) -> QMenu | None:
        return self._menu

    def set_menu(self, menu: QMenu | None) -> None:
        """Open ``menu`` beside the button when it is pressed; also with Down."""
        self._menu = menu

    def popup(self, menu: QMenu, *, is_above: bool = False) -> None:
        """Open a menu below the button, or above it; it stays within the window's sides."""
        size = menu.sizeHint()
        corner = QPoint(0, -4 - size.height() if is_above else self.height() + 4)
        window = self.window()
        is_at_end = self.mapTo(window, QPoint(0, 0)).x() + size.width() > window.width()
        if self.layoutDirection() is Qt.LayoutDirection.RightToLeft or is_at_end:
            corner.setX(self.width() - size.width())
        menu.popup(self.mapToGlobal(corner))

    def focusInEvent(self, event: QFocusEvent) -> None:
        self._is_ringed = shows_ring(event.reason(), before=self._is_ringed)
        super().focusInEvent(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        self._is_ringed = True
        self.update()
        is_enter = event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter)
        if is_enter and event.isAutoRepeat():
            return  # a key that is held presses once
        if is_enter or (event.key() == Qt.Key.Key_Down and self._menu is not None):
            self.click()
        else:
            super().keyPressEvent(event)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """Press once by a double click, the second half of which may be over what took the place of another button."""
        if self._repeats:
            super().mouseDoubleClickEvent(event)

    def minimumSizeHint(self) -> QSize:
        return self.sizeHint()

    def enterEvent(self, event: QEnterEvent) -> None:
        super().enterEvent(event)
        self.update()

    def leaveEvent(self, event: QEvent) -> None:
        super().leaveEvent(event)
        self.update()

    @property
    def shows_ring(self) -> bool:
        """Return whether the button has the focus, and got it by keyboard or was used by it."""
        return self.hasFocus() and self._is_ringed

    def _is_hot(self) -> bool:
        return self.isEnabled() and (self.underMouse() or self.isDown())

    def _open_menu(self) -> None:
        if self._menu is not None:
            self.popup(self._menu, is_above=self._OPENS_UP)

    def _on_theme_changed(self) -> None:
        self.updateGeometry()
        self.update()


class IconButton(ThemedButton):
    """An icon, at least 28 px to hit. ``name`` is for screen readers and the tooltip. ``repeats``: clicks that follow
    each other quickly count, as for stepping through something."""

    def __init__(
        self,
        theme: Theme,
        icon_name: str,
        *,
        name: str,
        object_name: str,
        is_filled: bool = False,
        side_px: int = HIT_TARGET_PX,
        repeats: bool = False,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(theme, name=name, object_name=object_name, parent=parent)
        self._icon_name = icon_name
        self._repeats = repeats
        self._is_filled = is_filled
        self._side_px = max(HIT_TARGET_PX, side_px)

    def set_icon_name(self, icon_name: str) -> None:
        self._icon_name = icon_name
        self.update()

    def sizeHint(self) -> QSize:
        side = self._theme.target_px(self._side_px)
        return QSize(side, side)

    def paintEvent(self, _event: QPaintEvent) -> None:
        theme = self._theme
        painter = QPainter(self)
        area = QRectF(self.rect())
        radius = theme.tokens.radius.row if not self._is_filled else theme.tokens.radius.code
        fill, ink = self._colours()
        if fill is not None:
            # A ring at the very edge of the accent would not be seen.
            gap = FOCUS_RING_PX + 1 if self._is_filled and self.shows_ring else 0
            paint_box(painter, area.adjusted(gap, gap, -gap, -gap), radius - gap, fill=fill)
        side = ICON_PX * max(1.0, theme.scale)
        corner = area.center()
        if not self.isEnabled() and not self._is_filled:
            painter.setOpacity(DISABLED_OPACITY)
        paint_icon(painter, QRectF(corner.x() - side / 2, corner.y() - side / 2, side, side), self._icon_name, ink)
        painter.setOpacity(1.0)
        if self.shows_ring:
            paint_focus_ring(painter, area, radius, theme.colour("text" if self._is_filled else "accent"))

    def _colours(self) -> tuple[QColor | None, QColor]:
        theme = self._theme
        if self._is_filled:
            if not self.isEnabled():
                return theme.colour("hover"), theme.colour("muted")
            return theme.colour("accent_hover" if self._is_hot() else "accent"), theme.colour("on_accent")
        if self.isChecked() or self.isDown():
            return theme.colour("selected"), theme.colour("text")
        return (theme.colour("hover"), theme.colour("text")) if self._is_hot() else (None, theme.colour("muted"))


class PillButton(ThemedButton):
    """Text in a rounded border, with an icon before it and an arrow after it if wanted."""

    _PADDING_PX = 10
    _GAP_PX = 6
    _ROLE: FontRole = "table"
    _MAX_TEXT_PX = 220
    _MIN_PX = 72
    _ALIGNMENT = Qt.AlignmentFlag.AlignCenter
    _RADIUS_PX: float | None = None  # None: round ends
    _BORDER = "line"

    def __init__(
        self,
        theme: Theme,
        text: str,
        *,
        object_name: str,
        name: str | None = None,
        icon_name: str | None = None,
        has_arrow: bool = False,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(theme, name=name or text, object_name=object_name, parent=parent)
        self._icon_name = icon_name
        self._has_arrow = has_arrow
        self.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Fixed)
        self.setText(text)

    def setText(self, text: str) -> None:
        super().setText(text)
        self.updateGeometry()

    def set_icon(self, icon_name: str) -> None:
        """Replace the icon."""
        self._icon_name = icon_name
        self.update()

    def sizeHint(self) -> QSize:
        width: float = 2 * self._PADDING_PX + self._text_px()
        mark = self._mark_px() + self._GAP_PX
        width += mark * (int(self._icon_name is not None) + int(self._has_arrow))
        return QSize(max(round(width), self._theme.target_px(0)), self._theme.target_px())

    def minimumSizeHint(self) -> QSize:
        # The text may be cut short where there is little room.
        wanted = self.sizeHint()
        return QSize(min(wanted.width(), round(self._MIN_PX * self._theme.scale)), wanted.height())

    def paintEvent(self, _event: QPaintEvent) -> None:
        theme = self._theme
        painter = QPainter(self)
        area = QRectF(self.rect())
        radius = area.height() / 2 if self._RADIUS_PX is None else self._RADIUS_PX
        fill = theme.colour("hover" if self._is_hot() else "card")
        paint_box(painter, area, radius, fill=fill, border=theme.colour(self._BORDER))
        ink = theme.colour("text" if self.isEnabled() else "muted")
        inner = area.adjusted(self._PADDING_PX, 0, -self._PADDING_PX, 0)
        if self._icon_name is not None:
            paint_icon(painter, self._mark_area(inner, at_start=True), self._icon_name, ink)
            inner = self._without_mark(inner, at_start=True)
        if self._has_arrow:
            paint_icon(painter, self._mark_area(inner, at_start=False), "chevron-down", ink)
            inner = self._without_mark(inner, at_start=False)
        painter.setFont(theme.font(self._ROLE))
        painter.setPen(ink)
        text = painter.fontMetrics().elidedText(self.text(), Qt.TextElideMode.ElideRight, int(inner.width()) + 1)
        painter.drawText(inner, int(self._ALIGNMENT | Qt.TextFlag.TextSingleLine), text)
        if self.shows_ring:
            paint_focus_ring(painter, area, radius, theme.colour("accent"))

    def _text_px(self) -> int:
        width = QFontMetrics(self._theme.font(self._ROLE)).horizontalAdvance(self.text()) + 1
        return min(width, round(self._MAX_TEXT_PX * self._theme.scale))

    def _mark_px(self) -> float:
        return 14 * max(1.0, self._theme.scale)

    def _is_at_left(self, at_start: bool) -> bool:
        return at_start is (self.layoutDirection() is Qt.LayoutDirection.LeftToRight)

    def _mark_area(self, inner: QRectF, *, at_start: bool) -> QRectF:
        side = self._mark_px()
        left = inner.left() if self._is_at_left(at_start) else inner.right() - side
        return QRectF(left, inner.center().y() - side / 2, side, side)

    def _without_mark(self, inner: QRectF, *, at_start: bool) -> QRectF:
        taken = self._mark_px() + self._GAP_PX
        if self._is_at_left(at_start):
            return inner.adjusted(taken, 0, 0, 0)
        return inner.adjusted(0, 0, -taken, 0)


class ComposerChip(PillButton):
    """A chip below the text for an option that is on for the question. Its menu opens above it."""

    _RADIUS_PX = 8.0
    _OPENS_UP = True


class LinkButton(QPushButton):
    """A button that opens an address in the browser. ``url`` must come from ChatDesk itself: it is opened without
    asking."""

    def __init__(self, text: str, url: str, *, object_name: str) -> None:
        super().__init__(text)
        self.setObjectName(object_name)
        self.setAccessibleName(text)
        self.set_url(url)
        self.setProperty("isLink", True)
        self.setAutoDefault(False)
        self.setFlat(True)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.clicked.connect(self._on_clicked)

    def set_url(self, url: str) -> None:
        """Open another address from now on."""
        self._url = url
        self.setAccessibleDescription(tr("Opens {url} in the browser.", url=url))
        set_plain_tooltip(self, url)

    def _on_clicked(self) -> None:
        if problem := open_outside(self._url):
            QToolTip.showText(self.mapToGlobal(self.rect().bottomLeft()), problem, self)
            announce(self, problem)
