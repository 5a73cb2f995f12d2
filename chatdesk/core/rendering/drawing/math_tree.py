"""Mends MathML of the converter: signs that it takes for names, alphabets, and room beside signs, names and lines of
tables. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:  # loaded only by the process that does this work
    from xml.etree.ElementTree import Element

_BINARIES: Final = frozenset("×∔∖⧵∗∘∙•◦⋅∧∨∩∪⋒⋓≀⊌⊍⊎⊓⊔⊕⊖⊗⊘⊙⊚⊛⊜⊝⊞⊟⊠⊡⊹⊺⊻⊼⊽⋄⋆⋇⋉⋊⋋⋌⋎⋏⨿")
_OTHER_RELATIONS: Final = frozenset("=<>~⌣⌢")
_RELATION_BLOCKS: Final = ((0x2190, 0x21FF), (0x2200, 0x22FF), (0x27C2, 0x27C2), (0x27F0, 0x27FF), (0x2A66, 0x2AFF))
_NO_RELATIONS: Final = frozenset("∀∁∂∃∄∅∆∇∎∏∐∑−∓√∛∜∞∟∠∡∢∣∥∫∬∭∮∯∰∱∲∳⊤⊾⊿⋀⋁⋂⋃⋮⋯⋰⋱↑↓↕⇑⇓⇕")
_SPELT_OTHERWISE: Final = {"⟂": "⊥", "~": "∼"}
_SIGNS_OF_NUMBERS: Final = frozenset("+−-±∓")
_ENDING: Final = frozenset(")]}⟩⌋⌉!|‖′")
_DELIMITERS: Final = {  # names of delimiters after ``\left`` and ``\big``
    r"\langle": "⟨", r"\rangle": "⟩", r"\lfloor": "⌊", r"\rfloor": "⌋", r"\lceil": "⌈",
    r"\rceil": "⌉", r"\{": "{", r"\}": "}", r"\lbrace": "{", r"\rbrace": "}", r"\lbrack": "[", r"\rbrack": "]",
    r"\|": "‖", r"\vert": "|", r"\lvert": "|", r"\rvert": "|", r"\Vert": "‖", r"\lVert": "‖", r"\rVert": "‖",
}  # fmt: skip
_ALPHABETS: Final = {  # the first letter of each: digits, small letters, capitals
    "double-struck": (0x1D7D8, 0x1D552, 0x1D538),
    "monospace": (0x1D7F6, 0x1D68A, 0x1D670),
    "bold": (0x1D7CE, None, None),
    "bold-italic": (0x1D7CE, None, None),
}
_OLDER_LETTERS: Final = dict(zip("CHNPQRZ", "ℂℍℕℙℚℝℤ", strict=True))  # the only ones of double-struck elsewhere
_BETWEEN_EQUATIONS: Final = "0.7em"
_BESIDE_A_LINE, _BESIDE_NONE = "0.9em", "0.3em"
_BESIDE_A_NAME: Final = "0.167em"
_NOT_IN_TEXT: Final = {"\uff06": "&", "\uff1c": "<"}  # see ``math_spelling``
_LINED: Final = ("solid", "dashed")
_SCRIPTED: Final = ("msub", "msup", "msubsup", "munder", "mover", "munderover", "mmultiscripts")
_ROWS: Final = ("math", "mrow", "mtd", "mstyle", "msqrt", "menclose", "mpadded", "mphantom")


def correct_mathml(tree: Element) -> None:
    """Mend ``tree`` in place."""
    for element in tree.iter():
        name = _name(element)
        sign = (element.text or "").strip()
        if name in ("mo", "mi") and len(element):  # a letter or a word as an operator
            element.tag = element.tag[:-2] + "mrow"
        elif name == "mo" and (element.get("minsize") or element.get("fence")):
            element.text = _DELIMITERS.get(sign, sign)
        elif name == "mi" and sign in _SIGNS_OF_NUMBERS:
            element.tag = element.tag[:-2] + "mo"
        elif name == "mtable":
            _give_lines_room(element)
        if name == "mtext":
            element.text = "".join(_NOT_IN_TEXT.get(each, each) for each in element.text or "")
        if (alphabet := _ALPHABETS.get(element.get("mathvariant", ""))) is not None:
            element.text = "".join(_in_alphabet(each, alphabet) for each in element.text or "")
    for row in _rows(tree):
        _give_signs_room(row)
        _mark_signs_of_numbers(row)
        _give_names_room(row)


def lines_of(table: Element, name: str) -> Sequence[bool]:
    """Return whether there is a line after each column (``columnlines``) or row (``rowlines``)."""
    return [each in _LINED for each in table.get(name, "").split()]


def _name(element: Element) -> str:
    return element.tag.rpartition("}")[2]


def _rows(element: Element) -> Iterator[Element]:
    """Yield the rows that are no script: in a script nothing has room beside it."""
    name = _name(element)
    if name in _ROWS:
        yield element
    for child in element[:1] if name in _SCRIPTED else element:
        yield from _rows(child)


def _core(element: Element) -> Element:
    """Return the element that scripts are at."""
    while _name(element) in _SCRIPTED and len(element):
        element = element[0]
        while _name(element) == "mrow" and len(element) == 1:
            element = element[0]
    return element


def _in_alphabet(letter: str, alphabet: tuple[int, int | None, int | None]) -> str:
    if alphabet is _ALPHABETS["double-struck"] and letter in _OLDER_LETTERS:
        return _OLDER_LETTERS[letter]
    for first, last, start in zip("0aA", "9zZ", alphabet, strict=True):
        if first <= letter <= last and start is not None:
            return chr(start + ord(letter) - ord(first))
    return letter


def _room_beside(sign: str) -> str:
    if sign in _BINARIES:
        return "mediummathspace"
    is_relation = sign in _OTHER_RELATIONS or (
        len(sign) == 1
        and sign not in _NO_RELATIONS
        and any(first <= ord(sign) <= last for first, last in _RELATION_BLOCKS)
    )
    return "thickmathspace" if is_relation else ""


def _give_signs_room(row: Element) -> None:
    for child in row:
        element = _core(child)
        sign = (element.text or "").strip()
        if _name(element) in ("mo", "mi") and not element.get("minsize") and (room := _room_beside(sign)):
            element.tag = element.tag[:-2] + "mo"
            element.text = _SPELT_OTHERWISE.get(sign, sign)
            for side in ("lspace", "rspace"):
                element.set(side, room if len(row) > 1 else "0em")


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


def _give_names_room(row: Element) -> None:
    """Put a thin space between a function name such as "max" and a letter or number beside it."""
    children = list(row)
    for name in filter(_is_name, children):
        _core(name).attrib.update(lspace="0em", rspace="0em")
    for at in range(len(children) - 1, 0, -1):
        left, right = children[at - 1 : at + 1]
        if (_is_name(left) and _is_operand(right)) or (_is_name(right) and _is_operand(left)):
            space = row.makeelement(row.tag.replace(_name(row), "mspace"), {"width": _BESIDE_A_NAME})
            row.insert(at, space)


def _is_name(element: Element) -> bool:
    element = _core(element)
    return _name(element) == "mo" and (element.text or "").replace("\u2009", "").replace("\u2006", "").isalpha()


def _is_operand(element: Element) -> bool:
    """Return whether an element is neither a sign nor a space, and begins with none."""
    while len(element) and _name(element) in (*_SCRIPTED, *_ROWS):
        element = element[0]
    return _name(element) not in ("mo", "mspace") or _is_name(element)


def _give_lines_room(table: Element) -> None:
    if table.get("displaystyle"):  # rows of equations
        table.set("rowspacing", _BETWEEN_EQUATIONS)
    for lines, spacing in (("columnlines", "columnspacing"), ("rowlines", "rowspacing")):
        if any(drawn := lines_of(table, lines)):
            table.set(spacing, " ".join(_BESIDE_A_LINE if line else _BESIDE_NONE for line in drawn))
