"""Lists the memories that the next request carries, with their tokens, and those for which there is no room."""

from __future__ import annotations

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, Qt, Signal
from PySide6.QtWidgets import QWidget

from chatdesk.core.domain.context import ContextReport
from chatdesk.core.domain.memory import NOT_SENT_TEXTS, NotSent, SentMemory
from chatdesk.core.hidden_characters import visible_controls
from chatdesk.core.texts import plural, shown, tr
from chatdesk.ui.features.inspector.rows import (
    ItemListModel,
    RowList,
    RowRole,
    about_tokens,
    plain_label,
    tokens_text,
)
from chatdesk.ui.local_forms import number_text
from chatdesk.ui.theme.theme import Theme
from chatdesk.ui.widgets.layouts import bare_column

_MOST_ROWS = 4


class SentMemories(QWidget):
    """Hidden where there is nothing to say: memory is off, or nothing is remembered. ``chosen`` carries the id of a
    memory."""

    chosen = Signal(str)

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._about = plain_label("", "muted")
        self._about.setObjectName("sentMemoriesAbout")
        self._model = _MemoryModel(self)
        self.list = RowList(theme, name=tr("Memories of this thread"), object_name="sentMemories")
        self.list.setModel(self._model)
        self.list.activated.connect(self._on_list_activated)
        self.list.clicked.connect(self._on_list_activated)
        column = bare_column(self, spacing_px=4)
        column.addWidget(self._about)
        column.addWidget(self.list)
        self.show_report(None)

    def show_report(self, report: ContextReport | None) -> None:
        entries = () if report is None else report.memories
        self._model.show_entries(entries, is_estimate=report is not None and report.totals.is_estimate)
        self._about.setText(_about(report))
        self.list.setVisible(bool(entries))
        self.setVisible(bool(self._about.text()))
        if entries:
            row = self.list.sizeHintForRow(0)
            self.list.setFixedHeight(row * min(len(entries), _MOST_ROWS))

    def _on_list_activated(self, index: QModelIndex) -> None:
        entry = self._model.item(index.row())
        if entry is not None:
            self.chosen.emit(entry.memory.id)


class _MemoryModel(ItemListModel[SentMemory]):
    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._is_estimate = False

    def show_entries(self, entries: tuple[SentMemory, ...], *, is_estimate: bool) -> None:
        self._is_estimate = is_estimate
        self.show_items(entries)

    def data(self, index: QModelIndex | QPersistentModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        entry = self.item(index.row())
        if entry is None:
            return None
        text = visible_controls(entry.memory.text)
        if role == Qt.ItemDataRole.DisplayRole:
            return text
        if role in (Qt.ItemDataRole.AccessibleTextRole, Qt.ItemDataRole.ToolTipRole):
            fate = tr("sent") if entry.is_sent else tr("did not fit")
            tokens = about_tokens(entry.tokens) if self._is_estimate else tokens_text(entry.tokens)
            return tr("{text}: {fate}, {tokens}", text=text, fate=fate, tokens=tokens)
        return {
            RowRole.INDENT: 0,
            RowRole.ICON: "check" if entry.is_sent else "history",
            RowRole.NOTE: number_text(entry.tokens),
            RowRole.IS_QUIET: not entry.is_sent,
            RowRole.IS_STRUCK: False,
        }.get(role)  # type: ignore[call-overload]


def _about(report: ContextReport | None) -> str:
    if report is None or report.memories_not_sent is NotSent.OFF:
        return ""
    if report.memories_not_sent is not None:
        return shown(NOT_SENT_TEXTS[report.memories_not_sent])
    sent = sum(each.is_sent for each in report.memories)
    left = len(report.memories) - sent
    parts = [shown(plural("{count} memories are sent", "{count} memory is sent", sent))] if report.memories else []
    if left:
        parts.append(shown(plural("{count} did not fit", "{count} did not fit", left)))
    return " · ".join(parts)
