"""Writes spans as inline Markdown that is read as the same spans again: the opposite of ``span_builder``.

Only what would be read as a mark is escaped, so that ordinary words stay as they are.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Sequence
from typing import NamedTuple
from urllib.parse import quote

from chatdesk.core.rendering.address_rule import trim_url
from chatdesk.core.rendering.blocks import Span

_TICKS = re.compile(r"`+")
_MARK = re.compile(
    r"\\(?=[!-/:-@\[-`{-~]|begin\{|$|\n)"  # a backslash that escapes, or begins a formula
    r"|`"
    r"|\*|_"
    r"|(?<=\])\((?=.)|\](?=[(:\[])|(?<=\[)[\^!]"
    r"|<(?=[A-Za-z/!?])"
    r"|&(?=#?\w{1,40};)"
    r"|(?<=~)~|~(?=~)"
    r"|(?i:(?<=http)|(?<=https)):(?=//)"
)
_MARK_IN_LINK = re.compile(rf"[\[\]]|{_MARK.pattern}")
# The beginnings of lines that start a block.
_LINE_START = re.compile(r"(?:#{1,6}(?=\s|$)|>|[-+](?=\s|$)|[-=|]|:(?=[-\s])|\d{1,9}(?P<dot>[.)])(?=\s|$))")
_BARE_URL = re.compile("https?://[!-~]+", re.IGNORECASE)
_BESIDE_LETTERS = re.compile(r"(?<=\w)_+(?=\w)")
_UNSAFE_IN_TARGET = re.compile(r"[\s<>\\|$]")


class _Piece(NamedTuple):
    """A piece of Markdown. ``opens`` and ``closes`` are set for marks around words."""

    text: str
    opens: bool = False
    closes: bool = False


def markdown_of_spans(spans: Sequence[Span], *, is_one_line: bool = False, is_cell: bool = False) -> str:
    """Return ``spans`` as Markdown. ``is_one_line``: as in a heading, where a tag breaks lines. ``is_cell``: in a
    table row."""
    writer = _Writer(tuple(each for each in spans if not (each.note or "").startswith("fnref-")), is_cell=is_cell)
    text = writer.write()
    if is_cell:
        return text.strip().replace("\n", "<br>")
    text = text.strip(" \t")
    if text[:1].isspace() and text[0] != "\n":
        text = f"&#{ord(text[0])};{text[1:]}"
    return _with_line_starts(text, is_one_line=is_one_line)


class _Writer:
    def __init__(self, spans: tuple[Span, ...], *, is_cell: bool) -> None:
        self._spans = spans
        self._is_cell = is_cell
        dollars = sum(span.text.count("$") for span in spans if not span.is_code and not span.is_math)
        self._has_crossings = _have_crossings(self._runs("bold"), self._runs("italic"))
        self._guards_dollars = dollars > 1 or (dollars and any(span.is_math for span in spans))

    def _runs(self, style: str) -> list[tuple[int, int]]:
        """Return (start, end) of each run of spans that have ``style``."""
        of, runs = _STYLES[style], list[tuple[int, int]]()
        for place, span in enumerate(self._spans):
            if of(span) and runs and runs[-1][1] == place:
                runs[-1] = (runs[-1][0], place + 1)
            elif of(span):
                runs.append((place, place + 1))
        return runs

    def write(self) -> str:
        return "".join(_flanked(self._range(0, len(self._spans), frozenset())))

    def _range(self, start: int, end: int, inside: frozenset[str]) -> list[_Piece]:
        """Return the pieces of the spans from ``start`` to ``end``; ``inside`` are the styles that are open around
        them."""
        made: list[_Piece] = []
        while start < end:
            style, until = "", start
            for each, of in _STYLES.items():
                reach = start
                wanted = of(self._spans[start]) if each not in inside else None
                while wanted and reach < end and of(self._spans[reach]) == wanted:
                    reach += 1
                if reach > until:
                    style, until = each, reach
            if style in _MARKS:
                until = self._cut_at_crossing(style, start, until)
            if style:
                made += self._wrapped(style, start, until, inside)
            else:
                until = start + 1
                made.append(_Piece(self._leaf(start, is_linked="href" in inside)))
            start = until
        return made

    def _cut_at_crossing(self, style: str, start: int, end: int) -> int:
        """Return where marks around the spans from ``start`` have to end: others that begin inside end inside, too."""
        for each in _MARKS:
            of = _STYLES[each]
            if each != style and end < len(self._spans) and of(self._spans[end]) and of(self._spans[end - 1]):
                begin = end - 1
                while begin > start and of(self._spans[begin - 1]):
                    begin -= 1
                if begin > start:
                    end = begin
        return end

    def _wrapped(self, style: str, start: int, end: int, inside: frozenset[str]) -> list[_Piece]:
        first = self._spans[start]
        if style == "href":
            return self._link(start, end, inside)
        inner = self._range(start, end, inside | {style})
        if style in ("script", "key"):
            tag = first.script if style == "script" else "kbd"
            return [_Piece(f"<{tag}>"), *inner, _Piece(f"</{tag}>")]
        # Marks must be at letters: space goes outside.
        before, inner = _split_blank(inner)
        after, turned = _split_blank([_Piece(p.text[::-1], p.opens, p.closes) for p in reversed(inner)])
        inner = [_Piece(p.text[::-1], p.opens, p.closes) for p in reversed(turned)]
        if inner:
            mark = "_" if style == "italic" and self._has_crossings else _MARKS[style]
            inner = [_Piece(mark, opens=True), *inner, _Piece(mark, closes=True)]
        return [_Piece(before), *inner, _Piece(after[::-1])]

    def _link(self, start: int, end: int, inside: frozenset[str]) -> list[_Piece]:
        href = self._spans[start].href or ""
        words = "".join(span.text for span in self._spans[start:end])
        is_plain = end == start + 1 and self._spans[start] == Span(words, href=href)
        if is_plain and words == href and _BARE_URL.fullmatch(words) and not set(words) & set('<>|*`"\\[]$'):
            before, after = self._beside(start, end)
            if not before.strip() and not after.strip() and trim_url(words) == words:
                return [_Piece(words)]
            return [_Piece(f"<{words}>")]
        target = _UNSAFE_IN_TARGET.sub(lambda match: quote(match[0]), href)
        target = re.sub(r"&(?=#?\w{1,40};)", "&amp;", target)
        if "(" in target or ")" in target or not target:
            target = f"<{target}>"
        return [_Piece("["), *self._range(start, end, inside | {"href"}), _Piece(f"]({target})")]

    def _beside(self, start: int, end: int) -> tuple[str, str]:
        """Return the characters beside the spans from ``start`` to ``end``; "" at the ends."""
        before = self._spans[start - 1].text[-1:] if start else ""
        after = self._spans[end].text[:1] if end < len(self._spans) else ""
        return before, after

    def _leaf(self, place: int, *, is_linked: bool) -> str:
        span = self._spans[place]
        if span.note is not None:
            return f"[^{span.text}]"
        if span.is_code:
            text = code_mark(span.text)
        elif span.is_math:
            text = _formula(span.text.replace("\n", " "), *self._beside(place, place + 1))
        else:
            text = self._escaped(span.text, is_linked=is_linked)
            following = self._spans[place + 1] if place + 1 < len(self._spans) else None
            if text.endswith("!") and following is not None and following.href and not is_linked:
                text = text[:-1] + "\\!"
        return text.replace("|", "\\|") if self._is_cell else text

    def _escaped(self, text: str, *, is_linked: bool) -> str:
        if text.isalnum():
            return text
        kept = {place for match in _BESIDE_LETTERS.finditer(text) for place in range(*match.span())}

        def guard(match: re.Match[str]) -> str:
            at, sign = match.start(), match[0]
            if at in kept or (sign in "*_" and _is_alone(text, at)):
                return sign
            # Escaped, these might begin a formula.
            return f"&#{ord(sign)};" if sign in "([" else f"\\{sign}"

        text = (_MARK_IN_LINK if is_linked else _MARK).sub(guard, text)
        return text.replace("$", "\\$") if self._guards_dollars else text


_STYLES: dict[str, Callable[[Span], object]] = {
    "href": lambda span: span.href,
    "key": lambda span: span.is_key,
    "script": lambda span: span.script,
    "struck": lambda span: span.is_struck,
    "bold": lambda span: span.is_bold,
    "italic": lambda span: span.is_italic,
}
_MARKS = {"struck": "~~", "bold": "**", "italic": "*"}


def _have_crossings(bold: list[tuple[int, int]], italic: list[tuple[int, int]]) -> bool:
    """Return whether stars for both could not be told apart: the runs touch, cross, or one holds several of the
    others."""
    edges = {end for _, end in bold} & {start for start, _ in italic} | {end for _, end in italic} & {
        s for s, _ in bold
    }
    if edges:
        return True
    for outer, others in ((bold, italic), (italic, bold)):
        for start, end in outer:
            inside = [each for each in others if each[0] < end and each[1] > start]
            if len(inside) > 1 or any(
                each[0] < start < each[1] < end or start < each[0] < end < each[1] for each in inside
            ):
                return True
    return False


def code_mark(text: str) -> str:
    """Return inline code between as many ticks as it needs."""
    tick = "`" * (1 + max(map(len, _TICKS.findall(text)), default=0))
    needs_room = text.startswith("`") or text.endswith("`") or (text[:1] == text[-1:] == " " and text.strip())
    room = " " if needs_room else ""
    return f"{tick}{room}{text}{room}{tick}"


def _formula(tex: str, before: str, after: str) -> str:
    is_beside_word = before.isalnum() or before == "$" or after.isalnum() or after == "$"
    has_dollar_form = "$" not in tex and not tex[:1].isspace() and not tex[-1:].isspace() and not tex.endswith("\\")
    if has_dollar_form and not is_beside_word and not tex[:1].isdigit():
        return f"${tex}$"
    if any(sign.isalnum() for sign in tex) and "\\)" not in tex and len(tex) < MAX_MATH_CHARS - 4:
        return f"\\({tex}\\)"
    return f"$${tex}$$"


def _is_alone(text: str, at: int) -> bool:
    """Return whether blanks are on both sides of the sign at ``at``, so that it cannot be a mark."""
    return 0 < at < len(text) - 1 and text[at - 1] == text[at + 1] == " "


def _split_blank(pieces: list[_Piece]) -> tuple[str, list[_Piece]]:
    """Return the blanks that ``pieces`` begin with, and the rest."""
    blank = ""
    for place, piece in enumerate(pieces):
        bare = piece.text.lstrip()
        blank += piece.text[: len(piece.text) - len(bare)]
        if bare:
            return blank, [piece._replace(text=bare), *pieces[place + 1 :]]
    return blank, []


def _flanked(pieces: list[_Piece]) -> list[str]:
    """Return the texts of ``pieces``, with a letter beside a mark written as a reference where the mark would not
    count: CommonMark asks for space or punctuation outside a mark that has punctuation inside."""
    filled = [piece for piece in pieces if piece.text]
    texts = [piece.text for piece in filled]
    start = 0
    while start < len(filled):
        end = start + 1
        if filled[start].opens or filled[start].closes:
            sign = texts[start][0]
            while end < len(filled) and (filled[end].opens or filled[end].closes) and texts[end][0] == sign:
                end += 1
            before = texts[start - 1][-1] if start else " "
            after = texts[end][0] if end < len(filled) else " "
            run = filled[start:end]
            # An underscore counts only where no letter is outside.
            is_strict = sign == "_"
            if any(each.opens for each in run) and (is_strict or is_punctuation(after)) and _is_letter(before, sign):
                texts[start - 1] = f"{texts[start - 1][:-1]}&#{ord(before)};"
            if any(each.closes for each in run) and (is_strict or is_punctuation(before)) and _is_letter(after, sign):
                texts[end] = f"&#{ord(after)};{texts[end][1:]}"
        start = end
    return texts


def _is_letter(sign: str, mark: str) -> bool:
    is_cjk = mark == "*" and CJK.match(sign) is not None
    return not sign.isspace() and not is_punctuation(sign) and not is_cjk


def _with_line_starts(text: str, *, is_one_line: bool) -> str:
    """Return ``text`` with no line that would begin a block, and its line breaks as Markdown writes them."""
    if is_one_line:
        guarded = text.replace("\n", "<br>")
        return re.sub(r"(?<!\S)(#+)$", r"\\\1", guarded)
    made: list[str] = []
    lines = text.split("\n")
    for place, line in enumerate(lines):
        before = lines[place - 1] if place else ""
        is_plain = before.strip() and line.strip() and not before[-1].isspace() and not line[0].isspace()
        if place:
            made.append("\n" if is_plain else "<br>")
        match = _LINE_START.match(line) if is_plain or not place else None
        at = -1 if match is None else max(0, match.start("dot"))
        made.append(f"{line[:at]}\\{line[at:]}" if at >= 0 else line)
    return "".join(made)


MAX_MATH_CHARS = 1000
CJK = re.compile(
    "[\u1100-\u11ff\u2e80-\u303f\u3040-\u30ff\u3100-\u31ff\u3200-\u9fff\ua960-\ua97f\uac00-\ud7ff\uf900-\ufaff"
    "\ufe30-\ufe4f\uff00-\uffef\U00020000-\U0003ffff]"
)


def is_punctuation(sign: str) -> bool:
    """Return whether ``sign`` is punctuation by CommonMark: punctuation and symbols of Unicode, which all of ASCII's
    are."""
    return unicodedata.category(sign)[0] in "PS"
