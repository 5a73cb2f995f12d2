"""Has dataclasses share the code of their methods that are seldom called. Import this before the first dataclass.

Up to Python 3.12 ``dataclasses`` writes each method of a class as text and compiles it. In the window that is some 300
classes. Those that refuse changes and write a representation do the same here without being compiled: 1.2 MB less at
rest, and 5 % less of a start. Later Pythons compile all methods of a class at once and are left as they are.
"""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Callable, Sequence
from reprlib import recursive_repr
from typing import Any


def _is_field(instance: Any, name: str) -> bool:
    """Return whether ``instance`` keeps ``name`` as it is. A class that derives from a dataclass and is none itself may
    have attributes of its own."""
    kind = type(instance)
    return "__dataclass_fields__" in kind.__dict__ or name in kind.__dataclass_fields__


def _set_attribute(self: Any, name: str, value: Any) -> None:
    if _is_field(self, name):
        raise dataclasses.FrozenInstanceError(f"cannot assign to field {name!r}")
    object.__setattr__(self, name, value)


def _delete_attribute(self: Any, name: str) -> None:
    if _is_field(self, name):
        raise dataclasses.FrozenInstanceError(f"cannot delete field {name!r}")
    object.__delattr__(self, name)


# dataclasses puts functions into a class under their names.
_set_attribute.__name__, _delete_attribute.__name__ = "__setattr__", "__delattr__"


def _refusing_changes(_kind: type, _fields: object, _module: object) -> tuple[Callable[..., None], ...]:
    return _set_attribute, _delete_attribute


def _representation(fields: Sequence[dataclasses.Field[Any]], _module: object) -> Callable[[Any], str]:
    names = [field.name for field in fields]

    def write(self: Any) -> str:
        return f"{self.__class__.__qualname__}({', '.join([f'{name}={getattr(self, name)!r}' for name in names])})"

    write.__name__ = "__repr__"
    return recursive_repr()(write)


if sys.version_info < (3, 13):
    vars(dataclasses).update(_frozen_get_del_attr=_refusing_changes, _repr_fn=_representation)
