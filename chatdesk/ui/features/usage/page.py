"""Shows the page of usage: totals, a chart and a table by day, model, project or kind. It requests a range of days and
receives the values."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Final

from PySide6.QtCore import QAbstractTableModel, QDate, QModelIndex, QPersistentModelIndex, Qt, Signal
from PySide6.QtWidgets import (
    QAbstractItemView,
    QButtonGroup,
    QDateEdit,
    QHBoxLayout,
    QHeaderView,
    QPushButton,
    QTableView,
    QWidget,
)

from chatdesk.core.domain.usage import UsageCell, UsageSum
from chatdesk.core.local_days import date_of, number_of
from chatdesk.core.texts import Sentences, Text, plural, shown, tr
from chatdesk.core.usage.overview import Grouping, Overview, OverviewRow, overview_of
from chatdesk.ui.accessibility.assistance import announce, named
from chatdesk.ui.dialogs.form_panel import FormPanel, push_button
from chatdesk.ui.dialogs.panel import pad_spin_box, plain_label
from chatdesk.ui.features.usage.chart import UsageChart, describe
from chatdesk.ui.features.usage.figures import MEASURES, cost_words, row_name, total_words
from chatdesk.ui.local_forms import number_text
from chatdesk.ui.theme.theme import Theme
from chatdesk.ui.widgets.fields.choice_box import ChoiceBox
from chatdesk.ui.widgets.layouts import FlowRow, bare_column

# The usage of days, summed up for each grouping.
Spending = Mapping[Grouping, Sequence[UsageCell]]
_RANGES: Final = (
    (Text("7 days"), 7),
    (Text("30 days"), 30),
    (Text("90 days"), 90),
    (Text("All"), 0),
    (Text("Own days"), -1),
)
_FIRST_RANGE = 1
_GROUPINGS: Final = (
    (Grouping.DAY, Text("By day")),
    (Grouping.MODEL, Text("By model")),
    (Grouping.PROJECT, Text("By project")),
    (Grouping.KIND, Text("By kind")),
)
_AnyIndex = QModelIndex | QPersistentModelIndex
_ROW_PX = 26
_SIZE_PX = (820, 680)


class UsagePage(QWidget):
    """The page of usage and costs. ``daysRequested(first, last)`` asks for the usage of these local days, see
    ``show_days``; ``csvRequested``, ``limitsRequested`` and ``pricesRequested`` come from the buttons. Days count from
    1970-01-01."""

    daysRequested = Signal(int, int)
    csvRequested = Signal(int, int)
    limitsRequested = Signal()
    pricesRequested = Signal()

    def __init__(self, theme: Theme, *, today: int, first_day: int) -> None:
        super().__init__()
        self.setObjectName("usagePage")
        self._theme = theme
        theme.changed.connect(self._dress)
        self._dress()  # before there is anything in it that would have to take another style
        self._today = today
        self._first_day = min(first_day, today)
        self._cells: Spending = {}
        self._shown = (today, today)
        self._range = named(ChoiceBox(), "usageRange", tr("Days", "period"))
        for words, days in _RANGES:
            self._range.addItem(shown(words), days)
        self._from, self._to = self._date_edit("usageFrom", tr("First day")), self._date_edit("usageTo", tr("Last day"))
        self._measure = named(ChoiceBox(), "usageMeasure", tr("What the bars show"))
        for measure in MEASURES:
            self._measure.addItem(shown(measure.name))
        self._groupings = QButtonGroup(self)
        self._total = plain_label("", "text", wraps=True, name="usageTotal")
        self._notes = plain_label("", "muted", wraps=True, name="usagePageNotes")
        self.chart, self.table = UsageChart(theme), UsageTable(theme)
        self._csv = push_button(tr("Export CSV…"), "usageCsv", lambda: self.csvRequested.emit(*self.days()))
        self._limits = push_button(tr("Limits…"), "usageLimits", self.limitsRequested.emit)
        self._prices = push_button(tr("Add prices…"), "usageAddPrices", self.pricesRequested.emit)
        self.buttons = QHBoxLayout()
        self._lay_out()
        self._range.setCurrentIndex(_FIRST_RANGE)
        self._range.currentIndexChanged.connect(self._on_range_changed)
        self._from.dateChanged.connect(self._ask)
        self._to.dateChanged.connect(self._ask)
        self._measure.currentIndexChanged.connect(self._show)
        self._groupings.idToggled.connect(lambda _id, is_on: self._show() if is_on else None)
        self._on_range_changed()

    def days(self) -> tuple[int, int]:
        """Return the first and the last day that are wanted; in that order, whatever was chosen."""
        chosen = int(self._range.currentData())
        if chosen > 0:
            return self._today - chosen + 1, self._today
        if chosen == 0:
            return self._first_day, self._today
        first, last = (number_of(_python_date(edit.date())) for edit in (self._from, self._to))
        return min(first, last), max(first, last)

    def ask(self) -> None:
        """Request the usage of the chosen days."""
        self.daysRequested.emit(*self.days())

    def show_days(self, first_day: int, last_day: int, cells: Spending) -> None:
        """Show the usage of these days; ignored if other days were chosen in the meantime."""
        if (first_day, last_day) != self.days():
            return
        self._cells, self._shown = cells, (first_day, last_day)
        self._show()
        announce(self, self._total.text())

    def _show(self) -> None:
        grouping = _GROUPINGS[max(self._groupings.checkedId(), 0)][0]
        cells = self._cells.get(grouping, ())
        overview = overview_of(cells, grouping, first_day=self._shown[0], last_day=self._shown[1])
        measure = MEASURES[max(self._measure.currentIndex(), 0)]
        self.chart.show_overview(overview, measure)
        self.table.show_overview(overview)
        total = overview.total
        if not total.requests:
            self._total.setText(describe(overview, measure))
        else:
            has_price = total.is_price_known or total.cost_usd > 0
            cost = (
                tr("Cost: {cost}.", cost=cost_words(total)) if has_price else tr("No price is known for these models.")
            )
            self._total.setText(shown(Sentences.of(total_words(total), cost)))
        notes = []
        if total.estimated_requests:
            notes.append(
                shown(
                    plural(
                        "≈: the tokens of {count} requests are estimates.",
                        "≈: the tokens of {count} request are estimates.",
                        total.estimated_requests,
                    )
                )
            )
        if total.unpriced_requests:
            notes.append(
                shown(
                    plural(
                        "No price is known for {count} requests; the cost leaves them out.",
                        "No price is known for {count} request; the cost leaves them out.",
                        total.unpriced_requests,
                    )
                )
            )
        self._notes.setText(" ".join(notes))
        self._notes.setVisible(bool(notes))
        self._prices.setVisible(total.unpriced_requests > 0)
        self._csv.setEnabled(bool(cells))

    def _on_range_changed(self) -> None:
        is_own = int(self._range.currentData()) < 0
        for edit in (self._from, self._to):
            edit.setVisible(is_own)
        self._ask()

    def _ask(self) -> None:
        self.ask()

    # Building

    def _lay_out(self) -> None:
        top, by = FlowRow(8), FlowRow(4)
        for widget in (self._range, self._from, self._to, self._measure):
            top.addWidget(widget)
        for at, (grouping, words) in enumerate(_GROUPINGS):
            button = named(QPushButton(shown(words)), f"usageBy_{grouping.value}", shown(words))
            button.setAutoDefault(False)
            button.setCheckable(True)
            self._groupings.addButton(button, at)
            by.addWidget(button)
        self._groupings.button(0).setChecked(True)
        self.buttons.setSpacing(8)
        actions = FlowRow(8)
        for button in (self._limits, self._csv, self._prices):
            actions.addWidget(button)
        self.buttons.addLayout(actions, 1)
        column = bare_column(self, spacing_px=8)
        column.addLayout(top)
        column.addWidget(self._total)
        column.addLayout(by)
        column.addWidget(self.chart)
        column.addWidget(self.table, 1)
        column.addWidget(self._notes)
        column.addLayout(self.buttons)
        self.table.setMinimumHeight(120)

    def _dress(self) -> None:
        tokens = self._theme.tokens
        self.setStyleSheet(f"QPushButton:checked {{ background: {tokens.selected}; border-color: {tokens.accent}; }}")

    def _date_edit(self, name: str, words: str) -> QDateEdit:
        edit = QDateEdit(_qt_date(date_of(self._today if name == "usageTo" else self._today - 29)))
        pad_spin_box(edit, self._theme)
        edit.setObjectName(name)
        edit.setAccessibleName(words)
        edit.setCalendarPopup(False)
        edit.setDisplayFormat("yyyy-MM-dd")
        edit.setMaximumDate(_qt_date(date_of(self._today)))
        edit.setMinimumDate(QDate(2000, 1, 1))
        return edit


def _qt_date(day: date) -> QDate:
    return QDate(day.year, day.month, day.day)


def _python_date(day: QDate) -> date:
    return date(day.year(), day.month(), day.day())


def _about(of: Callable[[UsageSum], int]) -> Callable[[UsageSum], str]:
    return lambda total: f"{'≈' if total.estimated_requests and of(total) else ''}{number_text(of(total))}"


# Heading, its tooltip, and the text of the cells.
_COLUMNS: Final[tuple[tuple[str, str, Callable[[UsageSum], str]], ...]] = (
    (Text("Requests"), Text("Requests"), lambda total: number_text(total.requests)),
    (Text("In"), Text("Tokens in"), _about(lambda total: total.input_tokens)),
    (Text("From cache"), Text("Of them read from the provider's cache"), _about(lambda total: total.cached_tokens)),
    (Text("Cached"), Text("Of them written to the provider's cache"), _about(lambda total: total.written_tokens)),
    (Text("Out"), Text("Tokens out"), _about(lambda total: total.output_tokens)),
    (Text("Thought"), Text("Of them for reasoning"), _about(lambda total: total.reasoning_tokens)),
    (Text("Cost"), Text("Cost"), cost_words),
)
_STEPS = {"week": Text("Week"), "month": Text("Month")}
_FIRST = {
    Grouping.DAY: Text("Day"),
    Grouping.MODEL: Text("Model"),
    Grouping.PROJECT: Text("Project"),
    Grouping.KIND: Text("Kind"),
}


class UsageTable(QTableView):
    """Rows by day are the newest first, those without a request are left out; the last row is the total."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._model = _OverviewModel(self)
        self.setObjectName("usagePageTable")
        self.setAccessibleName(tr("Usage as a table"))
        self.setFrameShape(QTableView.Shape.NoFrame)
        self.setShowGrid(False)
        self.setTabKeyNavigation(False)
        self.setWordWrap(False)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.verticalHeader().hide()
        header = self.horizontalHeader()
        header.setSectionsClickable(False)
        header.setHighlightSections(False)
        theme.changed.connect(self._on_theme_changed)
        self._on_theme_changed()
        self.setModel(self._model)  # after what would have its columns measured again
        header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)

    def show_overview(self, overview: Overview) -> None:
        self._model.show_overview(overview)

    def _on_theme_changed(self) -> None:
        theme = self._theme
        self.verticalHeader().setDefaultSectionSize(theme.target_px(_ROW_PX))
        self.setFont(theme.font("muted"))
        self.horizontalHeader().setFont(theme.font("muted"))
        tokens = theme.tokens
        self.setStyleSheet(
            f"QTableView {{ background: transparent; color: {tokens.text}; outline: none; }}"
            f"QTableView:focus {{ border: 2px solid {tokens.accent}; }}"
            f"QTableView::item:selected {{ background: {tokens.selected}; color: {tokens.text}; }}"
            f"QHeaderView::section {{ background: transparent; color: {tokens.muted}; border: none;"
            f" font-size: {theme.point_size('muted'):.2f}pt;"
            f" border-bottom: 1px solid {tokens.line}; padding: 2px 6px; }}"
            "QHeaderView { background: transparent; }"
        )


