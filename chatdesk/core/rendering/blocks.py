"""Defines the blocks that Markdown becomes: a flat list in reading order, without Qt and without HTML.

Lists and quotes do not nest blocks; each block carries how deep it is. So a view lays out one small thing at a
time, and export walks a plain list.
"""

from __future__ import annotations

from array import array
from dataclasses import dataclass, field, replace
from itertools import pairwise

from chatdesk.core.texts import Text

# The titles of callouts, which the builder writes in English and a reader of blocks sees in the person's language.
CALLOUT_TITLES = {
    "note": Text("Note", "callout"),
    "tip": Text("Tip", "callout"),
    "important": Text("Important", "callout"),
    "warning": Text("Warning", "callout"),
    "caution": Text("Caution", "callout"),
}

# The marker of a definition, which is not drawn; its terms are the paragraph above.
DEFINITION = ":"

DRAWING_UNITS = 256
_BYTES_AN_OPERATION = {"M": 8, "L": 8, "Q": 16, "C": 24, "Z": 0}


@dataclass(frozen=True, slots=True)
class DrawnWords:
    """Words of a formula that its font lacks, to be drawn in the font of the text. ``left``, ``baseline`` and the
    ``width`` that they may take are in 256ths of the text's size, as is their own ``size``; see ``Drawing.inks`` for
    ``ink``."""

    text: str
    left: int
    baseline: int
    width: int
    size: int
    ink: str = ""


@dataclass(frozen=True, slots=True)
class Drawing:
    """A formula as outlines to be filled, in 256ths of the text's size; the baseline is at y 0, down is positive.
    ``operations`` has a letter each (M, L, Q, C, Z) and ``points`` their coordinates, as signed 32-bit numbers in the
    machine's byte order. ``inks`` are pairs (operation index, kind of code): from that operation on the colour of that
    kind holds (see ``CodeRun``), "" being the text's own.

    ``tags`` are the numbers of equations, which are at the right edge, as pairs (distance of the baseline below this
    one, drawing). ``breaks`` are the places from the left where a line may end. ``words`` have no outlines."""

    width: int
    ascent: int
    descent: int
    operations: str = field(repr=False)
    points: bytes = field(repr=False)
    inks: tuple[tuple[int, str], ...] = ()
    tags: tuple[tuple[int, Drawing], ...] = ()
    breaks: tuple[int, ...] = ()
    words: tuple[DrawnWords, ...] = ()

    @property
    def inked_parts(self) -> list[tuple[str, Drawing]]:
        """The outlines and words of each colour, as pairs (colour, drawing)."""
        if not self.inks and not self.words:
            return [("", self)]
        cuts = [(0, ""), *self.inks, (len(self.operations), "")]
        parts = []
        done = 0
        for (start, ink), (end, _) in pairwise(cuts):
            operations = self.operations[start:end]
            size = sum(map(_BYTES_AN_OPERATION.__getitem__, operations))
            if operations:
                points = self.points[done : done + size]
                parts.append((ink, Drawing(self.width, self.ascent, self.descent, operations, points)))
            done += size
        for each in self.words:
            parts.append((each.ink, Drawing(self.width, self.ascent, self.descent, "", b"", words=(each,))))
        return parts

    @property
    def with_tags_beside(self) -> Drawing:
        """Return the drawing with its tags placed beside it, for output that has no right edge to put tags at."""
        whole = replace(self, tags=())
        for below, tag in self.tags:
            shifted = array("i", tag.points)
            for at in range(len(shifted)):
                shifted[at] += below if at % 2 else self.width + 2 * DRAWING_UNITS
            whole = replace(
                whole,
                width=max(whole.width, self.width + 2 * DRAWING_UNITS + tag.width),
                inks=(*whole.inks, (len(whole.operations), "")) if whole.inks else (),
                operations=whole.operations + tag.operations,
                points=whole.points + shifted.tobytes(),
                words=(
                    *whole.words,
                    *(
                        replace(each, left=each.left + self.width + 2 * DRAWING_UNITS, baseline=each.baseline + below)
                        for each in tag.words
                    ),
                ),
            )
        return whole


@dataclass(frozen=True, slots=True)
class Span:
    """A run of text in one style. ``href`` is set for links whose scheme is allowed; ``is_math`` means ``text`` is
    TeX source, and ``drawing`` is how it looks once that is known. A hard line break is ``"\\n"`` inside ``text``.
    ``note`` is set for footnote marks, which are drawn raised, and for the way back: ``fn-1`` leads to the block whose
    placement says ``fn-1``, ``fnref-1`` to the first span that leads there. It is a place in this text, no address.
    ``script`` is "sub" or "sup" for lowered and raised text; ``is_key`` marks the name of a key."""

    text: str
    is_bold: bool = False
    is_italic: bool = False
    is_struck: bool = False
    is_code: bool = False
    is_math: bool = False
    href: str | None = None
    drawing: Drawing | None = None
    note: str | None = None
    script: str = ""
    is_key: bool = False


