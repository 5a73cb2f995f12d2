"""Chooses the model that answers: a pill that opens a menu, or for many models a list that can be searched."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtGui import QAction, QActionGroup
from PySide6.QtWidgets import QMenu, QWidget

from chatdesk.ui.theme.theme import Theme
from chatdesk.ui.widgets.buttons import PillButton

if TYPE_CHECKING:
    from chatdesk.ui.widgets.model_chooser import ModelChooser

ModelChoice = tuple[str, str]
ProviderChoices = tuple[str, str, Sequence[ModelChoice]]

# Above this many models in all, they are searched in a list.
_FLAT_MENU_MODELS = 16


class ModelPicker(PillButton):
    """Emits ``modelChosen(provider, model)`` when a person chooses, ``compareRequested`` when they want several,
    ``likeToggled(provider, model, bool)`` and ``refreshRequested`` from the long list; ``set_current`` is silent."""

    modelChosen = Signal(str, str)
    compareRequested = Signal()
    likeToggled = Signal(str, str, bool)
    refreshRequested = Signal()

    def __init__(self, theme: Theme, *, parent: QWidget | None = None) -> None:
        super().__init__(theme, "Choose a model", object_name="modelPicker", has_arrow=True, parent=parent)
        self._models: tuple[ProviderChoices, ...] = ()
        self._liked: frozenset[tuple[str, str]] = frozenset()
        self._current: tuple[str, str] | None = None
        self._chooser: ModelChooser | None = None
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
        if self._chooser is not None:
            self._chooser.show_models(self._models, self._liked)

    def set_liked(self, liked: Collection[tuple[str, str]]) -> None:
        """The favourites, as (provider, model)."""
        self._liked = frozenset(liked)
        if self._chooser is not None:
            self._chooser.show_models(self._models, self._liked)

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

    def _open_menu(self) -> None:
        if sum(len(choices) for _provider, _label, choices in self._models) <= _FLAT_MENU_MODELS:
            super()._open_menu()
            return
        if self._chooser is None:
            from chatdesk.ui.widgets.model_chooser import ModelChooser

            self._chooser = ModelChooser(self._theme, self)
            self._chooser.chosen.connect(self._choose)
            self._chooser.compareRequested.connect(self.compareRequested)
            self._chooser.likeToggled.connect(self.likeToggled)
            self._chooser.refreshRequested.connect(self.refreshRequested)
        self._chooser.show_models(self._models, self._liked)
        self._chooser.open_below(self, self._current)

    def _fill_menu(self) -> None:
        menu = self._menu
        assert menu is not None
        menu.clear()
        group = QActionGroup(menu)
        for place, (provider, label, choices) in enumerate(self._models):
            if place:
                menu.addSeparator()
            heading = menu.addAction(_plain(label))
            heading.setEnabled(False)
            for model, model_label in choices:
                action = self._model_action(provider, model, model_label, group)
                menu.addAction(action)
                if action.isChecked():
                    menu.setActiveAction(action)
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
