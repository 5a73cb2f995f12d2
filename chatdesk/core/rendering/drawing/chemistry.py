r"""Writes chemical equations and units, ``\ce{…}`` and ``\pu{…}`` of the LaTeX package mhchem, as TeX without them.

The usual input of models is covered: formulas, charges, isotopes, states, arrows with words, bonds, adducts, gases and
precipitates (the package's manual, version 4.14). Other input raises ``NotChemistry``.
"""

from __future__ import annotations

import re

_COMMAND = re.compile(r"\\(ce|pu|bond)\s*\{")
_ARROWS = {
    "<=>>": r"\xrightleftharpoons",
    "<<=>": r"\xrightleftharpoons",
    "<-->": r"\xleftrightarrow",
    "<=>": r"\xrightleftharpoons",
    "<->": r"\xleftrightarrow",
    "-->": r"\xrightarrow",
    "->": r"\xrightarrow",
    "<-": r"\xleftarrow",
}
_ARROW = re.compile("|".join(map(re.escape, _ARROWS)))
_SIGN_OR_ARROW = re.compile(rf"\s+(?:[+=]\s|-\s|{_ARROW.pattern})")
_AMOUNT = re.compile(r"(\d+)/(\d+)|\d+(?:[.,]\d+)?")
_LETTERS = re.compile(r"[A-Za-z]+")
_TEX_COMMAND = re.compile(r"\\(?:[A-Za-z]+|[,;:! ])")
_CHARGE = re.compile(r"[+-](?=$|[\s)\],;\[}]|->|<|\((?:aq|s|l|g)\))|\+(?=\()")
_SCRIPT = re.compile(r"\d*[+-]+|\d+|[A-Za-z]+|[*.'•]")
_LONE = re.compile(r"(?:^|(?<=\s))([v^])(?=$|\s)")
_BONDS = {"-": "-", "=": "=", "#": r"\equiv ", "1": "-", "2": "=", "3": r"\equiv ", "~": r"\sim ", "...": r"\cdots "}
_PLAIN_SIGNS = "()[],;/|:!?'•&"
_NUMBER_WITH_UNIT = re.compile(
    r"\s*(?P<number>[+-]?\d+(?:[.,]\d+)?(?:\s?(?:\+-|\+/-)\s?\d+(?:\.\d+)?)?)?(?:[eE](?P<power>[+-]?\d+))?\s*(?P<unit>.*)",
    re.DOTALL,
)
_MAX_DEPTH = 6


class NotChemistry(ValueError):
    """The source is not valid mhchem, or uses a part of it that is not supported."""


def without_chemistry(tex: str) -> str:
    """Return ``tex`` with each ``\\ce`` and ``\\pu`` written out. Raises ``NotChemistry``."""
    return _written_out(tex, 0) if "\\ce" in tex or "\\pu" in tex else tex


def _written_out(tex: str, depth: int) -> str:
    if depth > _MAX_DEPTH:
        raise NotChemistry
    made, done = [], 0
    while (match := _COMMAND.search(tex, done)) is not None:
        end = _closing(tex, match.end() - 1, "{}")
        inside = tex[match.end() : end]
        made.append(tex[done : match.start()])
        if match[1] == "bond":
            made.append(_BONDS.get(inside, "-"))
        else:
            made.append("{" + (_Equation(inside, depth).tex() if match[1] == "ce" else _unit(inside)) + "}")
        done = end + 1
    return "".join(made) + tex[done:]


def _closing(text: str, start: int, pair: str) -> int:
    """Return the place of the bracket that closes the one at ``start``. Raises ``NotChemistry`` if there is none."""
    depth = 0
    for at in range(start, len(text)):
        if text[at] == "\\":
            continue
        if text[at] in pair and (at == 0 or text[at - 1] != "\\"):
            depth += 1 if text[at] == pair[0] else -1
            if depth == 0:
                return at
    raise NotChemistry


