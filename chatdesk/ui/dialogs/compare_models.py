"""Chooses the models that are asked at once."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QCheckBox, QHBoxLayout, QPushButton, QScrollArea, QVBoxLayout, QWidget

from chatdesk.ui.dialogs.panel import Panel, plain_label
from chatdesk.ui.theme.theme import Theme

_SIZE_PX = (420, 420)
_MOST = 4
_FEWEST = 2

#: Provider, its label, and its models as (id, label).
ProviderChoices = tuple[str, str, Sequence[tuple[str, str]]]


class CompareModelsDialog(Panel):
    """``chosen(list of (provider, model))`` comes once; an empty list means one model again."""

    chosen = Signal(object)

    def __init__(
        self,
        theme: Theme,
        models: Sequence[ProviderChoices],
        current: Sequence[tuple[str, str]],
        *,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(theme, "Compare models", parent=parent)
        self.setObjectName("compareModelsDialog")
        self._boxes: list[tuple[tuple[str, str], QCheckBox]] = []
        rows = QWidget()
        rows.setObjectName("compareModels")
        column = QVBoxLayout(rows)
        column.setContentsMargins(0, 0, 0, 0)
        for provider, label, choices in models:
            column.addWidget(plain_label(label, "group"))
            for model, model_label in choices:
                box = QCheckBox(model_label.replace("&", "&&"))
                box.setAccessibleName(f"{model_label} of {label}")
                box.setChecked((provider, model) in current)
                box.toggled.connect(self._count)
                column.addWidget(box)
                self._boxes.append(((provider, model), box))
        column.addStretch(1)
        scroll = QScrollArea()
        scroll.setWidgetResizable(True)
        scroll.setFrameShape(QScrollArea.Shape.NoFrame)
        scroll.setWidget(rows)
        scroll.viewport().setAutoFillBackground(False)
        rows.setAutoFillBackground(False)
        self.accept_button = QPushButton("Compare")
        self.accept_button.setObjectName("compareAccept")
        self.accept_button.setProperty("isPrimary", True)
        single, cancel = QPushButton("One model only"), QPushButton("Cancel")
        single.setObjectName("compareNone")
        self.accept_button.clicked.connect(lambda: self._choose(self.selected()))
        single.clicked.connect(lambda: self._choose([]))
        single.setVisible(bool(current))
        cancel.clicked.connect(self.reject)
        buttons = QHBoxLayout()
        buttons.addStretch(1)
        for button in (cancel, single, self.accept_button):
            button.setAutoDefault(False)
            buttons.addWidget(button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(24, 22, 24, 20)
        layout.setSpacing(10)
        layout.addWidget(plain_label("Compare models", "strong"))
        hint = f"The next questions go to {_FEWEST} to {_MOST} models at once; you keep the answer you like."
        layout.addWidget(plain_label(hint, "muted", wraps=True))
        layout.addWidget(scroll, 1)
        layout.addLayout(buttons)
        self.fit(*_SIZE_PX)
        self._count()

    def selected(self) -> list[tuple[str, str]]:
        return [choice for choice, box in self._boxes if box.isChecked()]

    def _count(self) -> None:
        count = len(self.selected())
        self.accept_button.setEnabled(_FEWEST <= count <= _MOST)
        for _choice, box in self._boxes:
            box.setEnabled(box.isChecked() or count < _MOST)

    def _choose(self, models: list[tuple[str, str]]) -> None:
        self.accept()
        self.chosen.emit(models)
