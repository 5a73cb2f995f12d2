"""Shows the context of the next request: the room that each part takes, and the fate of every message."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QPainter, QPainterPath, QPaintEvent
from PySide6.QtWidgets import QScrollArea, QSizePolicy, QVBoxLayout, QWidget

from chatdesk.core.domain.context import ContextEntry, ContextReport, Reason
from chatdesk.core.domain.message import ContextMark, Role
from chatdesk.core.texts import Text, plural, shown, tr
from chatdesk.ui.features.inspector.found_files import FoundFiles
from chatdesk.ui.features.inspector.rows import (
    ItemListModel,
    RowList,
    RowRole,
    about_tokens,
    button_row,
    plain_label,
    plain_preview,
    tokens_text,
)
from chatdesk.ui.features.inspector.sent_memories import SentMemories
from chatdesk.ui.local_forms import number_text
from chatdesk.ui.theme.theme import Theme
from chatdesk.ui.theme.tokens import PROJECT_COLOURS
from chatdesk.ui.widgets.buttons import PillButton
from chatdesk.ui.widgets.layouts import bare_column
from chatdesk.ui.widgets.painting import mirrored, paint_box
from chatdesk.ui.widgets.words import with_commas

_AnyIndex = QModelIndex | QPersistentModelIndex
_WORDS = {
    Reason.SENT: Text("sent"),
    Reason.SUMMARISED: Text("in the summary"),
    Reason.EXCLUDED: Text("excluded"),
    Reason.DID_NOT_FIT: Text("did not fit"),
    Reason.EMPTY: Text("empty"),
}
_ICONS = {
    Reason.SENT: "check",
    Reason.SUMMARISED: "file-text",
    Reason.EXCLUDED: "x",
    Reason.DID_NOT_FIT: "history",
    Reason.EMPTY: "info",
}
_ROLES = {
    Role.USER.value: Text("user"),
    Role.ASSISTANT.value: Text("assistant"),
    Role.SYSTEM.value: Text("system"),
    Role.TOOL.value: Text("tool"),
}
_BEFORE_START = Text("before the start of the context")

# Asks for entries below a position, None for the newest ones; they come through ``ContextTab.add_entries``.
EntryFetcher = Callable[[int | None], None]
_BAR_PX = 9
_LINE_PX = 27
_SWATCH_PX = 9


class ContextTab(QWidget):
    """Entries are with the newest first. Signals carry the id of a message."""

    jumpRequested = Signal(str)
    markRequested = Signal(str, object)  # ContextMark
    startRequested = Signal(object)  # str | None: from the beginning
    copyRequested = Signal()

    def __init__(self, theme: Theme, fetch: EntryFetcher) -> None:
        super().__init__()
        self._report: ContextReport | None = None
        self._model = _EntryModel(self, fetch)
        self._title = plain_label(tr("What the model will see"), "strong")
        self._total = plain_label("", "muted")
        self._problem = plain_label("", "text")
        self._problem.setProperty("isDanger", True)
        self.bar = ContextBar(theme)
        self._note = plain_label("", "muted")
        self.memories = SentMemories(theme)
        self.found = FoundFiles(theme)
        self.list = RowList(theme, name=tr("What happens to each message"), object_name="contextList")
        self.list.setModel(self._model)
        self.list.activated.connect(lambda _index: self._jump())
        self.list.selectionModel().currentChanged.connect(lambda _now, _before: self._show_state())
        self.pin_button = _button(theme, tr("Pin"), "contextPinButton", self._pin)
        self.exclude_button = _button(theme, tr("Exclude"), "contextExcludeButton", self._exclude)
        self.start_button = _button(theme, tr("Start here"), "contextStartButton", self._start)
        self.copy_button = _button(theme, tr("Copy request as JSON"), "copyRequestButton", self.copyRequested.emit)
        parts = QWidget()
        column = QVBoxLayout(parts)
        column.setContentsMargins(0, 8, 0, 0)
        for widget in (self._title, self._total, self._problem, self.bar, self._note, self.memories, self.found):
            column.addWidget(widget)
        column.addWidget(self.list, 1)
        column.addLayout(button_row(self.pin_button, self.exclude_button, self.start_button, self.copy_button))
        area = QScrollArea()  # in a low window, or with long words, there is no room for all of it
        area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        area.setWidgetResizable(True)
        area.setFrameShape(QScrollArea.Shape.NoFrame)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        area.setWidget(parts)
        area.viewport().setAutoFillBackground(False)
        parts.setAutoFillBackground(False)
        bare_column(self).addWidget(area, 1)
        self._show_state()

    def show_report(self, report: ContextReport | None) -> None:
        """Show the report; None if no thread is open or its context is unknown."""
        self._report = report
        self.memories.show_report(report)
        self.found.show_found(None if report is None else report.found)
        self.bar.setVisible(report is not None)
        self._problem.setVisible(report is not None and report.problem is not None)
        if report is None:
            self._total.setText(tr("Nothing yet: ask something."))
            self._note.setText("")
            self._model.clear()
        else:
            self._total.setText(_total_text(report))
            self._problem.setText(shown(report.problem or ""))
            lines = (_left_out(report), " ".join(map(shown, report.notes)))
            self._note.setText("\n".join(filter(None, lines)))
            self.bar.show_report(report)
            self._model.restart()
        self._show_state()

    def add_entries(self, entries: Sequence[ContextEntry], *, has_older: bool) -> None:
        current = self._current()
        self._model.add(entries, has_older=has_older)
        place = None if current is None else self._model.place_of(current.message_id)
        if place is not None:
            self.list.setCurrentIndex(self._model.index(place))
        self._show_state()

    def _current(self) -> ContextEntry | None:
        return self._model.item(self.list.currentIndex().row())

    def _jump(self) -> None:
        entry = self._current()
        if entry is not None:
            self.jumpRequested.emit(entry.message_id)

    def _pin(self) -> None:
        entry = self._current()
        if entry is not None:
            self.markRequested.emit(entry.message_id, ContextMark.NONE if entry.is_pinned else ContextMark.PINNED)

    def _exclude(self) -> None:
        entry = self._current()
        if entry is not None:
            self.markRequested.emit(entry.message_id, ContextMark.NONE if entry.is_excluded else ContextMark.EXCLUDED)

    def _start(self) -> None:
        entry, report = self._current(), self._report
        if entry is not None and report is not None:
            self.startRequested.emit(None if report.starts_at_id == entry.message_id else entry.message_id)

    def _show_state(self) -> None:
        entry, report = self._current(), self._report
        for button in (self.pin_button, self.exclude_button, self.start_button):
            button.setEnabled(entry is not None)
        self.copy_button.setEnabled(report is not None and report.problem is None)
        self.pin_button.setText(tr("Unpin") if entry is not None and entry.is_pinned else tr("Pin"))
        is_excluded = entry is not None and entry.is_excluded
        self.exclude_button.setText(tr("Include") if is_excluded else tr("Exclude"))
        is_start = entry is not None and report is not None and report.starts_at_id == entry.message_id
        self.start_button.setText(tr("Start at the top") if is_start else tr("Start here"))
        for button in (self.pin_button, self.exclude_button, self.start_button):
            button.set_name(button.text())


class _EntryModel(ItemListModel[ContextEntry]):
    """Grows downwards, to older messages, as the list is scrolled. Existing rows stay until they are replaced."""

    def __init__(self, parent: QWidget, fetch: EntryFetcher) -> None:
        super().__init__(parent)
        self._fetch = fetch
        self._has_older = False
        self._is_restarting = False
        self._is_waiting = False

    def clear(self) -> None:
        self._has_older = self._is_waiting = False
        self.show_items(())

    def restart(self) -> None:
        self._is_restarting = self._is_waiting = True
        self._fetch(None)

    def add(self, entries: Sequence[ContextEntry], *, has_older: bool) -> None:
        self._is_waiting = False
        self._has_older = has_older
        if self._is_restarting:
            self._is_restarting = False
            self.show_items(entries)
        else:
            self.add_items(entries)

    def place_of(self, message_id: str) -> int | None:
        return next((place for place, entry in enumerate(self._items) if entry.message_id == message_id), None)

    def canFetchMore(self, _parent: _AnyIndex) -> bool:
        return self._has_older and not self._is_waiting

    def fetchMore(self, _parent: _AnyIndex) -> None:
        if self._items and not self._is_waiting:
            self._is_waiting = True
            self._fetch(self._items[-1].position)

    def data(self, index: _AnyIndex, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        entry = self.item(index.row())
        if entry is None:
            return None
        preview = plain_preview(entry.preview) or tr("(no text)")
        if role == Qt.ItemDataRole.DisplayRole:
            return preview
        if role in (Qt.ItemDataRole.AccessibleTextRole, Qt.ItemDataRole.ToolTipRole):
            words = _entry_words(entry)
            is_heard = role == Qt.ItemDataRole.AccessibleTextRole
            return tr("{about}: {text}", about=words, text=preview) if is_heard else words
        return {
            RowRole.INDENT: 0,
            RowRole.ICON: "pin" if entry.is_pinned else _ICONS[entry.reason],
            RowRole.NOTE: number_text(entry.tokens),
            RowRole.IS_QUIET: entry.reason is not Reason.SENT,
            RowRole.IS_STRUCK: entry.is_excluded,
        }.get(role)  # type: ignore[call-overload]


def _total_text(report: ContextReport) -> str:
    totals = report.totals
    used, window = number_text(totals.used), number_text(totals.window)
    if totals.is_estimate:
        return tr("about {used} of {window} tokens · {model}", used=used, window=window, model=report.model)
    return tr("{used} of {window} tokens · {model}", used=used, window=window, model=report.model)


def _entry_words(entry: ContextEntry) -> str:
    """Return the author of a message, its fate and its number of tokens, on one line."""
    is_before = entry.reason is Reason.EXCLUDED and not entry.is_excluded
    parts = [shown(_ROLES.get(entry.role, entry.role))]
    if entry.is_pinned:
        parts.append(tr("pinned"))
    parts.append(shown(_BEFORE_START if is_before else _WORDS[entry.reason]))
    parts.append(about_tokens(entry.tokens) if entry.is_estimate else tokens_text(entry.tokens))
    return with_commas(parts)


def _left_out(report: ContextReport) -> str:
    """Return a text on the messages that are not sent; empty when all are."""
    did_not_fit, excluded = (report.counts.get(reason, 0) for reason in (Reason.DID_NOT_FIT, Reason.EXCLUDED))
    parts = []
    if did_not_fit:
        parts.append(shown(plural("{count} did not fit", "{count} did not fit", did_not_fit)))
    if excluded:
        parts.append(shown(plural("{count} excluded", "{count} excluded", excluded)))
    if report.starts_at_id is not None:
        parts.append(tr("older messages are left out from where you started"))
    if report.stale_summary_id is not None:
        parts.append(tr("the summary is out of date and not sent"))
    return " · ".join(parts)


def _button(theme: Theme, text: str, object_name: str, run: Callable[[], object]) -> PillButton:
    button = PillButton(theme, text, object_name=object_name)
    button.clicked.connect(lambda _is_checked: run())
    return button


class ContextBar(QWidget):
    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._window = 1
        self._parts: tuple[tuple[str, int, str], ...] = ()
        self.setObjectName("contextBar")
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        theme.changed.connect(self._on_theme_changed)

    def show_report(self, report: ContextReport) -> None:
        self._window = max(1, report.totals.window)
        self._parts = parts_of(report)
        heard = [tr("{part}: {tokens}", part=name, tokens=tokens_text(tokens)) for name, tokens, _ in self._parts]
        self.setAccessibleName(tr("What the model will see"))
        self.setAccessibleDescription("; ".join(heard))
        self._on_theme_changed()

    def sizeHint(self) -> QSize:
        scale = max(1.0, self._theme.scale)
        return QSize(200, round((_BAR_PX + 6 + _LINE_PX * len(self._parts)) * scale))

    def minimumSizeHint(self) -> QSize:
        return QSize(120, self.sizeHint().height())

    def paintEvent(self, _event: QPaintEvent) -> None:
        scale = max(1.0, self._theme.scale)
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        self._paint_bar(painter, QRectF(0, 0, self.width(), _BAR_PX * scale))
        top = (_BAR_PX + 6) * scale
        for name, tokens, colour in self._parts:
            line = QRectF(0, top, self.width(), _LINE_PX * scale)
            self._paint_line(painter, line, name=name, tokens=tokens, ink=colour)
            top += _LINE_PX * scale

    def _paint_bar(self, painter: QPainter, area: QRectF) -> None:
        path = QPainterPath()
        path.addRoundedRect(area, 4, 4)
        painter.save()
        painter.setClipPath(path)
        painter.fillRect(area, self._theme.colour("line"))
        left = 0.0
        for _name, tokens, ink in self._parts:
            wide = area.width() * tokens / self._window
            piece = QRectF(left, area.top(), wide, area.height())
            painter.fillRect(mirrored(piece, area, self.layoutDirection()), self._colour(ink))
            left += wide
        painter.restore()

    def _paint_line(self, painter: QPainter, area: QRectF, *, name: str, tokens: int, ink: str) -> None:
        theme, scale = self._theme, max(1.0, self._theme.scale)
        side = _SWATCH_PX * scale
        swatch = QRectF(area.left(), area.center().y() - side / 2, side, side)
        paint_box(painter, mirrored(swatch, area, self.layoutDirection()), 3, fill=self._colour(ink))
        painter.setFont(theme.font("table"))
        painter.setPen(theme.colour("text"))
        is_mirrored = self.layoutDirection() is Qt.LayoutDirection.RightToLeft
        start, end = Qt.AlignmentFlag.AlignLeft, Qt.AlignmentFlag.AlignRight
        if is_mirrored:
            start, end = end, start
        number = number_text(tokens)
        used = side + 8 + 8 + painter.fontMetrics().horizontalAdvance(number)
        name = painter.fontMetrics().elidedText(name, Qt.TextElideMode.ElideRight, round(area.width() - used))
        upright = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignAbsolute  # or the painter mirrors again
        words = mirrored(area.adjusted(side + 8, 0, 0, 0), area, self.layoutDirection())
        painter.drawText(words, int(start | upright), name)
        painter.setPen(theme.colour("muted"))
        painter.drawText(area, int(end | upright), number)

    def _colour(self, name: str) -> QColor:
        syntax = self._theme.tokens.syntax
        by_name = {
            "system": syntax.keyword,
            "pinned": PROJECT_COLOURS["Orange"],
            "draft": syntax.number,
            "memory": syntax.string,
            "files": syntax.type,
        }
        return QColor(by_name[name]) if name in by_name else self._theme.colour(name)

    def _on_theme_changed(self) -> None:
        self.updateGeometry()
        self.update()


def parts_of(report: ContextReport) -> tuple[tuple[str, int, str], ...]:
    """Return name, tokens and colour of everything that uses the context window, in the order of the request; the
    reserve for the answer comes last."""
    totals = report.totals
    parts = (
        (tr("System prompt"), totals.system, "system"),
        (tr("Memories"), totals.memory, "memory"),
        (
            shown(plural("Summary of {count} messages", "Summary of {count} message", report.summarised_count)),
            totals.summary,
            "warning",
        ),
        (
            shown(plural("Pinned · {count} messages", "Pinned · {count} message", report.pinned_count)),
            totals.pinned,
            "pinned",
        ),
        (
            shown(plural("Recent · {count} messages", "Recent · {count} message", report.recent_count)),
            totals.recent,
            "accent",
        ),
        (tr("Files of the project"), totals.files, "files"),
        (tr("Your draft"), totals.draft, "draft"),
    )
    return (*(part for part in parts if part[1]), (tr("Room for the answer"), totals.reserved, "field_line"))
