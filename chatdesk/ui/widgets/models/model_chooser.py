"""Chooses a model: a box to search in over a list that is grouped by provider, liked ones first."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Final

from PySide6.QtCore import (
    QEvent,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    QPoint,
    QRect,
    QRectF,
    Qt,
    Signal,
    SignalInstance,
)
from PySide6.QtGui import QKeyEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import (
    QApplication,
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QListView,
    QPushButton,
    QStyleOptionViewItem,
    QVBoxLayout,
    QWidget,
)

from chatdesk.core.texts import plural, shown, tr
from chatdesk.ui.accessibility.assistance import announce, named
from chatdesk.ui.accessibility.pressed_rows import offer_press
from chatdesk.ui.theme.compositing import round_corners
from chatdesk.ui.theme.icons import paint_icon
from chatdesk.ui.theme.theme import Theme
from chatdesk.ui.theme.tokens import ICON_PX
from chatdesk.ui.widgets.buttons import IconButton
from chatdesk.ui.widgets.models.model_rows import (
    CURRENT_ROLE,
    HEADING_ROLE,
    LIKED_ROLE,
    ModelRows,
    ProviderChoices,
    rows_of,
)
from chatdesk.ui.widgets.painting import draw_line, mirrored, paint_floating
from chatdesk.ui.widgets.stray_keys import press_focused
from chatdesk.ui.widgets.uniform_row_delegate import UniformRowDelegate

_WIDTH_PX, _ROW_PX, _MARGIN_PX = 380, 32, 8
_MOST_ROWS, _FEWEST_ROWS = 11, 2
_MARK_GAP_PX = 10  # before and after the marks of a row
_EDGE_PX = 8  # between it and the edge of the window
_MOVES: Final = {
    Qt.Key.Key_Down,
    Qt.Key.Key_Up,
    Qt.Key.Key_PageDown,
    Qt.Key.Key_PageUp,
}


class ModelChooser(QFrame):
    """Closes when one is ``chosen``. Ctrl+D toggles the liking of the marked model (``likeToggled``). ``has_actions``:
    further actions on models are below the list. ``blank`` labels the row that chooses no model; without it the row is
    absent."""

    chosen = Signal(str, str)
    likeToggled = Signal(str, str, bool)
    compareRequested = Signal()
    compareLeft = Signal()
    refreshRequested = Signal()
    addRequested = Signal()
    manageRequested = Signal()

    def __init__(
        self, theme: Theme, parent: QWidget | None = None, *, has_actions: bool = True, blank: str = ""
    ) -> None:
        super().__init__(parent, Qt.WindowType.Popup)
        self._theme = theme
        self._blank = blank
        self._current: Collection[tuple[str, str]] = ()
        self._leave_compare: QPushButton | None = None
        self._buttons: list[QPushButton] = []
        self._models: Sequence[ProviderChoices] = ()
        self._liked: set[tuple[str, str]] = set()
        self.setObjectName("modelChooser")
        self.setAccessibleName(tr("Choose a model"))
        round_corners(self, theme.tokens.radius.row)
        self.search = named(QLineEdit(), "modelSearch", tr("Search models"))
        self.search.setAccessibleDescription(tr("Up and Down move, Enter chooses, Ctrl+D marks a favourite."))
        self.search.setPlaceholderText(tr("Search models"))
        self.search.setClearButtonEnabled(True)
        self.list = named(_ModelList(), "modelList", tr("Models"))
        self.list.setUniformItemSizes(True)
        self.list.setMouseTracking(True)
        self.list.setFrameShape(QFrame.Shape.NoFrame)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.rows = ModelRows(self)
        self.list.setModel(self.rows)
        self.list.setItemDelegate(_Delegate(theme, self.list))
        self._note = QLabel()
        self._note.setObjectName("modelChooserNote")
        self._note.setTextFormat(Qt.TextFormat.PlainText)
        self._note.setProperty("textRole", "muted")
        self._note.setWordWrap(True)
        refresh = IconButton(
            theme, "refresh-cw", name=tr("Fetch the lists of models again"), object_name="modelRefresh"
        )
        if not has_actions:  # shown here, before it has a parent, it would be a window that takes the focus
            refresh.hide()
        top = QHBoxLayout()
        top.addWidget(self.search, 1)
        top.addWidget(refresh)
        column = QVBoxLayout(self)
        column.setContentsMargins(_MARGIN_PX, _MARGIN_PX, _MARGIN_PX, _MARGIN_PX)
        column.setSpacing(6)
        column.addLayout(top)
        column.addWidget(self._note)
        column.addWidget(self.list, 1)
        if has_actions:
            column.addLayout(self._actions())
        self.search.textChanged.connect(self._on_search_changed)
        self.search.installEventFilter(self)
        self.list.clicked.connect(self._choose)
        refresh.clicked.connect(self.refreshRequested)
        self.setStyleSheet("#modelChooser, #modelList { background: transparent; border: none; }")

    def show_models(self, models: Sequence[ProviderChoices], liked: Collection[tuple[str, str]]) -> None:
        """Fill the list, even while it is open; the marked row stays marked."""
        self._models, self._liked = models, set(liked)
        self._fill(self._marked())
        if self.isVisible():
            self._fit()

    def open_below(self, anchor: QWidget, current: tuple[str, str] | None) -> None:
        """Show it below ``anchor``, inside its screen, with ``current`` marked."""
        self._open(() if current is None else (current,))
        self._move_to(anchor.mapToGlobal(QPoint(anchor.width() - self.width(), anchor.height() + 4)))

    def open_comparing(self, anchor: QWidget, compared: Collection[tuple[str, str]]) -> None:
        """Open the chooser with several models ticked, which are asked at once; comparing can be ended here."""
        self._open(compared)
        self._move_to(anchor.mapToGlobal(QPoint(anchor.width() - self.width(), anchor.height() + 4)))

    def open_at(self, corner: QPoint) -> None:
        """Show it at a place on the screen, inside the window; none is ticked."""
        self._open(())
        self._move_to(corner)

    def _open(self, ticked: Collection[tuple[str, str]]) -> None:
        self._current = ticked
        if self._leave_compare is not None:
            self._leave_compare.setVisible(len(ticked) > 1)
        self.search.clear()
        self._fill(next(iter(ticked), None))
        self._fit()

    def _move_to(self, corner: QPoint) -> None:
        anchor = self.parentWidget() or self
        window = anchor.window()
        inside = QRect(window.mapToGlobal(QPoint(0, 0)), window.size()).intersected(anchor.screen().availableGeometry())
        inside = inside.adjusted(_EDGE_PX, 0, -_EDGE_PX, 0)
        left = max(inside.left(), min(corner.x(), inside.right() - self.width()))
        self.move(left, max(inside.top(), min(corner.y(), inside.bottom() - self.height())))
        self.show()
        self.search.setFocus(Qt.FocusReason.PopupFocusReason)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if watched is self.search and isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress:
            if event.key() in _MOVES:
                QApplication.sendEvent(self.list, event)
                self._announce_marked()
                return True
            if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
                self._choose(self.list.currentIndex())
                return True
            if event.key() == Qt.Key.Key_D and event.modifiers() == Qt.KeyboardModifier.ControlModifier:
                self._toggle_like()
                return True
        return super().eventFilter(watched, event)

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        paint_floating(painter, QRectF(self.rect()), self._theme.tokens.radius.row, self._theme)
        painter.end()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Enter presses the button that has the focus, as in dialogs."""
        if not press_focused(self, event):
            super().keyPressEvent(event)

    def _actions(self) -> QGridLayout:
        grid = self._grid = QGridLayout()
        grid.setSpacing(6)
        actions = (
            ("modelCompare", tr("Compare models…"), self.compareRequested),
            ("modelManage", tr("Manage models…"), self.manageRequested),
            ("modelAddProvider", tr("Add provider…"), self.addRequested),
        )
        for name, words, wish in actions:
            button = named(QPushButton(words), name, words)
            button.setAutoDefault(False)
            button.clicked.connect(lambda _checked=False, wish=wish: self._on_action_clicked(wish))
            self._buttons.append(button)
        leave = self._leave_compare = QPushButton(tr("Stop comparing"))
        leave.setObjectName("modelStopComparing")
        leave.setAccessibleName(leave.text())
        leave.setAutoDefault(False)
        leave.clicked.connect(lambda: self._on_action_clicked(self.compareLeft))
        leave.hide()
        grid.addWidget(leave, len(actions), 0, 1, 2)
        return grid

    def _place_actions(self) -> None:
        """Put the first two side by side where there is room for their words, else all below each other."""
        room = (self.contentsRect().width() - 2 * _MARGIN_PX - self._grid.spacing()) // 2
        is_narrow = any(button.sizeHint().width() > room for button in self._buttons[:2])
        for place, button in enumerate(self._buttons):
            self._grid.removeWidget(button)
            if is_narrow or place == len(self._buttons) - 1:
                self._grid.addWidget(button, place, 0, 1, 2)
            else:
                self._grid.addWidget(button, 0, place)

    def _fit(self) -> None:
        """Make the chooser as high as its rows, within bounds."""
        scale = max(1.0, self._theme.scale)
        shown = min(_MOST_ROWS, max(_FEWEST_ROWS, self.rows.rowCount()))
        self.list.setFixedHeight(shown * self._theme.target_px(_ROW_PX) + 2)
        anchor, wanted = self.parentWidget(), round(_WIDTH_PX * scale)
        self.setFixedWidth(wanted if anchor is None else min(wanted, anchor.window().width() - 2 * _EDGE_PX))
        if self._buttons:
            self._place_actions()
        layout = self.layout()
        assert layout is not None
        layout.activate()
        self.resize(self.width(), self.sizeHint().height())

    def _fill(self, marked: tuple[str, str] | None) -> None:
        has_models = any(choices for _provider, _label, choices in self._models)
        self._note.setText(tr("No model matches.") if has_models else tr("There is no model yet. Add a provider."))
        rows = rows_of(self._models, self.search.text(), self._liked, blank=self._blank)
        self.rows.show_rows(rows, self._liked, current=self._current)
        place = self.rows.place_of(*marked) if marked is not None else -1
        place = place if place >= 0 else self.rows.first()
        self._note.setVisible(place < 0)
        if place >= 0:
            self.list.setCurrentIndex(self.rows.index(place, 0))
            self.list.scrollTo(self.list.currentIndex())

    def _marked(self) -> tuple[str, str] | None:
        row = self.rows.row(self.list.currentIndex())
        return (row.provider, row.model) if row is not None and not row.is_heading else None

    def _announce_marked(self) -> None:
        said = self.rows.data(self.list.currentIndex(), Qt.ItemDataRole.AccessibleTextRole)
        announce(self.search, str(said or ""))

    def _choose(self, index: QModelIndex | QPersistentModelIndex) -> None:
        row = self.rows.row(index)
        if row is not None and not row.is_heading:
            self.close()
            self.chosen.emit(row.provider, row.model)

    def _toggle_like(self) -> None:
        marked = self._marked()
        if marked is None:
            return
        is_liked = marked not in self._liked
        self._liked ^= {marked}
        self._fill(marked)
        self.likeToggled.emit(*marked, is_liked)
        announce(self.search, tr("Marked as a favourite") if is_liked else tr("No longer a favourite"))

    def _on_search_changed(self) -> None:
        self._fill(None)
        count = self.rows.count()
        announce(self.search, shown(plural("{count} models", "{count} model", count)))

    def _on_action_clicked(self, wish: SignalInstance) -> None:
        self.close()
        wish.emit()


