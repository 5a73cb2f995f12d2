r"""Spells commands of TeX in the one way that the converter draws right: ``\mathbb R``, ``\not=``, ``\\[6pt]``. Pure.

What it would silently draw as something else raises ``CannotSpell``, so that the source stays.
"""

from __future__ import annotations

import re
from unicodedata import normalize

from chatdesk.core.rendering.drawing.math_macros import CannotSpell, written_out

_FONTS = r"math(?:bb|bf|cal|frak|scr|sf|tt|rm|it)|boldsymbol|bm|pmb|Bbb|operatorname"
_FONT_OF_ONE = re.compile(rf"\\({_FONTS})\s*((?<=\s)[A-Za-z0-9]|(?<![A-Za-z])[0-9]|\\[A-Za-z]+)")
_ROW_END = re.compile(r"\\\\\*?\s*\[\s*-?[\d.]+\s*(?:pt|em|ex|cm|mm|in|mu|px|bp|pc|\\baselineskip)\s*\]|\\\\\*")
_NOT = re.compile(r"\\not\s*(?:\{\s*)?(\\[A-Za-z]+|[=<>])(?:\s*\})?")
_NEGATED = {
    "=": "=", "<": "<", ">": ">", "in": "∈", "ni": "∋", "subset": "⊂", "supset": "⊃", "subseteq": "⊆", "supseteq": "⊇",
    "le": "≤", "leq": "≤", "ge": "≥", "geq": "≥", "equiv": "≡", "sim": "∼", "simeq": "≃", "approx": "≈", "cong": "≅",
    "mid": "∣", "parallel": "∥", "exists": "∃", "vdash": "⊢", "models": "⊨", "prec": "≺", "succ": "≻",
    "to": "→", "rightarrow": "→", "leftarrow": "←", "Rightarrow": "⇒", "Leftarrow": "⇐", "leftrightarrow": "↔",
    "Leftrightarrow": "⇔", "iff": "⇔", "implies": "⇒",
}  # fmt: skip
_OPERATOR = re.compile(r"\\mathop\s*\{\s*\\(?:mathrm|text|rm|operatorname)\s*\{([A-Za-z ]+)\}\s*\}")
_NAME_IN_PARTS = re.compile(r"\\operatorname\*?\s*\{[A-Za-z\s]*(?:\\[,:; ][A-Za-z\s]*)+\}")
_PART_END = re.compile(r"\\[,:; ]")
_PLAIN = {
    r"\\(?:def\s*\\arraystretch|renewcommand\s*\{?\s*\\arraystretch\s*\}?)\s*\{[^{}]*\}": "",
    r"\\hspace\*": r"\\hspace",
    r"\\(left|right|middle|[bB]igg?[lrm]?)\s*<": r"\\\1\\langle ",
    r"\\(left|right|middle|[bB]igg?[lrm]?)\s*>": r"\\\1\\rangle ",
    r"\{\s*\\(bf|sf|tt)(?![A-Za-z])([^{}]*)\}": r"\\math\1{\2}",
    r"\\(begin|end)\{darray\}": r"\\\1{array}",
    r"\\begin\{((?:aligned|gathered|alignedat|split)\*?)\}\s*\[[tcb]\]": r"\\begin{\1}",
    r"\\begin\{([pbBvV]?(?:small)?matrix)\*\}(?:\s*\[[lcr]\])?": r"\\begin{\1}",
    r"\\end\{([pbBvV]?(?:small)?matrix)\*\}": r"\\end{\1}",
    r"\\begin\{rcases\}": r"\\left.\\begin{array}{ll}",
    r"\\begin\{drcases\}": r"\\left.\\begin{array}{ll}",
    r"\\end\{d?rcases\}": r"\\end{array}\\right\\}",
    r"\\(begin|end)\{dcases\}": r"\\\1{cases}",
    r"\\hdashline\b": r"\\hline ",
}
_PLAIN_PATTERNS = tuple((re.compile(pattern), spelt) for pattern, spelt in _PLAIN.items())
_SMALL_MATRIX = re.compile(r"\\(begin|end)\{([pbBvV])smallmatrix\}")
_BRACKETS = {"p": ("(", ")"), "b": ("[", "]"), "B": (r"\{", r"\}"), "v": ("|", "|"), "V": (r"\|", r"\|")}
_UNFAITHFUL = re.compile(
    r"\\(?:sideset|not|cline|multicolumn|multirow|utilde|(?:math)?llap|rotatebox)(?![A-Za-z])|\\begin\{CD\}"
)
_ARRAY = re.compile(
    r"\\begin\{array\}\s*(?:\[[tcb]\])?\s*\{([^{}]*)\}((?:(?!\\(?:begin|end)\{array\}).)*)\\end\{array\}", re.DOTALL
)
_COLUMNS = re.compile(r"[lcr|:\s]+")
_BETWEEN_COLUMNS = re.compile(r"(\\begin\{array\}\s*(?:\[[tcb]\])?\s*\{[^{}]*?)[@!><]\{[^{}]*\}")
_REPEATED_COLUMNS = re.compile(r"(\\begin\{array\}\s*(?:\[[tcb]\])?\s*\{[^{}]*?)\*\s*\{(\d{1,2})\}\s*\{([lcr|]+)\}")
_FIRST_LINES = re.compile(r"\s*(?:\\hline\s*)+")
_LAST_LINES = re.compile(r"(?:\\\\\s*)(?:\\hline\s*)+\Z")
_DONE = "\ue000"  # stands in the name of an array that is spelt already


