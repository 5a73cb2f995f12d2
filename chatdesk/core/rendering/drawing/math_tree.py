"""Mends MathML of the converter: signs that it takes for names, and room around signs and lines of tables. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:  # loaded only by the process that does this work
    from xml.etree.ElementTree import Element

_RELATIONS: Final = frozenset("~∼⌣⌢⟂⊥⟺⟹⟸⟶⟵⟷⇝⇜⫫")
_BINARIES: Final = frozenset("⧵∖⨿•◦⋄⊎")
_SIGNS_OF_NUMBERS: Final = frozenset("+−-±∓")
_ENDING: Final = frozenset(")]}⟩⌋⌉!|‖′")
_BETWEEN_EQUATIONS: Final = "0.7em"
_BESIDE_A_LINE, _BESIDE_NONE = "0.9em", "0.3em"
_NOT_IN_TEXT: Final = {"\uff06": "&", "\uff1c": "<"}  # see ``math_spelling``
_LINED: Final = ("solid", "dashed")


def correct_mathml(tree: Element) -> None:
    """Mend ``tree`` in place."""
    for element in tree.iter():
        name = _name(element)
        sign = (element.text or "").strip()
        if name == "mo" and len(element):  # a letter or a word as an operator
            element.tag = element.tag[:-2] + "mrow"
        elif name == "mi" and sign in _RELATIONS | _BINARIES:
            room = "thickmathspace" if sign in _RELATIONS else "mediummathspace"
            element.tag = element.tag[:-2] + "mo"
            element.set("lspace", room)
            element.set("rspace", room)
            element.text = {"⟂": "⊥", "~": "∼"}.get(sign, sign)
        elif name == "mi" and sign in _SIGNS_OF_NUMBERS:
            element.tag = element.tag[:-2] + "mo"
        elif name == "mtext":
            element.text = "".join(_NOT_IN_TEXT.get(each, each) for each in element.text or "")
        elif name == "mtable":
            _give_lines_room(element)
        _mark_signs_of_numbers(element)


def lines_of(table: Element, name: str) -> Sequence[bool]:
    """Return whether there is a line after each column (``columnlines``) or row (``rowlines``)."""
    return [each in _LINED for each in table.get(name, "").split()]


def _name(element: Element) -> str:
    return element.tag.rpartition("}")[2]


def _mark_signs_of_numbers(row: Element) -> None:
    """Mark a plus or minus that follows another sign: it belongs to the number after it."""
    before = None
    for element in row:
        sign = (element.text or "").strip()
        if (
            before is not None
            and _name(element) == "mo"
            and sign in _SIGNS_OF_NUMBERS
            and _name(before) == "mo"
            and (before.text or "").strip() not in _ENDING
            and not len(before)
        ):
            element.set("form", "prefix")
        if _name(element) != "mspace":
            before = element


def _give_lines_room(table: Element) -> None:
    if table.get("displaystyle"):  # rows of equations
        table.set("rowspacing", _BETWEEN_EQUATIONS)
    for lines, spacing in (("columnlines", "columnspacing"), ("rowlines", "rowspacing")):
        if any(drawn := lines_of(table, lines)):
            table.set(spacing, " ".join(_BESIDE_A_LINE if line else _BESIDE_NONE for line in drawn))
