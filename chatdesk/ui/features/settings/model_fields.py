"""Fields of the settings that name a model: it is chosen from the list of models instead of typed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from chatdesk.core.domain.model_ref import ModelRef
from chatdesk.core.settings.schema import Setting
from chatdesk.core.texts import Text, shown, tr
from chatdesk.ui.features.settings.settings_fields import Field, listener
from chatdesk.ui.theme.theme import Theme
from chatdesk.ui.widgets.models.model_field import ModelField
from chatdesk.ui.widgets.models.model_rows import ProviderChoices

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