class _OverviewModel(QAbstractTableModel):
    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._rows: tuple[OverviewRow, ...] = ()
        self._heading = ""
        self._step = "day"

    def show_overview(self, overview: Overview) -> None:
        self.beginResetModel()
        rows = [row for row in overview.rows if row.total.requests]
        if overview.grouping is Grouping.DAY:
            rows.reverse()
        if rows:
            rows.append(OverviewRow(tr("Total"), tr("Total"), overview.total))
        self._rows, self._step = tuple(rows), overview.step
        self._heading = shown(_STEPS.get(overview.step) or _FIRST[overview.grouping])
        self.endResetModel()

    def rowCount(self, parent: _AnyIndex | None = None) -> int:
        return 0 if parent is not None and parent.isValid() else len(self._rows)

    def columnCount(self, parent: _AnyIndex | None = None) -> int:
        return 0 if parent is not None and parent.isValid() else 1 + len(_COLUMNS)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if orientation is Qt.Orientation.Horizontal and role == Qt.ItemDataRole.DisplayRole:
            return self._heading if section == 0 else shown(_COLUMNS[section - 1][0])
        is_asked = role in (Qt.ItemDataRole.AccessibleTextRole, Qt.ItemDataRole.ToolTipRole)
        if orientation is Qt.Orientation.Horizontal and is_asked:
            return self._heading if section == 0 else shown(_COLUMNS[section - 1][1])
        if role == Qt.ItemDataRole.TextAlignmentRole:
            side = Qt.AlignmentFlag.AlignRight if section else Qt.AlignmentFlag.AlignLeft
            return side | Qt.AlignmentFlag.AlignVCenter
        return None

    def data(self, index: _AnyIndex, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if not index.isValid() or index.row() >= len(self._rows):
            return None
        row, column = self._rows[index.row()], index.column()
        if role == Qt.ItemDataRole.TextAlignmentRole and column:
            return Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        is_spoken = role in (Qt.ItemDataRole.AccessibleTextRole, Qt.ItemDataRole.ToolTipRole)
        if not is_spoken and role != Qt.ItemDataRole.DisplayRole:
            return None  # Qt asks for many more roles of each cell
        if column == 0:
            return row_name(row, self._step)
        _heading, spoken, words = _COLUMNS[column - 1]
        text = words(row.total)
        if not is_spoken:
            return text
        return tr("{line}, {column}: {value}", line=row_name(row, self._step), column=spoken, value=text)


class UsageDialog(FormPanel):
    """The dialog around ``page``; Esc closes it."""

    def __init__(self, theme: Theme, page: UsagePage, *, parent: QWidget | None = None) -> None:
        super().__init__(
            theme, tr("Usage"), object_name="usageDialog", size_px=_SIZE_PX, title_role="heading", parent=parent
        )
        self.page = page
        self.body.addWidget(page, 1)
        close = push_button(tr("Close"), "usageClose", self.reject)
        page.buttons.addWidget(close, 0, Qt.AlignmentFlag.AlignBottom)
