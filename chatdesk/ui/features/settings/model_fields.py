"""Fields of the settings that name a model: it is chosen from the list of models instead of typed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QWidget

from chatdesk.core.domain.model_info import ModelRef
from chatdesk.core.settings.schema import Setting
from chatdesk.core.texts import Text, shown, tr
from chatdesk.ui.features.settings.settings_fields import Field, listener
from chatdesk.ui.theme.theme import Theme
from chatdesk.ui.widgets.buttons import PillButton
from chatdesk.ui.widgets.models.model_chooser import ModelChooser
from chatdesk.ui.widgets.models.model_rows import ProviderChoices


class ModelField(PillButton):
    """A button that shows a model and opens the list of models. ``value`` is ``provider/model``, empty for none, which
    is called ``blank``. ``changed`` carries the new value."""

    changed = Signal(str)

    _ROLE = "text"
    _BORDER = "field_line"
    _ALIGNMENT = Qt.AlignmentFlag.AlignLeading | Qt.AlignmentFlag.AlignVCenter

    def __init__(
        self,
        theme: Theme,
        models: Sequence[ProviderChoices],
        *,
        name: str,
        object_name: str,
        blank: str,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(theme, blank, object_name=object_name, has_arrow=True, parent=parent)
        self._RADIUS_PX = theme.tokens.radius.row  # matches the fields around it
        self._name = name
        self._blank = blank
        self._models = tuple(models)
        self._value: ModelRef | None = None
        self._chooser: ModelChooser | None = None
        self.clicked.connect(self._open_chooser)
        self._show_value()

    @property
    def value(self) -> str:
        return "" if self._value is None else str(self._value)

    def set_value(self, value: str) -> None:
        """Set the value without a signal. An incomplete model counts as none."""
        self._value = ModelRef.parse(value)
        self._show_value()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Down:
            self.click()
        else:
            super().keyPressEvent(event)

    def _show_value(self) -> None:
        text = self._blank if self._value is None else self._label_of(self._value)
        self.setText(text)
        self.set_name(f"{self._name}: {text}", tooltip=text)

    def _label_of(self, value: ModelRef) -> str:
        for provider, provider_label, choices in self._models:
            for model, label in choices:
                if (provider, model) == (value.provider, value.model):
                    return f"{label} ({provider_label})"
        return f"{value.model} ({value.provider})"  # stays selected even if its provider no longer lists it

    def _open_chooser(self) -> None:
        if self._chooser is None:
            self._chooser = ModelChooser(self._theme, self, has_actions=False, blank=self._blank)
            self._chooser.chosen.connect(self._on_chosen)
        self._chooser.show_models(self._models, ())
        current = ("", "") if self._value is None else (self._value.provider, self._value.model)
        self._chooser.open_below(self, current)

    def _on_chosen(self, provider: str, model: str) -> None:
        before, self._value = self._value, ModelRef(provider, model) if model else None
        self._show_value()
        if self._value != before:
            self.changed.emit(self.value)


# The provider and the model of new threads, which are chosen together.
DEFAULT_MODEL: Final = ("provider", "openai_model")


class ModelFields:
    """Makes fields for settings that name a model. ``models`` are those that can be chosen."""

    def __init__(self, theme: Theme, models: Sequence[ProviderChoices]) -> None:
        self._theme = theme
        self._models = tuple(models)

    def make(self, setting: Setting, value: str) -> Field:
        """Return a field for a setting that holds ``provider/model``."""
        widget = self._widget(setting)
        widget.set_value(value)
        return Field(widget, lambda: widget.value, listener(widget.changed))

    def make_default(self, setting: Setting, provider: str, model: str) -> tuple[Field, Field]:
        """Return one field in place of two, for the provider and the model of new threads. The stored values stay as
        they are, even if only one is set, until a person chooses."""
        widget = self._widget(setting)
        is_automatic = provider == "auto" and not model
        if not is_automatic:
            widget.set_value(f"{provider}/{model}")
            if not model:
                widget.setText(tr("{label}, its own choice", label=self._label_of(provider)))
            elif provider == "auto":
                widget.setText(model)
        chosen: list[tuple[str, str]] = [(provider, model)]

        def on_changed(value: str) -> None:
            ref = ModelRef.parse(value)
            chosen[0] = (ref.provider, ref.model) if ref is not None else ("auto", "")

        widget.changed.connect(on_changed)
        heard: Any = listener(widget.changed)
        return Field(widget, lambda: chosen[0][0], heard), Field(widget, lambda: chosen[0][1], heard)

    def _widget(self, setting: Setting) -> ModelField:
        place = setting.shown
        blank = shown(place.empty or setting.choices.get(setting.default, Text("None")))
        return ModelField(
            self._theme, self._models, name=shown(place.title), object_name=f"setting_{setting.name}", blank=blank
        )

    def _label_of(self, provider: str) -> str:
        return next((label for name, label, _models in self._models if name == provider), provider)
