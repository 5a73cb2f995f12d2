"""Dataclasses that share methods behave as those that ``dataclasses`` compiles."""

from __future__ import annotations

import copy
import dataclasses
import importlib.util
import pickle
import sys
from dataclasses import dataclass, field, replace
from types import ModuleType
from typing import Any

import pytest

from chatdesk.core import shared_methods

pytestmark = pytest.mark.skipif(sys.version_info >= (3, 13), reason="this Python compiles all methods at once")


@pytest.fixture(scope="module")
def untouched() -> ModuleType:
    """The module as Python has it."""
    spec = importlib.util.spec_from_file_location("untouched_dataclasses", dataclasses.__file__)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def make(module: Any, **options: bool) -> type[Any]:
    class Point:
        """A point."""

        x: int
        secret: str = module.field(default="hidden", repr=False)
        others: list[Any] = module.field(default_factory=list)

    Point.__qualname__ = "Point"
    made: type[Any] = module.dataclass(**options)(Point)
    return made


@pytest.mark.parametrize("options", [{}, {"frozen": True}, {"frozen": True, "slots": True}, {"slots": True}])
def test_a_representation_is_the_same(untouched: ModuleType, options: dict[str, bool]) -> None:
    ours, others = make(dataclasses, **options)(1), make(untouched, **options)(1)
    for each in (ours, others):
        each.others.extend([each, "é\n"])
    assert repr(ours) == repr(others) == "Point(x=1, others=[..., 'é\\n'])"


def test_a_class_without_fields_has_a_representation(untouched: ModuleType) -> None:
    assert repr(dataclasses.make_dataclass("Empty", [])()) == repr(untouched.make_dataclass("Empty", [])()) == "Empty()"


@pytest.mark.parametrize("slots", [False, True])
@pytest.mark.parametrize("name", ["x", "secret"])
def test_a_field_of_a_frozen_dataclass_cannot_be_changed(untouched: ModuleType, name: str, *, slots: bool) -> None:
    ours = make(dataclasses, frozen=True, slots=slots)(1)
    others = make(untouched, frozen=True, slots=slots)(1)
    for change in (lambda point: setattr(point, name, 2), lambda point: delattr(point, name)):
        with pytest.raises(dataclasses.FrozenInstanceError) as refused:
            change(ours)
        with pytest.raises(untouched.FrozenInstanceError) as expected:
            change(others)
        assert str(refused.value) == str(expected.value)
    assert ours.x == 1


@dataclass(frozen=True)
class Base:
    x: int
    kept: int = field(default=3)


@dataclass(frozen=True)
class Derived(Base):
    y: int = 0


class Plain(Base):
    """Not a dataclass itself."""


def test_a_frozen_dataclass_takes_no_other_attribute() -> None:
    for kind in (Base, Derived):
        with pytest.raises(dataclasses.FrozenInstanceError):
            setattr(kind(1), "other", 2)  # noqa: B010 - as a mistake would


def test_a_class_that_derives_from_one_may_have_attributes_of_its_own() -> None:
    plain = Plain(1)
    plain.other = 2  # type: ignore[attr-defined]
    assert vars(plain)["other"] == 2
    del plain.other  # type: ignore[attr-defined]
    assert "other" not in vars(plain)
    with pytest.raises(dataclasses.FrozenInstanceError):
        setattr(plain, "kept", 4)  # noqa: B010 - as a mistake would


def test_a_value_survives_copies() -> None:
    value = Derived(1, y=2)
    assert pickle.loads(pickle.dumps(value)) == copy.deepcopy(value) == replace(value) == value
    assert hash(replace(value)) == hash(value)
    assert replace(value, y=3) != value


def test_two_classes_share_what_refuses_changes() -> None:
    assert shared_methods  # imported before the classes above
    assert Base.__setattr__ is Derived.__setattr__
    assert Base.__delattr__ is Derived.__delattr__
