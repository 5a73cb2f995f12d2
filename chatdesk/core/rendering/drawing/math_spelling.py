r"""Spells commands of TeX in the one way that the converter draws right: ``\mathbb R``, ``\not=``, ``\\[6pt]``. Pure.

What it would silently draw as something else raises ``CannotSpell``, so that the source stays.
"""

from __future__ import annotations

import re
from unicodedata import normalize

_FONTS = r"math(?:bb|bf|cal|frak|scr|sf|tt|rm|it)|boldsymbol|bm|pmb|Bbb|operatorname"
_FONT_OF_ONE = re.compile(rf"\\({_FONTS})\s*((?<=\s)[A-Za-z0-9]|(?<![A-Za-z])[0-9]|\\[A-Za-z]+)")
_ROW_END = re.compile(r"\\\\\*?\s*\[\s*-?[\d.]+\s*(?:pt|em|ex|cm|mm|in|mu|px|bp|pc|\\baselineskip)\s*\]|\\\\\*")
_BLACKBOARD_DIGITS = re.compile(r"\\mathbb\s*\{\s*(\d+|k)\s*\}")
_TYPEWRITER = re.compile(r"\\(?:math|text)tt\s*\{([^{}\\$]*)\}")
_NOT = re.compile(r"\\not\s*(?:\{\s*)?(\\[A-Za-z]+|[=<>])(?:\s*\})?")
_NEGATED = {
    "=": "=", "<": "<", ">": ">", "in": "∈", "ni": "∋", "subset": "⊂", "supset": "⊃", "subseteq": "⊆", "supseteq": "⊇",
    "le": "≤", "leq": "≤", "ge": "≥", "geq": "≥", "equiv": "≡", "sim": "∼", "simeq": "≃", "approx": "≈", "cong": "≅",
    "mid": "∣", "parallel": "∥", "exists": "∃", "vdash": "⊢", "models": "⊨", "prec": "≺", "succ": "≻",
    "to": "→", "rightarrow": "→", "leftarrow": "←", "Rightarrow": "⇒", "Leftarrow": "⇐", "leftrightarrow": "↔",
    "Leftrightarrow": "⇔", "iff": "⇔", "implies": "⇒",
}  # fmt: skip
_TEXT = re.compile(r"\\(?:text(?:bf|it|rm|sf|normal)?|mbox|hbox)\s*\{((?:[^{}\\]|\\[^A-Za-z])*)\}")
_ESCAPED = re.compile(r"\\([%_&#${}])")
_IN_TEXT = {"&": "\uff06", "<": "\uff1c"}  # the converter writes them into its XML as they are
_OPERATOR = re.compile(r"\\mathop\s*\{\s*\\(?:mathrm|text|rm|operatorname)\s*\{([A-Za-z ]+)\}\s*\}")
_SMASHED = re.compile(r"\\smash\s*(?:\[[bt]\])?\s*\{")
_BINOMIAL = re.compile(r"\\genfrac\s*\{?\(\}?\s*\{?\)\}?\s*\{0(?:pt)?\}\s*\{[0-3]?\}")
_PLAIN = {
    r"\\bmod\b": r"\\mathbin{\\text{ mod }}",
    r"\\dag\b": r"\\dagger ",
    r"\\ddag\b": r"\\ddagger ",
    r"\\AA\b": "Å",
    r"\\begin\{rcases\}": r"\\left.\\begin{array}{ll}",
    r"\\begin\{drcases\}": r"\\left.\\begin{array}{ll}",
    r"\\end\{d?rcases\}": r"\\end{array}\\right\\}",
    r"\\(begin|end)\{dcases\}": r"\\\1{cases}",
    r"\\hdashline\b": r"\\hline ",
}
_PLAIN_PATTERNS = tuple((re.compile(pattern), spelt) for pattern, spelt in _PLAIN.items())
_UNFAITHFUL = re.compile(r"\\(?:f?colorbox|sideset|not|cline|multicolumn|multirow)(?![A-Za-z])")
_ARRAY = re.compile(
    r"\\begin\{array\}\s*(?:\[[tcb]\])?\s*\{([^{}]*)\}((?:(?!\\(?:begin|end)\{array\}).)*)\\end\{array\}", re.DOTALL
)
_COLUMNS = re.compile(r"[lcr|:\s]+")
_FIRST_LINES = re.compile(r"\s*(?:\\hline\s*)+")
_LAST_LINES = re.compile(r"(?:\\\\\s*)(?:\\hline\s*)+\Z")
_DONE = "\ue000"  # stands in the name of an array that is spelt already


class CannotSpell(ValueError):
    """The converter would draw something else."""


def respelt(tex: str) -> str:
    """Return ``tex`` as the converter reads it right. Raises ``CannotSpell``."""
    for pattern, spelt in _PLAIN_PATTERNS:
        tex = pattern.sub(spelt, tex)
    tex = _ROW_END.sub(r"\\\\", tex)
    tex = _FONT_OF_ONE.sub(r"\\\1{\2}", tex)
    tex = _BLACKBOARD_DIGITS.sub(lambda match: _moved(match[1], digit=0x1D7D8, small=0x1D552), tex)
    tex = _TYPEWRITER.sub(lambda match: rf"\text{{{_moved(match[1], 0x1D7F6, 0x1D68A, 0x1D670)}}}", tex)
    tex = _OPERATOR.sub(r"\\operatorname*{\1}", tex)
    tex = _SMASHED.sub("{", tex)
    tex = _BINOMIAL.sub(r"\\binom", tex)
    tex = _NOT.sub(_negated, tex)
    tex = _TEXT.sub(_with_plain_words, tex)
    if _UNFAITHFUL.search(tex):
        raise CannotSpell
    return _with_lines(tex)


def _moved(text: str, digit: int, small: int, capital: int | None = None) -> str:
    """Return the letters and digits of ``text`` as those of a mathematical alphabet of Unicode."""
    firsts = [("0", "9", digit), ("a", "z", small), ("A", "Z", capital or ord("A"))]
    return "".join(
        next((chr(start + ord(each) - ord(first)) for first, last, start in firsts if first <= each <= last), each)
        for each in text
    )


def _negated(match: re.Match[str]) -> str:
    sign = _NEGATED.get(match[1].lstrip("\\"))
    composed = normalize("NFC", f"{sign}\u0338") if sign else ""
    if len(composed) != 1:
        raise CannotSpell
    return f"{composed} "


def _with_plain_words(match: re.Match[str]) -> str:
    words = _ESCAPED.sub(lambda escaped: _IN_TEXT.get(escaped[1], escaped[1]), match[1])
    if "\\" in words.replace("\\ ", "").replace("\\,", ""):
        return match[0]
    before = match[0][: match.start(1) - match.start()]
    return before + words.replace("\\ ", " ").replace("\\,", " ") + "}"


def _with_lines(tex: str) -> str:
    """Return ``tex`` with lines around an array as brackets and bars: the converter tells them from inner ones by
    nothing. Double lines become single ones."""
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
