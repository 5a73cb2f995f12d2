"""ModelCatalogue combines the known facts about models: shipped data, a file that overrides it, and servers' lists.

Looking up is pure. A person's own values come first, then the server's list, then the files. A name is found as it is,
without its maker (``openai/gpt-4o``), without a date or a stage at its end (``-2024-08-06``, ``-latest``), and at last
by the longest known beginning (``llama-3.1-70b-instruct``). A model that is only known by its beginning, or is served
under a tag (``deepseek-r1:8b``), has no price.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from chatdesk.core.domain.model_info import Ability, ModelInfo, ModelOverrides, Price
from chatdesk.core.system.small_files import read_small_json

_log = logging.getLogger(__name__)

_ABILITIES = {each.value: each for each in Ability}
_LARGEST_FIGURE = 2**31
_LARGEST_BYTES = 4 * 1024 * 1024
_SUFFIX = re.compile(r"[-@:](?:\d{4}-\d{2}-\d{2}|\d{8}|\d{6}|\d{4}|latest|preview|exp|instruct|chat)$")
_VERSION = re.compile(r"[-@](?:\d{4}-\d{2}-\d{2}|\d{8}|\d{6}|\d{4}|latest|preview)$")
_BOUNDARIES = ("-", ":", "@")
# Words by which makers tell a model that sees from its blind siblings.
_SEEING_NAME = re.compile(r"(?:^|[-_:/.\d])(?:vl|vlm|vision|llava|pixtral|multimodal)(?:$|[-_:/.\d])", re.IGNORECASE)
# An answer never gets more of a window than this, so that a server that names a small window still reads a question.
_LARGEST_SHARE_FOR_ANSWER = 0.5

UNKNOWN = ModelInfo(
    "",
    "",
    context_window=32_000,
    largest_answer=4_096,
    unclear=frozenset(Ability),
    is_known=False,
    is_window_known=False,
)


@dataclass(frozen=True, slots=True)
class Figures:
    """The figures that a server gives for one of its models; None where it gives none."""

    context_window: int | None = None
    largest_answer: int | None = None
    sees_images: bool | None = None
    price: Price | None = None


class ModelCatalogue:
    """The known models by every name they have."""

    def __init__(self, models: Mapping[str, ModelInfo], default: ModelInfo = UNKNOWN) -> None:
        self._models = models
        self._default = default
        self._longest_first = sorted(models, key=len, reverse=True)
        self._listed: dict[tuple[str, str], Figures] = {}
        self._blind: set[tuple[str, str]] = set()
        self._overrides: Mapping[str, Mapping[str, ModelOverrides]] = {}

    @classmethod
    def of_files(cls, *paths: Path) -> ModelCatalogue:
        """Read the catalogue from files, of which later ones outrank earlier ones. A file that is missing or damaged
        counts as empty."""
        models: dict[str, ModelInfo] = {}
        default = UNKNOWN
        for path in paths:
            document = _read(path)
            default = _model(document.get("defaults"), default)
            known = replace(default, is_known=True, is_window_known=True)
            for row in _rows(document):
                for name in _names(row):
                    models[name] = _model(row, models.get(name, known))
        return cls(models, replace(default, is_known=False, is_window_known=False))

    def add_listed(self, provider: str, model: str, figures: Figures) -> None:
        """Add the figures of a provider's list, which outrank the files: that server serves the model so."""
        self._listed[provider, model] = figures

    def record_blind(self, provider: str, model: str) -> None:
        """Record that a model's server refused images, which overrides the list."""
        self._blind.add((provider, model))

    def use_overrides(self, overrides: Mapping[str, Mapping[str, ModelOverrides]]) -> None:
        """Replace the person's overrides, by provider and model."""
        self._overrides = overrides

    def find(self, provider: str, model: str) -> ModelInfo:
        """Return the figures of a model; an unknown one gets the stated defaults. Never raises."""
        return self._find(provider, model, self._overrides.get(provider, {}).get(model, ModelOverrides()))

    def find_without_overrides(self, provider: str, model: str) -> ModelInfo:
        """Return the figures of a model without the person's overrides."""
        return self._find(provider, model, ModelOverrides())

    def _find(self, provider: str, model: str, own: ModelOverrides) -> ModelInfo:
        name = self._name_of(model)
        info = self._models[name] if name else replace(self._default, label=model)
        info = replace(info, id=model, price=info.price if name and _is_same(model, name) else None)
        listed = self._listed.get((provider, model), Figures())
        window = own.context_window or listed.context_window or info.context_window
        answer = min(listed.largest_answer or info.largest_answer, max(int(window * _LARGEST_SHARE_FOR_ANSWER), 1))
        is_blind = (provider, model) in self._blind
        sees = own.sees_images if own.sees_images is not None else False if is_blind else listed.sees_images
        if sees is None and _SEEING_NAME.search(model):
            sees = True
        return replace(
            info,
            context_window=window,
            largest_answer=answer,
            price=own.price(listed.price or info.price),
            abilities=info.abilities if sees is None else _with_sight(info.abilities, sees=sees),
            unclear=info.unclear if sees is None else info.unclear - {Ability.IMAGES},
            is_window_known=bool(own.context_window or listed.context_window or info.is_window_known),
        )

    def _name_of(self, model: str) -> str | None:
        wanted = model.strip().lower().rsplit("/", 1)[-1]
        while wanted not in self._models:
            shorter = _SUFFIX.sub("", wanted)
            if shorter == wanted:
                return self._beginning_of(wanted)
            wanted = shorter
        return wanted

    def _beginning_of(self, wanted: str) -> str | None:
        for name in self._longest_first:
            if wanted.startswith(name) and wanted[len(name) : len(name) + 1] in _BOUNDARIES:
                return name
        return None


