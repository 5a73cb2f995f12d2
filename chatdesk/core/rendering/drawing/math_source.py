"""Rewrites TeX from hostile or careless hands into the form that the converter draws right. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass

from chatdesk.core.rendering.drawing.chemistry import without_chemistry
from chatdesk.core.rendering.drawing.math_spelling import respelt

_TAG = re.compile(r"\\tag\s*(\*?)\s*\{([^{}$]{1,40})\}")
_LABEL = re.compile(r"\\label\{[^{}]*\}|\\(?:nonumber|notag)\b")
_OUTER = re.compile(r"\\begin\{([a-z]+)(\*?)\}")
_ROW_OR_NESTING = re.compile(r"\\\\(?:\[[^\]\n]{0,20}\])?|\\begin\b|\\end\b|\\[{}]|[{}]")
_ARGUMENT = re.compile(r"\s*\{[^{}]*\}")
# Environments with other names in the converter. It numbers the rows of ``align``, as LaTeX does over a whole document.
_NAMES = {
    "align": "align*",
    "alignat": "align*",
    "alignedat": "align*",
    "flalign": "align*",
    "aligned": "align*",
    "gather": "align*",
    "gathered": "align*",
    "multline": "align*",
    "equation": "",
    "displaymath": "",
    "math": "",
}
_WITH_ARGUMENT = ("alignat", "alignedat")
_ROWS = ("align*", "array")
_ENVIRONMENT = re.compile(r"\\(begin|end)\{([a-z]+)\*?\}")
_MATRIX_ENDS = re.compile(r"\\end\{([pbBvV]?(?:small)?matrix)\*?\}\s*[\^_]")


@dataclass(frozen=True, slots=True)
class PreparedTex:
    """The TeX for the converter, and the numbers (tags) of its rows: (row, words), where row -1 is the whole."""

    tex: str
    tags: tuple[tuple[int, str], ...] = ()


def prepare(tex: str) -> PreparedTex:
    """Return ``tex`` with chemistry written out, without labels, with the converter's names of environments, tags
    apart. Raises ``ValueError`` for what would be drawn wrong."""
    tex = respelt(_LABEL.sub("", without_chemistry(tex))).strip()
    tex = _with_known_names(tex)
    # else an exponent would apply only to the last bracket
    for name in {match[1] for match in _MATRIX_ENDS.finditer(tex)}:
        tex = re.sub(rf"\\begin\{{{name}\*?\}}", lambda match: "{" + match[0], tex)
        tex = re.sub(rf"\\end\{{{name}\*?\}}", lambda match: match[0] + "}", tex)
    if "\\tag" not in tex:
        return PreparedTex(tex)
    opening = _OUTER.match(tex)
    if opening is not None and opening[1] + opening[2] in _ROWS and tex.endswith(closing := rf"\end{{{opening[0][7:]}"):
        return _rows_apart(tex, opening.end(), len(tex) - len(closing))
    bare, tags = _without_tags(tex)
    return PreparedTex(bare, tuple((-1, tag) for tag in tags))


def _rows_apart(tex: str, start: int, end: int) -> PreparedTex:
    made, tags, depth, done = [tex[:start]], [], 0, start
    row = 0
    for match in (*_ROW_OR_NESTING.finditer(tex, start, end), None):
        sign = match[0] if match is not None else ""
        if match is not None and sign[:2] != "\\\\":
            depth += {"\\begin": 1, "{": 1, "\\end": -1, "}": -1}.get(sign, 0)
            continue
        if match is not None and depth > 0:
            continue
        bare, found = _without_tags(tex[done : match.start() if match is not None else end])
        made.append(bare + sign)
        tags += [(row, tag) for tag in found]
        row += 1
        done = match.end() if match is not None else end
    return PreparedTex("".join(made) + tex[end:], tuple(tags))


def _without_tags(tex: str) -> tuple[str, list[str]]:
    tags = [match[2] if match[1] else f"({match[2]})" for match in _TAG.finditer(tex)]
    return _TAG.sub("", tex), tags


def _with_known_names(tex: str) -> str:
    made, done = [], 0
    for match in _ENVIRONMENT.finditer(tex):
        kind, name = match[1], match[2]
        if name not in _NAMES and name != "eqnarray":
            continue
        made.append(tex[done : match.start()])
        done = match.end()
        if kind == "begin" and name in _WITH_ARGUMENT and (argument := _ARGUMENT.match(tex, done)) is not None:
            done = argument.end()
        if name == "eqnarray":
            made.append(r"\begin{array}{rcl}" if kind == "begin" else r"\end{array}")
        elif _NAMES[name]:
            made.append(rf"\{kind}{{{_NAMES[name]}}}")
    return "".join(made) + tex[done:]
