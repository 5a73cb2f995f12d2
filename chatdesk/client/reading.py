"""Converts JSON of the service to dataclasses, by the types of their fields."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import MISSING, fields, is_dataclass
from functools import cache, partial
from typing import Any, TypeVar, cast, get_args, get_origin, get_type_hints

T = TypeVar("T")


def read(form: type[T], data: Any) -> T:
    """Convert an answer of the service to its dataclass. Raises ``ValueError`` if it has another form."""
    if not isinstance(data, Mapping):
        raise ValueError(f"not a {form.__name__}")
    values: dict[str, Any] = {}
    for name, is_needed, inner in _fields_of(cast("Any", form)):
        if name in data:
            value = data[name]
            values[name] = value if inner is None or value is None else inner(value)
        elif is_needed:
            raise ValueError(f"{form.__name__} without {name}")
    return form(**values)


def listed(form: type[T], name: str) -> Callable[[Any], tuple[T, ...]]:
    """Return what reads the list ``name`` of an answer."""
    return lambda data: tuple(read(form, each) for each in data[name])


@cache
def _fields_of(form: Any) -> tuple[tuple[str, bool, Callable[[Any], Any] | None], ...]:
    """Return the fields of a form: the name, whether it is required, and the reader of a value with a form of its
    own."""
    hints = get_type_hints(form)
    return tuple((each.name, each.default is MISSING, _reader(hints[each.name])) for each in fields(form))


def _reader(hint: Any) -> Callable[[Any], Any] | None:
    if is_dataclass(hint):
        return partial(read, cast("type[Any]", hint))
    if get_origin(hint) is tuple:
        inner = _reader(get_args(hint)[0])
        return tuple if inner is None else lambda data: tuple(inner(each) for each in data)
    return next((found for found in map(_reader, get_args(hint)) if found is not None), None)
