"""The steps of a provider's test, each with its result and the cause of a failure."""

from __future__ import annotations

from typing import Final

from PySide6.QtWidgets import QGridLayout, QLabel, QWidget

from chatdesk.core.domain.provider_check import STEP_TEXTS, Step, StepResult, StepState
from chatdesk.core.texts import Text, shown, tr
from chatdesk.ui.accessibility.assistance import announce
from chatdesk.ui.dialogs.marks import WORKS, WORKS_NOT, Mark
from chatdesk.ui.dialogs.panel import plain_label
from chatdesk.ui.theme.theme import Theme

_ICONS: Final = {
    StepState.RUNNING: ("clock", "muted"),
    StepState.OK: ("circle-check", "accent"),
    StepState.FAILED: ("circle-x", "danger"),
    StepState.SKIPPED: ("circle-stop", "muted"),
}
_STATE_WORDS: Final = {
    StepState.RUNNING: Text("Looking…"),
    StepState.OK: WORKS,
    StepState.FAILED: WORKS_NOT,
    StepState.SKIPPED: Text("Not tested"),
}


class ProviderSteps(QWidget):
    """Hidden until the first test."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self.setObjectName("providerSteps")
        self.setAccessibleName(tr("Result of the test"))
        self._marks: dict[Step, Mark] = {}
        self._texts: dict[Step, QLabel] = {}
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(10)
        grid.setVerticalSpacing(4)
        grid.setColumnStretch(2, 1)
        for place, step in enumerate(Step):
            mark = self._marks[step] = Mark(theme)
            text = self._texts[step] = plain_label("", "note", wraps=True)
            text.setObjectName(f"providerStep_{step.value}")
            grid.addWidget(mark, place, 0)
            grid.addWidget(plain_label(shown(STEP_TEXTS[step]), "text"), place, 1)
            grid.addWidget(text, place, 2)
        self.hide()

    def reset(self) -> None:
        """Clear the steps, because a new test starts."""
        for step in Step:
            self._show(StepResult(step, StepState.SKIPPED))
        self.show()

    def show_result(self, result: StepResult) -> None:
        self._show(result)
        if result.state is StepState.FAILED:
            announce(self, f"{shown(STEP_TEXTS[result.step])}: {shown(result.text)}")
        elif result.step is Step.STREAMING and result.state is StepState.OK:
            announce(self, tr("Everything works."))

    def text(self, step: Step) -> str:
        return self._texts[step].text()

    def _show(self, result: StepResult) -> None:
        mark, text = self._marks[result.step], self._texts[result.step]
        mark.show_icon(*_ICONS[result.state])
        words = shown(result.text or _STATE_WORDS[result.state])
        text.setText(words)
        text.setAccessibleName(f"{shown(STEP_TEXTS[result.step])}: {words}")
        colour = "danger" if result.state is StepState.FAILED else "muted"
        text.setStyleSheet(f"color: {self._theme.colour(colour).name()};")
