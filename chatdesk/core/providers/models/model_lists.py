"""Keeps fetched lists of models on disk with their time, so that a start shows them before any server has answered."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from chatdesk.core.domain.model_info import Price
from chatdesk.core.domain.provider_check import ListedModel, ModelList
from chatdesk.core.settings.store import write_atomically
from chatdesk.core.system.small_files import read_small_json

_log = logging.getLogger(__name__)

FILE_NAME = "model-lists.json"
_LARGEST_BYTES = 16 * 1024 * 1024
_MOST = 5000


@dataclass(frozen=True, slots=True)
class _CachedList:
    address: str
    found: ModelList


class ModelLists:
    """The file of fetched lists. Its methods block and are called in a thread. A file that cannot be used counts as
    empty: everything in it can be fetched again."""

    def __init__(self, data_dir: Path) -> None:
        self._path = data_dir / FILE_NAME
        self._lock = threading.Lock()
        self._lists: dict[str, _CachedList] | None = None

    def get(self, provider: str, address: str) -> ModelList | None:
        """Return the list of ``provider`` if it came from this address, else None."""
        with self._lock:
            kept = self._loaded().get(provider)
            return kept.found if kept is not None and kept.address == address else None

    def save(self, provider: str, address: str, models: Sequence[ListedModel], *, now_ms: int) -> ModelList:
        """Save and return a list; if the disk refuses, only the next start lacks it."""
        found = ModelList(tuple(models)[:_MOST], now_ms)
        with self._lock:
            lists = self._loaded()
            lists[provider] = _CachedList(address, found)
            try:
                write_atomically(self._path, json.dumps(_as_data(lists), ensure_ascii=False))
            except OSError as error:
                _log.info("list of models not kept: %s", error.strerror)
        return found

    def drop(self, provider: str) -> None:
        """Remove the list of a deleted provider; the file is written with the next ``save``."""
        with self._lock:
            self._loaded().pop(provider, None)

    def _loaded(self) -> dict[str, _CachedList]:
        if self._lists is None:
            self._lists = _read(self._path)
        return self._lists


def _as_data(lists: Mapping[str, _CachedList]) -> dict[str, Any]:
    return {
        name: {
            "address": kept.address,
            "fetched_at_ms": kept.found.fetched_at_ms,
            "models": [_row(each) for each in kept.found.models],
        }
        for name, kept in lists.items()
    }


def _row(model: ListedModel) -> list[Any]:
    price = model.price
    return [
        model.id,
        model.label,
        model.context_window,
        model.largest_answer,
        model.sees_images,
        [price.input, price.cached_input, price.output] if price else None,
        model.draws,
    ]


def _model(row: list[Any]) -> ListedModel:
    """Return the model of a stored row; the last fields are missing in lists of earlier versions."""
    sees, price = (row[4], row[5]) if len(row) > 5 else (None, None)
    return ListedModel(
        str(row[0]),
        str(row[1]),
        _figure(row[2]),
        _figure(row[3]),
        sees if isinstance(sees, bool) else None,
        Price(*(float(each) for each in price)) if isinstance(price, list) and len(price) == 3 else None,
        draws=len(row) > 6 and row[6] is True,
    )


def _read(path: Path) -> dict[str, _CachedList]:
    try:
        document: Any = read_small_json(path, _LARGEST_BYTES)
        return {
            str(name): _CachedList(
                str(row["address"]),
                ModelList(
                    tuple(_model(each) for each in row["models"][:_MOST]),
                    int(row["fetched_at_ms"]),
                ),
            )
            for name, row in document.items()
        }
    except (OSError, ValueError, TypeError, KeyError, IndexError, AttributeError, OverflowError):
        return {}


def _figure(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 < value < 2**31 else None