class _Equation:
    """Reads the inside of one ``\\ce`` from left to right."""

    def __init__(self, source: str, depth: int) -> None:
        self._source = _LONE.sub(lambda match: r"\uparrow" if match[1] == "^" else r"\downarrow", source)
        self._depth = depth
        self._at = 0
        self._made: list[str] = []
        self._has_base = False  # something is here that scripts belong to
        self._subscript = self._superscript = ""

    def tex(self) -> str:
        while self._at < len(self._source):
            self._step()
        self._end_scripts()
        return "".join(self._made)

    def _step(self) -> None:
        source, at = self._source, self._at
        sign = source[at]
        if (arrow := _ARROW.match(source, at)) is not None:
            self._arrow(arrow)
        elif sign.isspace():
            # Signs and arrows bring room of their own.
            is_between = self._has_base and _SIGN_OR_ARROW.match(source, at) is None
            self._add_plain(r"\ " if is_between else "", length=1)
        elif sign in "_^":
            self._script(sign)
        elif (amount := _AMOUNT.match(source, at)) is not None:
            self._number(amount)
        elif (letters := _LETTERS.match(source, at)) is not None:
            self._base(rf"\mathrm{{{letters[0]}}}", letters.end())
        elif sign in "+-=#":
            self._sign(sign)
        elif sign in "*.·":
            self._add_plain(r"\cdot ", length=1)
        else:
            self._other(sign)

    def _other(self, sign: str) -> None:
        source, at = self._source, self._at
        if sign == "$":
            end = source.find("$", at + 1)
            if end < 0:
                raise NotChemistry
            self._base(source[at + 1 : end], end + 1)
        elif sign == "{":
            end = _closing(source, at, "{}")
            self._base(rf"\mathrm{{{source[at + 1 : end]}}}", end + 1)
        elif (bond := _COMMAND.match(source, at)) is not None:
            end = _closing(source, bond.end() - 1, "{}")
            self._add_plain(_written_out(source[at : end + 1], self._depth + 1), length=end + 1 - at)
        elif (command := _TEX_COMMAND.match(source, at)) is not None:
            end = command.end()
            while source[end : end + 1] == "{":
                end = _closing(source, end, "{}") + 1
            self._base(source[at:end] + " ", end)
        elif sign in _PLAIN_SIGNS or (not sign.isascii() and sign.isprintable()):
            self._base(sign, at + 1)
        else:
            raise NotChemistry

    def _base(self, tex: str, end: int) -> None:
        if self._has_base or not (self._subscript or self._superscript):
            self._end_scripts()
            self._made.append(tex)
        else:  # the numbers of an isotope are before it
            self._made.append("{}")
            self._end_scripts()
            self._made.append(tex)
        self._has_base = True
        self._at = end

    def _add_plain(self, tex: str, *, length: int) -> None:
        """Add something that no script belongs to."""
        self._end_scripts()
        self._made.append(tex)
        self._has_base = False
        self._at += length

    def _end_scripts(self) -> None:
        if self._subscript or self._superscript:
            if not self._has_base and (not self._made or self._made[-1] != "{}"):
                self._made.append("{}")
            self._made.append(f"_{{{self._subscript}}}" if self._subscript else "")
            self._made.append(f"^{{{self._superscript}}}" if self._superscript else "")
            self._subscript = self._superscript = ""

    def _script(self, kind: str) -> None:
        source = self._source
        at = self._at + 1
        if source[at : at + 1] == "{":
            end = _closing(source, at, "{}")
            inside, self._at = source[at + 1 : end], end + 1
        elif (match := _SCRIPT.match(source, at)) is not None:
            inside, self._at = match[0], match.end()
        else:
            raise NotChemistry
        words = inside if "\\" in inside or "$" in inside else rf"\mathrm{{{inside}}}"
        words = words.replace("$", "")
        if kind == "_":
            self._subscript += words
        else:
            self._superscript += words

    def _number(self, amount: re.Match[str]) -> None:
        if self._has_base:
            digits = re.match(r"\d+", amount[0])
            assert digits is not None
            self._subscript += digits[0]
            self._at += digits.end()
        elif amount[1]:
            self._add_plain(rf"\tfrac{{{amount[1]}}}{{{amount[2]}}}\,", length=len(amount[0]))
        else:
            space = r"\," if self._source[amount.end() : amount.end() + 1].strip() else ""
            self._add_plain(amount[0].replace(",", "{,}") + space, length=len(amount[0]))

    def _sign(self, sign: str) -> None:
        is_charge = self._has_base and sign in "+-" and _CHARGE.match(self._source, self._at) is not None
        if is_charge:
            self._superscript += sign
            self._at += 1
        elif sign == "+":
            self._add_plain("+", length=1)
        else:
            self._add_plain(f"{{{_BONDS[sign].strip()}}}", length=1)

    def _arrow(self, arrow: re.Match[str]) -> None:
        self._end_scripts()
        at = arrow.end()
        words: list[str] = []
        while len(words) < 2 and self._source[at : at + 1] == "[":
            end = _closing(self._source, at, "[]")
            if self._depth >= _MAX_DEPTH:
                raise NotChemistry
            words.append(_Equation(self._source[at + 1 : end], self._depth + 1).tex())
            at = end + 1
        above, below = (*words, "", "")[:2]
        under = f"[{below}]" if below else ""
        over = above or r"\quad"
        self._made.append(rf"\;{_ARROWS[arrow[0]]}{under}{{{over}}}\;")
        self._has_base = False
        self._at = at


def _unit(source: str) -> str:
    match = _NUMBER_WITH_UNIT.fullmatch(source)
    if match is None:
        raise NotChemistry
    made = (match["number"] or "").replace(",", "{,}").replace("+-", r"\pm ").replace("+/-", r"\pm ")
    if match["power"]:
        made += rf"\times 10^{{{match['power']}}}" if made else rf"10^{{{match['power']}}}"
    unit = re.sub(r"\^(-?\d+)", r"^{\1}", match["unit"].strip())
    unit = re.sub(r"(?<=[A-Za-z])(-?\d+)(?![\d}])", r"^{\1}", unit)
    unit = re.sub(r"[A-Za-z%°µΩ]+", lambda word: rf"\mathrm{{{word[0]}}}", unit) if "\\" not in unit else unit
    unit = re.sub(r"\s*\*\s*|\s*\.\s*|\s+", r"\,", unit)
    return made + (r"\," if made and unit else "") + unit
