"""Declares dataclasses that are made by the thousand and never changed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar, dataclass_transform

T = TypeVar("T")


@dataclass_transform(frozen_default=True)
def never_changed(kind: type[T]) -> type[T]:
    """Make a dataclass that the type checker takes for frozen. Frozen at run time, one is made three times as slowly,
    and a page has hundreds of them."""
    return dataclass(slots=True, unsafe_hash=True)(kind)
