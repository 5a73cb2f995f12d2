"""Asks for the fields of a template, one line or choice each."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QComboBox, QPlainTextEdit, QScrollArea, QVBoxLayout, QWidget

from chatdesk.core.chat.prompts.prompt_variables import LONGEST_VALUE, Field, Problem
from chatdesk.core.texts import shown, tr
from chatdesk.ui.dialogs.form_panel import FormPanel, push_button
from chatdesk.ui.dialogs.panel import plain_label
from chatdesk.ui.dialogs.text_field import TextField
from chatdesk.ui.qt.mirroring import set_margins
from chatdesk.ui.theme.theme import Theme
from chatdesk.ui.widgets.fields.choice_box import ChoiceBox

_WIDTH_PX: Final = 480
_LEAST_HEIGHT_PX, _FIELD_PX, _CHOICE_PX, _PROBLEM_PX = 136, 88, 62, 44
_LINES, _PADDING_PX = 2, 14
_MOST_SHOWN_PROBLEMS = 3


class PromptFieldsDialog(FormPanel):
    """A dialog that asks for the variables of a template. ``filled`` carries the values by the names of the fields,
    once; Esc and closing insert nothing. Enter goes on to the end, Shift+Enter begins a new line in a field. ``check``
    returns what is wrong with the values, which are asked for again then."""

    filled = Signal(object)

    def __init__(
        self,
        theme: Theme,
        prompt_name: str,
        fields: Sequence[Field],
        *,
        last_values: Mapping[str, str],
        problems: Sequence[Problem] = (),
        check: Callable[[Mapping[str, str]], str] = lambda _values: "",
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(
            theme,
            tr("Fill in: {prompt_name}", prompt_name=prompt_name),
            object_name="promptFieldsDialog",
            parent=parent,
        )
        self.head.setText(prompt_name)
        self._check = check
        self._fields: dict[str, _TextField | QComboBox] = {}
        rows = QWidget()
        rows.setObjectName("promptFields")
        column = QVBoxLayout(rows)
        set_margins(column, 0, 0, 8, 0)
        column.setSpacing(4)
        for each in fields:
            label = plain_label(_label_of(each), "text", wraps=True)
            field = self._field_for(each, last_values.get(each.name, each.default))
            label.setBuddy(field)
            column.addWidget(label)
            column.addWidget(field)
            column.addSpacing(8)
        column.addStretch(1)
        scroll = QScrollArea()
        scroll.setWidgetResizable(True)
        scroll.setFrameShape(QScrollArea.Shape.NoFrame)
        scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        scroll.setWidget(rows)
        self.setStyleSheet("QScrollArea, #promptFields { background: transparent; }")
        self.add_button(push_button(tr("Cancel"), "promptFieldsCancel", self.reject))
        self.insert_button = self.add_button(
            push_button(tr("Insert"), "promptFieldsInsert", self._finish, is_primary=True)
        )
        for problem in problems[:_MOST_SHOWN_PROBLEMS]:
            self.add_text(shown(problem.sentence))
        self.body.addWidget(scroll, 1)
        wanted = sum(_CHOICE_PX if each.choices else _FIELD_PX for each in fields)
        self.fit(_WIDTH_PX, _LEAST_HEIGHT_PX + wanted + _PROBLEM_PX * min(len(problems), _MOST_SHOWN_PROBLEMS))
        first = next(iter(self._fields.values()), None)
        (first or self.insert_button).setFocus(Qt.FocusReason.TabFocusReason)

    def field(self, name: str) -> QPlainTextEdit | QComboBox:
        return self._fields[name]

    def values(self) -> dict[str, str]:
        return {
            name: field.currentText() if isinstance(field, QComboBox) else field.written()[:LONGEST_VALUE]
            for name, field in self._fields.items()
        }

    def _field_for(self, each: Field, value: str) -> QWidget:
        field: _TextField | QComboBox
        if each.choices:
            field = ChoiceBox()
            field.addItems(list(each.choices))
            field.setCurrentIndex(max(0, field.findText(value)))
        else:
            field = _TextField(self.theme, name=each.label, object_name="", most=LONGEST_VALUE)
            field.show_written(value)
            field.selectAll()
            field.setFixedHeight(field.fontMetrics().lineSpacing() * _LINES + _PADDING_PX)
            field.entered.connect(self._finish)
        field.setObjectName(f"promptField_{each.name}")
        field.setAccessibleName(each.label)
        self._fields[each.name] = field
        return field

    def _finish(self) -> None:
        values = self.values()
        if problem := self._check(values):
            self.show_problem(problem)
            return
        self.accept()
        self.filled.emit(values)


def _label_of(each: Field) -> str:
    return each.label[:1].upper() + each.label[1:].replace("_", " ")


class _TextField(TextField):
    entered = Signal()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        is_enter = event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter)
        if is_enter and not event.modifiers() & Qt.KeyboardModifier.ShiftModifier:
            self.entered.emit()
        elif is_enter:
            self.textCursor().insertBlock()
            self.ensureCursorVisible()
        else:
            super().keyPressEvent(event)
