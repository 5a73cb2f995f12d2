"""The block tree that Markdown becomes: flat, in reading order, without Qt and without HTML.

Lists and quotes do not nest blocks; each block carries how deep it stands. So a view lays out one small thing at a
time,
and export walks a plain list.
"""

from __future__ import annotations

from dataclasses import dataclass, field

DRAWING_UNITS = 256


@dataclass(frozen=True, slots=True)
class Drawing:
    """A formula as outlines to be filled, in 256ths of the text's size; the baseline is at y 0, down is positive.
    ``operations`` has a letter each (M, L, Q, C, Z) and ``points`` the coordinates they take, as signed 16-bit
    numbers in the machine's order."""

    width: int
    ascent: int
    descent: int
    operations: str = field(repr=False)
    points: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Span:
    """A run of text in one style. ``href`` is set for links whose scheme is allowed; ``is_math`` means ``text`` is
    TeX source, and ``drawing`` is how it looks once that is known. A hard line break is ``"\\n"`` inside ``text``.
    ``note`` is set for footnote marks, which are drawn raised, and for the way back: ``fn-1`` leads to the block whose
    placement says ``fn-1``, ``fnref-1`` to the first span that leads there. It is a place in this text, no address."""

    text: str
    is_bold: bool = False
    is_italic: bool = False
    is_struck: bool = False
    is_code: bool = False
    is_math: bool = False
    href: str | None = None
    drawing: Drawing | None = None
    note: str | None = None


@dataclass(frozen=True, slots=True)
class Placement:
    """Where a block stands. ``marker`` is the list marker drawn before it ("•", "3.", "☐", "☑"), None for none.
    ``first_line`` and ``end_line`` (exclusive) are its lines in the Markdown source. ``note`` names the footnote that
    begins here. ``quoted_lists`` says for each quote how many lists it stands in, and is empty when none does."""

    list_depth: int = 0
    quote_depth: int = 0
    marker: str | None = None
    first_line: int = 0
    end_line: int = 0
    note: str | None = None
    quoted_lists: tuple[int, ...] = ()


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
    """``length`` characters of code drawn in the theme colour of ``kind`` (keyword, string, comment, number, name,
    function, type, operator, inserted, deleted, plain)."""

    length: int
    kind: str


@dataclass(frozen=True, slots=True)
class CodeBlock:
    """Fenced or indented code. ``runs`` covers all of ``text`` when highlighted, else is empty. ``is_open`` while the
    closing fence has not arrived. ``pictures`` are what a diagram looks like, as PNGs for light and dark."""

    language: str
    text: str
    runs: tuple[CodeRun, ...] = ()
    is_open: bool = False
    at: Placement = field(default_factory=Placement)
    pictures: tuple[bytes, ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True)
class Table:
    """``alignments`` holds "left", "right", "center" or "" a column; every row has as many cells as there are
    columns."""

    alignments: tuple[str, ...]
    header: tuple[tuple[Span, ...], ...]
    rows: tuple[tuple[tuple[Span, ...], ...], ...]
    at: Placement = field(default_factory=Placement)


@dataclass(frozen=True, slots=True)
class Rule:
    at: Placement = field(default_factory=Placement)


@dataclass(frozen=True, slots=True)
class MathBlock:
    """Display math; ``text`` is TeX source without its delimiters."""

    text: str
    at: Placement = field(default_factory=Placement)
    drawing: Drawing | None = None


@dataclass(frozen=True, slots=True)
class ImagePlaceholder:
    """An image that the text names. It is never fetched; ``host`` is shown (empty for a local path)."""

    alt: str
    url: str
    host: str
    at: Placement = field(default_factory=Placement)


Block = Paragraph | Heading | CodeBlock | Table | Rule | MathBlock | ImagePlaceholder
