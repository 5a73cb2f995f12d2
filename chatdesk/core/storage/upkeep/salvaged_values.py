"""Makes the values of a damaged row fit their columns: a flipped bit makes bytes of a text, or nothing of a number."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import Column, DefaultClause, Float, Integer, LargeBinary

from chatdesk.core.ids import new_id

_NOTHING: Final = type(None)


class FittingValues:
    """Values for ``columns``; ``changed_rows`` counts the rows that had others."""

    def __init__(self, columns: Sequence[Column[Any]]) -> None:
        self.changed_rows = 0
        self._columns = columns
        self._kinds = [_kinds_of(column) for column in columns]
        self._fitting: set[tuple[type, ...]] = set()

    def of_row(self, row: Sequence[Any]) -> Sequence[Any]:
        """Return the values of ``row``, each as what its column holds, or the default of the column."""
        found = tuple(map(type, row))
        if found in self._fitting:
            return row
        if all(kind in kinds for kind, kinds in zip(found, self._kinds, strict=True)):
            self._fitting.add(found)
            return row
        self.changed_rows += 1
        pairs = zip(row, self._columns, self._kinds, strict=True)
        return [value if type(value) in kinds else _fitting(value, column) for value, column, kinds in pairs]


def _kinds_of(column: Column[Any]) -> frozenset[type]:
    kind = _kind_of(column)
    return frozenset((kind, int if kind is float else kind, *((_NOTHING,) if column.nullable else ())))


def _kind_of(column: Column[Any]) -> type:
    if isinstance(column.type, Integer):
        return int
    if isinstance(column.type, Float):
        return float
    return bytes if isinstance(column.type, LargeBinary) else str


def _fitting(value: Any, column: Column[Any]) -> Any:
    kind = _kind_of(column)
    if kind is str and isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if kind is int and isinstance(value, float) and math.isfinite(value) and abs(value) < 2**63:
        return int(value)
    if column.nullable:
        return None
    if column.primary_key or column.foreign_keys:
        return new_id() if kind is str else None  # a row of nobody, whose text is brought back like others
    default = column.server_default
    stored = str(default.arg).strip("'") if isinstance(default, DefaultClause) else ""
    return kind(stored or 0) if kind in (int, float) else stored.encode() if kind is bytes else stored
