"""The form to write one prompt: its name, its kind, its text, and warnings about it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from PySide6.QtCore import QTimer, Signal
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QLineEdit, QVBoxLayout, QWidget

from chatdesk.core.domain.prompt import LONGEST_NAME, LONGEST_TEXT, PromptKind
from chatdesk.ui.dialogs.panel import plain_label
from chatdesk.ui.dialogs.text_field import TextField
from chatdesk.ui.theme.theme import Theme

_CHECK_AFTER_MS = 200
KIND_WORDS: Final = {
    PromptKind.TEMPLATE: "Template, for the composer",
    PromptKind.SYSTEM: "System prompt",
    PromptKind.QUICK: "Quick action, below an answer",
}
_HINTS: Final = {
    PromptKind.TEMPLATE: "{{date}} {{time}} {{clipboard}} {{selection}} {{project}} {{model}} {{thread}} are filled in."
    " Any other name, such as {{topic}}, {{topic:default}} or {{tone|formal|casual}}, is asked for.",
    PromptKind.QUICK: "Choosing it below an answer, in its menu or in the search asks this about the answer. The"
    " variables of templates are filled in; where one is asked for, the text goes into the composer first.",
    PromptKind.SYSTEM: "{{date}} {{time}} {{project}} {{model}} are filled in each time it is sent.",
}


@dataclass(frozen=True, slots=True)
class Written:
    """The values that stand in the form."""

    kind: PromptKind
    name: str
    text: str

    @property
    def is_blank(self) -> bool:
        return not self.name.strip() and not self.text.strip()


class PromptForm(QWidget):
    """``checkRequested`` carries a text, and whether it is a system prompt, once the typing pauses."""

    typed = Signal()
    checkRequested = Signal(str, bool)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.name_field = QLineEdit()
        self.name_field.setObjectName("promptName")
        self.name_field.setAccessibleName("Name of the prompt")
        self.name_field.setPlaceholderText("Name")
        self.name_field.setMaxLength(LONGEST_NAME)
        self.kind_box = QComboBox()
        self.kind_box.setObjectName("promptKind")
        self.kind_box.setAccessibleName("Kind of prompt")
        for kind, text in KIND_WORDS.items():
            self.kind_box.addItem(text, kind.value)
        self.text_field = TextField(theme, name="Text of the prompt", object_name="promptText", most=LONGEST_TEXT)
        self.text_field.setPlaceholderText("What the prompt says")
        self._hint = plain_label("", "muted", wraps=True)
        self._problems = plain_label("", "text", wraps=True)
        self._problems.setObjectName("promptProblems")
        self._problems.setProperty("isDanger", True)
        self._problems.hide()
        head = QHBoxLayout()
        head.addWidget(self.name_field, 1)
        head.addWidget(self.kind_box)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        column.addLayout(head)
        column.addWidget(self.text_field, 1)
        column.addWidget(self._hint)
        column.addWidget(self._problems)
        self._check_timer = QTimer(self)
        self._check_timer.setSingleShot(True)
        self._check_timer.setInterval(_CHECK_AFTER_MS)
        self._check_timer.timeout.connect(self._check)
        self.name_field.textChanged.connect(self._on_typed)
        self.text_field.textChanged.connect(self._on_typed)
        self.kind_box.currentIndexChanged.connect(self._on_typed)
        self._on_typed()

    def written(self) -> Written:
        return Written(PromptKind(self.kind_box.currentData()), self.name_field.text(), self.text_field.written())

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
        self._hint.setText(_HINTS[written.kind])
        self._check()

    def type_written(self, written: Written) -> None:
        """Replace the values as if a person had typed them; Ctrl+Z restores the former text."""
        self.kind_box.setCurrentIndex(self.kind_box.findData(written.kind.value))
        self.name_field.setText(written.name)
        self.text_field.replace_written(written.text)

    def show_problems(self, sentences: Sequence[str]) -> None:
        self._problems.setText("\n".join(sentences))
        self._problems.setVisible(bool(sentences))

    def _on_typed(self) -> None:
        self._hint.setText(_HINTS[PromptKind(self.kind_box.currentData())])
        self._check_timer.start()
        self.typed.emit()

    def _check(self) -> None:
        self._check_timer.stop()
        written = self.written()
        self.checkRequested.emit(written.text, written.kind is PromptKind.SYSTEM)