def _with_sight(abilities: frozenset[Ability], *, sees: bool) -> frozenset[Ability]:
    return abilities | {Ability.IMAGES} if sees else abilities - {Ability.IMAGES}


def _is_same(model: str, name: str) -> bool:
    """Return whether ``model`` is ``name`` itself, as its maker serves it, and not another one of its family."""
    asked = model.strip().lower().rsplit("/", 1)[-1]
    while asked != name:
        shorter = _VERSION.sub("", asked)
        if shorter == asked:
            return False
        asked = shorter
    return True


def _read(path: Path) -> Mapping[str, Any]:
    try:
        document = read_small_json(path, _LARGEST_BYTES)
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        _log.warning("the list of models cannot be read: %s", type(error).__name__)
        return {}
    return document if isinstance(document, Mapping) else {}


def _rows(document: Mapping[str, Any]) -> Iterable[Mapping[str, Any]]:
    rows = document.get("models")
    return [row for row in rows if isinstance(row, Mapping)] if isinstance(rows, list) else []


def _names(row: Mapping[str, Any]) -> list[str]:
    aliases = row.get("aliases")
    names = [row.get("id"), *(aliases if isinstance(aliases, list) else [])]
    return [name.lower() for name in names if isinstance(name, str) and name]


def _model(row: object, base: ModelInfo) -> ModelInfo:
    """Return ``base`` with the valid values of ``row``."""
    if not isinstance(row, Mapping):
        return base
    label, abilities, price = row.get("label"), row.get("abilities"), row.get("price")
    return replace(
        base,
        label=label if isinstance(label, str) else base.label,
        context_window=_figure(row.get("context_window")) or base.context_window,
        largest_answer=_figure(row.get("largest_answer")) or base.largest_answer,
        price=_price(price) if isinstance(price, Mapping) else None if "price" in row else base.price,
        abilities=frozenset(_ABILITIES[name] for name in abilities if name in _ABILITIES)
        if isinstance(abilities, list)
        else base.abilities,
        unclear=frozenset() if isinstance(abilities, list) else base.unclear,
    )


def _figure(value: object) -> int | None:
    is_number = isinstance(value, int) and not isinstance(value, bool)
    return value if is_number and isinstance(value, int) and 0 < value < _LARGEST_FIGURE else None


def _price(row: Mapping[str, Any]) -> Price | None:
    figures = [row.get("input"), row.get("cached_input", row.get("input")), row.get("output")]
    numbers = [float(each) for each in figures if _is_amount(each)]
    if len(numbers) != len(figures):
        return None
    written, for_hour = (_amount(row.get(name)) for name in ("written_input", "written_hour_input"))
    return Price(numbers[0], numbers[1], numbers[2], written_input=written, written_hour_input=for_hour)


def _amount(value: Any) -> float | None:
    return float(value) if _is_amount(value) else None


def _is_amount(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < _LARGEST_FIGURE
