"""Shows *Import…*: the file and the target project, the progress, and the result for each thread.

The dialog reads and writes nothing: its controller does. It may be closed while an import runs, which continues.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from PySide6.QtCore import QAbstractListModel, QModelIndex, QPersistentModelIndex, Qt, Signal
from PySide6.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QListView,
    QProgressBar,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from chatdesk.core.domain.imported import OUTCOME_TEXTS, ImportLine, ImportProgress
from chatdesk.core.hidden_characters import visible_controls
from chatdesk.core.texts import Text, plural, shortened, shown, tr
from chatdesk.ui.accessibility.assistance import announce, named
from chatdesk.ui.dialogs.file_dialogs import ask_for_file, ask_for_folder
from chatdesk.ui.dialogs.form_panel import push_button
from chatdesk.ui.dialogs.panel import Panel, clear_layout, plain_label
from chatdesk.ui.features.transfer.export_sources import EXPORT_SOURCES
from chatdesk.ui.features.transfer.found_memories import FoundMemories
from chatdesk.ui.theme.theme import Theme
from chatdesk.ui.widgets.buttons import LinkButton
from chatdesk.ui.widgets.elided_label import ElidedLabel, plain_tooltip
from chatdesk.ui.widgets.fields.choice_box import ChoiceBox
from chatdesk.ui.widgets.layouts import bare_column
from chatdesk.ui.widgets.words import with_commas

_WIDTH_PX = 560
_STEPS = 1000
_LONGEST_TITLE: Final = 36
FILTER: Final = Text("Exports (*.zip *.json *.jsonl *.csv);;All files (*)")
_BY_PROGRAM: Final = Text("One named after the program")

_TEXT_ROLES: Final = (
    Qt.ItemDataRole.DisplayRole,
    Qt.ItemDataRole.AccessibleTextRole,
    Qt.ItemDataRole.ToolTipRole,  # a long line is cut
)

_Index = QModelIndex | QPersistentModelIndex


class ImportDialog(Panel):
    """A dialog that imports an export: at once when a file is chosen, and with a button when one was dropped.
    ``startRequested`` has the path and the project's id (None: one named after the program). ``show_progress``,
    ``show_report`` and ``show_failure`` answer it."""

    startRequested = Signal(str, object)
    stopRequested = Signal()
    showRequested = Signal()
    copyRequested = Signal()
    memoriesChosen = Signal(list)

    def __init__(
        self,
        theme: Theme,
        projects: Sequence[tuple[str, str]],
        *,
        path: Path | None = None,
        program: str = "",
        parent: QWidget | None = None,
    ) -> None:
        """Make the dialog. ``projects`` are ids, with distinguishable names; ``program``: the program whose export is
        explained first."""
        super().__init__(theme, tr("Import"), parent=parent)
        self.setObjectName("importDialog")
        self._path = path
        self._program = program
        column = self.form_column()
        column.addWidget(plain_label(tr("Import"), "strong"))
        # Not stacked: a stack is as high as the highest of its pages.
        self._pages = (self._choosing(projects), self._running(), self._finished())
        for page in self._pages:
            column.addWidget(page)
        self._go(0)
        self.fit_height(_WIDTH_PX)
        self._show_file()
        (self.start_button if path is not None else self.choose_button).setFocus()

    def _go(self, place: int) -> None:
        for number, page in enumerate(self._pages):
            page.setVisible(number == place)

    # Updates from the binding

    def show_progress(self, progress: ImportProgress | None) -> None:
        """Show progress; None: the import has started, and nothing is known yet."""
        if self._pages[1].isHidden():
            self._go(1)
            self.stop_button.setEnabled(True)
            self.hide_button.setFocus()
        if progress is None:
            self.bar.setRange(0, 0)
            self.state.setText(tr("Looking into the file…"))
            return
        self.bar.setRange(0, _STEPS)
        self.bar.setValue(min(_STEPS, _STEPS * progress.done_bytes // max(progress.total_bytes, 1)))
        self.state.setText(
            with_commas(
                (
                    plural("{count} threads", "{count} thread", progress.threads),
                    plural("{count} messages", "{count} message", progress.messages),
                )
            )
        )

    def show_report(self, summary: str, lines: Sequence[ImportLine], *, has_threads: bool) -> None:
        """Show the report of an import: the imported, skipped and failed threads."""
        self.summary.setText(summary)
        self._lines.show_lines(lines)
        self.show_button.setVisible(has_threads)
        self._go(2)
        (self.show_button if has_threads else self.close_button).setFocus()
        announce(self, summary)

    def show_failure(self, sentence: str) -> None:
        """Show that the file could not be imported; another may be chosen."""
        self.problem.setText(sentence)
        self.problem.setVisible(True)
        self._go(0)
        self.choose_button.setFocus()
        announce(self, sentence, is_assertive=True)

    # Actions of the person

    def choose_file(self) -> None:
        ask_for_file(self, tr("Import"), self._import, kinds=shown(FILTER))

    def choose_folder(self) -> None:
        ask_for_folder(self, tr("Import a folder"), self._import)

    def _import(self, path: Path) -> None:
        self._path = path
        self._show_file()
        self._start()

    def set_path(self, path: Path) -> None:
        """Offer to import a file or folder."""
        self._path = path
        self._show_file()
        self.start_button.setFocus()
        announce(self, tr("{name} is chosen. Import starts it.", name=visible_controls(path.name)))

    def _start(self) -> None:
        if self._path is None:
            return
        self.show_progress(None)
        self.startRequested.emit(str(self._path), self.projects.currentData())

    def _stop(self) -> None:
        self.stop_button.setEnabled(False)
        self.state.setText(tr("Stopping…"))
        self.hide_button.setFocus()
        self.stopRequested.emit()

    def _show(self) -> None:
        self.showRequested.emit()
        self.accept()

    def _show_file(self) -> None:
        self.file_label.setText("" if self._path is None else self._path.name)
        for widget in (self.file_label, self.start_button):
            widget.setVisible(self._path is not None)
        self.problem.setVisible(False)

    # Pages

    def _choosing(self, projects: Sequence[tuple[str, str]]) -> QWidget:
        page = QWidget()
        column = bare_column(page, spacing_px=12)
        hint = tr(
            "What is here already stays as it is, so a newer export of the same chats can be imported at any time."
        )
        column.addWidget(plain_label(hint, "muted", wraps=True))
        self.folder_button = push_button(tr("Import a folder…"), "importChooseFolder", self.choose_folder)
        column.addWidget(self._how_to_get_it())
        self.projects = named(ChoiceBox(), "importProject", tr("Project for the imported threads"))
        self.projects.addItem(shown(_BY_PROGRAM))
        for project_id, name in projects:
            self.projects.addItem(name, project_id)
        label = _label_of(self.projects, tr("Into project"))
        self._program_label.setMinimumWidth(label.sizeHint().width())  # the boxes begin below each other
        label.setMinimumWidth(self._program_label.sizeHint().width())
        where = QHBoxLayout()
        where.addWidget(label)
        where.addWidget(self.projects, 1)
        column.addLayout(where)
        self.choose_button = push_button(tr("Import a file…"), "importChoose", self.choose_file)
        self.file_label = ElidedLabel(self.theme)
        self.file_label.setObjectName("importFile")
        row = QHBoxLayout()
        row.addWidget(self.choose_button)
        row.addWidget(self.folder_button)
        row.addWidget(self.file_label, 1)
        row.addStretch(0)
        column.addLayout(row)
        self.problem = plain_label("", "text", wraps=True, name="importProblem")
        self.problem.setProperty("isDanger", True)
        self.problem.setVisible(False)
        column.addWidget(self.problem)
        self.start_button = push_button(tr("Import"), "importStart", self._start, is_primary=True, acts=True)
        column.addLayout(_buttons(push_button(tr("Cancel"), "importCancel", self.reject), self.start_button))
        return page

    def _how_to_get_it(self) -> QWidget:
        """Show how to get an export from the chosen program."""
        self.program = named(ChoiceBox(), "importProgram", tr("Program that the chats come from"))
        for source in EXPORT_SOURCES:
            self.program.addItem(source.program)
        self._program_label = _label_of(self.program, tr("Chats from"))
        row = QHBoxLayout()
        row.addWidget(self._program_label)
        row.addWidget(self.program, 1)
        self._steps = plain_label("", "text", wraps=True, name="importSteps")
        self._link_place = QVBoxLayout()
        box = QWidget()
        rows = bare_column(box, spacing_px=12)
        rows.addLayout(row)
        rows.addWidget(self._steps)
        rows.addLayout(self._link_place)
        self.program.currentIndexChanged.connect(self._on_program_changed)
        self.program.setCurrentIndex(max(0, self.program.findText(self._program)))
        self._on_program_changed()
        return box

    def _on_program_changed(self) -> None:
        source = EXPORT_SOURCES[self.program.currentIndex()]
        self._steps.setText(shown(source.steps))
        self.folder_button.setVisible(source.is_folder)
        clear_layout(self._link_place)
        if source.url:
            link = LinkButton(tr("Open {program}", program=source.program), source.url, object_name="importLink")
            self._link_place.addWidget(link, 0, Qt.AlignmentFlag.AlignLeft)

    def _running(self) -> QWidget:
        page = QWidget()
        column = bare_column(page, spacing_px=12)
        self.bar = named(QProgressBar(), "importProgress", tr("Progress of the import"))
        self.bar.setTextVisible(False)
        self.state = plain_label("", "text", name="importState")
        hint = tr(
            "You can go on working: the import does not need this window. What is imported already stays if you stop."
        )
        column.addWidget(self.bar)
        column.addWidget(self.state)
        column.addWidget(plain_label(hint, "muted", wraps=True))
        self.stop_button = push_button(tr("Stop"), "importStop", self._stop)
        self.hide_button = push_button(tr("Hide"), "importHide", self.accept, is_primary=True)
        column.addLayout(_buttons(self.stop_button, self.hide_button))
        return page

    def _finished(self) -> QWidget:
        page = QWidget()
        column = bare_column(page, spacing_px=12)
        self.summary = plain_label("", "text", wraps=True, name="importSummary")
        self._lines = _Lines(self)
        self.list = named(QListView(), "importLines", tr("Result of each thread"))
        self.list.setModel(self._lines)
        self.list.setUniformItemSizes(True)
        self.list.setTextElideMode(Qt.TextElideMode.ElideRight)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.setVerticalScrollMode(QListView.ScrollMode.ScrollPerPixel)
        self.list.setSelectionMode(QListView.SelectionMode.SingleSelection)
        self.list.setEditTriggers(QListView.EditTrigger.NoEditTriggers)
        self.memories = FoundMemories()
        self.memories.takeRequested.connect(self.memoriesChosen)
        column.addWidget(self.summary)
        column.addWidget(self.list, 1)
        column.addWidget(self.memories)
        copy = push_button(tr("Copy report"), "importCopy", self.copyRequested.emit)
        self.close_button = push_button(tr("Close"), "importClose", self.accept)
        self.show_button = push_button(tr("Show threads"), "importShow", self._show, is_primary=True)
        column.addLayout(_buttons(copy, self.close_button, self.show_button))
        return page


class _Lines(QAbstractListModel):
    """Lines of a report; texts are made when they are seen, because there may be a hundred thousand."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._shown: Sequence[ImportLine] = ()

    def show_lines(self, lines: Sequence[ImportLine]) -> None:
        self.beginResetModel()
        self._shown = lines
        self.endResetModel()

    def rowCount(self, parent: _Index = QModelIndex()) -> int:  # noqa: B008 - Qt's own default
        return 0 if parent.isValid() else len(self._shown)

    def data(self, index: _Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if role not in _TEXT_ROLES:
            return None
        line = self._shown[index.row()]
        outcome = shown(OUTCOME_TEXTS[line.outcome])
        if line.messages:
            outcome = with_commas((outcome, plural("{count} messages", "{count} message", line.messages)))
        reason = f". {shown(line.reason)}" if line.reason else ""
        # A long title is cut, so that the outcome stays visible.
        title = shown(line.title)
        title = shortened(title, _LONGEST_TITLE) if role == Qt.ItemDataRole.DisplayRole else title
        text = f"{title} — {outcome}{reason}"
        return plain_tooltip(text) if role == Qt.ItemDataRole.ToolTipRole else text


def _label_of(field: QWidget, text: str) -> QLabel:
    label = QLabel(text)
    label.setTextFormat(Qt.TextFormat.PlainText)
    label.setBuddy(field)
    return label


def _buttons(*buttons: QPushButton) -> QHBoxLayout:
    row = QHBoxLayout()
    row.addStretch(1)
    for button in buttons:
        row.addWidget(button)
    return row
