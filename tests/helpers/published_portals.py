"""Compares what goes over the bus with the published interfaces of desktops' portals: members, signatures, options."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final
from xml.etree import ElementTree

_FOLDER: Final = Path(__file__).parents[1] / "data" / "portals"
# Came after the files here were published, and is optional: a portal without it finds the application by itself.
_LATER: Final = "org.freedesktop.host.portal.Registry"


@cache
def _interface(name: str) -> tuple[Mapping[str, str], Mapping[str, str], frozenset[tuple[str, str]]]:
    """Return the signatures of the methods and of the signals, and the options as (name, type)."""
    text = (_FOLDER / f"{name}.xml").read_text(encoding="utf-8")
    found = ElementTree.fromstring(text).find("interface")
    assert found is not None and found.get("name") == name
    methods = {
        str(each.get("name")): "".join(
            str(arg.get("type")) for arg in each.iter("arg") if arg.get("direction", "in") == "in"
        )
        for each in found.iter("method")
    }
    signals = {
        str(each.get("name")): "".join(str(arg.get("type")) for arg in each.iter("arg"))
        for each in found.iter("signal")
    }
    return methods, signals, frozenset(re.findall(r"<term>([\w-]+) ([a-z{}()]+)</term>", text))


def wrong_with_call(interface: str, method: str, signature: str, body: tuple[Any, ...]) -> list[str]:
    """Return in which ways a call is not as published."""
    if interface == _LATER:
        return []
    methods, _signals, options = _interface(interface)
    wrong = []
    if methods.get(method) != signature:
        wrong.append(f"{interface}.{method} takes {methods.get(method)!r}, not {signature!r}")
    wrong += [f"{method} has no option {name!r} of type {type_!r}" for name, type_ in set(_options(body)) - options]
    return wrong


def wrong_with_signal(interface: str, member: str, signature: str) -> list[str]:
    """Return in which ways a signal is not as published."""
    _methods, signals, _options = _interface(interface)
    if signals.get(member) == signature:
        return []
    return [f"{interface}.{member} has {signals.get(member)!r}, not {signature!r}"]


def _options(value: Any) -> Iterator[tuple[str, str]]:
    """Yield name and type of all options, wherever they are in the arguments."""
    if isinstance(value, dict):
        yield from ((name, type_) for name, (type_, _value) in value.items())
    elif isinstance(value, list | tuple):
        for each in value:
            yield from _options(each)