@dataclass(frozen=True, slots=True)
class Placement:
    """The place of a block. ``marker`` is the list marker drawn before it ("•", "3.", "☐", "☑"), ``DEFINITION``, or
    None for none. ``first_line`` and ``end_line`` (exclusive) are its lines in the source. ``note`` names the footnote
    that begins here. ``quoted_lists`` says for each quote how many lists it is in, and is empty when none does.
    ``quotes`` has for each quote the line where it begins, which tells two of them apart. ``is_right_to_left`` is
    the direction of the item or quote around, or of the table itself.

    ``callouts`` says for each quote which callout it is ("note", "tip", "important", "warning", "caution", or "" for
    none), and is empty when none is one; ``is_callout_title`` marks the line that names it. ``is_folded`` is set for
    the blocks behind a ``Fold``."""

    list_depth: int = 0
    quote_depth: int = 0
    marker: str | None = None
    first_line: int = 0
    end_line: int = 0
    note: str | None = None
    quoted_lists: tuple[int, ...] = ()
    quotes: tuple[int, ...] = ()
    is_right_to_left: bool = False
    callouts: tuple[str, ...] = ()
    is_callout_title: bool = False
    is_folded: bool = False

    @property
    def callout(self) -> str:
        """The kind of the innermost quote: a callout, or "" for a plain quote."""
        return self.callouts[-1] if self.callouts else ""


@dataclass(frozen=True, slots=True)
class Paragraph:
    spans: tuple[Span, ...]
    at: Placement = field(default_factory=Placement)


@dataclass(frozen=True, slots=True)
class Heading:
    level: int
    spans: tuple[Span, ...]
    at: Placement = field(default_factory=Placement)


@dataclass(frozen=True, slots=True)
class CodeRun:
    """A run of ``length`` characters of code drawn in the theme colour of ``kind`` (keyword, string, comment, number,
    name, function, type, operator, inserted, deleted, plain)."""

    length: int
    kind: str


@dataclass(frozen=True, slots=True)
class CodeBlock:
    """Fenced or indented code. ``runs`` covers all of ``text`` when highlighted, else is empty. ``is_open`` is true
    while the closing fence has not arrived. ``pictures`` are a diagram's PNGs for light and dark. ``text`` is what
    can be shown, without the last line end; ``original`` is set where the author's characters are others, and
    ``ends_line`` tells whether there was a last line end."""

    language: str
    text: str
    runs: tuple[CodeRun, ...] = ()
    is_open: bool = False
    at: Placement = field(default_factory=Placement)
    pictures: tuple[bytes, ...] = field(default=(), repr=False)
    original: str | None = field(default=None, repr=False)
    ends_line: bool = False
    remark: str = ""

    @property
    def source(self) -> str:
        """The code to the letter, as it is copied and saved."""
        return (self.text if self.original is None else self.original) + "\n" * self.ends_line


@dataclass(frozen=True, slots=True)
class Table:
    """A table. ``alignments`` holds "left", "right", "center" or "" for each column; every row has as many cells as
    there are columns."""

    alignments: tuple[str, ...]
    header: tuple[tuple[Span, ...], ...]
    rows: tuple[tuple[tuple[Span, ...], ...], ...]
    at: Placement = field(default_factory=Placement)


@dataclass(frozen=True, slots=True)
class Rule:
    at: Placement = field(default_factory=Placement)


@dataclass(frozen=True, slots=True)
class MathBlock:
    """Display math; ``text`` is TeX source without its delimiters. ``is_pending``: its end, or how it looks, is still
    to come."""

    text: str
    at: Placement = field(default_factory=Placement)
    drawing: Drawing | None = None
    is_pending: bool = False


@dataclass(frozen=True, slots=True)
class ImagePlaceholder:
    """An image that the text names. It is never fetched; ``host`` is shown (empty for a local path). ``data`` are the
    bytes of an image embedded in the text; ``remark`` says why such an image is not shown."""

    alt: str
    url: str
    host: str
    at: Placement = field(default_factory=Placement)
    data: bytes = field(default=b"", repr=False)
    remark: str = ""


@dataclass(frozen=True, slots=True)
class Fold:
    """The summary line of folded blocks, which follow and have ``is_folded`` in their placement; ``label`` is its
    text."""

    label: str
    at: Placement = field(default_factory=Placement)


Block = Paragraph | Heading | CodeBlock | Table | Rule | MathBlock | ImagePlaceholder | Fold
Blocks = tuple[Block, ...]