class _ModelList(QListView):
    def __init__(self) -> None:
        super().__init__()
        offer_press(_ModelList)


class _Delegate(UniformRowDelegate):
    """A row: a heading in small letters, or a label with a star when it is liked."""

    def __init__(self, theme: Theme, shown_in: QListView) -> None:
        super().__init__(theme, _ROW_PX, shown_in)
        self._list = shown_in

    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        area: QRect = option.rect
        is_marked = index == self._list.currentIndex()
        is_heading = bool(index.data(HEADING_ROLE))
        painter.save()
        if is_marked and not is_heading:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(self._theme.colour("selected"))
            painter.drawRoundedRect(area.adjusted(2, 1, -2, -1), 6, 6)
        painter.setFont(self._theme.font("group" if is_heading else "text"))
        painter.setPen(self._theme.colour("muted" if is_heading else "text"))
        side_px = round(ICON_PX * max(1.0, self._theme.scale))
        words = area.adjusted(10, 0, -(2 * (side_px + _MARK_GAP_PX) + _MARK_GAP_PX), 0)
        text = painter.fontMetrics().elidedText(str(index.data()), Qt.TextElideMode.ElideMiddle, words.width())

        def place(part: QRect) -> QRectF:
            return mirrored(QRectF(part), QRectF(area), option.direction)

        draw_line(painter, place(words), text, option.direction)
        if index.data(LIKED_ROLE) and not is_heading:
            star = _mark_at(area, 2, side_px)
            paint_icon(painter, place(star), "star", self._theme.colour("muted"))
        if index.data(CURRENT_ROLE):
            tick = _mark_at(area, 1, side_px)
            paint_icon(painter, place(tick), "check", self._theme.colour("text"))
        painter.restore()


def _mark_at(area: QRect, place: int, side_px: int) -> QRect:
    """Return where the mark in this ``place`` from the end of a row is."""
    left = area.right() - place * (side_px + _MARK_GAP_PX)
    return QRect(left, area.center().y() - side_px // 2, side_px, side_px)
