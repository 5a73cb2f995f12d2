"""Shows the form of one prompt: its name, its kind, its text, and warnings about it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from PySide6.QtCore import QTimer, Signal
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QVBoxLayout, QWidget

from chatdesk.core.domain.prompt import LONGEST_NAME, LONGEST_TEXT, AssistantSetup, PromptKind
from chatdesk.core.texts import Text, shown, tr
from chatdesk.ui.accessibility.assistance import named
from chatdesk.ui.dialogs.panel import plain_label
from chatdesk.ui.dialogs.text_field import TextField
from chatdesk.ui.features.prompts.assistant_fields import AssistantChoices, AssistantFields
from chatdesk.ui.theme.theme import Theme
from chatdesk.ui.widgets.fields.choice_box import ChoiceBox

_CHECK_AFTER_MS = 200
KIND_WORDS: Final = {
    PromptKind.TEMPLATE: Text("Template, for the composer"),
    PromptKind.SYSTEM: Text("System prompt"),
    PromptKind.QUICK: Text("Quick action, below an answer"),
    PromptKind.ASSISTANT: Text("Assistant, with @"),
}
_HINTS: Final = {
    PromptKind.TEMPLATE: Text(
        "{{date}} {{time}} {{clipboard}} {{selection}} {{project}} {{model}} {{thread}} are filled in."
        " Any other name, such as {{topic}}, {{topic:default}} or {{tone|formal|casual}}, is asked for."
    ),
    PromptKind.QUICK: Text(
        "Choosing it below an answer, in its menu or in the search asks this about the answer. The"
        " variables of templates are filled in; where one is asked for, the text goes into the composer first."
    ),
    PromptKind.SYSTEM: Text("{{date}} {{time}} {{project}} {{model}} are filled in each time it is sent."),
    PromptKind.ASSISTANT: Text(
        "The text is its instructions, sent in place of the system prompt. Choose it below the"
        " message for a whole thread, or type @ for one question."
    ),
}


@dataclass(frozen=True, slots=True)
class Written:
    """The values that are in the form."""

    kind: PromptKind
    name: str
    text: str
    setup: AssistantSetup | None = None

    @property
    def is_blank(self) -> bool:
        return not self.name.strip() and not self.text.strip()


class PromptForm(QWidget):
    """The form of one prompt. ``checkRequested`` carries a text, and whether it is a system prompt, once the typing
    pauses. The two other requests are those of ``assistant``, the fields of an assistant, which are made when there is
    one."""

    typed = Signal()
    checkRequested = Signal(str, bool)
    parametersRequested = Signal(object)
    filesRequested = Signal()

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._choices = AssistantChoices()
        self.assistant: AssistantFields | None = None
        self.name_field = named(QLineEdit(), "promptName", tr("Name of the prompt"))
        self.name_field.setPlaceholderText(tr("Name"))
        self.name_field.setMaxLength(LONGEST_NAME)
        self.kind_box = named(ChoiceBox(), "promptKind", tr("Kind of prompt"))
        for kind, text in KIND_WORDS.items():
            self.kind_box.addItem(shown(text), kind.value)
        self.text_field = TextField(theme, name=tr("Text of the prompt"), object_name="promptText", most=LONGEST_TEXT)
        self.text_field.setPlaceholderText(tr("What the prompt says"))
        self._hint = plain_label("", "muted", wraps=True)
        self._problems = plain_label("", "text", wraps=True, name="promptProblems")
        self._problems.setProperty("isDanger", True)
        self._problems.hide()
        head = QHBoxLayout()
        head.addWidget(self.name_field, 1)
        head.addWidget(self.kind_box)
        column = self._column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        column.addLayout(head)
        column.addWidget(self.text_field, 1)
        column.addWidget(self._hint)
        column.addWidget(self._problems)
        self._check_timer = QTimer(self, singleShot=True, interval=_CHECK_AFTER_MS)
        self._check_timer.timeout.connect(self._check)
        self.name_field.textChanged.connect(self._on_typed)
        self.text_field.textChanged.connect(self._on_typed)
        self.kind_box.currentIndexChanged.connect(self._on_typed)
        self._on_typed()

    def written(self) -> Written:
        kind = PromptKind(self.kind_box.currentData())
        setup = self._fields().setup if kind is PromptKind.ASSISTANT else None
        return Written(kind, self.name_field.text(), self.text_field.written(), setup)

    def offer(self, choices: AssistantChoices) -> None:
        """Set the choices for an assistant."""
        self._choices = choices
        if self.assistant is not None:
            self.assistant.offer(choices)

    def show_written(self, written: Written) -> None:
        """Replace all values of the form without emitting that something was typed."""
        fields: tuple[QWidget, ...] = (self.name_field, self.text_field, self.kind_box)
        for field in fields:
            field.blockSignals(True)
        self.kind_box.setCurrentIndex(self.kind_box.findData(written.kind.value))
        self.name_field.setText(written.name)
        self.text_field.show_written(written.text)
        for field in fields:
            field.blockSignals(False)
        self._show_setup(written)
        self._hint.setText(shown(_HINTS[written.kind]))
        self._check()

    def type_written(self, written: Written) -> None:
        """Replace the values as if a person had typed them; Ctrl+Z restores the former text."""
        self.kind_box.setCurrentIndex(self.kind_box.findData(written.kind.value))
        self.name_field.setText(written.name)
        self.text_field.replace_written(written.text)
        self._show_setup(written)

    def show_problems(self, sentences: Sequence[str]) -> None:
        self._problems.setText("\n".join(sentences))
        self._problems.setVisible(bool(sentences))

    def _show_setup(self, written: Written) -> None:
        if written.kind is PromptKind.ASSISTANT:
            self._fields().show_setup(written.setup or AssistantSetup())
        self._show_fields()

    def _show_fields(self) -> None:
        if PromptKind(self.kind_box.currentData()) is PromptKind.ASSISTANT:
            self._fields().show()
        elif self.assistant is not None:
            self.assistant.hide()

    def _fields(self) -> AssistantFields:
        if self.assistant is None:
            made = self.assistant = AssistantFields(self._theme, self._choices)
            made.changed.connect(self._on_typed)
            made.parametersRequested.connect(self.parametersRequested)
            made.filesRequested.connect(self.filesRequested)
            self._column.insertWidget(1, made)
        return self.assistant

    def _on_typed(self) -> None:
        self._show_fields()
        self._hint.setText(shown(_HINTS[PromptKind(self.kind_box.currentData())]))
        self._check_timer.start()
        self.typed.emit()

    def _check(self) -> None:
        self._check_timer.stop()
        written = self.written()
        self.checkRequested.emit(written.text, written.kind in (PromptKind.SYSTEM, PromptKind.ASSISTANT))
