r"""Replaces commands of TeX that the converter lacks, such as ``\nicefrac``, and texts with formulas inside, such as
``\text{if $x>0$}``, by commands that it has. Pure.

Of decorations (a coloured box, a raised word) only the content is drawn, in a frame if the colour marks something.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Final
from unicodedata import normalize

from chatdesk.core.rendering.drawing.math_units import NoUnit, number, unit

_COMMAND: Final = re.compile(r"\\([A-Za-z]+)\*?|\\.", re.DOTALL)
_OPTION: Final = re.compile(r"\s*\[[^\][]*\]")
_TOKEN: Final = re.compile(r"\s*(\\[A-Za-z]+|\\.|[^\\{}\s])", re.DOTALL)
_DEFINED: Final = re.compile(r"\\(?:newcommand|providecommand|def|DeclareMathOperator)\*?\s*\{?\s*\\([A-Za-z]+)")
_THIN_RULE: Final = re.compile(r"\s*0?\.\d+\s*(?:pt|mm|ex|em|cm)\s*|\s*[12](?:\.\d+)?\s*(?:pt|px)\s*")
_NO_WIDTH: Final = re.compile(r"\s*0(?:\.0+)?\s*[a-z]*\s*")
_SIZES: Final = {"0": r"\displaystyle", "1": r"\textstyle", "2": r"\scriptstyle", "3": r"\scriptscriptstyle"}
_BAR: Final = re.compile(r"(\\(?:left|right|middle|[bB]igg?[lrm]?)\s*\||\\\|)|\|")
_SIGNS: Final = {
    "Alpha": r"\mathrm{A}", "Beta": r"\mathrm{B}", "Epsilon": r"\mathrm{E}", "Zeta": r"\mathrm{Z}",
    "Eta": r"\mathrm{H}", "Iota": r"\mathrm{I}", "Kappa": r"\mathrm{K}", "Mu": r"\mathrm{M}", "Nu": r"\mathrm{N}",
    "Omicron": r"\mathrm{O}",
    "Rho": r"\mathrm{P}", "Tau": r"\mathrm{T}", "Chi": r"\mathrm{X}",
    **{name: rf"\mathbb{{{name}}}" for name in "CNQRZ"}, "reals": r"\mathbb{R}", "Reals": r"\mathbb{R}",
    "medspace": r"\:", "hfill": r"\quad ", "newline": r"\\ ", "hdots": r"\ldots ", "mathellipsis": r"\ldots ",
    "backslash": r"{\setminus}", "vcentcolon": ":", "dblcolon": "∷", "lq": "‘", "rq": "’", "copyright": "©", "P": "¶",
    "textmu": "μ", "textdegree": "°", "dd": r"\mathrm{d}", "dag": r"\dagger ", "ddag": r"\ddagger ", "AA": "Å",
    "bmod": r"\mathbin{\text{ mod }}",
    "grad": r"\nabla ", "gradient": r"\nabla ", "curl": r"\nabla\times ", "divergence": r"\nabla\cdot ",
    "laplacian": r"\nabla^{2}", "cross": r"\times ", "vdot": r"\cdot ", "Tr": r"\operatorname{Tr}",
    "tr": r"\operatorname{tr}", "rank": r"\operatorname{rank}",
    **dict.fromkeys(("relax", "allowbreak", "nobreak", "noindent", "centering", "displaylimits"), ""),
}  # fmt: skip
_MACROS: Final = {  # by name: the number of arguments, and the expansion
    "nicefrac": (2, r"{{}^{#1}/_{#2}}"),
    "sfrac": (2, r"{{}^{#1}/_{#2}}"),
    "cfrac": (2, r"\cfrac{#1}{#2}"),
    "bbox": (1, r"\boxed{#1}"),
    "cancelto": (2, r"{\cancel{#2}^{#1}}"),
    "slashed": (1, r"\cancel{#1}"),
    "smash": (1, r"{#1}"),
    "prescript": (3, r"{{}^{#1}_{#2}#3}"),
    "abs": (1, r"\left|#1\right|"),
    "norm": (1, r"\left\|#1\right\|"),
    "Bra": (1, r"\left\langle #1\right|"),
    "Ket": (1, r"\left|#1\right\rangle "),
    "mathds": (1, r"\mathbb{#1}"),
    "mathbbm": (1, r"\mathbb{#1}"),
    "mathup": (1, r"\mathrm{#1}"),
    "symup": (1, r"\mathrm{#1}"),
    "symbf": (1, r"\mathbf{#1}"),
    "mathnormal": (1, r"\mathit{#1}"),
    "wideparen": (1, r"\overparen{#1}"),
    "overarc": (1, r"\overparen{#1}"),
    "overgroup": (1, r"\overparen{#1}"),
    "undergroup": (1, r"\underparen{#1}"),
    "require": (1, ""),
    "vb": (1, r"\mathbf{#1}"),
    "va": (1, r"\vec{\mathbf{#1}}"),
    "vu": (1, r"\hat{\mathbf{#1}}"),
    "ev": (1, r"\left\langle #1\right\rangle "),
    "expval": (1, r"\left\langle #1\right\rangle "),
    "mel": (3, r"\left\langle #1\middle|#2\middle|#3\right\rangle "),
    "matrixel": (3, r"\left\langle #1\middle|#2\middle|#3\right\rangle "),
    "ip": (2, r"\left\langle #1\middle|#2\right\rangle "),
    "innerproduct": (2, r"\left\langle #1\middle|#2\right\rangle "),
    "dyad": (2, r"\left|#1\right\rangle \left\langle #2\right|"),
    "ketbra": (2, r"\left|#1\right\rangle \left\langle #2\right|"),
    "comm": (2, r"\left[#1,#2\right]"),
    "commutator": (2, r"\left[#1,#2\right]"),
    "acomm": (2, r"\left\{#1,#2\right\}"),
    "anticommutator": (2, r"\left\{#1,#2\right\}"),
    "pb": (2, r"\left\{#1,#2\right\}"),
    "order": (1, r"\mathcal{O}\left(#1\right)"),
    "pqty": (1, r"\left(#1\right)"),
    "bqty": (1, r"\left[#1\right]"),
    "Bqty": (1, r"\left\{#1\right\}"),
    "vqty": (1, r"\left|#1\right|"),
    "absolutevalue": (1, r"\left|#1\right|"),
    "setlength": (2, ""),
}
# The argument that holds words, which are drawn for the whole.
_BOXES: Final = {
    "colorbox": (2, r"\boxed{#}"),
    "fcolorbox": (3, r"\boxed{#}"),
    "fbox": (1, r"\boxed{#}"),
    "raisebox": (2, "{#}"),
    "scalebox": (2, "{#}"),
    "resizebox": (3, "{#}"),
    "ref": (1, "{#}"),
    "eqref": (1, "{(#)}"),
    "url": (1, "{#}"),
}
_WORDS: Final = {
    **{name: name for name in ("text", "textbf", "textit", "textsf", "texttt")},
    **dict.fromkeys(("textrm", "textnormal", "textmd", "textup", "textsc", "mbox", "hbox"), "text"),
    "emph": "textit",
}
_LETTERS: Final = {
    "ss": "ß", "ae": "æ", "AE": "Æ", "oe": "œ", "OE": "Œ", "o": "ø", "O": "Ø", "aa": "å", "AA": "Å", "l": "ł", "L": "Ł",
    "i": "ı", "S": "§", "P": "¶", "textdollar": "$", "textendash": "–", "textemdash": "—", "ldots": "…", "dots": "…",
    "textquoteleft": "‘", "textquoteright": "’", "textquotedblleft": "“", "textquotedblright": "”",
    "textasciitilde": "~", "textbackslash": "⧵", "textdegree": "°", "degree": "°", "textless": "<", "textgreater": ">",
    "textbar": "|", "textunderscore": "_", "textregistered": "®", "copyright": "©", "euro": "€", "pounds": "£",
    "quad": "\u2003", "qquad": "\u2003\u2003", "space": " ", "texttrademark": "™", "checkmark": "✓",
}  # fmt: skip
_ACCENTS: Final = {
    "`": "\u0300", "'": "\u0301", "^": "\u0302", "~": "\u0303", "=": "\u0304", "u": "\u0306", ".": "\u0307",
    '"': "\u0308", "r": "\u030a", "H": "\u030b", "v": "\u030c", "c": "\u0327", "k": "\u0328",
}  # fmt: skip
_SPACES: Final = {",": "\u2009", ":": "\u2005", ";": "\u2004", " ": " ", "!": "", "\\": " ", "\n": " "}
_IN_TEXT: Final = {"&": "\uff06", "<": "\uff1c"}  # the converter writes them into its XML as they are


class CannotSpell(ValueError):
    """The converter would draw something else."""


def written_out(tex: str) -> str:
    """Return ``tex`` in commands that the converter has. Raises ``CannotSpell``."""
    return _written_out(tex, frozenset(_DEFINED.findall(tex)))


def _written_out(tex: str, own: frozenset[str]) -> str:
    made, done = [], 0
    for match in _COMMAND.finditer(tex):
        name, at = match[1] or "", match.end()
        if match.start() < done or name in own:
            continue
        if name in _SIGNS:
            written = _SIGNS[name]
            at = match.end(1)
        elif name in _MACROS:
            count, written = _MACROS[name]
            arguments, at = _arguments(tex, at, count)
            for number, argument in enumerate(arguments, 1):
                written = written.replace(f"#{number}", _written_out(argument, own))
        elif name in _BOXES:
            count, box = _BOXES[name]
            arguments, at = _arguments(tex, at, count)
            written = box.replace("#", _words("text", arguments[-1], own))
        elif name in _WORDS and tex[at:].lstrip()[:1] == "{":
            (argument,), at = _arguments(tex, at, 1)
            written = _words(_WORDS[name], argument, own)
        elif name in _SPECIAL:
            written, at = _SPECIAL[name](tex, at, own)
        else:
            continue
        made += [tex[done : match.start()], written]
        done = at
    return "".join(made) + tex[done:]


def _arguments(tex: str, at: int, count: int) -> tuple[list[str], int]:
    """Return the next arguments, without options before them, and where they end. Raises ``CannotSpell``."""
    found: list[str] = []
    while len(found) < count:
        if (option := _OPTION.match(tex, at)) is not None:
            at = option.end()
            continue
        argument, at = _argument(tex, at)
        found.append(argument)
    return found, at


def _argument(tex: str, at: int) -> tuple[str, int]:
    if (token := _TOKEN.match(tex, at)) is not None:
        return token[1], token.end()
    start = at = len(tex) - len(tex[at:].lstrip())
    depth = 0
    while at < len(tex):
        depth += {"{": 1, "}": -1}.get(tex[at], 0)
        at += 2 if tex[at] == "\\" else 1
        if depth <= 0:
            break
    if tex[start : start + 1] != "{" or depth:
        raise CannotSpell
    return tex[start + 1 : at - 1], at


def _words(command: str, content: str, own: frozenset[str]) -> str:
    """Return words, and the formulas and commands among them, as a group; plain words as one command."""
    words, others = [""], False
    for is_math, piece in _pieces(content):
        if is_math:
            others = True
            words += [_written_out(piece, own), ""]
        else:
            words[-1] += "".join(_IN_TEXT.get(each, each) for each in piece)
    texts = (rf"\{command}{{{each}}}" if at % 2 == 0 else each for at, each in enumerate(words) if each)
    return "{" + "".join(texts) + "}" if others else "".join(texts) or "{}"


def _pieces(content: str) -> Iterator[tuple[bool, str]]:
    """Yield words and formulas, each with whether it is a formula."""
    at = 0
    while at < len(content):
        sign = content[at]
        if sign == "$":
            end = content.find("$", at + 1)
            if end < 0:
                raise CannotSpell
            yield True, content[at + 1 : end]
            at = end + 1
        elif sign == "{":
            inner, at = _argument(content, at)
            yield from _pieces(inner)
        elif sign != "\\":
            yield False, " " if sign == "~" else sign
            at += 1
        else:
            is_math, piece, at = _command_in_words(content, at)
            yield is_math, piece


def _command_in_words(content: str, at: int) -> tuple[bool, str, int]:
    match = _COMMAND.match(content, at)
    if match is None:
        raise CannotSpell
    name, end = match[1] or match[0][1:], match.end()
    if name == "(":
        close = content.find(r"\)", end)
        if close < 0:
            raise CannotSpell
        return True, content[end:close], close + 2
    if name in _SPACES:
        return False, _SPACES[name], end
    if name in _LETTERS:
        return False, _LETTERS[name], end + (content[end : end + 1] == " ")
    if name in _ACCENTS:
        letter, end = _argument(content, end)
        return False, normalize("NFC", letter[:1] + _ACCENTS[name]) + letter[1:], end
    if match[1] is None:  # an escaped sign
        return False, name, end
    while content[end : end + 1] == "{":  # another command with its arguments
        _, end = _argument(content, end)
    return True, content[at:end], end


def _genfrac(tex: str, at: int, own: frozenset[str]) -> tuple[str, int]:
    parts: list[str] = []
    for _ in range(6):
        part, at = _argument(tex, at)
        parts.append(part)
    left, right, thickness, style = map(str.strip, parts[:4])
    above, below = (_written_out(part, own) for part in parts[4:])
    between = rf"\above{{{thickness}}}" if thickness else r"\over"
    if _NO_WIDTH.fullmatch(thickness):
        between = r"\atop"
    fraction = f"{{{above} {between} {below}}}"
    if style in _SIZES:
        fraction = f"{{{_SIZES[style]} {fraction}}}"
    return rf"\left{left or '.'} {fraction}\right{right or '.'} " if left or right else fraction, at


def _rule(tex: str, at: int, _: frozenset[str]) -> tuple[str, int]:
    (width, height), at = _arguments(tex, at, 2)
    if _NO_WIDTH.fullmatch(width):
        return rf"\rule{{{width}}}{{{height}}}", at
    if not _THIN_RULE.fullmatch(height):
        raise CannotSpell
    return rf"\underline{{\hspace{{{width}}}}}", at  # a line to write on


def _braket(tex: str, at: int, own: frozenset[str]) -> tuple[str, int]:
    (inner,), at = _arguments(tex, at, 1)
    if tex[at : at + 1] == "{":
        (other,), at = _arguments(tex, at, 1)
        inner = f"{inner}|{other}"
    return rf"\langle {_written_out(inner, own)}\rangle ", at


def _growing(left: str, right: str, middle: str) -> Callable[[str, int, frozenset[str]], tuple[str, int]]:
    def write(tex: str, at: int, own: frozenset[str]) -> tuple[str, int]:
        (inner,), at = _arguments(tex, at, 1)
        inner = _BAR.sub(lambda bar: bar[1] or middle, inner)  # but for bars that are brackets
        return rf"\left{left} {_written_out(inner, own)}\right{right} ", at

    return write


def _quantity(tex: str, at: int, own: frozenset[str]) -> tuple[str, int]:
    r"""Write out ``\qty{5}{\metre}``, or brackets that grow: ``\qty(x)``."""
    left = tex[at:].lstrip()[:1]
    if left == "{":
        (inner,), end = _arguments(tex, at, 1)
        if tex[end:].lstrip()[:1] == "{":
            return _measured(1)(tex, at, own)
        return rf"\left\{{{_written_out(inner, own)}\right\}}", end
    if left not in _CLOSING:
        raise CannotSpell
    start = end = tex.index(left, at) + 1
    depth = 1
    while depth and end < len(tex):
        depth += {left: 1, _CLOSING[left]: -1}.get(tex[end], 0)
        end += 2 if tex[end] == "\\" else 1
    if depth:
        raise CannotSpell
    return rf"\left{left}{_written_out(tex[start : end - 1], own)}\right{_CLOSING[left]}", end


def _measured(
    count: int, *, has_unit: bool = True, end: str = ""
) -> Callable[[str, int, frozenset[str]], tuple[str, int]]:
    """Return the writer of ``count`` numbers, joined as a range, and of their unit, which is one more argument."""

    def write(tex: str, at: int, _: frozenset[str]) -> tuple[str, int]:
        arguments, at = _arguments(tex, at, count + has_unit)
        try:
            made = _RANGE.join(map(number, arguments[:count]))
            name = unit(arguments[-1]) if has_unit else ""
        except NoUnit:
            raise CannotSpell from None
        room = r"\," if made and name and arguments[-1].strip() not in _TIGHT else ""
        return f"{{{made}{room}{name}{end}}}", at

    return write


def _derivative(sign: str) -> Callable[[str, int, frozenset[str]], tuple[str, int]]:
    r"""Return the writer of ``\dv{x}``, ``\dv[2]{f}{x}`` and, with a partial ``sign``, ``\pdv{f}{x}{y}``."""

    def write(tex: str, at: int, own: frozenset[str]) -> tuple[str, int]:
        option = _OPTION.match(tex, at)
        power = "" if option is None else f"^{{{_written_out(option[0].strip()[1:-1], own)}}}"
        (first,), at = _arguments(tex, at, 1)
        parts = [_written_out(first, own)]
        while len(parts) < (3 if "partial" in sign else 2) and tex[at : at + 1] == "{":
            part, at = _argument(tex, at)
            parts.append(_written_out(part, own))
        if len(parts) == 1:
            parts.insert(0, "")
        above = power or ("^{2}" if len(parts) == 3 else "")
        below = " ".join(f"{sign} {each}{power}" for each in parts[1:])
        return rf"\frac{{{sign}{above} {parts[0]}}}{{{below}}}", at

    return write


_RANGE: Final = r"\text{ – }"
_TIGHT: Final = (r"\degree", r"\percent", "%", "°")  # what stands at its number
_CLOSING: Final = {"(": ")", "[": "]", "|": "|"}
_SPECIAL: Final = {
    "qty": _quantity,
    "SI": _measured(1),
    "SIrange": _measured(2),
    "qtyrange": _measured(2),
    "si": _measured(0),
    "unit": _measured(0),
    "num": _measured(1, has_unit=False),
    "numrange": _measured(2, has_unit=False),
    "ang": _measured(1, has_unit=False, end="°"),
    "dv": _derivative(r"\mathrm{d}"),
    "derivative": _derivative(r"\mathrm{d}"),
    "pdv": _derivative(r"\partial"),
    "pderivative": _derivative(r"\partial"),
    "genfrac": _genfrac,
    "rule": _rule,
    "braket": _braket,
    "Braket": _growing(r"\langle", r"\rangle", r"\middle|"),
    "set": _growing(r"\{", r"\}", r"\;\middle|\;"),
    "Set": _growing(r"\{", r"\}", r"\;\middle|\;"),
}