def respelt(tex: str) -> str:
    """Return ``tex`` as the converter reads it right. Raises ``CannotSpell``."""
    tex = written_out(tex)
    for pattern, spelt in _PLAIN_PATTERNS:
        tex = pattern.sub(spelt, tex)
    tex = _ROW_END.sub(r"\\\\", tex)
    tex = _FONT_OF_ONE.sub(r"\\\1{\2}", tex)
    tex = _OPERATOR.sub(r"\\operatorname*{\1}", tex)
    tex = _NAME_IN_PARTS.sub(lambda match: _PART_END.sub("\u2009", match[0]), tex)
    tex = _SMALL_MATRIX.sub(_with_brackets, tex)
    tex = _NOT.sub(_negated, tex)
    if _UNFAITHFUL.search(tex):
        raise CannotSpell
    return _with_lines(tex)


def _negated(match: re.Match[str]) -> str:
    sign = _NEGATED.get(match[1].lstrip("\\"))
    composed = normalize("NFC", f"{sign}\u0338") if sign else ""
    if len(composed) != 1:
        raise CannotSpell
    return f"{composed} "


def _with_brackets(match: re.Match[str]) -> str:
    left, right = _BRACKETS[match[2]]
    return rf"\left{left}\begin{{smallmatrix}}" if match[1] == "begin" else rf"\end{{smallmatrix}}\right{right}"


def _with_lines(tex: str) -> str:
    """Return ``tex`` with lines around an array as brackets and bars: the converter tells them from inner ones by
    nothing. Double lines become single ones."""
    while (match := _BETWEEN_COLUMNS.search(tex)) is not None:
        tex = tex[: match.start()] + match[1] + tex[match.end() :]
    while (match := _REPEATED_COLUMNS.search(tex)) is not None:
        tex = tex[: match.start()] + match[1] + match[3] * int(match[2]) + tex[match.end() :]
    while (match := _ARRAY.search(tex)) is not None:
        columns = re.sub(r"[|:]+", "|", "".join(match[1].split()))
        if not _COLUMNS.fullmatch(match[1]):
            raise CannotSpell
        rows = re.sub(r"\\hline(?:\s*\\hline)+", r"\\hline", match[2])
        top, bottom = _FIRST_LINES.match(rows), _LAST_LINES.search(rows)
        rows = rows[top.end() if top else 0 : bottom.start() if bottom else len(rows)]
        made = rf"\begin{{array{_DONE}}}{{{columns.strip('|')}}}{rows}\end{{array{_DONE}}}"
        left, right = columns.startswith("|"), columns.endswith("|")
        if left or right:
            made = (r"\left|\," if left else r"\left.") + made + (r"\,\right|" if right else r"\right.")
        made = rf"\overline{{{made}}}" if top else made
        made = rf"\underline{{{made}}}" if bottom else made
        tex = tex[: match.start()] + made + tex[match.end() :]
    if r"\begin{array}" in tex:
        raise CannotSpell
    return tex.replace(_DONE, "")
