"""Shows the pill that names the answering model, and opens the list to choose another."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QWidget

from chatdesk.core.texts import tr
from chatdesk.ui.theme.theme import Theme
from chatdesk.ui.widgets.buttons import PillButton
from chatdesk.ui.widgets.models.model_chooser import ModelChooser

ModelChoice = tuple[str, str]
ProviderChoices = tuple[str, str, Sequence[ModelChoice]]


class ModelPicker(PillButton):
    """Emits ``modelChosen(provider, model)`` when a person chooses; ``set_current`` is silent. ``compareRequested``,
    ``compareLeft`` (one model is enough again), ``addRequested`` (a provider), ``manageRequested`` (providers and their
    models), ``refreshRequested`` and
    ``likeToggled(provider, model, bool)`` come from the list."""

    _MIN_PX = 48

    modelChosen = Signal(str, str)
    modelsChanged = Signal(object)
    compareRequested = Signal()
    compareLeft = Signal()
    addRequested = Signal()
    manageRequested = Signal()
    refreshRequested = Signal()
    likeToggled = Signal(str, str, bool)

    def __init__(self, theme: Theme, *, parent: QWidget | None = None) -> None:
        super().__init__(theme, tr("Choose a model"), object_name="modelPicker", has_arrow=True, parent=parent)
        self._models: tuple[ProviderChoices, ...] = ()
        self._liked: frozenset[tuple[str, str]] = frozenset()
        self._current: tuple[str, str] | None = None
        self._compared: tuple[tuple[str, str], ...] = ()
        self._chooser: ModelChooser | None = None
        self.clicked.connect(self._open_chooser)
        self._show_current()

    @property
    def current(self) -> tuple[str, str] | None:
        return self._current

    @property
    def models(self) -> tuple[ProviderChoices, ...]:
        return self._models

    @property
    def liked(self) -> frozenset[tuple[str, str]]:
        return self._liked

    def set_models(self, models: Sequence[ProviderChoices]) -> None:
        """Offer these models. ``models`` are (provider, its label, [(model id, its label)]), in the order of the
        list."""
        before = self._models
        self._models = tuple((provider, label, tuple(choices)) for provider, label, choices in models)
        self._show_current()
        self._refill()
        if self._models != before:
            self.modelsChanged.emit(self._models)

    def set_liked(self, liked: Collection[tuple[str, str]]) -> None:
        """Set the favourites, as (provider, model)."""
        self._liked = frozenset(liked)
        self._refill()

    def set_compared(self, models: Sequence[tuple[str, str]]) -> None:
        """Set the models that are asked at once, as (provider, model); empty when one model answers."""
        self._compared = tuple(models)

    def set_current(self, provider: str, model: str) -> None:
        """Set the current model; an empty one means the provider's own choice, which is not known yet."""
        self._current = (provider, model)
        self._show_current()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Down:
            self.click()
        else:
            super().keyPressEvent(event)

    def _refill(self) -> None:
        if self._chooser is not None:
            self._chooser.show_models(self._models, self._liked)

    def _show_current(self) -> None:
        text = self._label_of_current() or tr("Choose a model")
        self.setText(text)
        self.set_name(
            tr("Model: {text}", text=text) if self._current else text,
            tooltip=tr("{text}: choose another model", text=text),
        )

    def _label_of_current(self) -> str:
        if self._current is None:
            return ""
        for provider, provider_label, choices in self._models:
            if provider == self._current[0] and not self._current[1]:
                return provider_label
            for model, label in choices:
                if (provider, model) == self._current:
                    return label
        # A thread keeps its model's name when the provider no longer lists it.
        return self._current[1]

    def _open_chooser(self) -> None:
        if self._chooser is None:
            self._chooser = ModelChooser(self._theme, self)
            self._chooser.chosen.connect(self._choose)
            for wish, answer in (
                (self._chooser.compareRequested, self.compareRequested),
                (self._chooser.compareLeft, self.compareLeft),
                (self._chooser.addRequested, self.addRequested),
                (self._chooser.manageRequested, self.manageRequested),
                (self._chooser.refreshRequested, self.refreshRequested),
                (self._chooser.likeToggled, self.likeToggled),
            ):
                wish.connect(answer)
        self._chooser.show_models(self._models, self._liked)
        if self._compared:
            self._chooser.open_comparing(self, self._compared)
        else:
            self._chooser.open_below(self, self._current)

    def _choose(self, provider: str, model: str) -> None:
        if (provider, model) != self._current:
            self.set_current(provider, model)
            self.modelChosen.emit(provider, model)
