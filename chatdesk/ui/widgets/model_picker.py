"""Chooses the model that answers: a pill that opens a menu of providers and their models."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Signal
from PySide6.QtGui import QAction, QActionGroup
from PySide6.QtWidgets import QMenu, QWidget

from chatdesk.ui.theme.theme import Theme
from chatdesk.ui.widgets.buttons import PillButton

ModelChoice = tuple[str, str]
ProviderChoices = tuple[str, str, Sequence[ModelChoice]]

# Above this many models in all, each provider gets a menu of its own.
_FLAT_MENU_MODELS = 16


class ModelPicker(PillButton):
    """Emits ``modelChosen(provider, model)`` when a person chooses, ``compareRequested`` when they want several;
    ``set_current`` is silent."""

    modelChosen = Signal(str, str)
    compareRequested = Signal()

    def __init__(self, theme: Theme, *, parent: QWidget | None = None) -> None:
        super().__init__(theme, "Choose a model", object_name="modelPicker", has_arrow=True, parent=parent)
        self._models: tuple[ProviderChoices, ...] = ()
        self._current: tuple[str, str] | None = None
        menu = QMenu(self)
        menu.setObjectName("modelMenu")
        menu.aboutToShow.connect(self._fill_menu)
        self.set_menu(menu)
        self._show_current()

    @property
    def current(self) -> tuple[str, str] | None:
        return self._current

    @property
    def models(self) -> tuple[ProviderChoices, ...]:
        return self._models

    def set_models(self, models: Sequence[ProviderChoices]) -> None:
        """``models``: (provider, its label, [(model id, its label)]), in the order of the menu."""
        self._models = tuple((provider, label, tuple(choices)) for provider, label, choices in models)
        self._show_current()

    def set_current(self, provider: str, model: str) -> None:
        self._current = (provider, model)
        self._show_current()

    def _show_current(self) -> None:
        text = self._label_of_current() or "Choose a model"
        self.setText(text)
        self.set_name(f"Model: {text}" if self._current else text, tooltip=f"{text}: choose another model")

    def _label_of_current(self) -> str:
        if self._current is None:
            return ""
        for provider, _label, choices in self._models:
            for model, label in choices:
                if (provider, model) == self._current:
                    return label
        # A thread keeps its model's name when the provider no longer lists it.
        return self._current[1]

    def _fill_menu(self) -> None:
        menu = self._menu
        assert menu is not None
        menu.clear()
        group = QActionGroup(menu)
        is_flat = sum(len(choices) for _provider, _label, choices in self._models) <= _FLAT_MENU_MODELS
        for place, (provider, label, choices) in enumerate(self._models):
            target = menu
            if is_flat:
                if place:
                    menu.addSeparator()
                heading = menu.addAction(_plain(label))
                heading.setEnabled(False)
            else:
                target = menu.addMenu(_plain(label))
            for model, model_label in choices:
                action = self._model_action(provider, model, model_label, group)
                target.addAction(action)
                if action.isChecked():
                    menu.setActiveAction(action if is_flat else target.menuAction())
        if not self._models:
            menu.addAction("No model yet: add a provider in Settings").setEnabled(False)
            return
        menu.addSeparator()
        compare = menu.addAction("Compare models…")
        compare.setObjectName("compareModelsAction")
        compare.triggered.connect(self.compareRequested)

    def _model_action(self, provider: str, model: str, label: str, group: QActionGroup) -> QAction:
        action = QAction(_plain(label), group)
        action.setCheckable(True)
        action.setChecked((provider, model) == self._current)
        action.triggered.connect(lambda: self._choose(provider, model))
        return action

    def _choose(self, provider: str, model: str) -> None:
        if (provider, model) != self._current:
            self.set_current(provider, model)
            self.modelChosen.emit(provider, model)


def _plain(label: str) -> str:
    """A menu reads ``&`` as a mnemonic."""
    return label.replace("&", "&&")
