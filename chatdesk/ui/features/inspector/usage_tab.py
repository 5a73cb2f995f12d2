"""Shows the usage of the open thread: a table of tokens and money for each kind of work and each model."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, QRectF, Qt, Signal
from PySide6.QtGui import QFocusEvent, QFontMetrics, QKeyEvent, QPainter
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHeaderView,
    QStyle,
    QStyleOptionViewItem,
    QTableView,
    QVBoxLayout,
    QWidget,
)

from chatdesk.core.domain.usage import UsageKind, UsageReport, UsageSum
from chatdesk.core.texts import Text, plural, shown, tr
from chatdesk.ui.features.inspector.rows import about_tokens, plain_label, tokens_text
from chatdesk.ui.local_forms import decimal_text, money_text, number_text
from chatdesk.ui.theme.theme import Theme
from chatdesk.ui.widgets.buttons import PillButton
from chatdesk.ui.widgets.focus_ring import note_keyboard
from chatdesk.ui.widgets.painting import paint_box, paint_focus_ring
from chatdesk.ui.widgets.stray_keys import begins_writing
from chatdesk.ui.widgets.uniform_row_delegate import UniformRowDelegate
from chatdesk.ui.widgets.words import with_commas

_AnyIndex = QModelIndex | QPersistentModelIndex
_KINDS: Mapping[str, str] = {
    UsageKind.ANSWER: Text("Answers"),
    UsageKind.TITLE: Text("Titles"),
    UsageKind.SUMMARY: Text("Summaries"),
    UsageKind.TOOL: Text("Tools"),
    UsageKind.EMBEDDING: Text("Embeddings"),
}
_ROW_PX = 26
_PAD_PX = 4
_LEAST_PRICE_USD = 0.000_01
_ALL = 1_000
_MANY, _VERY_MANY = 10_000, 1_000_000


@dataclass(frozen=True, slots=True)
class _Column:
    """A column of the table. ``name`` is for screen readers where the heading is short."""

    heading: str
    name: str
    text: Callable[[UsageSum], str]
    words: Callable[[UsageSum], str]


def _short(count: int) -> str:
    """Return a count in few letters; the tooltip has the whole number."""
    if count < _MANY:
        return number_text(count)
    if count < _VERY_MANY:
        return tr("{number}k", number=decimal_text(count / 1_000, 0))
    return tr("{number}M", number=decimal_text(count / 1_000_000, 1))


def _cost(total: UsageSum) -> str:
    text = money_text(total.cost_usd, sign_under=True)
    if total.is_price_known:
        return text
    return f"{text}+" if total.cost_usd else "–"


def _cost_words(total: UsageSum) -> str:
    if total.is_price_known:
        return money_text(total.cost_usd)
    return tr("at least {cost}", cost=money_text(total.cost_usd)) if total.cost_usd else tr("no price is known")


def _count(heading: str, name: str, of: Callable[[UsageSum], int]) -> _Column:
    def text(total: UsageSum) -> str:
        return f"{'≈' if total.estimated_requests and of(total) else ''}{_short(of(total))}"

    def words(total: UsageSum) -> str:
        return about_tokens(of(total)) if total.estimated_requests and of(total) else tokens_text(of(total))

    return _Column(heading, name, text, words)


_COLUMNS = (
    _count(Text("In"), Text("In"), lambda total: total.input_tokens),
    _count(Text("Cached"), Text("Of them from the provider's cache"), lambda total: total.cached_tokens),
    _count(Text("Out"), Text("Out"), lambda total: total.output_tokens),
    _count(Text("Thought"), Text("Of them for reasoning"), lambda total: total.reasoning_tokens),
    _Column(Text("Cost"), Text("Cost"), _cost, _cost_words),
)


class UsageTab(QWidget):
    """A tab in which each model has a line with its name and a line of figures; the last two lines are the total.
    ``pricesRequested`` is emitted when the person wants to type what a model costs."""

    pricesRequested = Signal()

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._title = plain_label(tr("What this thread used"), "strong")
        self._about = plain_label("", "muted")
        self._about.setObjectName("usageAbout")
        self._model = _UsageModel(self)
        self.table = _Table(theme)
        self.table.setModel(self._model)
        self._notes = plain_label("", "muted")
        self._notes.setObjectName("usageNotes")
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 8, 0, 0)
        for widget in (self._title, self._about):
            column.addWidget(widget)
        column.addWidget(self.table, _ALL)
        column.addWidget(self._notes)
        self.prices_button = PillButton(theme, tr("Add prices…"), object_name="usageAddPrices")
        self.prices_button.clicked.connect(lambda _is_checked: self.pricesRequested.emit())
        column.addWidget(self.prices_button, 0, Qt.AlignmentFlag.AlignLeading)
        column.addStretch(1)  # keeps the text at the top if there is no table
        self.show_report(None)

    def show_report(self, report: UsageReport | None) -> None:
        """Show the report; None: there is no thread."""
        has_some = report is not None and bool(report.rows)
        self.table.setVisible(has_some)
        self._notes.setVisible(has_some)
        self.prices_button.setVisible(report is not None and not report.total.is_price_known)
        if report is None or not has_some:
            self._about.setText(tr("Nothing yet: ask something."))
            self._model.show_lines(())
            return
        total = report.total
        self._about.setText(_about_text(total))
        lines = [_Line(f"{_kind(row.kind)} · {_model(row.model)}", row.total) for row in report.rows]
        if len(lines) > 1:
            lines.append(_Line(tr("Total"), total))
        self._model.show_lines(lines)
        self.table.arrange()
        self._notes.setText(_notes_of(report))
        self._notes.setVisible(bool(self._notes.text()))


@dataclass(frozen=True, slots=True)
class _Line:
    name: str
    total: UsageSum


class _UsageModel(QAbstractTableModel):
    """Two rows a line: the name, over all columns, and the figures."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._lines: Sequence[_Line] = ()

    def show_lines(self, lines: Sequence[_Line]) -> None:
        if len(lines) == len(self._lines):  # keeps the current row
            self._lines = lines
            if lines:
                self.dataChanged.emit(self.index(0, 0), self.index(self.rowCount() - 1, len(_COLUMNS) - 1))
            return
        self.beginResetModel()
        self._lines = lines
        self.endResetModel()

    def rowCount(self, parent: _AnyIndex | None = None) -> int:
        return 0 if parent is not None and parent.isValid() else 2 * len(self._lines)

    def columnCount(self, parent: _AnyIndex | None = None) -> int:
        return 0 if parent is not None and parent.isValid() else len(_COLUMNS)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if orientation is not Qt.Orientation.Horizontal or not 0 <= section < len(_COLUMNS):
            return None
        if role == Qt.ItemDataRole.DisplayRole:
            return shown(_COLUMNS[section].heading)
        if role in (Qt.ItemDataRole.AccessibleTextRole, Qt.ItemDataRole.ToolTipRole):
            return shown(_COLUMNS[section].name)
        return None

    def data(self, index: _AnyIndex, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if not index.isValid() or index.row() >= self.rowCount():
            return None
        line, column = self._lines[index.row() // 2], _COLUMNS[index.column()]
        is_name = index.row() % 2 == 0
        words = f"{line.name} · {_requests_text(line.total.requests)}"
        if role == Qt.ItemDataRole.DisplayRole:
            return words if is_name else column.text(line.total)
        if role in (Qt.ItemDataRole.AccessibleTextRole, Qt.ItemDataRole.ToolTipRole):
            return (
                words
                if is_name
                else tr(
                    "{line}, {column}: {value}",
                    line=line.name,
                    column=shown(column.name),
                    value=column.words(line.total),
                )
            )
        return None


class _Table(QTableView):
    """Walked by the arrow keys; Tab leaves it."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self.setObjectName("usageTable")
        self.setAccessibleName(tr("Tokens and cost by kind of work and model"))
        self.setFrameShape(QTableView.Shape.NoFrame)
        self.setShowGrid(False)
        self.setTabKeyNavigation(False)
        self.setSelectionMode(QAbstractItemView.SelectionMode.NoSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setItemDelegate(_FigureDelegate(theme, _ROW_PX, self))
        self.verticalHeader().hide()
        header = self.horizontalHeader()
        header.setSectionResizeMode(QHeaderView.ResizeMode.Stretch)
        header.setDefaultAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        header.setSectionsClickable(False)
        header.setHighlightSections(False)
        theme.changed.connect(self._on_theme_changed)
        self._on_theme_changed()

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        note_keyboard(self, event.reason())

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Pass letters on to the composer."""
        if begins_writing(event):
            event.ignore()
        else:
            super().keyPressEvent(event)

    def arrange(self) -> None:
        """Lines with names reach over all columns; the last column has room for a price, the others share the rest."""
        header, last = self.horizontalHeader(), len(_COLUMNS) - 1
        header.setSectionResizeMode(last, QHeaderView.ResizeMode.Fixed)
        price_px = QFontMetrics(self._theme.font("muted")).horizontalAdvance(
            money_text(_LEAST_PRICE_USD, sign_under=True)
        )
        header.resizeSection(last, price_px + 2 * _PAD_PX + 2)
        self.clearSpans()
        for row in range(0, self.model().rowCount(), 2):
            self.setSpan(row, 0, 1, len(_COLUMNS))

    def _on_theme_changed(self) -> None:
        theme = self._theme
        self.verticalHeader().setDefaultSectionSize(theme.target_px(_ROW_PX))
        self.horizontalHeader().setFont(theme.font("muted"))
        muted, line = theme.colour("muted").name(), theme.colour("line").name()
        self.setStyleSheet(
            "QTableView { background: transparent; outline: none; }"
            f"QHeaderView::section {{ background: transparent; color: {muted}; border: none;"
            f" border-bottom: 1px solid {line}; padding: 2px {_PAD_PX // 2}px; }}"
            "QHeaderView { background: transparent; }"
        )
        self.viewport().update()


class _FigureDelegate(UniformRowDelegate):
    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: _AnyIndex) -> None:
        theme, flag = self._theme, QStyle.StateFlag
        area = QRectF(option.rect)
        is_name = index.row() % 2 == 0
        painter.save()
        if option.state & flag.State_HasFocus:
            paint_box(painter, area, theme.tokens.radius.row, fill=theme.colour("selected"))
        if option.state & flag.State_HasFocus and option.state & flag.State_KeyboardFocusChange:
            paint_focus_ring(painter, area, theme.tokens.radius.row, theme.colour("accent"))
        painter.setFont(theme.font("table" if is_name else "muted"))
        painter.setPen(theme.colour("text" if is_name else "muted"))
        text = painter.fontMetrics().elidedText(
            str(index.data()), Qt.TextElideMode.ElideRight, int(area.width()) - 2 * _PAD_PX
        )
        side = Qt.AlignmentFlag.AlignLeading if is_name else Qt.AlignmentFlag.AlignTrailing
        aligned = QStyle.visualAlignment(option.direction, side | Qt.AlignmentFlag.AlignVCenter)
        painter.drawText(area.adjusted(_PAD_PX, 0, -_PAD_PX // 2, 0), int(aligned), text)
        painter.restore()


def _requests_text(count: int) -> str:
    return shown(plural("{count} requests", "{count} request", count))


def _about_text(total: UsageSum) -> str:
    tokens, requests = tokens_text(total.total_tokens), _requests_text(total.requests)
    if not total.is_price_known and not total.cost_usd:
        return tr("{tokens} in {requests}.", tokens=tokens, requests=requests)
    return tr("{tokens} in {requests}, {cost}.", tokens=tokens, requests=requests, cost=_cost_words(total))


def _kind(kind: str) -> str:
    return shown(_KINDS.get(kind, kind))


def _model(model: str) -> str:
    return model or tr("the server's own model")


def _notes_of(report: UsageReport) -> str:
    total = report.total
    notes = []
    if total.estimated_requests:
        estimates = plural(
            "The tokens of {count} requests are estimates: the server did not count them.",
            "The tokens of {count} request are estimates: the server did not count them.",
            total.estimated_requests,
        )
        notes.append(shown(estimates))
    unpriced = sorted({_model(row.model) for row in report.rows if not row.total.is_price_known})
    if total.written_tokens:
        notes.append(
            shown(
                plural(
                    "{count} tokens were stored in the provider's cache.",
                    "{count} token was stored in the provider's cache.",
                    total.written_tokens,
                )
            )
        )
    if unpriced:
        notes.append(tr("No price is known for {models}. The cost leaves it out.", models=with_commas(unpriced)))
    return " ".join(notes)
