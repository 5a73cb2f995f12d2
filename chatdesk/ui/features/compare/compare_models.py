"""Chooses the models that are asked at once."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QPoint, QSize, Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import (
    QCheckBox,
    QLabel,
    QLineEdit,
    QScrollArea,
    QSizePolicy,
    QWidget,
)

from chatdesk.core.texts import tr
from chatdesk.ui.accessibility.assistance import named
from chatdesk.ui.dialogs.form_panel import FormPanel, push_button
from chatdesk.ui.dialogs.panel import clear_layout, plain_label
from chatdesk.ui.theme.theme import Theme
from chatdesk.ui.widgets.elided_label import set_plain_tooltip
from chatdesk.ui.widgets.layouts import bare_column

_SIZE_PX = (420, 420)
_MOST = 4
_FEWEST = 2

# Provider, its label, and its models as (id, label).
ProviderChoices = tuple[str, str, Sequence[tuple[str, str]]]


class CompareModelsDialog(FormPanel):
    """A dialog that chooses the models to compare. ``chosen(list of (provider, model))`` comes once; an empty list
    means one model again. ``current`` are ticked; ``is_comparing``: they are asked at once already."""

    chosen = Signal(object)

    def __init__(
        self,
        theme: Theme,
        models: Sequence[ProviderChoices],
        current: Sequence[tuple[str, str]],
        *,
        is_comparing: bool = False,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(
            theme, tr("Compare models"), object_name="compareModelsDialog", size_px=_SIZE_PX, parent=parent
        )
        self._boxes: list[tuple[tuple[str, str], QCheckBox]] = []
        self._headings: list[tuple[QLabel, list[QCheckBox]]] = []
        self._is_touched = False
        self.search = named(QLineEdit(), "compareSearch", tr("Search models"))
        self.search.setPlaceholderText(tr("Search models"))
        self.search.setClearButtonEnabled(True)
        self.search.textChanged.connect(self._filter)
        rows = QWidget()
        rows.setObjectName("compareModels")
        self._rows = bare_column(rows)
        self._fill(models, current)
        scroll = QScrollArea()
        scroll.setWidgetResizable(True)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setFrameShape(QScrollArea.Shape.NoFrame)
        scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)  # the boxes in it take the focus, and scroll into view
        scroll.setWidget(rows)
        scroll.viewport().setAutoFillBackground(False)
        rows.setAutoFillBackground(False)
        self.add_button(push_button(tr("Cancel"), "compareCancel", self.reject))
        single = self.add_button(push_button(tr("Stop comparing"), "compareNone", lambda: self._choose([])))
        single.setVisible(is_comparing)
        self.accept_button = self.add_button(
            push_button(tr("Compare"), "compareAccept", lambda: self._choose(self.selected()), is_primary=True)
        )
        hint = tr(
            "Your questions in this thread go to {fewest} to {most} models at once, and each model costs "
            "what it costs alone. You keep the answer you like.",
            fewest=str(_FEWEST),
            most=str(_MOST),
        )
        self.add_text(hint)
        self.body.addWidget(self.search)
        self.body.addWidget(scroll, 1)
        self._count()
        (self.search if is_comparing or not self.accept_button.isEnabled() else self.accept_button).setFocus()

    def show_models(self, models: Sequence[ProviderChoices], current: Sequence[tuple[str, str]] | None = None) -> None:
        """Show the models that are known now, as when a server listed its own. What is ticked stays so, unless no
        person touched it: then ``current`` are ticked, if given."""
        ticked = self.selected() if self._is_touched or current is None else current
        focused = next((choice for choice, box in self._boxes if box is self.focusWidget()), None)
        clear_layout(self._rows)
        self._boxes.clear()
        self._headings.clear()
        self._fill(models, ticked)
        self._filter(self.search.text())
        self._count()
        if focused is not None:
            place = next((box for choice, box in self._boxes if choice == focused), self.search)
            place.setFocus()

    def _fill(self, models: Sequence[ProviderChoices], ticked: Sequence[tuple[str, str]]) -> None:
        for provider, label, choices in models:
            heading = plain_label(label, "group")
            self._rows.addWidget(heading)
            self._headings.append((heading, []))
            for model, model_label in choices:
                box = _ModelBox(model_label)
                box.setAccessibleName(tr("{model} of {provider}", model=model_label, provider=label))
                box.setChecked((provider, model) in ticked)
                box.toggled.connect(self._count)
                box.clicked.connect(self._on_box_clicked)
                self._rows.addWidget(box)
                self._boxes.append(((provider, model), box))
                self._headings[-1][1].append(box)
        self._rows.addStretch(1)

    def selected(self) -> list[tuple[str, str]]:
        return [choice for choice, box in self._boxes if box.isChecked()]

    def _filter(self, typed: str) -> None:
        words = typed.casefold().split()
        for heading, boxes in self._headings:
            for box in boxes:
                box.setVisible(all(word in box.accessibleName().casefold() for word in words))
            heading.setVisible(any(not box.isHidden() for box in boxes))

    def _count(self) -> None:
        count = len(self.selected())
        self.accept_button.setEnabled(_FEWEST <= count <= _MOST)
        for _choice, box in self._boxes:
            box.setEnabled(box.isChecked() or count < _MOST)

    def _on_box_clicked(self) -> None:
        self._is_touched = True

    def _choose(self, models: list[tuple[str, str]]) -> None:
        self.accept()
        self.chosen.emit(models)


class _ModelBox(QCheckBox):
    """A model's name, elided in the middle if it is too long. A click anywhere in its row ticks it."""

    _MARK_PX = 30  # the box and its distance

    def __init__(self, label: str) -> None:
        super().__init__()
        self._label = label
        # lets it become narrower than its name
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self._show(label)
        set_plain_tooltip(self, label)

    def hitButton(self, place: QPoint) -> bool:
        return self.rect().contains(place)

    def minimumSizeHint(self) -> QSize:
        return QSize(self._MARK_PX, super().minimumSizeHint().height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        room = self.width() - self._MARK_PX
        self._show(self.fontMetrics().elidedText(self._label, Qt.TextElideMode.ElideMiddle, room))

    def _show(self, text: str) -> None:
        self.setText(text.replace("&", "&&"))
