"""Chooses one of many models: a box to search in over a list that is grouped by provider, liked ones first."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Final

from PySide6.QtCore import QEvent, QModelIndex, QObject, QPersistentModelIndex, QPoint, QRect, QSize, Qt, Signal
from PySide6.QtGui import QKeyEvent, QPainter
from PySide6.QtWidgets import (
    QApplication,
    QFrame,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QListView,
    QPushButton,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QVBoxLayout,
    QWidget,
)

from chatdesk.ui.accessibility.announce import announce
from chatdesk.ui.theme.icons import paint_icon
from chatdesk.ui.theme.theme import Theme
from chatdesk.ui.theme.tokens import ICON_PX
from chatdesk.ui.widgets.model_rows import HEADING_ROLE, LIKED_ROLE, ModelRows, ProviderChoices, rows_of

_WIDTH_PX, _HEIGHT_PX, _ROW_PX = 400, 420, 32
_MOVES: Final = {
    Qt.Key.Key_Down,
    Qt.Key.Key_Up,
    Qt.Key.Key_PageDown,
    Qt.Key.Key_PageUp,
}


class ModelChooser(QFrame):
    """Closes when one is ``chosen``. Ctrl+D likes the marked model or no longer (``likeToggled`` says which)."""

    chosen = Signal(str, str)
    likeToggled = Signal(str, str, bool)
    compareRequested = Signal()
    refreshRequested = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent, Qt.WindowType.Popup)
        self._theme = theme
        self._models: Sequence[ProviderChoices] = ()
        self._liked: set[tuple[str, str]] = set()
        self.setObjectName("modelChooser")
        self.setAccessibleName("Choose a model")
        self.search = QLineEdit()
        self.search.setObjectName("modelSearch")
        self.search.setAccessibleName("Search models")
        self.search.setAccessibleDescription("Up and Down move, Enter chooses, Ctrl+D marks a favourite.")
        self.search.setPlaceholderText("Search models")
        self.search.setClearButtonEnabled(True)
        self.list = QListView()
        self.list.setObjectName("modelList")
        self.list.setAccessibleName("Models")
        self.list.setUniformItemSizes(True)
        self.list.setMouseTracking(True)
        self.list.setFrameShape(QFrame.Shape.NoFrame)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.rows = ModelRows(self)
        self.list.setModel(self.rows)
        self.list.setItemDelegate(_Delegate(theme, self.list))
        self._note = QLabel("No model has these words.")
        self._note.setTextFormat(Qt.TextFormat.PlainText)
        self._note.setProperty("textRole", "muted")
        compare, refresh = QPushButton("Compare models…"), QPushButton("Fetch Lists Again")
        compare.setObjectName("modelCompare")
        refresh.setObjectName("modelRefresh")
        buttons = QHBoxLayout()
        for button in (compare, refresh):
            button.setAccessibleName(button.text())
            button.setAutoDefault(False)
            buttons.addWidget(button)
        column = QVBoxLayout(self)
        column.setContentsMargins(8, 8, 8, 8)
        column.setSpacing(6)
        column.addWidget(self.search)
        column.addWidget(self._note)
        column.addWidget(self.list, 1)
        column.addLayout(buttons)
        self.search.textChanged.connect(self._on_search_changed)
        self.search.installEventFilter(self)
        self.list.clicked.connect(self._choose)
        compare.clicked.connect(self._on_compare_clicked)
        refresh.clicked.connect(self.refreshRequested)
        self.setStyleSheet(
            f"#modelChooser {{ background: {theme.tokens.card}; border: 1px solid {theme.tokens.line};"
            f" border-radius: {theme.tokens.radius.row}px; }} #modelList {{ background: transparent; }}"
        )

    def show_models(self, models: Sequence[ProviderChoices], liked: Collection[tuple[str, str]]) -> None:
        """Fill it, also while it is open: what is marked stays so."""
        self._models, self._liked = models, set(liked)
        self._fill(self._marked())

    def open_below(self, anchor: QWidget, current: tuple[str, str] | None) -> None:
        """Show it below ``anchor``, inside its screen, with ``current`` marked."""
        scale = max(1.0, self._theme.scale)
        self.resize(QSize(round(_WIDTH_PX * scale), round(_HEIGHT_PX * scale)))
        self.search.clear()
        self._fill(current)
        corner = anchor.mapToGlobal(QPoint(anchor.width() - self.width(), anchor.height() + 4))
        screen = anchor.screen().availableGeometry()
        left = min(max(corner.x(), screen.left()), max(screen.left(), screen.right() - self.width()))
        self.move(left, min(corner.y(), max(screen.top(), screen.bottom() - self.height())))
        self.show()
        self.search.setFocus(Qt.FocusReason.PopupFocusReason)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if watched is self.search and isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress:
            if event.key() in _MOVES:
                QApplication.sendEvent(self.list, event)
                self._say_marked()
                return True
            if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
                self._choose(self.list.currentIndex())
                return True
            if event.key() == Qt.Key.Key_D and event.modifiers() == Qt.KeyboardModifier.ControlModifier:
                self._toggle_like()
                return True
        return super().eventFilter(watched, event)

    def _fill(self, marked: tuple[str, str] | None) -> None:
        self.rows.show_rows(rows_of(self._models, self.search.text(), self._liked), self._liked)
        place = self.rows.place_of(*marked) if marked is not None else -1
        place = place if place >= 0 else self.rows.first()
        self._note.setVisible(place < 0)
        if place >= 0:
            self.list.setCurrentIndex(self.rows.index(place, 0))
            self.list.scrollTo(self.list.currentIndex())

    def _marked(self) -> tuple[str, str] | None:
        row = self.rows.row(self.list.currentIndex())
        return (row.provider, row.model) if row is not None and not row.is_heading else None

    def _say_marked(self) -> None:
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
        announce(self.search, "Marked as a favourite" if is_liked else "No favourite any more")

    def _on_search_changed(self) -> None:
        self._fill(None)
        count = self.rows.count()
        announce(self.search, "1 model" if count == 1 else f"{count} models")

    def _on_compare_clicked(self) -> None:
        self.close()
        self.compareRequested.emit()


class _Delegate(QStyledItemDelegate):
    """A row: a heading in small letters, or a label with a star when it is liked."""

    def __init__(self, theme: Theme, shown_in: QListView) -> None:
        super().__init__(shown_in)
        self._theme = theme
        self._list = shown_in

    def sizeHint(self, _option: QStyleOptionViewItem, _index: QModelIndex | QPersistentModelIndex) -> QSize:
        return QSize(0, round(_ROW_PX * max(1.0, self._theme.scale)))

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
        words = area.adjusted(10, 0, -34, 0)
        text = painter.fontMetrics().elidedText(str(index.data()), Qt.TextElideMode.ElideMiddle, words.width())
        painter.drawText(words, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeading, text)
        if index.data(LIKED_ROLE) and not is_heading:
            star = QRect(area.right() - 28, area.center().y() - ICON_PX // 2, ICON_PX, ICON_PX)
            paint_icon(painter, star.toRectF(), "star", self._theme.colour("accent"))
        painter.restore()
