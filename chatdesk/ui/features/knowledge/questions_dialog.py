"""Edits and runs the questions that are kept for a project's files."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QListWidgetItem, QWidget

from chatdesk.core.domain.kept_question import LONGEST_FILE, LONGEST_QUESTION, KeptQuestion
from chatdesk.core.hidden_characters import visible_controls
from chatdesk.core.knowledge.kept_questions import hits_of, outcome_text
from chatdesk.core.texts import shown, tr
from chatdesk.ui.accessibility.assistance import announce, named
from chatdesk.ui.dialogs.form_panel import FormPanel, push_button
from chatdesk.ui.dialogs.panel import plain_label
from chatdesk.ui.features.knowledge.fields import EnteredField, outlined_list
from chatdesk.ui.theme.theme import Theme

_SIZE_PX = (620, 540)
_GAP_PX = 8
_ID_ROLE = int(Qt.ItemDataRole.UserRole)


class QuestionsDialog(FormPanel):
    """A dialog for the kept questions of one project. ``keepRequested(question, file)`` has what was typed,
    ``removeRequested`` the id of one; ``runRequested`` asks for what all of them find."""

    keepRequested = Signal(str, str)
    removeRequested = Signal(str)
    runRequested = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(theme, tr("Kept questions"), object_name="questionsDialog", size_px=_SIZE_PX, parent=parent)
        self.add_text(
            tr("Write questions with the file that each should find. Run them now, and again after something changed.")
        )
        self.question = self._field("keptQuestion", tr("Question"), LONGEST_QUESTION)
        self.file = self._field("keptFile", tr("The file to find"), LONGEST_FILE)
        row = QHBoxLayout()
        row.setSpacing(_GAP_PX)
        row.addWidget(self.question, 3)
        row.addWidget(self.file, 2)
        row.addWidget(push_button(tr("Add"), "questionAdd", self._add))
        self.body.addLayout(row)
        self.list = outlined_list(theme, "keptQuestions", tr("Kept questions"))
        self.list.currentItemChanged.connect(self._show_buttons)
        self.body.addWidget(self.list, 1)
        self.summary = plain_label("", "muted", name="questionsSummary")
        self.body.addWidget(self.summary)
        self.remove_button = push_button(tr("Remove"), "questionRemove", self._remove)
        self.run_button = push_button(tr("Run all"), "questionsRun", self._run)
        self._is_running = False
        self.add_button(self.remove_button, is_first=True)
        self.add_button(self.run_button, is_first=True)
        self.add_button(push_button(tr("Close"), "questionsClose", self.reject, is_primary=True))
        self.show_questions(())
        self.question.setFocus()

    def _field(self, object_name: str, name: str, most: int) -> EnteredField:
        made = named(EnteredField(), object_name, name)
        made.setPlaceholderText(name)
        made.setMaxLength(most)
        made.entered.connect(self._add)
        return made

    def suggest(self, question: str, file: str) -> None:
        """Fill in a question that was just tried, and the file that it found."""
        self.question.setText(question)
        self.file.setText(visible_controls(file))
        if question and not file:
            self.file.setFocus()

    def show_questions(self, questions: Sequence[KeptQuestion]) -> None:
        """Show the questions with what the last run found; the chosen one stays chosen."""
        chosen, row = self._chosen_id(), self.list.currentRow()
        self.list.clear()
        for each in questions:
            lines = f"{visible_controls(each.question)}\n{visible_controls(each.file)} · {shown(outcome_text(each))}"
            item = QListWidgetItem(lines, self.list)
            item.setData(_ID_ROLE, each.id)
            item.setToolTip(shown(visible_controls(each.question)))
            if each.id == chosen:
                self.list.setCurrentItem(item)
        if self.list.currentRow() < 0 and questions:
            self.list.setCurrentRow(min(max(row, 0), len(questions) - 1))
        tried = [each for each in questions if each.place is not None]
        words = tr("{hits} of {total} among the first five", hits=hits_of(tried), total=len(tried)) if tried else ""
        self.summary.setText(words)
        self._show_buttons()

    def show_run(self, questions: Sequence[KeptQuestion]) -> None:
        """Show the outcome of a run that was asked for."""
        self._is_running = False
        self.show_questions(questions)
        announce(self.summary, self.summary.text())

    def end_run(self) -> None:
        """Let another run be asked for, after one that failed."""
        self._is_running = False
        self._show_buttons()

    def clear_fields(self) -> None:
        """Empty the fields whose words were kept, for the next question."""
        self.question.clear()
        self.file.clear()
        self.show_problem("")
        self.question.setFocus()

    # Inside

    def _chosen_id(self) -> str:
        item = self.list.currentItem()
        return str(item.data(_ID_ROLE)) if item is not None else ""

    def _show_buttons(self) -> None:
        self.remove_button.setEnabled(bool(self._chosen_id()))
        self.run_button.setEnabled(self.list.count() > 0 and not self._is_running)

    def _add(self) -> None:
        question, file = self.question.text().strip(), self.file.text().strip()
        if question and file:
            self.keepRequested.emit(question, file)
        elif question or file:
            (self.file if question else self.question).setFocus()

    def _remove(self) -> None:
        if self._chosen_id():
            self.removeRequested.emit(self._chosen_id())

    def _run(self) -> None:
        self._is_running = True
        self.list.setFocus()  # a button that is off has no focus
        self._show_buttons()
        self.runRequested.emit()
